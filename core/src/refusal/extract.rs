//! What may be taken out of an errmsg: an address and a trace id, each only in its exact shape.
//!
//! `errmsg` is a peer's text. Copying what merely stands in the right place would let a peer put a secret it was sent
//! into our logs, so both are checked character by character.
//!
//! Both are looked for among bytes: what is taken is ASCII, and walking a text by character costs a small target more.

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
    for word in errmsg.as_bytes().split(|b| b" ,;[]()\"".contains(b)) {
        // "requestIP:1.2.3.4" without a space has its address after the last colon; a real IPv6 address parses whole.
        for text in [word, word.rsplit(|&b| b == b':').next().unwrap_or(&[])] {
            if is_address(text) && copy(text, &mut found) {
                return found;
            }
        }
    }
    found
}

/// An address of a few letters ("::") is no address of a caller.
fn is_address(text: &[u8]) -> bool {
    matches!(ip::parse(text), Some(ip) if !ip.is_unspecified() && ip != IpAddr::V6(Ipv6Addr::LOCALHOST))
}

/// `rid: 8-8-8` in hex digits, or `hint: [digits]` / `hint: [seconds_sequence_digest]`.
pub(super) fn trace(errmsg: &str) -> String<TRACE_MAX, u8> {
    let mut found = String::new();
    for (key, is_one) in [(&b"rid:"[..], is_rid as fn(&[u8]) -> bool), (b"hint: [", is_hint)] {
        let id = word(after(key, errmsg.as_bytes()));
        if is_one(id) && copy(id, &mut found) {
            break;
        }
    }
    found
}

/// What follows the first `key` in `text`, less the space before it; nothing where there is none.
fn after<'a>(key: &[u8], text: &'a [u8]) -> &'a [u8] {
    let rest = (0..text.len()).find_map(|at| text.get(at..)?.strip_prefix(key));
    rest.unwrap_or(&[]).trim_ascii_start()
}

/// The leading run of letters, digits, `-` and `_`.
fn word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|&b| !(b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn is_rid(text: &[u8]) -> bool {
    let shape = |(at, &b): (usize, &u8)| if at == 8 || at == 17 { b == b'-' } else { b.is_ascii_hexdigit() };
    text.len() == 26 && text.iter().enumerate().all(shape)
}

fn is_hint(text: &[u8]) -> bool {
    // It begins with ten digits, Unix seconds; the rest is digits, or `_sequence_digest`.
    let shape = |(at, &b): (usize, &u8)| b.is_ascii_digit() || at >= 10 && (b.is_ascii_hexdigit() || b == b'_');
    (10..=TRACE_MAX).contains(&text.len()) && text.iter().enumerate().all(shape)
}

/// Whether it was room enough for `text`, which is ASCII.
fn copy<const N: usize>(text: &[u8], place: &mut String<N, u8>) -> bool {
    str::from_utf8(text).is_ok_and(|text| place.push_str(text).is_ok())
}
