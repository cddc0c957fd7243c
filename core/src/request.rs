//! What is sent for one fetch: written piece by piece, so that no buffer of ours ever holds the secret.

use core::fmt;

use percent_encoding::percent_encode_byte;

use crate::{Account, Base, Fetch, Method, Param, Place, Value};

/// One HTTP request, ready to be written. `Debug` shows where it goes and never what it carries.
#[derive(Clone, Copy)]
pub struct Request<'a, 'x> {
    account: Account<'a>,
    force: bool,
    extras: &'x [&'x str],
}

impl<'a, 'x> Request<'a, 'x> {
    pub(crate) const fn new(account: Account<'a>, fetch: Fetch, extras: &'x [&'x str]) -> Self {
        Self { account, force: fetch.is_forced(), extras }
    }

    /// GET or POST.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.account.endpoint.method
    }

    /// Scheme, host, port and prefix it goes to.
    #[must_use]
    pub const fn base(&self) -> Base<'a> {
        self.account.base
    }

    /// The Content-Type of the body, if it has one.
    #[must_use]
    pub const fn content_type(&self) -> Option<&'static str> {
        match self.method() {
            Method::Post => Some("application/json"),
            Method::Get => None,
        }
    }

    /// The exact length of the body in bytes; 0 for a GET.
    #[must_use]
    pub fn body_len(&self) -> usize {
        let mut length = Length(0);
        match self.body(&mut length) {
            Ok(()) => length.0,
            Err(never) => match never {},
        }
    }

    /// The exact length of the request target in bytes.
    #[must_use]
    pub fn target_len(&self) -> usize {
        let mut length = Length(0);
        match self.target(&mut length) {
            Ok(()) => length.0,
            Err(never) => match never {},
        }
    }

    /// Writes the request target: prefix, path and query. **It holds the secret** on endpoints that put it there.
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_target<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        self.target(&mut Text(out))
    }

    /// Writes the whole URL. **It may hold the secret**: hand it to the HTTP client and to nobody else.
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_url<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        let base = self.base();
        let out = &mut Text(out);
        out.put(base.scheme().as_str())?;
        out.put("://")?;
        authority(base, out)?;
        self.target(out)
    }

    /// Writes the body; nothing for a GET. **It may hold the secret.**
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_body<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        self.body(&mut Text(out))
    }

    /// Writes the whole HTTP/1.1 request, head and body, with a Content-Length on every POST.
    ///
    /// `keep_alive` says whether the connection is to stay open afterwards.
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_http<W: embedded_io::Write>(&self, out: &mut W, keep_alive: bool) -> Result<(), W::Error> {
        let out = &mut Bytes(out);
        out.put(self.method().as_str())?;
        out.put(" ")?;
        self.target(out)?;
        out.put(" HTTP/1.1\r\nHost: ")?;
        authority(self.base(), out)?;
        // No Accept-Encoding: nothing here inflates.
        out.put("\r\nAccept: application/json\r\nUser-Agent: wxtoken/")?;
        out.put(env!("CARGO_PKG_VERSION"))?;
        out.put(if keep_alive { "\r\nConnection: keep-alive" } else { "\r\nConnection: close" })?;
        if let Some(content_type) = self.content_type() {
            out.put("\r\nContent-Type: ")?;
            out.put(content_type)?;
            out.put("\r\nContent-Length: ")?;
            decimal(self.body_len() as u64, out)?;
        }
        out.put("\r\n\r\n")?;
        self.body(out)
    }

    fn params(&self, place: Place) -> impl Iterator<Item = &'static Param> + use<> {
        self.account.endpoint.params.iter().filter(move |p| p.place == place)
    }

    fn target<S: Sink>(&self, out: &mut S) -> Result<(), S::Error> {
        out.put(self.account.base.prefix())?;
        out.put(self.account.endpoint.path)?;
        let mut separator = "?";
        for param in self.params(Place::Query) {
            out.put(separator)?;
            separator = "&";
            out.put(param.name)?;
            out.put("=")?;
            percent(self.text(param.value), out)?;
        }
        Ok(())
    }

    fn body<S: Sink>(&self, out: &mut S) -> Result<(), S::Error> {
        if self.method() == Method::Get {
            return Ok(());
        }
        let mut separator = "{\"";
        for param in self.params(Place::Body) {
            out.put(separator)?;
            separator = ",\"";
            out.put(param.name)?;
            if let Value::Force = param.value {
                out.put("\":")?;
                out.put(self.text(param.value))?;
            } else {
                out.put("\":\"")?;
                escape(self.text(param.value), out)?;
                out.put("\"")?;
            }
        }
        // A POST without members still has a body: the platform rejects an empty one (44002).
        out.put(if separator == "{\"" { "{}" } else { "}" })
    }

    fn text(&self, value: Value) -> &str {
        match value {
            Value::Literal(text) => text,
            Value::Id => self.account.id,
            Value::Secret => self.account.secret,
            Value::Force if self.force => "true",
            Value::Force => "false",
            Value::Extra(n) => self.extras.get(usize::from(n)).copied().unwrap_or(""),
        }
    }
}

impl fmt::Debug for Request<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method())
            .field("base", &self.base())
            .field("path", &self.account.endpoint.path)
            .field("force", &self.force)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Request<'_, '_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        let Account { base, endpoint, .. } = self.account;
        defmt::write!(f, "{} {}{=str} force={=bool}", self.method(), base, endpoint.path, self.force);
    }
}

/// Where pieces go: a text writer, a byte writer, or a counter.
trait Sink {
    type Error;
    fn put(&mut self, piece: &str) -> Result<(), Self::Error>;
}

struct Text<'w, W>(&'w mut W);

impl<W: fmt::Write> Sink for Text<'_, W> {
    type Error = fmt::Error;
    fn put(&mut self, piece: &str) -> fmt::Result {
        self.0.write_str(piece)
    }
}

struct Bytes<'w, W>(&'w mut W);

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

struct Length(usize);

impl Sink for Length {
    type Error = core::convert::Infallible;
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
fn percent<S: Sink>(text: &str, out: &mut S) -> Result<(), S::Error> {
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
fn escape<S: Sink>(text: &str, out: &mut S) -> Result<(), S::Error> {
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
mod tests;
