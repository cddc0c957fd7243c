//! When does what comes by chance come? SplitMix64, so that a failure can be repeated.

/// A generator.
pub(crate) struct Dice(u64);

impl Dice {
    /// Equal seeds give equal numbers.
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `n` less one; `n` must not be 0.
    pub(crate) const fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % n
    }
}
