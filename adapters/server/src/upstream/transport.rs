//! How does one request reach the platform? Asynchronously, once, within the limits of core.

use std::{fmt, future::Future, pin::Pin};

use wxtoken::{Request, TransportError};
use zeroize::Zeroizing;

use super::stream::{Forwarding, Stream};

/// What [`Transport::exchange`] returns.
pub type Exchange<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// One exchange: a request out, a status and a body back. The built-in one is [`Https`](crate::Https).
pub trait Transport: Send + Sync + 'static {
    /// Makes exactly one attempt: no retry, no redirect. It need not keep a time limit, the engine does: a future that is
    /// dropped counts as [`TransportError::Timeout`]. Read at most `MAX_REPLY_LEN + 1` bytes of the body.
    fn exchange<'a>(&'a self, request: Request<'a, 'a>) -> Exchange<'a>;

    /// Forwards an API call, its URL whole and with the token in it: exactly one attempt, as above, whose body and reply pass
    /// piece by piece. The future ends with the reply's head. A body of known length is sent with a Content-Length.
    ///
    /// A transport that fetches credentials only need not have it: calls are then refused as
    /// [`TransportError::Unsupported`].
    fn forward(&self, call: hyper::Request<Stream>) -> Forwarding<'_> {
        drop(call);
        Box::pin(async { Err(TransportError::Unsupported) })
    }
}

/// What came back: the HTTP status and the body, which is wiped when dropped because it holds the credential.
pub struct Response {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// A reply with this HTTP status and this body.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: Zeroizing::new(body.into()) }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}
