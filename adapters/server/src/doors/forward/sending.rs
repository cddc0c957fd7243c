//! What goes out with a call? A short body is kept, so that it can be sent twice; a long one passes through, once.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::{Incoming, KEPT, Problem, QUIET};
use crate::{Stream, doors::BoxError};

pub(super) enum Sending {
    Kept(Bytes),
    Passing {
        /// Until it was sent.
        body: Option<Stream>,
        len: u64,
        sent: Arc<AtomicU64>,
    },
}

impl Sending {
    /// Takes a short body whole, and a long one by its beginning. WeChat wants to know each body's length beforehand, so one
    /// that does not say its own must be short.
    pub(super) async fn take<B: Incoming>(body: B) -> Result<Self, Problem> {
        if let Some(len) = body.size_hint().exact().filter(|len| *len > KEPT as u64) {
            return Ok(Self::Passing { body: Some(Stream::new(body)), len, sent: Arc::default() });
        }
        let whole = tokio::time::timeout(QUIET, Limited::new(body, KEPT).collect()).await;
        match whole.map_err(|_| Problem::CALL_TOO_SLOW)? {
            Ok(whole) => Ok(Self::Kept(whole.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(Problem::LENGTH),
            // The caller is gone, or spoke no HTTP.
            Err(_) => Err(Problem::CALL_TOO_SLOW),
        }
    }

    /// Whether it can be sent once more.
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    /// The body of one attempt.
    pub(super) fn body(&mut self) -> Stream {
        match self {
            Self::Kept(whole) => Stream::new(Full::new(whole.clone())),
            Self::Passing { body, sent, .. } => match body.take() {
                Some(body) => Stream::new(Counted { body, sent: sent.clone() }),
                None => Stream::new(Full::new(Bytes::new())),
            },
        }
    }

    /// How many bytes of a long body have gone out; a short one's are not counted.
    pub(super) fn counter(&self) -> Arc<AtomicU64> {
        match self {
            Self::Kept(_) => Arc::default(),
            Self::Passing { sent, .. } => sent.clone(),
        }
    }

    /// Whether all of it may have gone out.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Kept(_) => true,
            Self::Passing { len, sent, .. } => sent.load(Ordering::Acquire) >= *len,
        }
    }
}

/// A body that counts what is taken from it.
struct Counted {
    body: Stream,
    sent: Arc<AtomicU64>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref) {
            self.sent.fetch_add(data.len() as u64, Ordering::AcqRel);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
