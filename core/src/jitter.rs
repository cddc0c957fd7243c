//! Where does chance come from: from a seed the caller gives, so that a test can repeat it and replicas can agree on it.

/// Spreads the bits of a counter over the whole word (the finaliser of SplitMix64).
#[inline(never)]
pub(crate) const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number in `0..=max` that depends on `seed` and `draw` alone.
///
/// There is no running state: the same generation or attempt always draws the same number, however often it is asked
/// (a jitter drawn again at every poll collapses to its early edge).
#[inline(never)]
pub(crate) const fn up_to(max: u32, seed: u64, draw: u64) -> u32 {
    let word = mix(seed ^ draw.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 32;
    // Multiply and shift: no division, no bias worth the name, and never above `max`.
    ((word * (max as u64 + 1)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_drawn_and_never_passed() {
        let (mut low, mut high) = (false, false);
        for draw in 0..10_000 {
            let n = up_to(10, 7, draw);
            assert!(n <= 10);
            low |= n == 0;
            high |= n == 10;
        }
        assert!(low && high);
        assert_eq!(up_to(0, 7, 3), 0);
        assert!((0..100).any(|d| up_to(u32::MAX, 7, d) > u32::MAX / 2));
    }

    #[test]
    fn seeds_and_draws_matter() {
        let of = |seed| [0, 1, 2, 3].map(|draw| up_to(1_000_000, seed, draw));
        assert_ne!(of(1), of(2));
        assert_eq!(of(1), of(1));
        let [a, b, ..] = of(1);
        assert_ne!(a, b);
    }
}
