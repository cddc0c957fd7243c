//! How is an HTTP/1.1 request written? Piece by piece, so that no buffer of ours ever holds a secret or a token.

use core::fmt;

use crate::{Base, Method, divide::divide};

/// What requests differ in. What they have in common is written by the functions of this module.
pub(crate) trait Parts {
    /// What the caller can read; nothing here inflates, so no encoding is accepted.
    fn accept(&self) -> &'static str;

    fn method(&self) -> Method;

    fn base(&self) -> Base<'_>;

    /// Type and length of the body, if there is one.
    fn body_kind(&self) -> Option<(&str, u64)>;

    /// Prefix, path and query.
    fn target(&self, out: &mut dyn Sink);

    /// Whether there is a header `Authorization`.
    fn has_authorization(&self) -> bool {
        false
    }

    /// The value of a header `If-None-Match`.
    fn if_none_match(&self) -> Option<&str> {
        None
    }

    /// The value of `Authorization`.
    fn authorization(&self, _: &mut dyn Sink) {}
}

/// The head of the request, with a Content-Length on every POST.
pub(crate) fn head(parts: &dyn Parts, keep_alive: bool, out: &mut dyn Sink) {
    out.put(parts.method().as_str());
    out.put(" ");
    parts.target(out);
    out.put(" HTTP/1.1\r\nHost: ");
    authority(parts.base(), out);
    out.put("\r\nAccept: ");
    out.put(parts.accept());
    out.put(concat!("\r\nUser-Agent: wxtoken/", env!("CARGO_PKG_VERSION"), "\r\nConnection: "));
    out.put(if keep_alive { "keep-alive" } else { "close" });
    if parts.has_authorization() {
        out.put("\r\nAuthorization: ");
        parts.authorization(out);
    }
    if let Some(tag) = parts.if_none_match() {
        out.put("\r\nIf-None-Match: ");
        out.put(tag);
    }
    if let Some((content_type, len)) = parts.body_kind() {
        out.put("\r\nContent-Type: ");
        out.put(content_type);
        out.put("\r\nContent-Length: ");
        decimal(len, out);
    }
    out.put("\r\n\r\n");
}

/// The whole URL.
pub(crate) fn url(parts: &dyn Parts, out: &mut dyn Sink) {
    let base = parts.base();
    out.put(base.scheme().as_str());
    out.put("://");
    authority(base, out);
    parts.target(out);
}

/// Writes the inside of a JSON string (RFC 8259, section 7), for a body made in a buffer of one's own. Everything above
/// ASCII stays as it is: WeCom refuses `\uXXXX`, and only control characters, which have no other form, become that.
///
/// # Errors
/// Whatever the writer returns.
pub fn write_json_text<W: fmt::Write>(text: &str, out: &mut W) -> fmt::Result {
    to_text(out, |out| escape(text, out))
}

/// Where pieces go: a text writer, a byte writer, or a counter. One that has failed takes no more, and the function that
/// made it tells.
///
/// Used as `dyn`: what is written is then code once, and not once for each writer, which a small target pays for.
pub(crate) trait Sink {
    /// A piece that is text by itself: no character is cut.
    fn put_bytes(&mut self, piece: &[u8]);
}

impl dyn Sink + '_ {
    pub(crate) fn put(&mut self, piece: &str) {
        self.put_bytes(piece.as_bytes());
    }
}

/// Lets `write` write into a text writer.
pub(crate) fn to_text<W: fmt::Write>(out: &mut W, write: impl FnOnce(&mut dyn Sink)) -> fmt::Result {
    let mut out = Text { out, result: Ok(()) };
    write(&mut out);
    out.result
}

/// Lets `write` write into a byte writer.
pub(crate) fn to_bytes<W: embedded_io::Write>(out: &mut W, write: impl FnOnce(&mut dyn Sink)) -> Result<(), W::Error> {
    let mut out = Bytes { out, result: Ok(()) };
    write(&mut out);
    out.result
}

/// How many bytes `write` writes.
pub(crate) fn length(write: impl FnOnce(&mut dyn Sink)) -> usize {
    let mut length = Length(0);
    write(&mut length);
    length.0
}

struct Text<'w, W> {
    out: &'w mut W,
    result: fmt::Result,
}

impl<W: fmt::Write> Sink for Text<'_, W> {
    fn put_bytes(&mut self, piece: &[u8]) {
        // Always is text, which costs next to nothing to see again, and cutting it as text costs more.
        if let (Ok(()), Ok(piece)) = (self.result, str::from_utf8(piece)) {
            self.result = self.out.write_str(piece);
        }
    }
}

struct Bytes<'w, W: embedded_io::Write> {
    out: &'w mut W,
    result: Result<(), W::Error>,
}

impl<W: embedded_io::Write> Sink for Bytes<'_, W> {
    // Not at each of a dozen places, which is what the optimiser makes of it where it sees through the `dyn`.
    #[inline(never)]
    fn put_bytes(&mut self, mut piece: &[u8]) {
        // Not `write_all`, which panics when a writer breaks its contract and takes nothing: a peer's library must not
        // be able to bring us down. A writer that takes nothing is asked again a bounded number of times.
        let mut idle = 0_u8;
        while self.result.is_ok() && !piece.is_empty() && idle < u8::MAX {
            match self.out.write(piece) {
                Ok(taken) => {
                    idle = if taken == 0 { idle.saturating_add(1) } else { 0 };
                    piece = piece.get(taken..).unwrap_or(&[]);
                }
                Err(error) => self.result = Err(error),
            }
        }
    }
}

struct Length(usize);

impl Sink for Length {
    #[inline(never)]
    fn put_bytes(&mut self, piece: &[u8]) {
        self.0 = self.0.saturating_add(piece.len());
    }
}

/// Sixteen hex digits.
pub(crate) fn hex(number: u64, out: &mut dyn Sink) {
    for byte in number.to_be_bytes() {
        let digits = [byte >> 4, byte & 15].map(|digit| if digit < 10 { b'0' + digit } else { b'a' - 10 + digit });
        out.put_bytes(&digits);
    }
}

fn authority(base: Base<'_>, out: &mut dyn Sink) {
    let (host, port) = base.authority();
    out.put(host);
    if let Some(port) = port {
        out.put(":");
        decimal(port.into(), out);
    }
}

/// The decimal digits of `n`, one piece a digit: `core::fmt` would bring kilobytes onto a small target.
pub(crate) fn decimal(n: u64, out: &mut dyn Sink) {
    let (above, last) = divide(n, 10);
    if above > 0 {
        // Twenty deep at most.
        decimal(above, out);
    }
    out.put_bytes(&[digit(last as u8)]);
}

/// One hexadecimal digit.
const fn digit(n: u8) -> u8 {
    n.wrapping_add(if n < 10 { b'0' } else { b'A' - 10 })
}

/// RFC 3986's unreserved characters stay, all else is encoded: a secret may hold anything.
pub(crate) fn percent(text: &str, out: &mut dyn Sink) {
    encode(text, |b| !(b.is_ascii_alphanumeric() || b"-._~".contains(&b)), "%", out);
}

/// The inside of a JSON string (RFC 8259, section 7). Everything above ASCII stays literal: WeCom refuses `\uXXXX`.
pub(crate) fn escape(text: &str, out: &mut dyn Sink) {
    encode(text, |b| matches!(b, b'"' | b'\\' | 0..=0x1f), "\\u00", out);
}

/// Writes `text` with its special bytes as `prefix` and two digits; in JSON, quotes and backslashes have a shorter form.
#[inline(never)]
fn encode(text: &str, is_special: fn(u8) -> bool, prefix: &str, out: &mut dyn Sink) {
    let mut rest = text.as_bytes();
    loop {
        let at = rest.iter().position(|&b| is_special(b)).unwrap_or(rest.len());
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.put_bytes(plain);
        let Some((&special, more)) = tail.split_first() else { return };
        if matches!(special, b'"' | b'\\') && prefix != "%" {
            out.put_bytes(&[b'\\', special]);
        } else {
            out.put(prefix);
            out.put_bytes(&[digit(special >> 4), digit(special & 0xf)]);
        }
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{format, string::String};

    use super::*;

    #[test]
    fn every_control_character_is_escaped_as_json_wants() {
        for c in (0_u8..0x20).map(char::from) {
            let mut out = String::new();
            write_json_text(&format!("a{c}b{c}"), &mut out).expect("a String takes all");
            assert_eq!(out, format!("a\\u{:04X}b\\u{:04X}", u32::from(c), u32::from(c)));
        }
    }

    #[test]
    fn numbers_are_written_like_everybody_writes_them() {
        for n in [0, 1, 9, 10, 99, 100, 65_535, 1_000_000, u64::MAX] {
            let mut out = String::new();
            to_text(&mut out, |out| decimal(n, out)).expect("a String takes all");
            assert_eq!(out, format!("{n}"));
        }
    }
}
