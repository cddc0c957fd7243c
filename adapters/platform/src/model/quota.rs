//! Is there any of this minute's, hour's or day's allowance left?

/// A natural window of time: it starts on the full minute, the full hour, or at 00:00 in UTC+8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    Minute,
    Hour,
    Day,
}

impl Span {
    pub(crate) const fn ms(self) -> u64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    const fn index(self, now: u64) -> u64 {
        // Only the day depends on the zone, which is a whole number of hours.
        now.saturating_add(8 * 3_600_000) / self.ms()
    }
}

/// How much of the current window is used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    index: u64,
    used: u32,
}

impl Window {
    /// Uses one of `limit`; false, and nothing used, when none is left.
    pub(crate) const fn take(&mut self, span: Span, now: u64, limit: u32) -> bool {
        self.roll(span, now);
        if self.used >= limit {
            return false;
        }
        self.used += 1;
        true
    }

    /// Uses one although none may be left, as a call that cannot be refused here does.
    pub(crate) const fn charge(&mut self, span: Span, now: u64) {
        self.roll(span, now);
        self.used = self.used.saturating_add(1);
    }

    const fn roll(&mut self, span: Span, now: u64) {
        let index = span.index(now);
        if index != self.index {
            self.index = index;
            self.used = 0;
        }
    }
}

/// How often an API may be called. `u32::MAX` means without limit.
///
/// A minute too full is 45011 for public accounts and a minute's wait; an hour or a day is 45009. WeCom says 45009 to
/// each, and refuses for as long as the window that was exceeded (WeCom rate limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiQuota {
    /// Calls a natural minute.
    pub per_minute: u32,
    /// Calls a natural hour.
    pub per_hour: u32,
    /// Calls a day, which ends at 00:00 in UTC+8.
    pub per_day: u32,
}

impl ApiQuota {
    /// No limit at all.
    pub const UNLIMITED: Self = Self { per_minute: u32::MAX, per_hour: u32::MAX, per_day: u32::MAX };
}

impl Default for ApiQuota {
    fn default() -> Self {
        Self::UNLIMITED
    }
}

/// How much of one API's quota is used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter {
    minute: Window,
    hour: Window,
    day: Window,
    blocked_until: u64,
}

impl Meter {
    /// Uses one call; the window that is full otherwise. With `penalty`, a full window also blocks for as long as it is.
    pub(crate) fn take(&mut self, now: u64, quota: ApiQuota, penalty: bool) -> Result<(), Span> {
        if now < self.blocked_until {
            return Err(Span::Hour);
        }
        for (window, span, limit) in [
            (&mut self.minute, Span::Minute, quota.per_minute),
            (&mut self.hour, Span::Hour, quota.per_hour),
            (&mut self.day, Span::Day, quota.per_day),
        ] {
            if !window.take(span, now, limit) {
                // The day's penalty is the rest of that natural day, which its window sees to.
                if penalty && span != Span::Day {
                    self.blocked_until = now.saturating_add(span.ms());
                }
                return Err(span);
            }
        }
        Ok(())
    }

    /// Refuses until `until`, whatever is left.
    pub(crate) fn block(&mut self, until: u64) {
        self.blocked_until = self.blocked_until.max(until);
    }
}
