//! What is sent for one fetch?

use core::fmt;

use crate::{
    Account, Base, Fetch, Method, Param, Place, Value,
    wire::{self, Bytes, Parts, Sink, Text, escape, percent},
};

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
        wire::length(|out| self.body(out))
    }

    /// The exact length of the request target in bytes.
    #[must_use]
    pub fn target_len(&self) -> usize {
        wire::length(|out| self.target(out))
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
        wire::url(self, &mut Text(out))
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
        wire::head(self, keep_alive, out)?;
        self.body(out)
    }

    fn params(&self, place: Place) -> impl Iterator<Item = &'static Param> + use<> {
        self.account.endpoint.params.iter().filter(move |p| p.place == place)
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

impl Parts for Request<'_, '_> {
    const ACCEPT: &'static str = "application/json";

    fn method(&self) -> Method {
        self.method()
    }

    fn base(&self) -> Base<'_> {
        self.base()
    }

    fn body_kind(&self) -> Option<(&str, u64)> {
        self.content_type().map(|content_type| (content_type, self.body_len() as u64))
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

#[cfg(test)]
mod tests;
