//! Whose credential is it: an endpoint, a base, an id and a secret, borrowed from the caller.

use core::fmt;

use crate::{Base, Endpoint, Fetch, Product, Request};

/// The longest id or secret taken, in bytes. Real ones are 18 to 64; a device key of a central server may be longer.
pub const MAX_CREDENTIAL_LEN: usize = 512;

/// One account at one endpoint. It borrows its strings, so the secret stays where the caller keeps it and nothing here
/// needs wiping; `Debug` and `defmt` show the id and never the secret.
///
/// ```
/// use wxtoken_core::{Account, Endpoint};
/// let account = Account::new(&Endpoint::STABLE_TOKEN, "wx0123456789abcdef", "the secret")?;
/// # Ok::<(), wxtoken_core::BadAccount>(())
/// ```
#[derive(Clone, Copy)]
pub struct Account<'a> {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) base: Base<'a>,
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
}

impl<'a> Account<'a> {
    /// An account on the endpoint's first official host.
    ///
    /// # Errors
    /// [`BadAccount`] when the id or the secret is empty, too long, or has a control character or surrounding space
    /// (a secret read from a file with its newline is the usual cause).
    pub fn new(endpoint: &'static Endpoint, id: &'a str, secret: &'a str) -> Result<Self, BadAccount> {
        check(id).map_err(BadAccount::Id)?;
        check(secret).map_err(BadAccount::Secret)?;
        Ok(Self { endpoint, base: endpoint.default_base(), id, secret })
    }

    /// The same account asked for at another host: an official alternate, a proxy, a central server.
    #[must_use]
    pub const fn with_base(mut self, base: Base<'a>) -> Self {
        self.base = base;
        self
    }

    /// The endpoint it fetches from.
    #[must_use]
    pub const fn endpoint(&self) -> &'static Endpoint {
        self.endpoint
    }

    /// The host it asks.
    #[must_use]
    pub const fn base(&self) -> Base<'a> {
        self.base
    }

    /// The host that API calls go to: the one that is asked, or the product's own where that is a token server, which takes
    /// none of them.
    #[must_use]
    pub const fn call_base(&self) -> Base<'a> {
        match self.endpoint.product() {
            _ if !self.endpoint.takes_reports() => self.base,
            Product::Work => Base::WORK,
            _ => Base::API,
        }
    }

    /// The appid, corpid or other public id.
    #[must_use]
    pub const fn id(&self) -> &'a str {
        self.id
    }

    /// The request for one fetch. It borrows the account only: the keeper stays free, and unlocked, during the
    /// exchange.
    #[must_use]
    pub const fn request(&self, fetch: Fetch) -> Request<'a, 'static> {
        Request::new(*self, fetch, &[])
    }

    /// The request for one fetch of an endpoint whose parameters name [`Extra`](crate::Value::Extra) values.
    #[must_use]
    pub const fn request_with<'x>(&self, fetch: Fetch, extras: &'x [&'x str]) -> Request<'a, 'x> {
        Request::new(*self, fetch, extras)
    }
}

fn check(text: &str) -> Result<(), BadCredential> {
    if text.is_empty() {
        Err(BadCredential::Empty)
    } else if text.len() > MAX_CREDENTIAL_LEN {
        Err(BadCredential::TooLong)
    } else if text.bytes().any(|b| b.is_ascii_control()) || text.starts_with(' ') || text.ends_with(' ') {
        Err(BadCredential::ControlOrSpace)
    } else {
        Ok(())
    }
}

impl fmt::Debug for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("endpoint", &self.endpoint.name)
            .field("base", &self.base)
            .field("id", &self.id)
            .field("secret", &format_args!("{} bytes", self.secret.len()))
            .finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Account<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Account({=str} {=str} secret={=usize} bytes)",
            self.endpoint.name,
            self.id,
            self.secret.len()
        );
    }
}

/// What is wrong with an account. The user of the program must mend its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BadAccount {
    /// The appid or corpid.
    Id(BadCredential),
    /// The secret.
    Secret(BadCredential),
}

/// What is wrong with an id or a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BadCredential {
    /// It is empty.
    Empty,
    /// It is longer than [`MAX_CREDENTIAL_LEN`].
    TooLong,
    /// It has a control character (a newline from a file?) or begins or ends with a space.
    ControlOrSpace,
}

impl fmt::Display for BadAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, why) = match self {
            Self::Id(why) => ("the account's id ", why),
            Self::Secret(why) => ("the account's secret ", why),
        };
        f.write_str(what)?;
        f.write_str(match why {
            BadCredential::Empty => "is empty; set it",
            BadCredential::TooLong => "is longer than 512 bytes; was something else pasted?",
            BadCredential::ControlOrSpace => "has a control character or surrounding space; strip the newline",
        })
    }
}

impl core::error::Error for BadAccount {}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{format, string::ToString};

    use super::*;

    #[test]
    fn debug_names_the_account_and_not_its_secret() {
        let account = Account::new(&Endpoint::TOKEN, "wx1", "s3cr3t").expect("fine");
        let text = format!("{account:?}");
        assert!(text.contains("wx1") && text.contains("6 bytes") && !text.contains("s3cr3t"), "{text}");
    }

    #[test]
    fn a_secret_with_a_newline_is_named_as_such() {
        let new = |id, secret| Account::new(&Endpoint::TOKEN, id, secret).map(|_| ());
        assert_eq!(new("wx1", "abc\n"), Err(BadAccount::Secret(BadCredential::ControlOrSpace)));
        assert_eq!(new(" wx1", "abc"), Err(BadAccount::Id(BadCredential::ControlOrSpace)));
        assert_eq!(new("", "abc"), Err(BadAccount::Id(BadCredential::Empty)));
        assert_eq!(new("wx1", &"s".repeat(513)), Err(BadAccount::Secret(BadCredential::TooLong)));
        let text = BadAccount::Secret(BadCredential::ControlOrSpace).to_string();
        assert!(text.contains("secret") && text.contains("newline"));
    }
}
