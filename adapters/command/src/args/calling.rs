//! What can the subcommands be told that use a token: call, send, upload, download?

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Account;
use crate::exit;

/// Where calls go, and how long they may take.
#[derive(Args, Debug)]
pub(crate) struct Calling {
    #[command(flatten)]
    pub(crate) account: Account,
    /// Call another host than the one that gives the token: for a token from a central server
    #[arg(long, value_name = "URL")]
    pub(crate) api_base: Option<String>,
    /// How long to go on, e.g. 30s: while the platform is busy, a quota used up, or another token on its way; otherwise 90s,
    /// and 10m for a file
    #[arg(long, value_name = "TIME")]
    pub(crate) limit: Option<humantime::Duration>,
}

const CALL_EXAMPLES: &str = "\
Examples:
  wxtoken call GET /cgi-bin/getcallbackip --id wx0123456789abcdef --secret-file mp.secret
  wxtoken call POST /cgi-bin/user/info/updateremark --data '{\"openid\":\"o1\",\"remark\":\"门卫\"}' --id wx0123456789abcdef
  wxtoken call GET /cgi-bin/user/get --query userid=u1 --kind work --id ww0123456789abcdef --cache app.token
  wxtoken call POST /wxa/getwxacode --data @page.json -o code.jpg --kind mini-program --id wx0123456789abcdef
";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{CALL_EXAMPLES}\n{}", exit::TABLE))]
pub(crate) struct Call {
    /// GET or POST
    #[arg(value_enum, ignore_case = true, value_name = "METHOD")]
    pub(crate) method: Method,
    /// The path, e.g. /cgi-bin/getcallbackip; the token is put in by itself
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    /// The JSON to post: the text itself, @FILE, or - for standard input
    #[arg(long, value_name = "DATA", required_if_eq("method", "post"))]
    pub(crate) data: Option<String>,
    /// A parameter of the query, NAME=VALUE; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) query: Vec<(String, String)>,
    /// Write the reply to this file, whatever kind it is; otherwise JSON to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Executing it twice does no harm: call again when no answer came. A GET is called again in any case
    #[arg(long)]
    pub(crate) idempotent: bool,
    #[command(flatten)]
    pub(crate) calling: Calling,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// Without a body
    Get,
    /// With a body of JSON
    Post,
}

const SEND_EXAMPLES: &str = "\
A TEXT is the text itself, @FILE, or - for standard input.

Examples:
  wxtoken send template --to o1 --template t1 --value temp=90 --id wx0123456789abcdef --secret-file mp.secret
  wxtoken send custom --to o1 --text '您好' --id wx0123456789abcdef --secret-file mp.secret
  wxtoken send work --agent 1000002 --to-user u1 --text 'Over temperature: 90 ℃' --id ww0123456789abcdef
  uptime | wxtoken send work --agent 1000002 --to-party 3 --markdown - --id ww0123456789abcdef
";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{SEND_EXAMPLES}\n{}", exit::TABLE))]
pub(crate) struct Send {
    #[command(subcommand)]
    pub(crate) message: Message,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Message {
    /// Send a message by a template of an official account (模板消息); prints its number
    Template(Template),
    /// Send a customer message (客服消息) to a user who wrote within 48 hours
    Custom(Custom),
    /// Send a message of a WeCom app (企业微信应用消息); prints its number
    Work(Work),
}

#[derive(Args, Debug)]
#[command(after_long_help = format!("{SEND_EXAMPLES}\n{}", exit::TABLE))]
pub(crate) struct Template {
    /// The receiver's openid
    #[arg(long, value_name = "OPENID")]
    pub(crate) to: String,
    /// The template's id
    #[arg(long, value_name = "ID")]
    pub(crate) template: String,
    /// A place of the template and its text, NAME=TEXT; repeatable
    #[arg(long, value_name = "NAME=TEXT", value_parser = pair)]
    pub(crate) value: Vec<(String, String)>,
    /// The page that opens when the message is touched
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The mini program that opens instead, APPID=PAGE
    #[arg(long, value_name = "APPID=PAGE", value_parser = pair)]
    pub(crate) mini_program: Option<(String, String)>,
    /// The message's own id: within ten minutes the platform sends it once, also when this command is run again
    #[arg(long, value_name = "ID")]
    pub(crate) message_id: Option<String>,
    #[command(flatten)]
    pub(crate) calling: Calling,
}

#[derive(Args, Debug)]
#[command(after_long_help = format!("{SEND_EXAMPLES}\n{}", exit::TABLE))]
pub(crate) struct Custom {
    /// The receiver's openid
    #[arg(long, value_name = "OPENID")]
    pub(crate) to: String,
    /// What to say
    #[arg(long, value_name = "TEXT", required_unless_present = "image")]
    pub(crate) text: Option<String>,
    /// A picture instead: its media_id, from `wxtoken upload`
    #[arg(long, value_name = "MEDIA_ID", conflicts_with = "text")]
    pub(crate) image: Option<String>,
    #[command(flatten)]
    pub(crate) calling: Calling,
}

/// The account is one of WeCom: --kind need not be said.
#[derive(Args, Debug)]
#[command(after_long_help = format!("{SEND_EXAMPLES}\n{}", exit::TABLE))]
pub(crate) struct Work {
    /// The app's agentid
    #[arg(long, value_name = "AGENTID")]
    pub(crate) agent: u64,
    /// A member's userid, or @all; repeatable
    #[arg(long, value_name = "USERID", required_unless_present_any = ["to_party", "to_tag"])]
    pub(crate) to_user: Vec<String>,
    /// A department's id; repeatable
    #[arg(long, value_name = "ID")]
    pub(crate) to_party: Vec<String>,
    /// A tag's id; repeatable
    #[arg(long, value_name = "ID")]
    pub(crate) to_tag: Vec<String>,
    /// What to say; WeCom cuts it at 2048 bytes
    #[arg(long, value_name = "TEXT", required_unless_present = "markdown")]
    pub(crate) text: Option<String>,
    /// What to say in Markdown; WeCom cuts it at 2048 bytes
    #[arg(long, value_name = "TEXT", conflicts_with = "text")]
    pub(crate) markdown: Option<String>,
    /// Show it with a watermark, not to be passed on
    #[arg(long)]
    pub(crate) confidential: bool,
    /// Send none of the same content within this time, e.g. 60s, 4h at most; with it the message is sent again when no answer
    /// came
    #[arg(long, value_name = "TIME")]
    pub(crate) once_within: Option<humantime::Duration>,
    #[command(flatten)]
    pub(crate) calling: Calling,
}

const UPLOAD_EXAMPLES: &str = "\
What is taken, by product; 1 MB has 1048576 bytes:
  image  png, jpeg, jpg, gif up to 10 MB (WeCom: no gif)
  voice  amr, mp3 up to 2 MB (WeCom: amr)
  video  mp4 up to 10 MB
  thumb  jpg, jpeg up to 64 KB; not WeCom
  file   any up to 20 MB; WeCom only
A mini program takes images only.

Examples:
  wxtoken upload door.jpg --type image --id wx0123456789abcdef --secret-file mp.secret
  wxtoken upload report.pdf --type file --kind work --id ww0123456789abcdef --secret-file app.secret
";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{UPLOAD_EXAMPLES}\n{}", exit::TABLE))]
pub(crate) struct Upload {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// As what it is uploaded
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub(crate) media_type: MediaType,
    /// Another name than the file's
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) calling: Calling,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MediaType {
    /// A picture
    Image,
    /// A recording of at most a minute
    Voice,
    /// A video
    Video,
    /// The picture shown for a video
    Thumb,
    /// Any file
    File,
}

const DOWNLOAD_EXAMPLES: &str = "\
The file is there when it is complete, and otherwise it is not: a half one is kept beside it under another name and removed.

Examples:
  wxtoken download MEDIA_ID -o door.jpg --id wx0123456789abcdef --secret-file mp.secret
  wxtoken download MEDIA_ID -o - --kind work --id ww0123456789abcdef | sha256sum
";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{DOWNLOAD_EXAMPLES}\n{}", exit::TABLE))]
pub(crate) struct Download {
    /// The media_id that the upload gave
    #[arg(value_name = "MEDIA_ID")]
    pub(crate) media_id: String,
    /// The file to write, or - for standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) calling: Calling,
}

/// NAME=VALUE, split at the first `=`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}
