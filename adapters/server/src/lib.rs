#![doc = include_str!("../README.md")]

mod access;
mod account;
mod audit;
mod clock;
pub mod config;
mod doors;
mod engine;
mod events;
mod kind;
mod serve;
mod snapshot;
pub mod store;
mod tally;
mod upstream;
mod words;

pub use account::{Account, AccountKind, AccountSpec, BadSpec};
pub use clock::{Clock, Sleep, SystemClock, VirtualClock};
pub use engine::{
    BadAccounts, Builder, Change, Credential, Engine, Loaded, NoToken, ReportOutcome, Reported, Seen, Status,
};
pub use kind::{EndpointChoice, Kind};
pub use serve::{CannotStart, Server, Serving, Stopped};
pub use snapshot::{Held, Snapshot};
pub use upstream::{BadRoots, Exchange, Forwarding, Https, Response, Roots, Stream, Transport};
