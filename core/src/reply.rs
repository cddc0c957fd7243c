//! What did the platform answer: a credential with its life, or an errcode?
//!
//! A body is hostile until read. It is capped, its bracket depth is scanned before the JSON reader sees it (skipping an
//! unknown value recurses, and its depth would be the peer's choice), strings are borrowed and never unescaped into a
//! common buffer (an odd escape in an *ignored* field must not cost the reply), and the credential is checked in place
//! before a byte of the one held is touched.
//!
//! Success is "a non-empty credential field", the one test that holds for every product: 公众平台 sends no errcode on
//! success, 企业微信 sends 0, 企业号 sent none.

use core::fmt;

use crate::endpoint::TOKEN_SERVER;
use crate::token::{BadToken, MAX_TOKEN_LEN, Token};

mod json;
mod unescape;

use unescape::{Credential, Unescaped};

/// The longest body that is read, in bytes. Real replies stay below 1 KiB.
pub const MAX_REPLY_LEN: usize = 4096;

/// The longest life that is believed, in seconds: one day. The platform announces 7200 and says it may change.
pub const MAX_EXPIRES_IN: u32 = 86_400;

/// A reply that made sense.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// A credential.
    Grant(Grant<'a>),
    /// An errcode other than 0.
    Refused(Refused<'a>),
}

/// A credential inside a reply, checked and not yet copied.
#[derive(Clone, Copy)]
pub struct Grant<'a> {
    /// Still with its JSON escapes; they were found sound.
    token: &'a str,
    expires_in: u32,
    /// When the issuer wants to be asked again, in seconds; 0 when it does not say.
    refresh_after: u32,
}

/// An errcode inside a reply.
#[derive(Clone, Copy)]
pub struct Refused<'a> {
    errcode: i32,
    errmsg: &'a str,
}

impl<'a> Reply<'a> {
    /// Reads a body. `token_field` is the member that holds the credential, as the
    /// [`Endpoint`](crate::Endpoint::token_field) says.
    ///
    /// # Errors
    /// [`Malformed`] says what was wrong, by kind and never by content.
    pub fn read(body: &'a [u8], token_field: &str) -> Result<Self, Malformed> {
        let fields = json::fields(body, token_field)?;
        match fields.token.text() {
            // A code beyond 32 bits is no code we know; saturated, it stays unknown.
            "" => Self::refused(i32::try_from(fields.errcode.number()).unwrap_or(i32::MAX), fields.errmsg.text()),
            token => {
                let mut grant = Grant::new(token, fields.expires_in.number())?;
                if TOKEN_SERVER {
                    grant.refresh_after = u32::try_from(fields.refresh_after.number()).unwrap_or(0);
                }
                Ok(Self::Grant(grant))
            }
        }
    }

    /// The reply that grants `token` for `expires_in` seconds, where something else has read the body (a modem that
    /// parses JSON by itself, a vendor's library). The token may still have JSON escapes.
    ///
    /// # Errors
    /// [`Malformed`], judged as strictly as by [`read`](Self::read).
    pub fn granted(token: &'a str, expires_in: i64) -> Result<Self, Malformed> {
        Grant::new(token, expires_in).map(Self::Grant)
    }

    /// The reply that refuses with `errcode`, where something else has read the body.
    ///
    /// # Errors
    /// [`Malformed::NoToken`] for errcode 0, which refuses nothing.
    pub const fn refused(errcode: i32, errmsg: &'a str) -> Result<Self, Malformed> {
        if errcode == 0 { Err(Malformed::NoToken) } else { Ok(Self::Refused(Refused { errcode, errmsg })) }
    }
}

impl<'a> Grant<'a> {
    fn new(token: &'a str, expires_in: i64) -> Result<Self, Malformed> {
        let grant = Self { token, expires_in: in_range(expires_in)?, refresh_after: 0 };
        grant.check().map_err(Malformed::Token)?;
        Ok(grant)
    }

    /// After how many seconds the issuer wants to be asked again: a token server knows when its next token will be there.
    /// `None` when it does not say, as the platform never does.
    #[must_use]
    pub const fn refresh_after(&self) -> Option<u32> {
        match self.refresh_after {
            seconds if TOKEN_SERVER && seconds > 0 => Some(seconds),
            _ => None,
        }
    }

    /// The announced life in seconds, 1 to [`MAX_EXPIRES_IN`], counted by the platform from when it sent the reply.
    #[must_use]
    pub const fn expires_in(&self) -> u32 {
        self.expires_in
    }

    /// A copy of the credential.
    #[must_use]
    pub fn token(&self) -> Token {
        let mut token = Token::vacant();
        self.write_into(&mut token);
        token
    }

    fn check(&self) -> Result<(), BadToken> {
        let mut length = 0_usize;
        for byte in Credential::of(self.token) {
            if !crate::token::allowed(byte) {
                return Err(BadToken::ForbiddenCharacter);
            }
            length = length.saturating_add(1);
        }
        match length {
            0 => Err(BadToken::Empty),
            1..=MAX_TOKEN_LEN => Ok(()),
            _ => Err(BadToken::TooLong),
        }
    }

    /// Whether it is the credential in `held`, compared without a copy.
    pub(crate) fn is(&self, held: &Token) -> bool {
        Credential::of(self.token).eq(held.as_str().bytes())
    }

    /// Replaces what `place` holds. The grant was checked when it was made, so every character fits.
    pub(crate) fn write_into(&self, place: &mut Token) {
        place.wipe();
        for byte in Credential::of(self.token) {
            place.push(byte);
        }
    }
}

impl<'a> Refused<'a> {
    /// The number.
    #[must_use]
    pub const fn errcode(&self) -> i32 {
        self.errcode
    }

    /// The text beside it, for people, still with its JSON escapes. A peer may have put anything into it, a secret it
    /// was sent included: think before showing it.
    #[must_use]
    pub const fn errmsg(&self) -> &'a str {
        self.errmsg
    }

    /// Writes the text beside the number, unescaped, at most `limit` bytes, cut at a character.
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_errmsg<W: fmt::Write>(&self, limit: usize, out: &mut W) -> fmt::Result {
        let mut left = limit;
        for c in Unescaped::of(self.errmsg).map_while(Result::ok) {
            left = match left.checked_sub(c.len_utf8()) {
                Some(left) => left,
                None => return Ok(()),
            };
            // A control character could forge a line in somebody's log.
            out.write_char(if c.is_control() { ' ' } else { c })?;
        }
        Ok(())
    }
}

fn in_range(expires_in: i64) -> Result<u32, Malformed> {
    u32::try_from(expires_in).ok().filter(|s| (1..=MAX_EXPIRES_IN).contains(s)).ok_or(Malformed::Expiry)
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(grant) => grant.fmt(f),
            Self::Refused(refused) => refused.fmt(f),
        }
    }
}

impl fmt::Debug for Grant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant({} bytes, {} s)", self.token.len(), self.expires_in)
    }
}

impl fmt::Debug for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused({}, errmsg of {} bytes)", self.errcode, self.errmsg.len())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Reply<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Grant(grant) => grant.format(f),
            Self::Refused(refused) => refused.format(f),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Grant<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Grant({=usize} bytes, {=u32} s)", self.token.len(), self.expires_in);
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Refused<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Refused({=i32}, errmsg of {=usize} bytes)", self.errcode, self.errmsg.len());
    }
}

/// Why a body made no sense. A keeper treats all of these alike: the token held stays, the fetch is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Malformed {
    /// Longer than [`MAX_REPLY_LEN`].
    TooLong,
    /// Brackets nested deeper than 8.
    TooDeep,
    /// Not one JSON object of the expected member types (an HTML page, a cut reply, garbage).
    NotJson,
    /// Neither a credential nor an errcode.
    NoToken,
    /// The credential is not one.
    Token(BadToken),
    /// `expires_in` is missing or outside 1..=[`MAX_EXPIRES_IN`].
    Expiry,
}

impl Malformed {
    /// What came and what to look at, for a person, in one line; also where there is no `core::fmt`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::TooLong => "the reply is longer than 4096 bytes; is this WeChat, or a proxy's page?",
            Self::TooDeep => "the reply nests brackets deeper than 8; is this WeChat?",
            Self::NotJson => "the reply is not the JSON of a WeChat reply; is this WeChat, or a proxy's page?",
            Self::NoToken => "the reply has neither a token nor an errcode; is the path right?",
            Self::Token(why) => why.text(),
            Self::Expiry => "the reply's expires_in is missing or not within 1 to 86400 seconds",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Malformed {}

#[cfg(test)]
mod tests;
