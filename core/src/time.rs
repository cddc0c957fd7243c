//! What time is it, as far as the core can know: milliseconds of a clock that the caller owns.
//!
//! The type offers no operators: subtracting the wrong way round or running past the end must neither panic nor wrap,
//! so every operation says in its name what it does at the edge.

use core::time::Duration;

/// A point on the caller's monotonic clock, in milliseconds since an origin that only the caller knows.
///
/// The clock should count suspend (on Linux `CLOCK_BOOTTIME`): a token ages while a laptop sleeps. A clock that steps
/// back is survived, every difference saturates at zero, but tokens then live longer than they should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);

    /// The instant `ms` milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the origin.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This instant moved later by `by`, at most to the end of the clock (584 million years).
    #[must_use]
    pub const fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// This instant moved earlier by `by`, at most to the origin.
    #[must_use]
    pub const fn saturating_sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }

    /// The time since `earlier`, or `None` when `earlier` is in truth the later one.
    #[must_use]
    pub const fn checked_since(self, earlier: Self) -> Option<Duration> {
        match self.0.checked_sub(earlier.0) {
            Some(ms) => Some(Duration::from_millis(ms)),
            None => None,
        }
    }

    /// The time since `earlier`, or zero when `earlier` is in truth the later one.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Whole milliseconds of a duration, saturating: `Duration::as_millis` is 128 bits wide, which a small target pays for.
pub(crate) const fn millis(d: Duration) -> u64 {
    d.as_secs().saturating_mul(1000).saturating_add(d.subsec_millis() as u64)
}

/// Widens a 32-bit millisecond tick, which wraps every 49.7 days, to the 64 bits that [`Instant`] wants.
///
/// ```
/// # use wxtoken_core::Ticks32;
/// let mut ticks = Ticks32::new();
/// let before = ticks.widen(u32::MAX);
/// let after = ticks.widen(4);
/// assert_eq!(after.as_millis() - before.as_millis(), 5);
/// ```
///
/// It must be asked at least once in 49.7 days; a keeper that is polled does so thousands of times.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ticks32 {
    wide: u64,
}

impl Ticks32 {
    /// A widener whose origin is the tick counter's own zero.
    #[must_use]
    pub const fn new() -> Self {
        Self { wide: 0 }
    }

    /// The instant of `tick`, milliseconds, taken to be less than one wrap after the one before.
    pub const fn widen(&mut self, tick: u32) -> Instant {
        // The low word of what we know, subtracted modulo 2^32, is the time that passed, wrap or no wrap.
        let passed = tick.wrapping_sub(self.wide as u32);
        self.wide = self.wide.saturating_add(passed as u64);
        Instant(self.wide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_never_wrap() {
        let (early, late) = (Instant::from_millis(3), Instant::from_millis(10));
        assert_eq!(late.checked_since(early), Some(Duration::from_millis(7)));
        assert_eq!(early.checked_since(late), None);
        assert_eq!(early.saturating_since(late), Duration::ZERO);
        assert_eq!(Instant::from_millis(u64::MAX).saturating_add(Duration::MAX).as_millis(), u64::MAX);
        assert_eq!(early.saturating_sub(Duration::from_secs(1)), Instant::ZERO);
    }

    #[test]
    fn a_million_steps_across_three_wraps_stay_in_step() {
        let mut ticks = Ticks32::new();
        let mut truth: u64 = 0;
        while truth < 3 * (1 << 32) + 17 {
            truth += 12_347_891;
            assert_eq!(ticks.widen(truth as u32).as_millis(), truth);
        }
    }
}
