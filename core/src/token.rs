//! What is a credential: 1 to 512 bytes that are carried, compared and handed out, and never shown.

use core::fmt;

use heapless::String;
use zeroize::Zeroize;

/// The longest credential the platform announces, in bytes: both the MP and the WeCom documents of the token endpoints
/// ask for room for 512 characters.
pub const MAX_TOKEN_LEN: usize = 512;

/// A credential as the platform hands it out: an `access_token`, later a ticket.
///
/// It holds 1 to [`MAX_TOKEN_LEN`] bytes of visible ASCII without `"`, `\`, `&`, `#` and space, inline, and wipes them
/// on drop. `Debug` and `defmt` show its length only; `PartialEq` compares the bytes.
#[derive(Clone)]
pub struct Token {
    text: String<MAX_TOKEN_LEN, u16>,
}

impl Token {
    /// The empty place where a token will be written; not a valid token.
    pub(crate) const fn vacant() -> Self {
        Self { text: String::new() }
    }

    /// Checks and copies a credential.
    ///
    /// # Errors
    /// [`BadToken`] says what was wrong with it, by length and position, never by content.
    pub fn new(text: &str) -> Result<Self, BadToken> {
        let mut token = Self::vacant();
        if !text.bytes().all(allowed) {
            return Err(BadToken::ForbiddenCharacter);
        }
        token.text.push_str(text).map_err(|_| BadToken::TooLong)?;
        if token.is_empty() { Err(BadToken::Empty) } else { Ok(token) }
    }

    /// Adds a byte that was found to be [`allowed`]; there is room for all a reader lets through.
    pub(crate) fn push(&mut self, byte: u8) {
        let _ = self.text.push(byte.into());
    }

    /// The credential itself, for the one place that sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether there is nothing in it. A token that a keeper hands out never is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// A short stand-in by which a caller can say *which* token was refused without repeating it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.as_str())
    }

    /// Wipes the bytes and leaves the vacant place.
    pub(crate) fn wipe(&mut self) {
        self.text.zeroize();
    }
}

/// One byte of a credential: visible ASCII less the characters that would end a JSON string, a query value or a line.
pub(crate) const fn allowed(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && !matches!(byte, b'"' | b'\\' | b'&' | b'#')
}

impl Drop for Token {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} bytes)", self.len())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Token {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Token({=usize} bytes)", self.len());
    }
}

/// Why a text is not a credential. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BadToken {
    /// It has no bytes at all.
    Empty,
    /// It is longer than [`MAX_TOKEN_LEN`].
    TooLong,
    /// A character is not visible ASCII, or is one of `"`, `\`, `&`, `#`.
    ForbiddenCharacter,
}

impl BadToken {
    /// What is wrong, for a person, in one line.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Empty => "the token is empty",
            Self::TooLong => "the token is longer than the 512 bytes the platform allows",
            Self::ForbiddenCharacter => "the token has a character that no WeChat token has",
        }
    }
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for BadToken {}

/// Which token is meant, in 64 bits: enough to compare a report with the token held, useless as a credential.
///
/// It is a hash, not a proof: whoever may send reports may also invent them, so it need not resist forgery. A token has
/// some hundreds of bits of its own, of which these 64 give away too little to guess the rest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of a token's text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        // FNV-1a, then one round of mixing: FNV alone leaves the last byte in the low bits, almost in the clear.
        let fnv =
            text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self(crate::jitter::mix(fnv))
    }

    /// The number that tells it from others, for a token server that compares reports by it; written as 16 hex digits there.
    /// It is the same on every machine and in every version.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The fingerprint with this number.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl From<&Token> for Fingerprint {
    fn from(token: &Token) -> Self {
        token.fingerprint()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The upper half is plenty to tell two log lines apart.
        write!(f, "Fingerprint({:08x})", self.0 >> 32)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Fingerprint {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Fingerprint({=u32:08x})", (self.0 >> 32) as u32);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{format, string::String};

    use super::*;

    #[test]
    fn length_has_two_ends() {
        assert_eq!(Token::new(""), Err(BadToken::Empty));
        assert_eq!(Token::new("x").map(|t| t.len()), Ok(1));
        assert_eq!(Token::new(&"x".repeat(512)).map(|t| t.len()), Ok(512));
        assert_eq!(Token::new(&"x".repeat(513)), Err(BadToken::TooLong));
    }

    #[test]
    fn every_byte_is_judged() {
        for byte in 0..=0x7f_u8 {
            let text = String::from_utf8([b'a', byte].to_vec()).expect("ASCII");
            let graphic = byte.is_ascii_graphic() && !br##""\&#"##.contains(&byte);
            assert_eq!(Token::new(&text).is_ok(), graphic, "byte {byte:#x}");
        }
        assert_eq!(Token::new("ключ"), Err(BadToken::ForbiddenCharacter));
        // authorizer_refresh_token really has these.
        assert!(Token::new("refreshtoken@@@abc").is_ok());
    }

    #[test]
    fn debug_shows_length_only() {
        let token = Token::new("verysecret").expect("fine");
        assert_eq!(format!("{token:?}"), "Token(10 bytes)");
        assert!(!format!("{:?}", token.fingerprint()).contains("verysecret"));
    }

    #[test]
    fn fingerprints_tell_tokens_apart() {
        let (a, b) = (Fingerprint::of("token1"), Fingerprint::of("token2"));
        assert_ne!(a, b);
        assert_ne!(a.0 >> 32, b.0 >> 32, "the shown half differs too");
        assert_eq!(a, Fingerprint::of("token1"));
    }

    #[test]
    fn a_fingerprint_is_the_same_number_everywhere() {
        // On the wire between versions and machines: this number may never change.
        assert_eq!(Fingerprint::of("token1").to_bits(), 0x6941_d979_4540_8d97);
        assert_eq!(Fingerprint::from_bits(0x6941_d979_4540_8d97), Fingerprint::of("token1"));
    }
}
