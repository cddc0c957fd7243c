//! What can the command be told? Its subcommands and options; the examples are part of the help.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::{exit, lang};

mod calling;
pub(crate) mod sign;

pub(crate) use calling::{Call, Calling, Custom, Download, MediaType, Message, Method, Send, Template, Upload, Work};

const EXAMPLES: &str = "\
Examples:
  WXTOKEN_SECRET=... wxtoken get --id wx0123456789abcdef
      Prints a token of an official account and nothing else.
  wxtoken get --kind work --id ww0123456789abcdef --secret-file app.secret --cache app.token --json
      The same for a WeCom app; a second run takes the token from the cache.
  wxtoken send work --agent 1000002 --to-user u1 --text 'Over temperature' --id ww0123456789abcdef
      Sends an alarm; a token that is refused is replaced once.
  wxtoken upload door.jpg --type image --id wx0123456789abcdef --secret-file mp.secret
      Uploads a photo and prints its media_id.
  wxtoken doctor --id wx0123456789abcdef --secret-file mp.secret --lang zh
      Says in Chinese what is wrong and what to click.
  wxtoken sign https://shop.example.com/item?id=7 --id wx0123456789abcdef --cache mp.token --json
      What a page needs to use the JS-SDK.
  wxtoken platform --account official:wx0123456789abcdef:made-up --fault latency,ms=200
      A stand-in for WeChat on loopback that answers slowly.
  wxtoken demo --svg day.svg
      A day of trouble in a few seconds, and a drawing of it.
";

/// Keeps WeChat credentials valid: fetches a token, calls APIs with it, finds out why that fails, runs a stand-in
/// platform, shows a day of trouble.
///
/// A secret is read from the environment, a file or standard input, never from an argument: arguments are visible to
/// every user of the machine.
#[derive(Parser, Debug)]
#[command(name = "wxtoken", version, after_long_help = format!("{EXAMPLES}\n{}", exit::TABLE), max_term_width = 100)]
pub(crate) struct Cli {
    /// Language of messages for people; otherwise that of the locale
    #[arg(long, global = true, value_enum, value_name = "LANG")]
    pub(crate) lang: Option<lang::Choice>,
    /// Say more on standard error; up to three times. Secrets and tokens are never said
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Print a valid token
    Get(Get),
    /// Call an API with a token, and once more with another should it be refused
    Call(Call),
    /// Send a message: by a template, to a customer, or of a WeCom app
    Send(Send),
    /// Upload a picture, recording, video or file; prints its media_id, good for three days
    Upload(Upload),
    /// Download a file by its media_id
    Download(Download),
    /// Find out what keeps a token from being fetched, and say what to do
    Doctor(Doctor),
    /// Sign a web page for the JS-SDK with a ticket
    Sign(sign::Sign),
    /// Run a stand-in for the WeChat platform
    Platform(Platform),
    /// Watch credentials being kept valid through a day of trouble
    Demo(Demo),
    /// Run a central token server: one place fetches, everyone reads
    Serve(Serve),
    /// Print how a token server's accounts are
    Status(Status),
    /// Make a key for a client of a token server
    Key(Key),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page, or write one for each subcommand
    Man(Man),
}

#[derive(Args, Debug)]
#[command(after_long_help = exit::TABLE)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) account: Account,
    /// Print one line of JSON: access_token, expires_in (seconds), expires_at (Unix seconds), source (fetched, cached)
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to go on trying while the cause may pass by itself, e.g. 30s; otherwise one try
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub(crate) wait: humantime::Duration,
}

#[derive(Args, Debug)]
#[command(after_long_help = exit::TABLE)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) account: Account,
}

/// Which account, where, and how to reach it.
#[derive(Args, Debug)]
pub(crate) struct Account {
    /// What kind of account it is
    #[arg(long, value_enum, default_value = "official", value_name = "KIND")]
    pub(crate) kind: Kind,
    /// Which endpoint to fetch from; an app of WeCom has one of its own, or a server
    #[arg(long, value_enum, value_name = "ENDPOINT")]
    pub(crate) endpoint: Option<Endpoint>,
    /// The appid, or the corpid of WeCom
    #[arg(long, value_name = "ID")]
    pub(crate) id: String,
    /// Read the secret from this variable of the environment
    #[arg(long, value_name = "NAME", conflicts_with = "secret_file")]
    pub(crate) secret_env: Option<String>,
    /// Read the secret from this file, or from standard input if it is `-`
    ///
    /// Without this and --secret-env it is read from WXTOKEN_SECRET, else from standard input; on a terminal it is
    /// asked for and not shown. One newline at its end is dropped.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Ask another host: an official alternate, a central server, a platform for tests
    #[arg(long, value_name = "URL")]
    pub(crate) base: Option<String>,
    /// Keep the token in this file, so that the next run costs no fetch
    #[arg(long, value_name = "FILE")]
    pub(crate) cache: Option<PathBuf>,
    /// Trust the certificates in this file (PEM) and no others; otherwise Mozilla's list
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Allow plain http to a host that is not this machine: the secret is then readable on the way
    #[arg(long)]
    pub(crate) allow_plain_http: bool,
    /// How long one exchange with the platform may take, at most 10s
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(crate) timeout: humantime::Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// 公众号 or 服务号
    Official,
    /// 小程序
    MiniProgram,
    /// An app of 企业微信
    Work,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Endpoint {
    /// /cgi-bin/stable_token: repeating a fetch is harmless (default)
    Stable,
    /// /cgi-bin/token: every fetch retires the token before it
    Token,
    /// A token server (wxtoken serve): --base is where it is, --id the account's name there, the secret the client's key
    Server,
}

#[derive(Args, Debug)]
#[command(after_long_help = PLATFORM_EXAMPLES)]
pub(crate) struct Platform {
    /// Where to listen for HTTP; nothing protects the platform, keep it on loopback
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Also listen for HTTPS, on a port of the system's choice
    #[arg(long)]
    pub(crate) tls: bool,
    /// Write the certificate that HTTPS clients must trust to this file, in PEM
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) ca_out: Option<PathBuf>,
    /// The versions of TLS it speaks: both, 1.2, 1.3
    #[arg(long, value_name = "VERSIONS", requires = "tls", default_value = "both", value_parser = crate::platform::tls::versions())]
    pub(crate) tls_versions: wxtoken_platform::TlsVersions,
    /// The kind of its key, and of its authority's: ecdsa (P-256) or rsa (2048 bits, as WeChat's)
    #[arg(long, value_name = "KIND", requires = "tls", default_value = "ecdsa", value_parser = crate::platform::tls::key())]
    pub(crate) tls_key: wxtoken_platform::ServerKey,
    /// The certificate it shows: good, or wrong in one way
    #[arg(long, value_name = "LEAF", requires = "tls", default_value = "good", value_parser = crate::platform::tls::leaf())]
    pub(crate) tls_leaf: wxtoken_platform::Leaf,
    /// Another host name or address that the certificate is valid for; repeatable
    #[arg(long, value_name = "NAME", requires = "tls")]
    pub(crate) tls_name: Vec<String>,
    /// The port for orders: clock, faults, refusals, counters; 0 for one of the system's choice
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) control_port: u16,
    /// An account: KIND:ID:SECRET, where KIND is official, test, mini-program or work (there ID may be CORPID/AGENTID)
    ///
    /// The secret is made up, so it may stand in an argument. Repeatable. Without any, one account of each kind is
    /// made, and printed.
    #[arg(long, value_name = "SPEC", value_parser = crate::platform::spec::account)]
    pub(crate) account: Vec<wxtoken_platform::Account>,
    /// How many seconds pass on the platform in one real second; 0 stands still
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(crate) speed: f64,
    /// The seed of everything arbitrary: equal seeds give equal tokens
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Something that goes wrong: KIND[,KEY=VALUE]..., or JSON as on the control port; repeatable
    #[arg(long, value_name = "SPEC", value_parser = crate::platform::spec::fault)]
    pub(crate) fault: Vec<crate::platform::spec::FaultOrder>,
}

const PLATFORM_EXAMPLES: &str = "\
Faults, with their keys:
  latency ms | delayed ms | reply_lost | cut after | reset_before | reset_mid_body after | silence
  trickle bytes every_ms | status status | html | garbage | oversize bytes | redirect location
and which calls they happen to:
  path (prefix), next (how many calls), skip (calls to let pass), probability and seed, executed (true, false)

Examples:
  wxtoken platform --listen 127.0.0.1:8440
  wxtoken platform --tls --ca-out ca.pem --account work:ww0123456789abcdef/1000002:made-up
  wxtoken platform --tls --tls-key rsa --tls-versions 1.2 --tls-leaf expired
      HTTPS as WeChat's, with a certificate that ran out.
  wxtoken platform --fault reply_lost,path=/cgi-bin/token,next=1 --fault status,status=502,probability=0.05
  wxtoken platform --fault token_refused,younger_than_ms=30000,next=1 --fault token_refused,lasting_ms=60000
  wxtoken platform --speed 600
      Two hours pass in twelve seconds.";

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// What is played
    #[arg(value_enum, default_value_t = Scene::Day)]
    pub(crate) scene: Scene,
    /// Draw the day into this file: validity, fetches, faults; of the scene `day`
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// The seed of the platform's arbitrariness: equal seeds, equal days
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scene {
    /// Four accounts, each kept by a client of its own
    Day,
    /// Three accounts kept by a token server, and 200 readers of it
    Server,
}

/// The example of `wxtoken status`.
const STATUS_HELP: &str = "\
Examples:
  WXTOKEN_KEY=... wxtoken status
      The accounts of the key's client, at a server on this machine; of an admin's key all of them.
  wxtoken status --server https://tokens.lan:8440 --ca lan.pem --key-file admin.key --state failing --watch
      Those that need somebody, looked at every two seconds.

It ends with 0 when every account shown has a valid token, and with 5 when one has none.";

#[derive(Args, Debug)]
#[command(after_long_help = STATUS_HELP)]
pub(crate) struct Status {
    /// Where the token server is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8440")]
    pub(crate) server: String,
    /// The file with the client's key; otherwise the variable WXTOKEN_KEY
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Trust the certificates in this file and no others
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Allow plain http to another machine: who is on the way then reads the key
    #[arg(long)]
    pub(crate) allow_plain_http: bool,
    /// Only accounts in this state; may be given several times, or with commas
    #[arg(long, value_name = "STATE", value_enum, value_delimiter = ',')]
    pub(crate) state: Vec<AccountState>,
    /// Print the server's JSON, its pages joined
    #[arg(long, conflicts_with = "watch")]
    pub(crate) json: bool,
    /// Look again every so many seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) watch: Option<u64>,
}

/// How an account is: as its worst credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccountState {
    /// Nothing valid
    Down,
    /// Valid, and the last fetch failed
    Failing,
    /// Not fetched yet
    Waiting,
    /// A fetch is under way
    Refreshing,
    /// Valid
    Ok,
}

#[derive(Args, Debug)]
#[command(after_long_help = SERVE_HELP)]
pub(crate) struct Serve {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "wxtoken.toml")]
    pub(crate) config: PathBuf,
    /// Write a commented configuration to start from, and end; an existing file is not touched
    #[arg(long, conflicts_with = "check")]
    pub(crate) init: bool,
    /// Say whether the configuration is sound, and end; nothing is opened and nothing is sent
    #[arg(long)]
    pub(crate) check: bool,
}

const SERVE_HELP: &str = "\
The server keeps the tokens of its accounts in a file, so that a restart costs no fetch, and answers
    GET  /v1/accounts                        the accounts of the key's client
    GET  /v1/accounts/NAME/token             {access_token, expires_in, generation, refresh_after}
    POST /v1/accounts/NAME/token/report      {access_token | sha256}: that one was refused
    POST /v1/accounts/NAME/token/rotate      fetch a new one
    GET|POST /v1/accounts/NAME/tickets/KIND  the same of a ticket
    GET  /v1/status, /metrics                how the accounts are, for people and for Prometheus
    GET  /healthz, /readyz                   how it is, without a key
    GET  /                                   a page that shows the accounts, and asks for a key
to whoever sends `Authorization: Bearer KEY`.

SIGHUP reads the configuration again: tokens of accounts that did not change stay. SIGTERM finishes what
is under way. It tells systemd how it is (Type=notify-reload, WatchdogSec=).

Examples:
  wxtoken serve --init
      Writes wxtoken.toml, with a comment on every key.
  wxtoken key new
      A key for a client, and the hash that goes into the configuration.
  wxtoken serve --check
      Every problem of the configuration, with its remedy.
  SHOP_SECRET=... wxtoken serve --config /etc/wxtoken/wxtoken.toml
  curl -H \"Authorization: Bearer $KEY\" http://127.0.0.1:8440/v1/accounts/shop/token";

#[derive(Args, Debug)]
pub(crate) struct Key {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum KeyCommand {
    /// Print a new key of 256 random bits, and the SHA-256 that goes into the server's configuration
    New,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Write wxtoken.1 and a page for each subcommand into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
