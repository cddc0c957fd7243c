//! What is the time of day? **EMULATOR ONLY** is where it comes from: the host, or a setting of the run.
//!
//! A real board asks its clock chip or an SNTP server, and answers `None` until it knows: the token in flash is then neither
//! written nor taken up, and each boot costs one fetch.

use core::sync::atomic::{AtomicU32, Ordering};

use super::{semihosting, time};

/// The Unix second of the boot, 0 while unknown; until the year 2106.
static BOOTED_AT: AtomicU32 = AtomicU32::new(0);

/// Tells the time of day, in seconds since the Unix epoch; without it, the host is asked.
pub fn set(unix_s: Option<u64>) {
    let now = unix_s.or_else(semihosting::unix_time).unwrap_or(0);
    let booted_at = now.saturating_sub(time::millis() / 1000);
    BOOTED_AT.store(u32::try_from(booted_at).unwrap_or(0), Ordering::Relaxed);
}

/// Seconds since the Unix epoch. They pass as fast as the rest of time does.
pub fn unix_time() -> Option<u64> {
    match BOOTED_AT.load(Ordering::Relaxed) {
        0 => None,
        booted_at => Some(u64::from(booted_at) + time::millis() / 1000),
    }
}
