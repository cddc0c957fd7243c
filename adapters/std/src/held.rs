//! What does a caller get: a token that costs no copy.

use std::{fmt, ops::Deref, sync::Arc};

use wxtoken_core::{Fingerprint, Instant, Token};

/// A credential that was valid when it was handed out, shared with the client: cloning it copies a pointer. It wipes
/// itself when the last holder drops it. Dereferences to [`Token`]; `Debug` shows no content.
///
/// Do not keep it: ask the client again for each call, that is cheap and always right.
#[derive(Clone)]
pub struct TokenRef(pub(crate) Arc<Held>);

pub(crate) struct Held {
    pub(crate) token: Token,
    pub(crate) expires_at: Instant,
    pub(crate) generation: u32,
}

impl TokenRef {
    /// The number of this token: each new one of a client has a higher number.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.0.generation
    }

    /// When it expires, in the time of the client's [`Clock`](crate::Clock);
    /// [`Client::remaining`](crate::Client::remaining) turns it into a life.
    #[must_use]
    pub fn expires_at(&self) -> Instant {
        self.0.expires_at
    }
}

impl Deref for TokenRef {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.0.token
    }
}

impl From<&TokenRef> for Fingerprint {
    fn from(token: &TokenRef) -> Self {
        token.fingerprint()
    }
}

impl fmt::Debug for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRef({} bytes, generation {})", self.0.token.len(), self.0.generation)
    }
}
