//! How often did each thing happen? Counts by a word out of a fixed list: what is counted never grows.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What every word but those of the list is counted as.
const OTHER: &str = "other";

/// Counts by word.
#[derive(Debug)]
pub(crate) struct Tally<const N: usize> {
    words: [&'static str; N],
    counts: [AtomicU64; N],
    other: AtomicU64,
}

impl<const N: usize> Tally<N> {
    pub(crate) const fn new(words: [&'static str; N]) -> Self {
        Self { words, counts: [const { AtomicU64::new(0) }; N], other: AtomicU64::new(0) }
    }

    pub(crate) fn count(&self, word: &str) {
        let nth = self.words.iter().position(|known| *known == word);
        nth.and_then(|nth| self.counts.get(nth)).unwrap_or(&self.other).fetch_add(1, Relaxed);
    }

    /// Each word with its count; others together, if there were any.
    pub(crate) fn all(&self) -> Vec<(&'static str, u64)> {
        let other = self.other.load(Relaxed);
        let known = self.words.iter().zip(&self.counts).map(|(word, count)| (*word, count.load(Relaxed)));
        known.chain((other > 0).then_some((OTHER, other))).collect()
    }
}

/// What an engine counts.
#[derive(Debug)]
pub(crate) struct Tallies {
    /// Exchanges with the platform, by what came of them.
    pub(crate) fetches: Tally<7>,
    /// Reports, by what they led to.
    pub(crate) reports: Tally<4>,
    /// Wishes for a new credential, by what they led to.
    pub(crate) rotations: Tally<4>,
}

impl Default for Tallies {
    fn default() -> Self {
        const OUTCOMES: [&str; 4] = ["replaced", "refreshing", "kept", "held_off"];
        Self {
            fetches: Tally::new(["granted", "repeated", "refused", "transport", "lost", "status", "malformed"]),
            reports: Tally::new(OUTCOMES),
            rotations: Tally::new(OUTCOMES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_counted_and_no_other_is_lost() {
        let tally = Tally::new(["a", "b"]);
        ["b", "b", "x", "y"].into_iter().for_each(|word| tally.count(word));
        assert_eq!(tally.all(), [("a", 0), ("b", 2), ("other", 2)]);
    }
}
