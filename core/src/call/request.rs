//! What is sent for one attempt of a call?

use core::fmt;

use super::{Body, Call};
use crate::{
    Base, Method, Token,
    wire::{self, Parts, Sink, percent},
};

/// One HTTP request with a credential in it, ready to be written. It borrows the token, so it cannot outlive it, and
/// `Debug` never shows it.
#[derive(Clone, Copy)]
pub struct CallRequest<'a, 't> {
    call: Call<'a>,
    base: Base<'a>,
    token: &'t Token,
}

impl<'a, 't> CallRequest<'a, 't> {
    pub(super) const fn new(call: Call<'a>, base: Base<'a>, token: &'t Token) -> Self {
        Self { call, base, token }
    }

    /// Scheme, host, port and prefix it goes to.
    #[must_use]
    pub const fn base(&self) -> Base<'a> {
        self.base
    }

    /// The call.
    #[must_use]
    pub const fn call(&self) -> &Call<'a> {
        &self.call
    }

    /// The Content-Type of the body, if it has one.
    #[must_use]
    pub const fn content_type(&self) -> Option<&'a str> {
        match self.call.body {
            Body::None => None,
            Body::Bytes(_) | Body::Stream { .. } => Some(self.call.content_type),
        }
    }

    /// The exact length of the request target in bytes.
    #[must_use]
    pub fn target_len(&self) -> usize {
        wire::length(|out| self.target(out))
    }

    /// Writes the request target: prefix, path and query. **It holds the credential.**
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_target<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        wire::to_text(out, |out| self.target(out))
    }

    /// Writes the whole URL. **It holds the credential**: hand it to the HTTP client and to nobody else.
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_url<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        wire::to_text(out, |out| wire::url(self, out))
    }

    /// Writes the head of the HTTP/1.1 request, with the length of the body, which follows it on the wire and is not
    /// written here. **It holds the credential.**
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_head<W: embedded_io::Write>(&self, out: &mut W, keep_alive: bool) -> Result<(), W::Error> {
        wire::to_bytes(out, |out| wire::head(self, keep_alive, out))
    }
}

impl Parts for CallRequest<'_, '_> {
    fn accept(&self) -> &'static str {
        // Media are downloaded, too.
        "*/*"
    }

    fn method(&self) -> Method {
        self.call.method
    }

    fn base(&self) -> Base<'_> {
        self.base
    }

    fn body_kind(&self) -> Option<(&str, u64)> {
        self.content_type().map(|content_type| (content_type, self.call.body.len()))
    }

    fn target(&self, out: &mut dyn Sink) {
        out.put(self.base.prefix());
        out.put(self.call.path);
        out.put("?");
        percent(self.call.credential, out);
        out.put("=");
        percent(self.token.as_str(), out);
        for (name, value) in self.call.query {
            out.put("&");
            percent(name, out);
            out.put("=");
            percent(value, out);
        }
    }
}

impl fmt::Debug for CallRequest<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRequest").field("call", &self.call).field("base", &self.base).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for CallRequest<'_, '_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{} at {}", self.call, self.base);
    }
}
