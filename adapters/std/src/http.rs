//! How is one exchange made over HTTPS? With ureq and rustls, set up so that the secret goes to one host and nowhere
//! else.
//!
//! No redirect is followed, no proxy of the environment is used, no connection is kept (a credential is fetched every
//! two hours), and every error is read by its variant: ureq's `BadUri` and `RequireHttpsOnly` print the whole URL.

use std::{io::Read, sync::Arc, time::Duration};

use ureq::{
    Agent, SendBody, Timeout, http,
    tls::{RootCerts, TlsConfig},
};
use wxtoken_core::{
    Base, CONNECT_LIMIT_MS, CallRequest, EXCHANGE_LIMIT_MS, MAX_CREDENTIAL_LEN, MAX_REPLY_LEN, Method, Request, Scheme,
};
use zeroize::Zeroizing;

use crate::transport::{CallResponse, Response, Transport, TransportError};

/// How long one attempt may take. Resolving and connecting together stay below the whole, so that running out of the
/// whole always means that sending had begun.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) exchange: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(u64::from(CONNECT_LIMIT_MS)),
            exchange: Duration::from_millis(u64::from(EXCHANGE_LIMIT_MS)),
        }
    }
}

impl Limits {
    /// The usual ones, shortened to `limit`.
    pub(crate) fn within(limit: Duration) -> Self {
        let usual = Self::default();
        // Zero would mean "without limit" to some, and no reply at all to others.
        let exchange = limit.clamp(Duration::from_millis(1), usual.exchange);
        // A third of it, so that running out of the whole still means that sending had begun.
        Self { connect: usual.connect.min(exchange / 3), exchange }
    }
}

/// Of what is on its way, in bytes, in each direction.
const BUFFER: usize = 16 * 1024;

pub(crate) struct Https {
    agent: Agent,
    limits: Limits,
}

impl Https {
    /// `scheme` is the one of the base: only a base that was accepted with plain http may be asked in the clear.
    pub(crate) fn new(scheme: Scheme, roots: RootCerts, proxy: Option<ureq::Proxy>, limits: Limits) -> Self {
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(roots)
            .build();
        let config = Agent::config_builder()
            .https_only(scheme == Scheme::Https)
            .proxy(proxy)
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .max_response_header_size(16 * 1024)
            // A file goes through them piece by piece; ureq's own size is eight times this, for each of the two.
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .timeout_global(Some(limits.exchange))
            .timeout_resolve(Some(limits.connect))
            .timeout_connect(Some(limits.connect))
            .user_agent(concat!("wxtoken/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .build();
        Self { agent: config.new_agent(), limits }
    }
}

impl Transport for Https {
    fn exchange(&self, request: &Request<'_, '_>) -> Result<Response, TransportError> {
        // Both may hold the secret. Room for all of it from the start: growing would leave a copy behind.
        let mut url = room_for_url(request.base(), request.target_len());
        let mut body = Zeroizing::new(String::with_capacity(request.body_len()));
        // A String takes all that is written.
        let _ = request.write_url(&mut *url);
        let _ = request.write_body(&mut *body);
        let (key, tag) = (authorization(request), request.if_none_match());
        let reply = match request.method() {
            Method::Get => {
                // A ticket's base may be another than the token's.
                let https_only = request.base().scheme() == Scheme::Https;
                with_key(self.agent.get(url.as_str()), key, tag).config().https_only(https_only).build().call()
            }
            _ => {
                let content_type = request.content_type().unwrap_or("application/json");
                with_key(self.agent.post(url.as_str()), key, tag).content_type(content_type).send(body.as_bytes())
            }
        };
        let mut reply = reply.map_err(|e| classify(&e))?;
        let status = reply.status().as_u16();
        let headers = reply.headers().iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
        let tagged = headers
            .fold(Response::new(status, Vec::new()), |reply, (name, value)| reply.with_header(name.as_str(), value));
        if (300..400).contains(&status) {
            // Not even read: whatever it says, it is not the platform that says it.
            return Ok(tagged);
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_REPLY_LEN + 1));
        // One byte more than is read, so that a long reply is known from a cut one.
        let limit = (MAX_REPLY_LEN + 1) as u64;
        reply.body_mut().as_reader().take(limit).read_to_end(&mut bytes).map_err(|e| reading_failed(&e))?;
        Ok(tagged.with_body(std::mem::take(&mut *bytes)))
    }

    fn call(
        &self,
        request: &CallRequest<'_, '_>,
        body: &mut dyn Read,
        limit: Duration,
    ) -> Result<CallResponse, TransportError> {
        let base = request.base();
        let mut url = room_for_url(base, request.target_len());
        // A String takes all that is written.
        let _ = request.write_url(&mut *url);
        let reply = match request.content_type() {
            None => self.for_call(self.agent.get(url.as_str()), base, limit).call(),
            Some(content_type) => {
                let post = self.agent.post(url.as_str()).content_type(content_type);
                let post = post.header(http::header::CONTENT_LENGTH, request.call().body().len());
                self.for_call(post, base, limit).send(SendBody::from_reader(body))
            }
        };
        let (head, body) = reply.map_err(|e| classify(&e))?.into_parts();
        let reply = CallResponse::new(head.status.as_u16(), body.into_reader());
        // Those that are not text are none of those that matter.
        let headers = head.headers.iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
        Ok(headers.fold(reply, |reply, (name, value)| reply.with_header(name.as_str(), value)))
    }
}

impl Https {
    /// What a call has of its own: another limit, and perhaps another base.
    fn for_call<B>(
        &self,
        request: ureq::RequestBuilder<B>,
        base: Base<'_>,
        limit: Duration,
    ) -> ureq::RequestBuilder<B> {
        request
            .header(http::header::ACCEPT, "*/*")
            .config()
            .https_only(base.scheme() == Scheme::Https)
            .timeout_global(Some(limit))
            .timeout_per_read(Some(self.limits.exchange))
            .timeout_per_write(Some(self.limits.exchange))
            .build()
    }
}

/// A client's key, for a token server. Marked as sensitive: then the HTTP library shows it nowhere either.
fn authorization(request: &Request<'_, '_>) -> Option<http::HeaderValue> {
    if !request.has_authorization() {
        return None;
    }
    let mut text = Zeroizing::new(String::with_capacity("Bearer ".len() + MAX_CREDENTIAL_LEN));
    // A String takes all that is written.
    let _ = request.write_authorization(&mut *text);
    // Always one: the account's secret was checked.
    let mut value = http::HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn with_key<B>(
    mut request: ureq::RequestBuilder<B>,
    key: Option<http::HeaderValue>,
    tag: Option<&str>,
) -> ureq::RequestBuilder<B> {
    if let Some(key) = key {
        request = request.header(http::header::AUTHORIZATION, key);
    }
    if let Some(tag) = tag {
        request = request.header(http::header::IF_NONE_MATCH, tag);
    }
    request
}

/// Room for all of it from the start: growing would leave a copy behind.
fn room_for_url(base: Base<'_>, target_len: usize) -> Zeroizing<String> {
    let room = target_len + base.host_str().len() + "https://:65535".len();
    Zeroizing::new(String::with_capacity(room))
}

/// What a failed call means. By variant, never by text; unknown ones may have been sent.
fn classify(error: &ureq::Error) -> TransportError {
    match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) => TransportError::NameNotFound,
        ureq::Error::Timeout(Timeout::Connect) => TransportError::ConnectTimeout,
        ureq::Error::Timeout(_) => TransportError::Timeout,
        ureq::Error::ConnectionFailed => TransportError::ConnectionRefused,
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => TransportError::Proxy,
        ureq::Error::Rustls(e) => tls(e).unwrap_or(TransportError::Tls),
        ureq::Error::Tls(_) | ureq::Error::TlsRequired | ureq::Error::Pem(_) => TransportError::Tls,
        // Neither leaves this machine. The base was checked, so they cannot come.
        ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) | ureq::Error::Http(_) => TransportError::Tls,
        ureq::Error::Io(e) => io(e),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => TransportError::NotHttp,
        _ => TransportError::Broken,
    }
}

fn io(error: &std::io::Error) -> TransportError {
    use std::io::ErrorKind;
    if let Some(e) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls(e).unwrap_or(TransportError::Broken);
    }
    if name_not_found(error) {
        return TransportError::NameNotFound;
    }
    match error.kind() {
        // Only connecting is refused. An established connection can report a lost route, so that one is in doubt.
        ErrorKind::ConnectionRefused | ErrorKind::AddrNotAvailable => TransportError::ConnectionRefused,
        ErrorKind::TimedOut => TransportError::Timeout,
        _ => TransportError::Broken,
    }
}

/// Whether it comes from the resolver. std gives those errors no kind of their own, and no number of the system either,
/// which everything that comes from a socket has. Should std change that, they count as broken: more careful, not less.
fn name_not_found(error: &std::io::Error) -> bool {
    let unknown = std::io::Error::from_raw_os_error(i32::MAX).kind();
    match error.raw_os_error() {
        None => error.kind() == unknown,
        // WSAHOST_NOT_FOUND to WSANO_DATA.
        Some(code) => cfg!(windows) && (11_001..=11_004).contains(&code),
    }
}

/// TLS errors that can only come before anything of the request was sent; `None` for those that may come later.
fn tls(error: &rustls::Error) -> Option<TransportError> {
    use rustls::{AlertDescription as Alert, Error};
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented | Error::UnsupportedNameType => {
            Some(TransportError::Certificate)
        }
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => Some(TransportError::Tls),
        Error::AlertReceived(Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::UnrecognisedName) => {
            Some(TransportError::Tls)
        }
        // The first bytes were not TLS at all: a plain http port.
        Error::InvalidMessage(_) => Some(TransportError::Tls),
        _ => None,
    }
}

/// What a failed reading of the body means: the request was executed, whatever the error says.
pub(crate) fn reading_failed(error: &std::io::Error) -> TransportError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        Some(ureq::Error::Timeout(_)) => TransportError::Timeout,
        Some(ureq::Error::Protocol(_)) => TransportError::NotHttp,
        _ if error.kind() == std::io::ErrorKind::TimedOut => TransportError::Timeout,
        _ => TransportError::Broken,
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests;
