//! What does a reader see? One immutable picture of a credential, swapped atomically whenever something changes.

use std::{fmt, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use wxtoken::{Fingerprint, Instant, Reason, Token};
use zeroize::Zeroizing;

/// A credential that is, or was, handed out. Wiped when its last holder drops it; `Debug` shows no content.
pub struct Held {
    text: Zeroizing<Box<str>>,
    fingerprint: Fingerprint,
    sha256: [u8; 32],
    generation: u32,
}

impl Held {
    pub(crate) fn new(token: &Token, generation: u32) -> Self {
        Self {
            text: Zeroizing::new(token.as_str().into()),
            fingerprint: token.fingerprint(),
            sha256: Sha256::digest(token.as_str()).into(),
            generation,
        }
    }

    /// The credential itself, for the one place that sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// By which a report of it is compared.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The SHA-256 of its text, by which a client may name it without repeating it.
    #[must_use]
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Its number: each new one of a credential has a higher one, also after a restart.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({} bytes, generation {})", self.text.len(), self.generation)
    }
}

/// How a credential stood when something last changed. Times are instants of the engine's clock: what is left of a life
/// is reckoned when it is asked for, never stored.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) held: Option<Arc<Held>>,
    pub(crate) expires_at: Instant,
    pub(crate) generation: u32,
    pub(crate) next_fetch_at: Instant,
    pub(crate) fetching: bool,
    pub(crate) trouble: Option<Reason>,
}

impl Snapshot {
    /// The credential, if it is valid at `now`.
    #[must_use]
    pub fn valid(&self, now: Instant) -> Option<&Arc<Held>> {
        self.held.as_ref().filter(|_| now < self.expires_at)
    }

    /// The life left at `now`; zero when nothing is valid.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> Duration {
        if self.held.is_some() { self.expires_at.saturating_since(now) } else { Duration::ZERO }
    }

    /// When what is held ends; of no meaning while nothing is held.
    #[must_use]
    pub const fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// The number of the last credential that was held; 0 before the first.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// When the next fetch is planned, and so when it pays to ask again. While one is under way: when it is given up.
    #[must_use]
    pub const fn next_fetch_at(&self) -> Instant {
        self.next_fetch_at
    }

    /// Whether a fetch is under way.
    #[must_use]
    pub const fn is_fetching(&self) -> bool {
        self.fetching
    }

    /// What went wrong with the last fetch; `None` when it succeeded.
    #[must_use]
    pub const fn trouble(&self) -> Option<&Reason> {
        self.trouble.as_ref()
    }
}
