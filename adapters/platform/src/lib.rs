//! What does the WeChat platform do when a token is fetched or used? A stand-in for it on loopback, with its token
//! rules, quotas, refusals and wire quirks, and with faults on request.
//!
//! ```
//! use std::time::Duration;
//! use wxtoken_platform::{Account, Platform};
//!
//! let platform = Platform::builder()
//!     .account(Account::official("wx0123456789abcdef", "a secret"))
//!     .speed(0.0) // the clock stands still, and is stepped below
//!     .start()?;
//! println!("point a client at {}", platform.http_url());
//! platform.advance(Duration::from_secs(7_200));
//! assert_eq!(platform.counters().account("wx0123456789abcdef").minted, 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What you use
//!
//! - [`Platform::builder`] and [`Running`]: the server on loopback, for tests, demos and anybody's own CI. It runs on
//!   threads of its own, so blocking and async callers use it alike, and stops when dropped.
//! - [`model::Model`]: the same rules without clock or socket, for simulations of days in milliseconds.
//!
//! It shares no code with the clients that are tried against it, so that it can contradict them.
//!
//! # What it serves
//!
//! | path | rules |
//! |---|---|
//! | `GET /cgi-bin/token` | each call mints; three readings of the [`Overlap`]; 2000 a day, 200 for a test account |
//! | `POST /cgi-bin/stable_token` | the same token until its last 300 s; forced 20 a day, 30 s apart; apart from the above |
//! | `GET /cgi-bin/gettoken` | WeCom: the same token while valid; 10 000 a minute, 150 000 an hour |
//! | `getcallbackip`, `get_api_domain_ip` | whose token is it, and is it alive |
//! | `message/template/send`, `message/custom/send`, `message/send` | the same, and keeps the message for reading back |
//! | `ticket/getticket` | `type` is `jsapi` or `wx_card`: the same ticket for its 7200 s; 10 000 a day |
//! | `get_jsapi_ticket`, `ticket/get?type=agent_config` | WeCom's: 100 an hour for an application, 400 for a corporation |
//! | `media/upload` | a form with a file: type, name and size as documented; its media_id lives three days |
//! | `media/get` | that file; of a 公众号's video its address |
//!
//! All of them on one port, where the real platform has two hosts: a call that belongs to nobody is answered in WeCom's
//! words when its path is WeCom's alone, or when there are only WeCom accounts.
//!
//! # Time
//!
//! The platform has its own clock: it runs at any [speed](Builder::speed), stands still at 0, and is stepped by
//! [`Running::advance`]. Everything but the faults in real milliseconds follows it, the `Date` header included.
//!
//! # Faults
//!
//! [`Running::fault`] orders a [`Fault`] for a [`FaultScope`]: the next call, the next few, a path, every call, or at
//! random with a seed, for a while of the platform's clock, or those whose token is young. A call meets at most one. [`Running::refuse`] orders refusals, which are no faults: well-formed
//! replies with an errcode. [`Running::set_listening`] makes an outage, [`Running::set_leaf`] a wrong certificate.
//!
//! # The control port
//!
//! The same orders as JSON over HTTP, for programs in other languages. The answer is `{}`, a value, or
//! `{"error":".."}` with a status of 4xx or 5xx. NAME is the account's, as [`Account::name`] says. A body with a field
//! that is not listed is refused. Nothing protects this port but that it listens on loopback and turns away requests
//! with an `Origin`, which browsers send.
//!
//! | order | body |
//! |---|---|
//! | `GET /clock` | answers `{"now_ms":1700000000000,"speed":1.0}`, as the next three do |
//! | `POST /clock/advance`, `POST /clock/set` | `{"ms":60000}` |
//! | `POST /clock/speed` | `{"speed":60.0}` |
//! | `POST /faults` | `{"fault":{"kind":"cut","after":10},"scope":{"next":1,"skip":0,"path":"/cgi-bin/","probability":0.5,"seed":7,"executed":true,"younger_than_ms":30000,"lasting_ms":60000}}`; of the scope, any part may be missing |
//! | `DELETE /faults` | |
//! | `POST /listening` | `{"on":false}` |
//! | `POST /leaf` | `{"leaf":"expired"}`, see [`Leaf`] |
//! | `POST /accounts/NAME/rotate`, `/force`, `/revoke`, `/accept` | |
//! | `POST /accounts/NAME/refuse` | `{"errcode":40001,"using":true,"times":1,"lasting_ms":1000,"younger_than_ms":30000}`; only `errcode` must be there |
//! | `POST /accounts/NAME/allow`, `/deny`, `/admin-confirms`, `/admin-refuses` | `{"ip":"127.0.0.1"}` |
//! | `POST /accounts/NAME/ask-admin`, `/freeze` | `{"on":true}` |
//! | `POST /accounts/NAME/secret` | `{"secret":".."}` |
//! | `POST /accounts/NAME/valid`, `/ticket-valid` | `{"token":".."}`, `{"ticket":".."}`; answers `{"valid":true}` |
//! | `POST /accounts/NAME/quota` | `{"path":"/cgi-bin/message/send","per_minute":3,"per_hour":3,"per_day":3}`; a number that is missing stays |
//! | `GET /counters` | answers [`Counters`] |
//! | `GET /messages`, `GET /media` | answers an array of [`Message`], of [`Medium`] |
//! | `POST /shutdown` | |
//!
//! # Where the documents leave a choice
//!
//! - Days end at 00:00 in UTC+8 for every product. WeCom says "natural day"; for 公众号 no document names the instant.
//! - A wrong secret is 40125, WeCom 40091 ([`Account::wrong_secret`] changes it). A superseded token is 40001, an
//!   expired one 42001, WeCom's revoked or made-up one 40014.
//! - A forced refresh kills the older token at once; [`ForcedPredecessor`] has the other reading. The 21st of a day is
//!   45009. One that comes too soon answers like a normal fetch and costs nothing.
//! - At exactly 300 s left, `stable_token` mints. Remaining seconds are rounded down.
//! - A fetch is checked in this order: appid, grant_type, secret, ordered refusal, frozen secret (40243), address
//!   (40164), administrator (895xx), quota. Only a fetch that passes all but the last uses quota.
//! - The administrator is asked once for each address (89503); until the answer, calls get 89501. After the block of an
//!   hour (89507) or a day (89506) the next call asks again.
//! - The allow-list binds calls with a secret; WeCom's trusted addresses bind calls with a token too (60020).
//! - A public account's repeated ticket says 7200 s each time, WeCom's what is left ([`TicketRepeat`]). A ticket outlives
//!   the token that fetched it. All applications of a corporation get the same corporation ticket. A wrong `type` is 40097,
//!   WeCom 40058; a 小程序 has no tickets (48001).
//! - A file is judged by the ending of its name (40005) and its size (45001; empty: 44001; WeCom up to 5 bytes: 40006), never
//!   by its bytes; nobody measures how long a recording plays. A megabyte has 1 048 576 bytes. A media_id of WeCom is good
//!   for every application of the corporation. A message that names one that is not alive gets 40007.
//! - An API's full minute is 45011, its hour or day 45009. WeCom says 45009 to each, for as long as the window was.
//! - Changes in the console act at once; the real ones take minutes.
//!
//! # What it does not do
//!
//! HTTP/2, parts of a file (`Range`), the rule that customer messages answer within 48 hours, the open platform's and third
//! parties' credentials, `clear_quota`, per-address limits. It reports nothing about the real platform's speed, and its tokens protect nothing.

mod builder;
mod clock;
mod content;
mod control;
mod delivery;
mod door;
mod download;
mod engine;
mod fault;
mod form;
mod http;
pub mod model;
mod running;
mod server;
mod tap;
mod tls;

pub use builder::{Builder, Platform};
pub use fault::{Fault, FaultScope, TimeBase};
pub use model::{
    Account, AccountCounters, ApiQuota, Calls, Counters, ForcedPredecessor, Kind, Medium, Message, Overlap, Quirks,
    Quotas, Refusal, TicketRepeat, UnknownAccount, WorkBody, WorkRepeat,
};
pub use running::Running;
pub use tls::{Leaf, ServerKey, TlsVersions};
