//! How does a kept file become the body of a response, piece by piece?

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{Either, Full};
use hyper::body::{Body, Bytes, Frame, SizeHint};

use crate::content::Content;

/// The body of any response: held in memory, or read from where it is kept.
pub(crate) type Outgoing = Either<Full<Bytes>, Download>;

const PIECE: usize = 32 << 10;

pub(crate) struct Download {
    content: Content,
    sent: u64,
}

impl Download {
    pub(crate) const fn new(content: Content) -> Self {
        Self { content, sent: 0 }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; PIECE];
        // From the page cache: not worth a thread of its own.
        let frame = self.content.read_at(self.sent, &mut piece).map(|read| {
            piece.truncate(read);
            self.sent += read as u64;
            Frame::data(Bytes::from(piece))
        });
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.sent >= self.content.len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.content.len().saturating_sub(self.sent))
    }
}
