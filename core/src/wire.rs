//! How is an HTTP/1.1 request written? Piece by piece, so that no buffer of ours ever holds a secret or a token.

use core::{convert::Infallible, fmt};

use percent_encoding::percent_encode_byte;

use crate::{Base, Method};

/// What requests differ in. What they have in common is written by the functions of this module.
pub(crate) trait Parts {
    /// What the caller can read; nothing here inflates, so no encoding is accepted.
    const ACCEPT: &'static str;

    fn method(&self) -> Method;

    fn base(&self) -> Base<'_>;

    /// Type and length of the body, if there is one.
    fn body_kind(&self) -> Option<(&str, u64)>;

    /// Prefix, path and query.
    fn target<S: Sink>(&self, out: &mut S) -> Result<(), S::Error>;
}

/// The head of the request, with a Content-Length on every POST.
pub(crate) fn head<P: Parts, S: Sink>(parts: &P, keep_alive: bool, out: &mut S) -> Result<(), S::Error> {
    out.put(parts.method().as_str())?;
    out.put(" ")?;
    parts.target(out)?;
    out.put(" HTTP/1.1\r\nHost: ")?;
    authority(parts.base(), out)?;
    out.put("\r\nAccept: ")?;
    out.put(P::ACCEPT)?;
    out.put("\r\nUser-Agent: wxtoken/")?;
    out.put(env!("CARGO_PKG_VERSION"))?;
    out.put(if keep_alive { "\r\nConnection: keep-alive" } else { "\r\nConnection: close" })?;
    if let Some((content_type, len)) = parts.body_kind() {
        out.put("\r\nContent-Type: ")?;
        out.put(content_type)?;
        out.put("\r\nContent-Length: ")?;
        decimal(len, out)?;
    }
    out.put("\r\n\r\n")
}

/// The whole URL.
pub(crate) fn url<P: Parts, S: Sink>(parts: &P, out: &mut S) -> Result<(), S::Error> {
    let base = parts.base();
    out.put(base.scheme().as_str())?;
    out.put("://")?;
    authority(base, out)?;
    parts.target(out)
}

/// Writes the inside of a JSON string (RFC 8259, section 7), for a body made in a buffer of one's own. Everything above
/// ASCII stays as it is: WeCom refuses `\uXXXX`, and only control characters, which have no other form, become that.
///
/// # Errors
/// Whatever the writer returns.
pub fn write_json_text<W: fmt::Write>(text: &str, out: &mut W) -> fmt::Result {
    escape(text, &mut Text(out))
}

/// How many bytes `write` writes.
pub(crate) fn length(write: impl FnOnce(&mut Length) -> Result<(), Infallible>) -> usize {
    let mut length = Length(0);
    match write(&mut length) {
        Ok(()) => length.0,
        Err(never) => match never {},
    }
}

/// Where pieces go: a text writer, a byte writer, or a counter.
pub(crate) trait Sink {
    type Error;
    fn put(&mut self, piece: &str) -> Result<(), Self::Error>;
}

pub(crate) struct Text<'w, W>(pub(crate) &'w mut W);

impl<W: fmt::Write> Sink for Text<'_, W> {
    type Error = fmt::Error;
    fn put(&mut self, piece: &str) -> fmt::Result {
        self.0.write_str(piece)
    }
}

pub(crate) struct Bytes<'w, W>(pub(crate) &'w mut W);

impl<W: embedded_io::Write> Sink for Bytes<'_, W> {
    type Error = W::Error;
    fn put(&mut self, piece: &str) -> Result<(), W::Error> {
        let mut rest = piece.as_bytes();
        // Not `write_all`, which panics when a writer breaks its contract and takes nothing: a peer's library must not
        // be able to bring us down. A writer that takes nothing is asked again a bounded number of times.
        let mut idle = 0_u8;
        while !rest.is_empty() && idle < u8::MAX {
            let taken = self.0.write(rest)?;
            idle = if taken == 0 { idle.saturating_add(1) } else { 0 };
            rest = rest.get(taken..).unwrap_or(&[]);
        }
        Ok(())
    }
}

pub(crate) struct Length(usize);

impl Sink for Length {
    type Error = Infallible;
    fn put(&mut self, piece: &str) -> Result<(), Self::Error> {
        self.0 = self.0.saturating_add(piece.len());
        Ok(())
    }
}

fn authority<S: Sink>(base: Base<'_>, out: &mut S) -> Result<(), S::Error> {
    let (host, port) = base.authority();
    out.put(host)?;
    if let Some(port) = port {
        out.put(":")?;
        decimal(u64::from(port), out)?;
    }
    Ok(())
}

/// The decimal digits of `n`, one piece a digit: `core::fmt` would bring kilobytes onto a small target.
fn decimal<S: Sink>(n: u64, out: &mut S) -> Result<(), S::Error> {
    let mut unit = 1_u64;
    // Checked, although `unit` is never 0 here: the compiler does not see it, and would keep a panic for it.
    let above = |unit: u64| n.checked_div(unit).unwrap_or(0);
    while above(unit) >= 10 {
        unit = unit.saturating_mul(10);
    }
    while unit > 0 {
        let digit = (above(unit) % 10) as u8;
        out.put(DIGITS.get(usize::from(digit)..usize::from(digit) + 1).unwrap_or("0"))?;
        unit /= 10;
    }
    Ok(())
}

const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";

/// RFC 3986's unreserved characters stay, all else is encoded: a secret may hold anything.
///
/// The runs are cut here, because the iterator of percent-encoding cuts them with a `split_at` whose check stays.
pub(crate) fn percent<S: Sink>(text: &str, out: &mut S) -> Result<(), S::Error> {
    let encoded = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~'));
    for piece in text.split_inclusive(encoded) {
        let last = piece.chars().next_back().filter(|&c| encoded(c));
        let plain = piece.len().saturating_sub(last.map_or(0, char::len_utf8));
        out.put(piece.get(..plain).unwrap_or(""))?;
        for &byte in piece.as_bytes().get(plain..).unwrap_or(&[]) {
            out.put(percent_encode_byte(byte))?;
        }
    }
    Ok(())
}

/// The inside of a JSON string (RFC 8259, section 7). Everything above ASCII stays literal: WeCom refuses `\uXXXX`.
pub(crate) fn escape<S: Sink>(text: &str, out: &mut S) -> Result<(), S::Error> {
    let special = |c: char| matches!(c, '"' | '\\' | '\0'..='\x1f');
    for piece in text.split_inclusive(special) {
        let last = piece.chars().next_back().filter(|&c| special(c));
        let Some(c) = last else {
            out.put(piece)?;
            continue;
        };
        // Special characters are one byte long.
        out.put(piece.get(..piece.len().saturating_sub(1)).unwrap_or(""))?;
        match c {
            '"' => out.put("\\\"")?,
            '\\' => out.put("\\\\")?,
            _ => {
                out.put(if u32::from(c) < 0x10 { "\\u000" } else { "\\u001" })?;
                let low = (u32::from(c) & 0xf) as usize;
                out.put(HEX.get(low..low + 1).unwrap_or("0"))?;
            }
        }
    }
    Ok(())
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
            escape(&format!("a{c}b{c}"), &mut Text(&mut out)).expect("a String takes all");
            assert_eq!(out, format!("a\\u{:04x}b\\u{:04x}", u32::from(c), u32::from(c)));
        }
    }

    #[test]
    fn numbers_are_written_like_everybody_writes_them() {
        for n in [0, 1, 9, 10, 99, 100, 65_535, 1_000_000, u64::MAX] {
            let mut out = String::new();
            decimal(n, &mut Text(&mut out)).expect("a String takes all");
            assert_eq!(out, format!("{n}"));
        }
    }
}
