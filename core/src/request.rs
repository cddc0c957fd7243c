//! What is sent for one fetch?

use core::fmt;

use crate::{
    Account, Base, Fetch, Fingerprint, Method, Param, Place, Value,
    endpoint::TOKEN_SERVER,
    wire::{self, Parts, Sink, escape, percent},
};

/// One HTTP request, ready to be written. `Debug` shows where it goes and never what it carries.
#[derive(Clone, Copy)]
pub struct Request<'a, 'x> {
    account: Account<'a>,
    force: bool,
    extras: &'x [&'x str],
    refused: Option<Fingerprint>,
    tag: &'x str,
}

impl<'a, 'x> Request<'a, 'x> {
    pub(crate) const fn new(account: Account<'a>, fetch: Fetch, extras: &'x [&'x str]) -> Self {
        Self { account, force: fetch.is_forced(), extras, refused: None, tag: "" }
    }

    /// The same request, which says as well that the token with this fingerprint was refused; see
    /// [`Keeper::refused`](crate::Keeper::refused). Endpoints that [take no reports](crate::Endpoint::takes_reports) are asked
    /// as before.
    #[must_use]
    pub const fn reporting(mut self, refused: Option<Fingerprint>) -> Self {
        self.refused = if self.account.endpoint.takes_reports() { refused } else { None };
        self
    }

    /// The same request, which a token server answers with 304 alone while its token is the one that it gave this ETag with;
    /// see [`Keeper::handle_unchanged`](crate::Keeper::handle_unchanged). Without effect beside a report, and elsewhere. A tag
    /// that is empty or has a control character is none.
    #[cfg(feature = "token-server")]
    #[must_use]
    pub fn unless(mut self, tag: &'x str) -> Self {
        let sound = self.account.endpoint.takes_reports() && !tag.bytes().any(|byte| byte.is_ascii_control());
        self.tag = if sound { tag } else { "" };
        self
    }

    /// The value of the header `If-None-Match`, if there is one; a transport that writes its own head asks.
    #[must_use]
    pub fn if_none_match(&self) -> Option<&'x str> {
        Some(self.tag).filter(|tag| TOKEN_SERVER && !tag.is_empty() && self.reported().is_none())
    }

    /// GET or POST.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self.reported() {
            Some(_) => Method::Post,
            None => self.account.endpoint.method,
        }
    }

    /// Whether it carries a key in the header `Authorization`; a transport that writes its own head asks.
    #[must_use]
    pub fn has_authorization(&self) -> bool {
        TOKEN_SERVER && self.params_in(Place::Bearer).next().is_some()
    }

    /// Writes the value of the header `Authorization`; nothing where there is none. **It holds the key.**
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_authorization<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        wire::to_text(out, |out| self.authorization(out))
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
        wire::to_text(out, |out| self.target(out))
    }

    /// Writes the whole URL. **It may hold the secret**: hand it to the HTTP client and to nobody else.
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_url<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        wire::to_text(out, |out| wire::url(self, out))
    }

    /// Writes the body; nothing for a GET. **It may hold the secret.**
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_body<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        wire::to_text(out, |out| self.body(out))
    }

    /// Writes the whole HTTP/1.1 request, head and body, with a Content-Length on every POST.
    ///
    /// `keep_alive` says whether the connection is to stay open afterwards.
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn write_http<W: embedded_io::Write>(&self, out: &mut W, keep_alive: bool) -> Result<(), W::Error> {
        wire::to_bytes(out, |out| {
            wire::head(self, keep_alive, out);
            self.body(out);
        })
    }

    fn body(&self, out: &mut dyn Sink) {
        if self.method() == Method::Post {
            // A POST without members still has a body: the platform rejects an empty one (44002).
            out.put("{");
            if let Some(refused) = self.reported() {
                out.put("\"fingerprint\":\"");
                wire::hex(refused.to_bits(), out);
                // Whichever of the three it was: they mean the same.
                out.put("\",\"errcode\":40001,\"read\":true");
            }
            self.params(Place::Body, out);
            out.put("}");
        }
    }

    /// The parameters that travel in `place`, in that place's dialect.
    #[inline(never)]
    fn params(&self, place: Place, out: &mut dyn Sink) {
        let [mut separator, next, equals, quote] = match place {
            Place::Query => ["?", "&", "=", ""],
            Place::Body => ["\"", ",\"", "\":", "\""],
            // What is left comes with a token server only, and has neither.
            _ => ["", "", "", ""],
        };
        for param in self.params_in(place) {
            out.put(separator);
            separator = next;
            out.put(param.name);
            out.put(equals);
            // A JSON true or false stands without quotes.
            let quote = if param.value == Value::Force { "" } else { quote };
            let text = self.text(param.value);
            out.put(quote);
            match place {
                Place::Body => escape(text, out),
                // It has no control character, which ends a header: the account was checked.
                Place::Bearer if TOKEN_SERVER => out.put(text),
                _ => percent(text, out),
            }
            out.put(quote);
        }
    }

    const fn reported(&self) -> Option<Fingerprint> {
        if TOKEN_SERVER { self.refused } else { None }
    }

    fn params_in(&self, place: Place) -> impl Iterator<Item = &'static Param> {
        self.account.endpoint.params.iter().filter(move |param| param.place == place)
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
    fn accept(&self) -> &'static str {
        "application/json"
    }

    fn method(&self) -> Method {
        self.method()
    }

    fn base(&self) -> Base<'_> {
        self.base()
    }

    fn body_kind(&self) -> Option<(&str, u64)> {
        self.content_type().map(|content_type| (content_type, self.body_len() as u64))
    }

    fn target(&self, out: &mut dyn Sink) {
        out.put(self.account.base.prefix());
        out.put(self.account.endpoint.path);
        if TOKEN_SERVER {
            self.params(Place::Path, out);
        }
        if self.reported().is_some() {
            out.put("/report");
        }
        self.params(Place::Query, out);
    }

    fn authorization(&self, out: &mut dyn Sink) {
        if self.has_authorization() {
            out.put("Bearer ");
            self.params(Place::Bearer, out);
        }
    }

    fn has_authorization(&self) -> bool {
        self.has_authorization()
    }

    fn if_none_match(&self) -> Option<&str> {
        self.if_none_match()
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
