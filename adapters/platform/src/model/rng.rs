//! Where do the model's arbitrary values come from? One seeded generator, so that a run can be repeated.
//!
//! SplitMix64 (Steele, Lea and Flood, 2014), written out here because a run's tokens must stay the same when a
//! dependency is updated. Nothing here protects anything: these tokens open a stand-in.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

#[derive(Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True with probability `p`; never for `p <= 0`, always for `p >= 1`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        // 53 bits are what an f64 holds exactly.
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        unit < p
    }

    /// Appends characters of the token alphabet until `text` is `length` long.
    pub(crate) fn fill_token(&mut self, text: &mut String, length: usize) {
        while text.len() < length {
            let index = (self.next() >> 58) as usize;
            text.push(char::from(ALPHABET[index]));
        }
    }

    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + (self.next() % 10) as u8)).collect()
    }
}
