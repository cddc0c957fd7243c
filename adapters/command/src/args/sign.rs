//! What can `wxtoken sign` be told?

use clap::{Args, ValueEnum};

use super::Account;
use crate::exit;

const EXAMPLES: &str = "\
Examples:
  WXTOKEN_SECRET=... wxtoken sign https://shop.example.com/item?id=7 --id wx0123456789abcdef --cache mp.token
      What wx.config needs on this page; a second run takes token and ticket from the files.
  wxtoken sign https://crm.example.com/ --kind work --id ww0123456789abcdef --secret-file app.secret --json
      One line of JSON for a WeCom page, with the corp's ticket.
  wxtoken sign https://crm.example.com/ --kind work --ticket agent-config --id ww0123456789abcdef
      What wx.agentConfig needs, with the app's own ticket.
";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{EXAMPLES}\n{}", exit::TABLE))]
pub(crate) struct Sign {
    /// The page's address as its script has it in location.href; what follows a # is not signed
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) account: Account,
    /// Which ticket signs: by default jsapi for official accounts and corp for WeCom
    ///
    /// With --cache FILE the ticket is kept beside the token, in FILE.NAME, where NAME is the ticket's. The platform gives
    /// few tickets and announces each with a full life whenever it is asked: keep it.
    #[arg(long, value_enum, value_name = "TICKET")]
    pub(crate) ticket: Option<Ticket>,
    /// Fetch the ticket at another host than the one that gives the token: for a token from a central server
    #[arg(long, value_name = "URL")]
    pub(crate) api_base: Option<String>,
    /// Print one line of JSON: appId, timestamp (Unix seconds), nonceStr, signature, url
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to go on trying while the cause may pass by itself, e.g. 30s; otherwise one try
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub(crate) wait: humantime::Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ticket {
    /// jsapi_ticket of an official account, for wx.config
    Jsapi,
    /// jsapi_ticket of a WeCom corp, for wx.config
    Corp,
    /// The WeCom app's own ticket, for wx.agentConfig
    AgentConfig,
}
