//! What time is it on the platform? Virtual time: it runs at any speed, stands still, and is stepped by hand.
//!
//! The one file of this crate that reads a clock of the machine.

#![allow(clippy::disallowed_methods, reason = "the one place of this crate that may read a clock")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Virtual milliseconds since the Unix epoch: `base_ms` plus the real time since `since`, times `speed`.
#[derive(Debug)]
pub(crate) struct Clock {
    base_ms: u64,
    since: Instant,
    speed: f64,
}

impl Clock {
    /// Starts at `start_ms`, or at the machine's wall time.
    pub(crate) fn new(start_ms: Option<u64>, speed: f64) -> Self {
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, as_ms);
        Self { base_ms: start_ms.unwrap_or_else(wall), since: Instant::now(), speed: sane(speed) }
    }

    pub(crate) fn now(&self) -> u64 {
        let real_ms = self.since.elapsed().as_secs_f64() * 1_000.0;
        // A float turns into an integer by saturating, so an absurd speed ends at the end of time.
        self.base_ms.saturating_add((real_ms * self.speed) as u64)
    }

    pub(crate) const fn speed(&self) -> f64 {
        self.speed
    }

    pub(crate) fn set_speed(&mut self, speed: f64) {
        self.set_now(self.now());
        self.speed = sane(speed);
    }

    pub(crate) fn set_now(&mut self, now_ms: u64) {
        self.base_ms = now_ms;
        self.since = Instant::now();
    }

    pub(crate) fn advance(&mut self, step: Duration) {
        self.base_ms = self.base_ms.saturating_add(as_ms(step));
    }

    /// Real time until virtual `at_ms`; `None` while the clock stands still short of it.
    pub(crate) fn real_until(&self, at_ms: u64) -> Option<Duration> {
        let left = at_ms.saturating_sub(self.now());
        if left == 0 {
            return Some(Duration::ZERO);
        }
        if self.speed == 0.0 {
            return None;
        }
        // Rounded up, so that a sleeper does not wake a moment early and sleep again; capped at a day, after which it
        // looks again.
        let seconds = (left as f64 / self.speed / 1_000.0 + 0.001).min(86_400.0);
        Some(Duration::from_secs_f64(seconds))
    }
}

/// A duration in whole milliseconds, saturating.
pub(crate) fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

const fn sane(speed: f64) -> f64 {
    if speed.is_finite() && speed > 0.0 { speed } else { 0.0 }
}
