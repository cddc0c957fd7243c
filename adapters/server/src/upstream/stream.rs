//! What passes piece by piece? The body of a forwarded call, and that of its reply.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use wxtoken::TransportError;

type BoxError = Box<dyn Error + Send + Sync>;

/// What [`Transport::forward`](crate::Transport::forward) returns: the reply's head, and its body to come.
pub type Forwarding<'a> = Pin<Box<dyn Future<Output = Result<hyper::Response<Stream>, TransportError>> + Send + 'a>>;

/// A body of any length. It is asked for a piece when there is room for one, and holds none itself.
pub struct Stream(UnsyncBoxBody<Bytes, BoxError>);

impl Stream {
    /// A stream of this body's pieces.
    #[must_use]
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self(body.map_err(Into::into).boxed_unsync())
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}
