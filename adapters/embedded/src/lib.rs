#![doc = include_str!("../README.md")]
#![no_std]

pub mod asynch;
pub mod blocking;
#[cfg(feature = "flash")]
pub mod flash;

mod attempt;
mod clock;
mod exchange;
mod fault;
#[cfg(feature = "nal")]
mod nal;
#[cfg(feature = "nal-async")]
mod nal_async;
mod spread;

pub use attempt::Attempt;
#[cfg(feature = "embassy-time")]
pub use clock::EmbassyClock;
pub use clock::{Clock, TickClock, Timer};
pub use exchange::{DEFAULT_BUFFER_LEN, Exchange, Response, Step};
pub use fault::{ConnectError, Fault};
#[cfg(feature = "nal")]
pub use nal::{Nal, NalConnection, NalError};
#[cfg(feature = "nal-async")]
pub use nal_async::NalAsync;
pub use spread::boot_delay;
pub use wxtoken_core as core;
