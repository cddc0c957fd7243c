//! How does one request reach the platform, and what can go wrong on the way?

use std::fmt;

use wxtoken_core::{Failure, Request};
use zeroize::Zeroizing;

/// One exchange: a request out, a status and a body back. The built-in one speaks HTTPS with ureq; pass your own to
/// [`Builder::transport`](crate::Builder::transport) to use another HTTP stack or to script a test.
pub trait Transport: Send + Sync + 'static {
    /// Makes exactly one attempt, blocking.
    ///
    /// Keep to [`CONNECT_LIMIT_MS`](crate::CONNECT_LIMIT_MS) and [`EXCHANGE_LIMIT_MS`](crate::EXCHANGE_LIMIT_MS), and
    /// retry nothing: the client is the one layer that retries. Follow no redirect: the request carries the secret.
    /// Read at most [`MAX_REPLY_LEN`](crate::MAX_REPLY_LEN)` + 1` bytes of the body; one byte too many tells a cut
    /// body from a long one.
    ///
    /// It may be called by any thread that holds a clone of the client, though by one at a time unless an exchange
    /// outlives its limit. A panic counts as [`TransportError::Panicked`] and strands nobody.
    ///
    /// # Errors
    /// The [`TransportError`] that comes nearest. In doubt whether the platform saw the request, one whose
    /// [`failure`](TransportError::failure) is `MaybeSent`.
    fn exchange(&self, request: &Request<'_, '_>) -> Result<Response, TransportError>;
}

impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    fn exchange(&self, request: &Request<'_, '_>) -> Result<Response, TransportError> {
        (**self).exchange(request)
    }
}

/// What came back: the HTTP status and the body, which is wiped when dropped because it holds the credential.
#[derive(Clone)]
pub struct Response {
    status: u16,
    body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// A reply with this HTTP status and this body.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: Zeroizing::new(body.into()) }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The body. **It holds the credential.**
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why there was no reply, by what helps against it. Holds no text of the peer and no URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportError {
    /// The host's name was not resolved.
    NameNotFound,
    /// Nobody accepts connections there, or no route leads there.
    ConnectionRefused,
    /// No connection within the connect limit.
    ConnectTimeout,
    /// The server's certificate is not one that is trusted.
    Certificate,
    /// TLS could not be agreed upon.
    Tls,
    /// The proxy refused to connect, or is not one.
    Proxy,
    /// No complete reply within the exchange limit.
    Timeout,
    /// The connection ended before the reply was complete.
    Broken,
    /// The reply is not HTTP.
    NotHttp,
    /// The transport panicked: a mistake in its program.
    Panicked,
}

impl TransportError {
    /// Whether the platform may have seen the request.
    #[must_use]
    pub const fn failure(self) -> Failure {
        match self {
            Self::NameNotFound
            | Self::ConnectionRefused
            | Self::ConnectTimeout
            | Self::Certificate
            | Self::Tls
            | Self::Proxy => Failure::NotSent,
            Self::Timeout | Self::Broken | Self::NotHttp | Self::Panicked => Failure::MaybeSent,
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameNotFound => "the host's name was not resolved; is there a network, and is the base URL right?",
            Self::ConnectionRefused => {
                "no connection to the host: refused, or no route; is the network up, and are the host and port right?"
            }
            Self::ConnectTimeout => "no connection to the host in time; does a firewall drop the packets?",
            Self::Certificate => {
                "the server's certificate is not trusted; is the system's date right, and does a proxy intercept TLS? A private CA must be given to the client"
            }
            Self::Tls => "TLS could not be agreed upon with the host; is it the right port?",
            Self::Proxy => "the proxy did not connect; check its address and credentials",
            Self::Timeout => "no complete reply in time; it may pass by itself",
            Self::Broken => "the connection broke before the reply was complete; it may pass by itself",
            Self::NotHttp => "the reply is not HTTP; is it the right port, and does something sit in between?",
            Self::Panicked => "the transport panicked; the panic message on standard error tells where",
        })
    }
}

impl std::error::Error for TransportError {}
