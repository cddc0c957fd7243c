//! What time is it in the demo? The platform's time, for clients too: one clock, stepped by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wxtoken::{Clock, Instant};
use wxtoken_platform::Running;

/// Midnight in Beijing before the day that is played: where the platform's quotas begin anew.
pub(crate) const MIDNIGHT_MS: u64 = 1_767_196_800_000;

/// How often a real thread looks up while the clock stands still.
const LOOK_UP: Duration = Duration::from_millis(5);

#[derive(Clone)]
pub(crate) struct VirtualClock {
    platform: Arc<Running>,
    /// Whether somebody who waits makes time pass. False while real threads wait for each other.
    waiting_passes: Arc<AtomicBool>,
}

impl VirtualClock {
    pub(crate) fn new(platform: Arc<Running>) -> Self {
        Self { platform, waiting_passes: Arc::new(AtomicBool::new(true)) }
    }

    /// Milliseconds since midnight.
    pub(crate) fn ms(&self) -> u64 {
        self.platform.now_ms().saturating_sub(MIDNIGHT_MS)
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.platform.advance(time);
    }

    pub(crate) fn stand_still_for_waiters(&self, yes: bool) {
        self.waiting_passes.store(!yes, Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        Instant::from_millis(self.ms())
    }

    fn unix_time(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.platform.now_ms()))
    }

    /// Waiting is what makes time pass: a caller who waits three seconds finds them gone at once.
    fn real_wait(&self, wait: Duration) -> Option<Duration> {
        if !self.waiting_passes.load(Ordering::SeqCst) {
            return Some(LOOK_UP);
        }
        self.pass(wait);
        Some(Duration::ZERO)
    }
}

/// A time of day, for people.
pub(crate) fn time_of_day(ms: u64) -> String {
    let s = ms / 1_000;
    format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
}
