//! What do the measured programs have in common? A world of which the compiler knows nothing.
//!
//! Everything that would come from outside passes through `black_box`, so that no program is small because the compiler
//! has foreseen what it would be told. The world itself is next to no code: what is measured is the program's own.

#![no_std]

use core::hint::black_box;

pub mod executor;
pub mod socket;

use wxtoken_embedded::core::{Account, Endpoint, Instant};

/// The buffer of request and reply, in bytes, the same for everybody.
pub const BUFFER_LEN: usize = wxtoken_embedded::DEFAULT_BUFFER_LEN;

/// A text of which the compiler knows neither content nor length.
#[must_use]
pub fn text() -> &'static str {
    black_box("text")
}

/// The time, whatever it is.
#[must_use]
pub fn now() -> Instant {
    black_box(Instant::ZERO)
}

/// The account of a device. Its endpoint is unknown to the compiler, hence its rules and its parameters too.
#[must_use]
pub fn account() -> Account<'static> {
    static STABLE: Endpoint = Endpoint::STABLE_TOKEN;
    loop {
        if let Ok(account) = Account::new(black_box(&STABLE), text(), text()) {
            return account;
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
