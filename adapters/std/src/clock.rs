//! What time is it, and how long does waiting take? The one file of this crate that reads a clock.

use std::{
    fmt,
    sync::Weak,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use wxtoken_core::Instant;

use crate::shared::Shared;

/// Time, injected, so that a test can pass a day in a millisecond.
pub trait Clock: Send + Sync + 'static {
    /// The time by which credentials are scheduled: monotonic, and counting suspend, for a token ages while a laptop
    /// sleeps.
    fn now(&self) -> Instant;

    /// Time of day since the Unix epoch, if it is known. Used for what is written to disk and for the day of the
    /// daily ledger, never for scheduling.
    fn unix_time(&self) -> Option<Duration>;

    /// Names the run of the system within which instants can be compared, for instance Linux's boot id. With it, life
    /// in a cache file is known even when the time of day was set wrong.
    fn boot_id(&self) -> Option<String> {
        None
    }

    /// How long to wait for real before looking at the clock again, when `wait` is left by this clock. `None`: until
    /// an [`Alarm`] given to [`subscribe`](Self::subscribe) rings. A short answer is harmless.
    fn real_wait(&self, wait: Duration) -> Option<Duration> {
        Some(wait)
    }

    /// Takes the alarm that must ring whenever this clock jumps. The system clock never does; a virtual one keeps it
    /// and rings it after each step.
    fn subscribe(&self, alarm: Alarm) {
        let _ = alarm;
    }
}

/// Wakes everybody in one client who waits for a time to come, so that they look at the clock again.
#[derive(Clone)]
pub struct Alarm(pub(crate) Weak<Shared>);

impl Alarm {
    /// Wakes them. Returns whether the client still exists.
    pub fn ring(&self) -> bool {
        self.0.upgrade().map(|shared| shared.wake_everybody()).is_some()
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alarm")
    }
}

/// A sleeping system stops the timers that threads wait by, though not this clock: nobody waits longer than this
/// without looking, so that a laptop that wakes up refreshes within a minute.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The clock of the operating system.
///
/// On Linux and Android it is `CLOCK_BOOTTIME`, on Apple systems `CLOCK_MONOTONIC`; both count suspend. Elsewhere it is
/// [`std::time::Instant`], of which the standard library does not say whether it does.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl SystemClock {
    /// The clock of the operating system.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        now()
    }

    #[allow(clippy::disallowed_methods, reason = "the one place where time of day enters")]
    fn unix_time(&self) -> Option<Duration> {
        SystemTime::now().duration_since(UNIX_EPOCH).ok()
    }

    fn boot_id(&self) -> Option<String> {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    }

    fn real_wait(&self, wait: Duration) -> Option<Duration> {
        Some(wait.min(LONGEST_WAIT))
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn now() -> Instant {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;
    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: ClockId = ClockId::Boottime;
    let time = clock_gettime(CLOCK);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let millis = u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000;
    Instant::from_millis(seconds.saturating_mul(1000).saturating_add(millis))
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
#[allow(clippy::disallowed_methods, reason = "the one place where monotonic time enters")]
fn now() -> Instant {
    use std::{sync::OnceLock, time::Instant as StdInstant};
    // std's instants have no origin: ours is the first reading.
    static ORIGIN: OnceLock<StdInstant> = OnceLock::new();
    let since = StdInstant::now().saturating_duration_since(*ORIGIN.get_or_init(StdInstant::now));
    Instant::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_moves_forward_and_knows_the_century() {
        let clock = SystemClock::new();
        let first = clock.now();
        assert!(clock.now() >= first);
        assert!(clock.unix_time().is_some_and(|t| t.as_secs() > 1_700_000_000));
    }

    #[test]
    fn nobody_sleeps_through_the_end_of_a_suspend() {
        assert_eq!(SystemClock::new().real_wait(Duration::from_secs(6900)), Some(LONGEST_WAIT));
        assert_eq!(SystemClock::new().real_wait(Duration::from_millis(5)), Some(Duration::from_millis(5)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_clock_is_the_one_that_counts_suspend() {
        // /proc/uptime is the same clock, in hundredths of a second.
        let uptime = std::fs::read_to_string("/proc/uptime").expect("procfs");
        let seconds: f64 = uptime.split(' ').next().and_then(|s| s.parse().ok()).expect("a number");
        let now = SystemClock::new().now().as_millis() as f64 / 1000.0;
        assert!(now >= seconds - 0.02, "{now} {seconds}");
        assert!(SystemClock::new().boot_id().is_some());
    }
}
