//! How often is a credential asked for? Counted by every read, so it costs one addition: the minutes are told apart by what
//! the count was when each of them began.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use wxtoken::Instant;

const MINUTE_MS: u64 = 60_000;

/// Counts reads. Two readers at the turn of a minute may each take the other for a moment later: what is lost is one read's
/// place in its minute, never the read.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    total: AtomicU64,
    /// The minute that is running, and what the total was when it began: the low half of each.
    this: AtomicU64,
    /// The same of the last minute before it in which anybody read.
    before: AtomicU64,
}

impl Readers {
    pub(crate) fn count(&self, now: Instant) {
        let total = self.total.fetch_add(1, Relaxed);
        let (minute, this) = (minute(now), self.this.load(Relaxed));
        if minute != high(this) && self.this.compare_exchange(this, pack(minute, total), Relaxed, Relaxed).is_ok() {
            self.before.store(this, Relaxed);
        }
    }

    /// All reads since this credential is kept.
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    /// The reads of the last 60 s: those of the running minute, and of the one before the part that is not over yet, as if
    /// it had been even.
    pub(crate) fn per_minute(&self, now: Instant) -> u64 {
        let (total, this, before) = (low(self.total()), self.this.load(Relaxed), self.before.load(Relaxed));
        let minute = minute(now);
        let (running, last) = match minute.wrapping_sub(high(this)) {
            0 => {
                let last = if high(before) == minute.wrapping_sub(1) { low(this).wrapping_sub(low(before)) } else { 0 };
                (total.wrapping_sub(low(this)), last)
            }
            1 => (0, total.wrapping_sub(low(this))),
            _ => (0, 0),
        };
        let left = MINUTE_MS - now.as_millis() % MINUTE_MS;
        u64::from(running) + u64::from(last) * left / MINUTE_MS
    }
}

/// The first minute is 1, so that nothing happened in minute 0.
fn minute(now: Instant) -> u32 {
    low(now.as_millis() / MINUTE_MS).wrapping_add(1)
}

fn pack(minute: u32, total: u64) -> u64 {
    u64::from(minute) << 32 | u64::from(low(total))
}

const fn high(packed: u64) -> u32 {
    (packed >> 32) as u32
}

#[allow(clippy::cast_possible_truncation, reason = "differences of low halves are right below 2^32")]
const fn low(packed: u64) -> u32 {
    packed as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_count_for_a_minute() {
        let (readers, at) = (Readers::default(), Instant::from_millis);
        let read = |count, at| (0..count).for_each(|_| readers.count(at));
        assert_eq!(readers.per_minute(at(0)), 0);
        read(3, at(1_000));
        assert_eq!(readers.per_minute(at(59_000)), 3);
        read(57, at(59_999));
        // A quarter of the next minute is over.
        assert_eq!(readers.per_minute(at(75_000)), 45);
        read(10, at(76_000));
        assert_eq!((readers.per_minute(at(90_000)), readers.total()), (40, 70));
        assert_eq!(readers.per_minute(at(120_000)), 10);
        assert_eq!(readers.per_minute(at(180_000)), 0);
        read(1, at(600_000));
        assert_eq!((readers.per_minute(at(600_000)), readers.total()), (1, 71));
    }

    #[test]
    fn the_count_goes_round() {
        let readers = Readers::default();
        readers.total.store(u64::from(u32::MAX) - 1, Relaxed);
        (0..5).for_each(|_| readers.count(Instant::from_millis(600_000)));
        assert_eq!(readers.per_minute(Instant::from_millis(600_000)), 5);
    }
}
