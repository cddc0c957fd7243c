#![doc = include_str!("../README.md")]
#![no_std]

mod account;
mod base;
mod call;
mod divide;
mod endpoint;
#[cfg(feature = "defmt")]
mod formats;
mod ip;
mod jitter;
#[cfg(feature = "js-sdk")]
mod js_sdk;
mod keeper;
mod policy;
mod refusal;
mod reply;
mod request;
mod time;
mod token;
mod wire;

pub use account::{Account, BadAccount, BadCredential, MAX_CREDENTIAL_LEN};
pub use base::{BadBase, Base, Scheme};
pub use call::{BadCall, Body, Call, CallRequest, Errcode, ErrcodeReader, GaveUp, Healing, MAX_ATTEMPTS, Todo};
pub use endpoint::{Endpoint, Method, Param, Place, Repeat, Value};
#[cfg(feature = "js-sdk")]
pub use js_sdk::{BadPage, Nonce, PageSignature};
pub use keeper::{Action, Asleep, Failure, Fetch, Keeper, Ledger, Outcome, ReportOutcome, Snapshot, Ticket, Trouble};
pub use policy::{CONNECT_LIMIT_MS, EXCHANGE_LIMIT_MS, Policy};
pub use refusal::{Act, Lang, Meaning, Phase, Product, Refusal};
pub use reply::{Grant, MAX_EXPIRES_IN, MAX_REPLY_LEN, Malformed, Refused, Reply};
pub use request::Request;
pub use time::{Instant, Ticks32};
pub use token::{BadToken, Fingerprint, MAX_TOKEN_LEN, Token};
pub use wire::write_json_text;
