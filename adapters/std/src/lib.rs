#![doc = include_str!("../README.md")]

mod attempt;
mod builder;
mod cache;
mod call;
mod client;
mod clock;
mod error;
mod events;
mod held;
mod http;
mod identity;
mod media;
mod message;
mod random;
mod shared;
mod state;
mod status;
mod sync;
mod ticket;
mod transport;

pub use builder::Builder;
pub use call::{
    BodySource, CALL_LIMIT, CallError, CallReason, CallReply, GivenUp, MAX_CALL_REPLY_LEN, Once, Refused, ReplySink,
};
pub use client::{Client, Reported};
pub use clock::{Alarm, Clock, SystemClock};
pub use error::{ConfigError, Error, Reason};
pub use held::TokenRef;
pub use media::{BadMedia, Downloaded, MEDIA_LIMIT, MediaLimits, MediaType, Metered, Upload, Uploaded};
pub use message::{CustomMessage, TemplateMessage, WorkMessage, WorkSent};
pub use status::{Source, Status};
pub use ticket::{SignError, SignedPage, TicketBuilder, TicketClient};
pub use transport::{CallResponse, Response, Transport, TransportError};
pub use wxtoken_core as core;
#[doc(no_inline)]
pub use wxtoken_core::{
    Act, BadAccount, BadBase, BadCall, BadPage, Base, CONNECT_LIMIT_MS, Call, CallRequest, EXCHANGE_LIMIT_MS, Endpoint,
    Failure, Fingerprint, GaveUp, Instant, Lang, Ledger, MAX_REPLY_LEN, Malformed, PageSignature, Policy, Refusal,
    Request, Token,
};
