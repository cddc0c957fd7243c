//! What happens when the firmware itself is at fault: a panic, a hard fault?
//!
//! **EMULATOR ONLY** are the exit codes. A real board notes the reason in a RAM section that survives a reset, and resets;
//! the fetch budget must survive with it (a flash memory of `wxtoken-embedded`), or a boot loop burns the account's quota.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

use super::semihosting;

/// The exit code after a panic.
pub const PANICKED: u32 = 101;
/// The exit code after a hard fault.
pub const HARD_FAULT: u32 = 102;
/// The exit code of a run whose stack was too small.
pub const OVERFLOWED: u32 = 103;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // The place only: a message could quote what the program was working on.
    if let Some(place) = info.location() {
        defmt::error!("panic in line {=u32} of {=str}", place.line(), place.file());
    }
    semihosting::exit(PANICKED)
}

// SAFETY: it returns never, touches nothing that the interrupted code may have left half done, and makes no call that
// could fault again but the one that ends the run.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#010x}", frame.pc());
    semihosting::exit(HARD_FAULT)
}
