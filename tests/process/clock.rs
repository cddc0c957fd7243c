//! What time is it in a world that runs faster, the same for every process in it?

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wxtoken::{Clock, Instant};

/// Virtual seconds in a real one.
pub(crate) const SPEED: u64 = 1_000;
/// Where virtual time begins, in milliseconds since the Unix epoch.
pub(crate) const BEGINNING: u64 = 1_790_000_000_000;

/// Real milliseconds since the Unix epoch.
#[allow(clippy::disallowed_methods, reason = "the one place of these tests that reads a clock")]
pub(crate) fn real_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// All processes of one world share the real instant at which it began.
pub(crate) struct FastClock {
    pub(crate) began_ms: u64,
}

impl FastClock {
    fn virtual_ms(&self) -> u64 {
        real_ms().saturating_sub(self.began_ms) * SPEED
    }
}

impl Clock for FastClock {
    fn now(&self) -> Instant {
        Instant::from_millis(self.virtual_ms())
    }

    fn unix_time(&self) -> Option<Duration> {
        Some(Duration::from_millis(BEGINNING + self.virtual_ms()))
    }

    fn boot_id(&self) -> Option<String> {
        Some("this world".into())
    }

    fn real_wait(&self, wait: Duration) -> Option<Duration> {
        Some((wait / SPEED as u32).max(Duration::from_millis(1)))
    }
}
