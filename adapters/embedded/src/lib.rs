#![doc = include_str!("../README.md")]
#![no_std]

pub mod asynch;
pub mod blocking;
#[cfg(feature = "flash")]
pub mod flash;

mod attempt;
mod clock;
mod errand;
mod exchange;
mod fault;
#[cfg(feature = "nal")]
mod nal;
#[cfg(feature = "nal-async")]
mod nal_async;
mod spread;
mod stream;

pub use attempt::Attempt;
#[cfg(feature = "embassy-time")]
pub use clock::EmbassyClock;
pub use clock::{Clock, TickClock, Timer};
pub use errand::{CallFailed, CallReply};
pub use exchange::{DEFAULT_BUFFER_LEN, Exchange, Response, Step};
pub use fault::{ConnectError, Fault};
#[cfg(feature = "nal")]
pub use nal::{Nal, NalConnection, NalError};
#[cfg(feature = "nal-async")]
pub use nal_async::NalAsync;
pub use spread::boot_delay;
pub use stream::{ReadAt, WriteAt};
pub use wxtoken_core as core;
