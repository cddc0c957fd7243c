//! When is a reader to come back? After the next fetch, and not together with all the others.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use wxtoken::Instant;

use crate::Snapshot;

/// The most that is added for the spread, in seconds.
const MOST: u64 = 120;
/// 2^64 over the golden ratio: its multiples leave no part of a circle empty for long, however many are taken.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Draws the spread, for each reader another one.
pub(crate) struct Spread {
    last: AtomicU64,
}

impl Spread {
    /// Begins anywhere: servers that share their readers do not draw alike.
    pub(crate) fn new() -> Self {
        Self { last: AtomicU64::new(RandomState::new().hash_one(STEP)) }
    }

    /// In how many seconds it pays to read this again: once it will have been replaced, and up to two minutes later, which
    /// is never more than half of what will be left then. Never beyond the life itself.
    pub(crate) fn refresh_after(&self, snapshot: &Snapshot, now: Instant) -> u64 {
        let left = snapshot.remaining(now);
        let fetch = snapshot.next_fetch_at().saturating_since(now).min(left);
        let room = (left.saturating_sub(fetch).as_secs() / 2).min(MOST);
        // Rounded up: who comes a moment early comes twice.
        let fetch = u64::try_from(fetch.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        (fetch.saturating_add(self.draw(room))).max(1).min(left.as_secs())
    }

    /// A number up to and with `most`.
    pub(crate) fn draw(&self, most: u64) -> u64 {
        let place = self.last.fetch_add(STEP, Ordering::Relaxed);
        u64::try_from((u128::from(place) * (u128::from(most) + 1)) >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use wxtoken::Token;

    use super::*;
    use crate::Held;

    fn snapshot(left_s: u64, fetch_s: u64) -> (Snapshot, Instant) {
        let now = Instant::from_millis(1_000_000);
        let at = |seconds| now.saturating_add(Duration::from_secs(seconds));
        let held = Some(Arc::new(Held::new(&Token::new("T").expect("a token"), 1)));
        let (expires_at, next_fetch_at) = (at(left_s), at(fetch_s));
        (Snapshot { held, expires_at, generation: 1, next_fetch_at, fetching: false, trouble: None }, now)
    }

    #[test]
    fn readers_come_evenly_after_the_fetch_and_within_half_of_what_is_left() {
        let spread = Spread::new();
        for (left, fetch, last) in [(7200, 6900, 7020), (7200, 7100, 7150), (60, 0, 30), (100, 6900, 100), (1, 1, 1)] {
            let (snapshot, now) = snapshot(left, fetch);
            let first = fetch.clamp(1, left);
            let mut came = vec![0_u32; usize::try_from(last - first + 1).expect("small")];
            for _ in 0..12_100 {
                let after = spread.refresh_after(&snapshot, now);
                assert!((first..=last).contains(&after), "{after} of {left} {fetch}");
                came[usize::try_from(after - first).expect("small")] += 1;
            }
            let (least, most) = (came.iter().min().expect("some"), came.iter().max().expect("some"));
            // The very first second has those of the moment itself, too, where a fetch is due now.
            assert!(*least > 0 && (*most <= least + 8 || fetch == 0), "{left} {fetch}: {least}..{most}");
        }
    }

    #[test]
    fn a_life_that_ends_at_once_is_no_time_to_wait() {
        let (mut snapshot, now) = snapshot(0, 0);
        snapshot.expires_at = now.saturating_add(Duration::from_millis(900));
        assert_eq!(Spread::new().refresh_after(&snapshot, now), 0);
    }
}
