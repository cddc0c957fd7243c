//! What does the debugger's host know: the command line, chance, the time of day, how the run ended?
//!
//! **EMULATOR ONLY**, all of it: a device in the field has no debugger attached, and a semihosting call without one is a
//! hard fault. What a real board does instead stands at each function.

use core::arch::asm;

pub mod file;

const SYS_OPEN: u32 = 0x01;
const SYS_CLOSE: u32 = 0x02;
const SYS_READ: u32 = 0x06;
const SYS_TIME: u32 = 0x11;
const SYS_GET_CMDLINE: u32 = 0x15;
const SYS_EXIT_EXTENDED: u32 = 0x20;
/// The reason of an ordinary end, `ADP_Stopped_ApplicationExit`.
const APPLICATION_EXIT: usize = 0x2_0026;
/// The mode "rb" of `SYS_OPEN`.
const OPEN_READ_BINARY: usize = 1;

/// One call of the host.
///
/// # Safety
/// `argument` is what `operation` wants by "Semihosting for AArch32 and AArch64": a value, or the address of a block
/// whose pointers are valid, with their lengths, for what the host reads and writes.
unsafe fn call(operation: u32, argument: usize) -> i32 {
    let result: i32;
    // SAFETY: the host reads and writes only what the block names, which the caller vouches for; r0 is its only output.
    unsafe {
        asm!("bkpt 0xab", inlateout("r0") operation => result, in("r1") argument, options(nostack));
    }
    result
}

/// The command line, in `room`; `None` when it does not fit or is not text.
///
/// A real board has its configuration in flash, written when it is made: see [`provision`](crate::provision).
pub fn command_line(room: &mut [u8]) -> Option<&str> {
    // In: room and its length. Out: the length of the text.
    let mut block = [room.as_mut_ptr() as usize, room.len()];
    // SAFETY: the block names `room`, mutably borrowed, with its own length; the host writes no more than that.
    let failed = unsafe { call(SYS_GET_CMDLINE, (&raw mut block) as usize) };
    if failed != 0 {
        return None;
    }
    core::str::from_utf8(room.get(..block[1])?).ok()
}

/// Fills `room` with what nobody on the network can guess, from the host's own generator; false when the host has none.
///
/// A real board reads its random number generator (STM32: RNG, ESP32: `esp_random` with the radio on, nRF: RNG). One
/// without takes a seed that was written to flash when it was made, and mixes a boot counter into it.
pub fn random(room: &mut [u8]) -> bool {
    let path = c"/dev/urandom";
    let open = [path.as_ptr() as usize, OPEN_READ_BINARY, path.count_bytes()];
    // SAFETY: the block names a text that ends in a zero byte, a mode, and the length of that text.
    let handle = unsafe { call(SYS_OPEN, (&raw const open) as usize) };
    let Ok(handle) = usize::try_from(handle) else { return false };
    let read = [handle, room.as_mut_ptr() as usize, room.len()];
    // SAFETY: the block names a handle and `room`, mutably borrowed, with its own length; the host writes no more than that.
    let missing = unsafe { call(SYS_READ, (&raw const read) as usize) };
    let close = [handle];
    // SAFETY: the block names the handle that was opened above and is used no more.
    unsafe { call(SYS_CLOSE, (&raw const close) as usize) };
    missing == 0
}

/// The time of day, in seconds since the Unix epoch; `None` when the host does not know it.
///
/// A real board asks its real-time clock or an SNTP server, or goes without: the day of the fetch budget then begins with
/// the first fetch instead of at midnight in Beijing.
pub fn unix_time() -> Option<u64> {
    // SAFETY: this operation takes no argument.
    let seconds = unsafe { call(SYS_TIME, 0) };
    // 32 bits that are counted without a sign, until the year 2106.
    Some(u64::from(seconds.cast_unsigned())).filter(|&seconds| seconds != 0)
}

/// Ends the emulator, whose exit code becomes `code`.
///
/// A real board resets itself, or waits for its watchdog to do so.
pub fn exit(code: u32) -> ! {
    let block = [APPLICATION_EXIT, code as usize];
    loop {
        // SAFETY: the block is what this operation wants, two words.
        unsafe { call(SYS_EXIT_EXTENDED, (&raw const block) as usize) };
    }
}
