//! Whose entries are these?

use core::fmt;

use wxtoken_core::{Account, Action, Instant, Keeper};

/// 32 bits each: plenty to notice that a new firmware image has another account, and far too few to give away anything of
/// a secret with a hundred bits of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// Of the endpoint and the id: the platform counts fetches by these, whatever the secret.
    pub(super) account: u32,
    /// Of all that is sent, the secret included: two apps of one corp differ in nothing else.
    pub(super) credential: u32,
}

impl Marks {
    pub(super) fn of(account: &Account<'_>) -> Self {
        let mut digest = Digest::new();
        digest.add(account.endpoint().path());
        digest.add(account.id());
        let marked = digest.mark();
        // The request tells all that makes a credential this one, in the only way the secret can be had: written.
        if let Action::Fetch(fetch) = Keeper::new(account.endpoint(), 0).poll(Instant::ZERO) {
            let request = account.request(fetch);
            // A digest takes all that is written.
            let _ = request.write_url(&mut digest);
            let _ = request.write_body(&mut digest);
            let _ = request.write_authorization(&mut digest);
        }
        Self { account: marked, credential: digest.mark() }
    }
}

/// FNV-1a of 64 bits, mixed and cut.
struct Digest(u64);

impl Digest {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, text: &str) {
        // An end mark, so that "a" and "bc" are not "ab" and "c".
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    const fn mark(&self) -> u32 {
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x >> 32) as u32
    }
}

impl fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
