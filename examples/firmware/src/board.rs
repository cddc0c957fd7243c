//! What hardware is there? MPS2 with a Cortex-M3 (application note 385), as QEMU's machine `mps2-an385` emulates it.

#[cfg(feature = "async")]
pub mod executor;
pub mod fatal;
pub mod flash;
#[cfg(feature = "tls")]
pub mod heap;
pub mod interrupts;
pub mod lan9118;
pub mod semihosting;
pub mod sensor;
pub mod stack;
pub mod time;
#[cfg(feature = "tls")]
pub mod tls;
pub mod wall;

/// The processor's clock, in hertz.
pub const CORE_CLOCK_HZ: u32 = 25_000_000;
