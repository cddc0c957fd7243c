//! Whose credential does this client keep: the strings behind core's borrowed account, owned and wiped.

use std::fmt;

use sha2::{Digest, Sha256};
use wxtoken_core::{Account, Base, Endpoint};
use zeroize::Zeroizing;

use crate::error::ConfigError;

pub(crate) struct Identity {
    endpoint: &'static Endpoint,
    base: String,
    id: String,
    secret: Zeroizing<String>,
    digest: [u8; 32],
}

impl Identity {
    pub(crate) fn new(
        endpoint: &'static Endpoint,
        base: Option<&str>,
        id: &str,
        secret: Zeroizing<String>,
    ) -> Result<Self, ConfigError> {
        Account::new(endpoint, id, &secret)?;
        let base = match base {
            // Written back, so that two spellings of one base are one account.
            Some(base) => Base::parse(base)?.to_string(),
            None => endpoint.default_base().to_string(),
        };
        let digest = digest(endpoint, &base, id, &secret);
        Ok(Self { endpoint, base, id: id.to_owned(), secret, digest })
    }

    /// The same account at another endpoint: that of a ticket, at `base` or else at the same one.
    pub(crate) fn at(&self, endpoint: &'static Endpoint, base: Option<&str>) -> Result<Self, ConfigError> {
        Self::new(endpoint, Some(base.unwrap_or(&self.base)), &self.id, self.secret.clone())
    }

    pub(crate) const fn endpoint(&self) -> &'static Endpoint {
        self.endpoint
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Tells this account from every other, two apps of one corp included, and gives away nothing of the secret.
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Drives the jitter: the same on every replica of one account.
    pub(crate) fn seed(&self) -> u64 {
        self.digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
    }

    /// The account as core wants it. Both halves were checked when this was made, so it is always `Some`.
    pub(crate) fn account(&self) -> Option<Account<'_>> {
        let account = Account::new(self.endpoint, &self.id, &self.secret).ok()?;
        Some(account.with_base(Base::parse(&self.base).ok()?))
    }
}

/// Each part with its length before it, so that no two accounts run together into one text.
fn digest(endpoint: &Endpoint, base: &str, id: &str, secret: &str) -> [u8; 32] {
    let secret = Sha256::digest(secret.as_bytes());
    let mut all = Sha256::new();
    for part in [endpoint.name().as_bytes(), base.as_bytes(), id.as_bytes(), secret.as_slice()] {
        all.update((part.len() as u64).to_be_bytes());
        all.update(part);
    }
    all.finalize().into()
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("endpoint", &self.endpoint.name())
            .field("base", &self.base)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn of(endpoint: &'static Endpoint, base: Option<&str>, id: &str, secret: &str) -> Identity {
        Identity::new(endpoint, base, id, Zeroizing::new(secret.to_owned())).expect("fine")
    }

    #[test]
    fn museum_25_two_apps_of_one_corp_are_two_accounts() {
        let (a, b) = (of(&Endpoint::WORK, None, "ww1", "secret-a"), of(&Endpoint::WORK, None, "ww1", "secret-b"));
        assert_ne!(a.digest(), b.digest());
        let others = [
            of(&Endpoint::TOKEN, None, "ww1", "secret-a"),
            of(&Endpoint::WORK, Some("https://h"), "ww1", "secret-a"),
            of(&Endpoint::WORK, None, "ww2", "secret-a"),
        ];
        assert!(others.iter().all(|other| other.digest() != a.digest()));
    }

    #[test]
    fn the_same_account_spelled_twice_is_one() {
        let (a, b) = (
            of(&Endpoint::TOKEN, None, "wx1", "s"),
            of(&Endpoint::TOKEN, Some("https://api.weixin.qq.com/"), "wx1", "s"),
        );
        assert_eq!((a.digest(), a.seed()), (b.digest(), b.seed()));
    }

    #[test]
    fn debug_has_no_secret() {
        assert!(!format!("{:?}", of(&Endpoint::TOKEN, None, "wx1", "s3cr3t")).contains("s3cr3t"));
    }
}
