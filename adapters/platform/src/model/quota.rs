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
