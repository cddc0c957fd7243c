//! What is nobody else's: a name by chance, from the system's randomness.

use std::fmt::Write as _;

/// 128 bits. Should the system have no randomness to give, which rustls could not work without either, it is what the
/// standard library's hash keys give.
pub(crate) fn bytes() -> [u8; 16] {
    let mut bytes = [0_u8; 16];
    if rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).is_err() {
        use std::hash::{BuildHasher as _, RandomState};
        for half in bytes.chunks_exact_mut(8) {
            half.copy_from_slice(&RandomState::new().hash_one(0).to_le_bytes());
        }
    }
    bytes
}

/// The same in hex.
pub(crate) fn hex() -> String {
    let mut text = String::with_capacity(32);
    for byte in bytes() {
        // A String takes all that is written.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    #[test]
    fn no_two_are_alike() {
        let (a, b) = (super::hex(), super::hex());
        assert_ne!(a, b);
        assert!(a.len() == 32 && a.bytes().all(|byte| byte.is_ascii_hexdigit()), "{a}");
    }
}
