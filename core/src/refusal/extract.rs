//! What may be taken out of an errmsg: an address and a trace id, each only in its exact shape.
//!
//! `errmsg` is a peer's text. Copying what merely stands in the right place would let a peer put a secret it was sent
//! into our logs, so both are checked character by character.
//!
//! Patterns are sets (`['-']`) and never a plain `char` or `str`: those search with memchr and Two-Way, whose bounds
//! checks the compiler cannot remove, and the link proof would fail.

use core::net::{IpAddr, Ipv6Addr};

use heapless::String;

use crate::ip;

/// An IPv6 address with an embedded IPv4 one, the longest text form.
pub(super) const ADDRESS_MAX: usize = 45;
/// Longer than a rid (26) and than a WeCom hint (25 digits, or seconds, sequence and digest: about 50).
pub(super) const TRACE_MAX: usize = 56;

/// The first address in the text.
///
/// Seen: `invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist`, `access clientip is not registered requestIP:
/// 1.2.3.4`, `from ip: 1.2.3.4`.
pub(super) fn address(errmsg: &str) -> String<ADDRESS_MAX, u8> {
    let mut found = String::new();
    let words = errmsg.split([' ', ',', ';', '[', ']', '(', ')', '"']);
    for word in words {
        // "requestIP:1.2.3.4" without a space has its address after the last colon; a real IPv6 address parses whole.
        let candidates = [word, word.rsplit([':']).next().unwrap_or("")];
        for text in candidates {
            // An address of a few letters ("::") is no address of a caller.
            if matches!(ip::parse(text), Some(ip) if !ip.is_unspecified() && ip != IpAddr::V6(Ipv6Addr::LOCALHOST))
                && found.push_str(text).is_ok()
            {
                return found;
            }
        }
    }
    found
}

/// `rid: 8-8-8` in hex digits, or `hint: [digits]` / `hint: [seconds_sequence_digest]`.
pub(super) fn trace(errmsg: &str) -> String<TRACE_MAX, u8> {
    let mut out = String::new();
    let after = |key: &str| errmsg.char_indices().find_map(|(at, _)| errmsg.get(at..)?.strip_prefix(key));
    let rid = after("rid:").map(|rest| word(rest.trim_start())).filter(|r| is_rid(r));
    let hint = || after("hint: [").map(word).filter(|h| is_hint(h));
    if let Some(id) = rid.or_else(hint) {
        // Cannot fail: both shapes are shorter than the room for them. If it did, no trace is the right answer.
        let _ = out.push_str(id);
    }
    out
}

/// The leading run of letters, digits, `-` and `_`.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn is_rid(text: &str) -> bool {
    let groups = text.split(['-']);
    text.len() == 26 && groups.clone().count() == 3 && groups.into_iter().all(|g| g.len() == 8 && is_hex(g))
}

fn is_hint(text: &str) -> bool {
    // It begins with ten digits, Unix seconds; the rest is digits, or `_sequence_digest`.
    let (seconds, rest) = text.split_at_checked(10).unwrap_or(("", ""));
    text.len() <= TRACE_MAX
        && seconds.bytes().all(|b| b.is_ascii_digit())
        && !seconds.is_empty()
        && rest.split(['_']).all(is_hex)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}
