//! How does a web page prove to WeChat that it may use the JS-SDK? By a signature over its address, made with a ticket.
//!
//! Source: the platform's JS-SDK guide, appendix 1, and WeCom developer document 96909, which describe the same one. SHA-1
//! is their choice; what it protects is that only who holds the ticket can sign.

use core::fmt;

use sha1::{Digest, Sha1};

use crate::{
    Token,
    wire::{self, Sink},
};

/// The signature of one page for `wx.config` (or WeCom's `wx.agentConfig`): 40 hexadecimal digits. Not a secret.
///
/// ```
/// use wxtoken_core::{Nonce, PageSignature, Token};
/// let ticket = Token::new("the jsapi_ticket".replace(' ', "-").as_str())?;
/// let nonce = Nonce::from_bits(0x1234_5678_9abc_def0); // of your source of randomness
/// let signature = PageSignature::new(&ticket, nonce.as_str(), 1_414_587_457, "https://example.com/page?id=1#top")?;
/// assert_eq!(signature.as_str().len(), 40);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageSignature([u8; 40]);

impl PageSignature {
    /// Signs the page at `url`, as its script has it in `location.href`: whole, with its query. What follows a `#`, and the
    /// `#`, is not signed. `timestamp_s` is Unix time in seconds.
    ///
    /// Nonce and timestamp go to the page beside the signature, as `nonceStr` and `timestamp`; the ticket does not.
    ///
    /// # Errors
    /// [`BadPage`], where the signature would be refused by the page's browser for certain.
    pub fn new(ticket: &Token, nonce: &str, timestamp_s: u64, url: &str) -> Result<Self, BadPage> {
        if nonce.is_empty() || nonce.len() > MAX_NONCE_LEN || !nonce.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(BadPage::Nonce);
        }
        let url = Self::signed_part(url)?;
        let mut hash = Hash(Sha1::new());
        let out: &mut dyn Sink = &mut hash;
        for piece in ["jsapi_ticket=", ticket.as_str(), "&noncestr=", nonce, "&timestamp="] {
            out.put(piece);
        }
        wire::decimal(timestamp_s, out);
        out.put("&url=");
        out.put(url);
        let digest = hash.0.finalize();
        let mut digits = [0; 40];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
            pair.copy_from_slice(&hex(byte));
        }
        Ok(Self(digits))
    }

    /// The part of a page's address that is signed: all before the `#`.
    ///
    /// # Errors
    /// [`BadPage`] when no browser would have it as its address.
    pub fn signed_part(url: &str) -> Result<&str, BadPage> {
        // A set, not a plain character: the link proof cannot follow the search for one.
        let page = url.split(['#']).next().unwrap_or("");
        let host = page.strip_prefix("https://").or(page.strip_prefix("http://")).unwrap_or("");
        if host.is_empty() || host.starts_with(['/', '?']) {
            return Err(BadPage::Address);
        }
        if page.bytes().all(|b| b.is_ascii_graphic()) { Ok(page) } else { Err(BadPage::NotEncoded) }
    }

    /// The digits, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits only, so it always is text.
        str::from_utf8(&self.0).unwrap_or("")
    }
}

/// The longest nonce that is taken, in characters. The documents name no bound; their example has 16.
const MAX_NONCE_LEN: usize = 64;

/// Lower case, as the documents' example has it.
const fn hex(byte: u8) -> [u8; 2] {
    [digit(byte >> 4), digit(byte & 0xf)]
}

const fn digit(n: u8) -> u8 {
    n.wrapping_add(if n < 10 { b'0' } else { b'a' - 10 })
}

struct Hash(Sha1);

impl Sink for Hash {
    fn put_bytes(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }
}

impl fmt::Display for PageSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PageSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageSignature({})", self.as_str())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for PageSignature {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.as_str());
    }
}

/// The text that makes each signature another one: 16 hexadecimal digits. Not a secret, and it need not be unguessable,
/// only not the same again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// The nonce with these bits, of the caller's source of randomness.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let mut digits = [0; 16];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bits.to_be_bytes()) {
            pair.copy_from_slice(&hex(byte));
        }
        Self(digits)
    }

    /// The digits, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({})", self.as_str())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Nonce {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.as_str());
    }
}

/// Why a page cannot be signed: a mistake of who asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BadPage {
    /// The address is not one of `https://` or `http://` with a host.
    Address,
    /// The address has a space, a control character or something beyond ASCII, which no `location.href` has.
    NotEncoded,
    /// The nonce is empty, longer than 64 characters, or has something else than ASCII letters and digits.
    Nonce,
}

impl BadPage {
    /// What is wrong and what to do, for a person, in one line.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Address => "the page's address must begin with https:// or http:// and name a host",
            Self::NotEncoded => {
                "the page's address has a space or a character beyond ASCII; sign what location.href says, percent-encoded"
            }
            Self::Nonce => "the nonce must be 1 to 64 ASCII letters and digits",
        }
    }
}

impl fmt::Display for BadPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for BadPage {}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;

    use super::*;

    /// The example of the platform's JS-SDK guide, appendix 1; WeCom's document has the same.
    const TICKET: &str = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg";
    const NONCE: &str = "Wm3WZYTPz0wzccnW";
    const TIMESTAMP_S: u64 = 1_414_587_457;
    const URL: &str = "http://mp.weixin.qq.com?params=value";
    const SIGNATURE: &str = "0f9de62fce790f9a083d5c99e95740ceb90c27ed";

    fn sign(nonce: &str, url: &str) -> Result<PageSignature, BadPage> {
        PageSignature::new(&Token::new(TICKET).expect("a ticket"), nonce, TIMESTAMP_S, url)
    }

    #[test]
    fn the_documented_example_has_the_documented_signature() {
        let signature = sign(NONCE, URL).expect("a page");
        assert_eq!(signature.as_str(), SIGNATURE);
        assert_eq!(format!("{signature} {signature:?}"), format!("{SIGNATURE} PageSignature({SIGNATURE})"));
    }

    #[test]
    fn what_follows_the_page_in_its_address_is_not_signed() {
        for fragment in ["#", "#top", "#/route?x=1", "#a#b", "#ü"] {
            assert_eq!(sign(NONCE, &format!("{URL}{fragment}")).expect("a page").as_str(), SIGNATURE, "{fragment}");
        }
    }

    #[test]
    fn every_part_matters() {
        let other = Token::new("another").expect("a ticket");
        let of = |ticket, nonce, timestamp_s, url| {
            PageSignature::new(ticket, nonce, timestamp_s, url).expect("a page").as_str() != SIGNATURE
        };
        let ticket = Token::new(TICKET).expect("a ticket");
        assert!(of(&other, NONCE, TIMESTAMP_S, URL));
        assert!(of(&ticket, "Wm3WZYTPz0wzccnw", TIMESTAMP_S, URL));
        assert!(of(&ticket, NONCE, TIMESTAMP_S + 1, URL));
        assert!(of(&ticket, NONCE, TIMESTAMP_S, "http://mp.weixin.qq.com/?params=value"), "a path is a part of it");
        assert!(of(&ticket, NONCE, TIMESTAMP_S, "https://mp.weixin.qq.com?params=value"));
    }

    #[test]
    fn what_no_browser_would_have_as_its_address_is_refused_with_the_remedy() {
        for url in ["", "example.com/a", "ftp://a", "https://", "https:///a", "http://?a", "#https://a", " http://a"] {
            assert_eq!(sign(NONCE, url), Err(BadPage::Address), "{url}");
        }
        for url in ["https://a/b c", "https://a/\n", "https://a/页", "https://a/\u{7f}"] {
            assert_eq!(sign(NONCE, url), Err(BadPage::NotEncoded), "{url}");
        }
        assert!(sign(NONCE, "https://a/%E9%A1%B5?x=1&y=2").is_ok());
        for nonce in ["", "a b", "a&b", "ü", &"a".repeat(65)] {
            assert_eq!(sign(nonce, URL), Err(BadPage::Nonce), "{nonce}");
        }
        assert!(sign(&"a".repeat(64), URL).is_ok() && sign("a", URL).is_ok());
        for why in [BadPage::Address, BadPage::NotEncoded, BadPage::Nonce] {
            assert!(format!("{why}").len() > 30);
        }
    }

    #[test]
    fn a_nonce_is_its_bits() {
        assert_eq!(Nonce::from_bits(0x0123_4567_89ab_cdef).as_str(), "0123456789abcdef");
        assert_eq!(Nonce::from_bits(0).as_str(), "0000000000000000");
        assert!(sign(Nonce::from_bits(u64::MAX).as_str(), URL).is_ok());
    }

    #[test]
    fn any_length_is_signed_without_a_buffer() {
        let long = format!("https://a/{}", "x".repeat(100_000));
        assert!(sign(NONCE, &long).is_ok());
        assert!(PageSignature::new(&Token::new(&"k".repeat(512)).expect("the longest"), NONCE, u64::MAX, URL).is_ok());
    }
}
