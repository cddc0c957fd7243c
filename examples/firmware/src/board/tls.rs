//! What does Mbed TLS want of a board? Memory, chance, the date, and the time that passes.

use mbedtls_rs::{
    Tls,
    sys::{
        hook::{
            timer::{MbedtlsTimer, hook_timer},
            wall_clock::{MbedtlsWallClock, hook_wall_clock},
        },
        mbedtls_ms_time_t, tm,
    },
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use static_cell::StaticCell;
use time::OffsetDateTime;
// The C library that it calls.
use tinyrlibc as _;

use super::{heap, semihosting, time as uptime, wall};

/// Why there is no TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
#[non_exhaustive]
pub enum NoTls {
    /// The board has no randomness, and keys could be guessed.
    NoChance,
    /// It has been started before.
    Started,
}

/// Starts Mbed TLS, once.
///
/// # Errors
/// [`NoTls`].
pub fn start() -> Result<Tls<'static>, NoTls> {
    static CHANCE: StaticCell<ChaCha20Rng> = StaticCell::new();
    heap::start();
    // **EMULATOR ONLY** is where the seed comes from. A real board with a generator of true random numbers hands that one
    // over, as a `rand_core::CryptoRng`, or seeds this one from it.
    let mut seed = [0; 32];
    if !semihosting::random(&mut seed) {
        return Err(NoTls::NoChance);
    }
    let chance = CHANCE.try_init(ChaCha20Rng::from_seed(seed)).ok_or(NoTls::Started)?;
    // SAFETY: nothing of Mbed TLS has been called yet, and both are statics without state.
    unsafe {
        hook_wall_clock(Some(&Date));
        hook_timer(Some(&Uptime));
    }
    Tls::new(chance).map_err(|_| NoTls::Started)
}

/// The date that certificates are held against.
struct Date;

impl MbedtlsWallClock for Date {
    /// `None` where the board does not know it: then every certificate is refused.
    fn instant(&self) -> Option<tm> {
        let now = OffsetDateTime::from_unix_timestamp(i64::try_from(wall::unix_time()?).ok()?).ok()?;
        Some(tm {
            tm_sec: now.second().into(),
            tm_min: now.minute().into(),
            tm_hour: now.hour().into(),
            tm_mday: now.day().into(),
            tm_mon: i32::from(u8::from(now.month())) - 1,
            tm_year: now.year() - 1900,
            tm_wday: now.weekday().number_days_from_sunday().into(),
            tm_yday: i32::from(now.ordinal()) - 1,
            tm_isdst: 0,
        })
    }
}

/// The time that tickets of TLS 1.3 age by.
struct Uptime;

impl MbedtlsTimer for Uptime {
    fn now(&self) -> mbedtls_ms_time_t {
        uptime::millis().cast_signed()
    }
}
