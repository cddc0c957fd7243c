//! How does one request reach the platform, be it for a credential or with one, and what can go wrong on the way?

use std::{
    fmt,
    io::{self, Read},
    time::Duration,
};

use wxtoken_core::{CallRequest, Failure, Request};
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

    /// Makes exactly one attempt at an API call, blocking, as [`exchange`](Self::exchange) does at a fetch: no retry, no
    /// redirect, for the URL carries the token and goes into no log. It may be called by many threads at once.
    ///
    /// `body` gives exactly as many bytes as the call's body [has](wxtoken_core::Body::len), which must be announced with a
    /// Content-Length: the platform answers 412 to a chunked one. An error of it ends the attempt. `limit` is for the
    /// whole, the reading of the reply included; give up also when for
    /// [`EXCHANGE_LIMIT_MS`](crate::EXCHANGE_LIMIT_MS) nothing moves.
    ///
    /// Return as soon as the head of the reply is there; its body is read from the [`CallResponse`] afterwards.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange). A transport without this method makes no calls: [`TransportError::Unsupported`].
    fn call(
        &self,
        request: &CallRequest<'_, '_>,
        body: &mut dyn Read,
        limit: Duration,
    ) -> Result<CallResponse, TransportError> {
        let _ = (request, body, limit);
        Err(TransportError::Unsupported)
    }
}

impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    fn exchange(&self, request: &Request<'_, '_>) -> Result<Response, TransportError> {
        (**self).exchange(request)
    }

    fn call(
        &self,
        request: &CallRequest<'_, '_>,
        body: &mut dyn Read,
        limit: Duration,
    ) -> Result<CallResponse, TransportError> {
        (**self).call(request, body, limit)
    }
}

/// The longest ETag that is kept, in bytes. A token server's have about thirty.
const MAX_TAG: usize = 128;

/// What came back: the HTTP status and the body, which is wiped when dropped because it holds the credential.
#[derive(Clone)]
pub struct Response {
    status: u16,
    body: Zeroizing<Vec<u8>>,
    pub(crate) tag: String,
    pub(crate) expires_in: Option<u32>,
    pub(crate) refresh_after: Option<u32>,
}

impl Response {
    /// A reply with this HTTP status and this body.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = Zeroizing::new(body.into());
        Self { status, body, tag: String::new(), expires_in: None, refresh_after: None }
    }

    /// With this header of the reply. Three matter, in any spelling of their names, and only from a token server: `ETag`,
    /// `Wxtoken-Expires-In` and `Wxtoken-Refresh-After`.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("etag") && value.len() <= MAX_TAG {
            value.clone_into(&mut self.tag);
        } else if name.eq_ignore_ascii_case("wxtoken-expires-in") {
            self.expires_in = value.parse().ok();
        } else if name.eq_ignore_ascii_case("wxtoken-refresh-after") {
            self.refresh_after = value.parse().ok();
        }
        self
    }

    pub(crate) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = Zeroizing::new(body);
        self
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

/// The head of the reply to a call, and its body to be read. A failure to read it counts as [`TransportError::Timeout`] when
/// its kind is `TimedOut`, and otherwise as [`TransportError::Broken`].
pub struct CallResponse {
    status: u16,
    len: Option<u64>,
    content_type: String,
    attachment: bool,
    body: Box<dyn Read>,
}

impl CallResponse {
    /// A reply with this HTTP status and this body.
    #[must_use]
    pub fn new(status: u16, body: impl Read + 'static) -> Self {
        Self { status, len: None, content_type: String::new(), attachment: false, body: Box::new(body) }
    }

    /// With this header of the reply. Three matter, in any spelling of their names: `Content-Length`, by which a cut reply
    /// is known and progress measured; `Content-Disposition`, by which a file is known from a refusal; and `Content-Type`,
    /// by which a page of a captive portal is.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("content-length") {
            self.len = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("content-type") {
            value.trim().clone_into(&mut self.content_type);
        } else if name.eq_ignore_ascii_case("content-disposition") {
            self.attachment = begins_with(value.trim(), "attachment");
        }
        self
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// How many bytes the body has, if that was announced.
    #[must_use]
    pub const fn content_length(&self) -> Option<u64> {
        self.len
    }

    /// Whether the reply is a file.
    #[must_use]
    pub const fn is_attachment(&self) -> bool {
        self.attachment
    }

    /// Whether the reply says of itself that it is JSON or another text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        ["text/", "application/json"].iter().any(|start| begins_with(&self.content_type, start))
    }

    /// Whether the reply is a page for a browser.
    #[must_use]
    pub fn is_page(&self) -> bool {
        begins_with(&self.content_type, "text/html")
    }
}

fn begins_with(value: &str, word: &str) -> bool {
    value.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

impl Read for CallResponse {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.body.read(room)
    }
}

impl fmt::Debug for CallResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallResponse").field("status", &self.status).field("len", &self.len).finish_non_exhaustive()
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
    /// The transport fetches credentials and makes no calls.
    Unsupported,
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
            | Self::Proxy
            | Self::Unsupported => Failure::NotSent,
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
            Self::Unsupported => "this transport makes no calls; give it the method `call` of Transport",
        })
    }
}

impl std::error::Error for TransportError {}
