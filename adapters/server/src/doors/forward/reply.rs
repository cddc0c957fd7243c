//! What does the platform answer to a call? What may be a refusal is held back until that is known; the rest passes through
//! a channel of two pieces, so that a caller who reads slowly holds up the platform and fills no memory.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body_util::{BodyExt as _, Either, Full, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Response, StatusCode,
    body::{Body, Bytes, Frame},
    header::{self, HeaderName, HeaderValue},
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use wxtoken::{TransportError, core::ErrcodeReader};

use super::{KEPT, QUIET, Unanswered};
use crate::{
    ReportOutcome, Stream,
    doors::{BoxError, Reply},
};

/// How many pieces may be on their way to the caller; a piece is what the platform's connection gives at once, 16 KiB at most.
pub(super) const PIECES: usize = 2;

/// What of a reply's head goes on to the caller.
const PASSED: [HeaderName; 6] = [
    header::ACCEPT_RANGES,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::RETRY_AFTER,
];

/// Says what became of the report, when the platform refused the token.
const TOKEN: HeaderName = HeaderName::from_static("wxtoken-token");

/// A reply that has begun.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    errcode: Option<i32>,
    /// What was held back.
    held: Vec<u8>,
    /// The length that was announced.
    len: Option<u64>,
    rest: Option<Stream>,
}

impl Answer {
    /// Reads as much of it as may be a refusal.
    pub(super) async fn begin(reply: Response<Stream>, bodiless: bool) -> Result<Self, Unanswered> {
        let (head, mut body) = reply.into_parts();
        if head.status.is_redirection() {
            return Err(Unanswered::Redirect);
        }
        // A file is no refusal, whatever is in it; and what is encoded cannot be read.
        let is_file = head.headers.get(header::CONTENT_DISPOSITION).is_some_and(is_attachment)
            || head.headers.contains_key(header::CONTENT_ENCODING);
        let len = head.headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse().ok());
        let mut answer =
            Self { status: head.status, headers: head.headers, errcode: None, held: Vec::new(), len, rest: None };
        if bodiless {
            return Ok(answer);
        }
        let mut reader = ErrcodeReader::new();
        while !is_file && reader.may_refuse() && answer.held.len() <= KEPT {
            let frame = tokio::time::timeout(QUIET, body.frame()).await;
            match frame.map_err(|_| Unanswered::Transport(TransportError::Timeout))? {
                None => {
                    answer.errcode = reader.finish().refused();
                    return Ok(answer);
                }
                Some(Err(_)) => return Err(Unanswered::Transport(TransportError::Broken)),
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        reader.push(&piece);
                        answer.held.extend_from_slice(&piece);
                    }
                }
            }
        }
        // It is no refusal: none is so long.
        answer.rest = Some(body);
        Ok(answer)
    }

    pub(super) const fn errcode(&self) -> Option<i32> {
        self.errcode
    }

    pub(super) const fn status(&self) -> u16 {
        self.status.as_u16()
    }

    pub(super) const fn refuses_token(&self) -> bool {
        matches!(self.errcode, Some(40_001 | 40_014 | 42_001))
    }

    /// The caller must not see the token, should the peer have put it into what it says.
    pub(super) fn mask(&mut self, token: &str) {
        let (token, mut from) = (token.as_bytes(), 0);
        while let Some(rest) = self.held.get_mut(from..).filter(|_| !token.is_empty()) {
            let Some(at) = rest.windows(token.len()).position(|window| window == token) else { return };
            rest.iter_mut().skip(at).take(token.len()).for_each(|byte| *byte = b'*');
            from += at + token.len();
        }
    }

    /// The answer to the caller. `place` is given back when all of it has passed.
    pub(super) fn into_reply(self, reported: Option<ReportOutcome>, place: OwnedSemaphorePermit) -> Reply {
        let held = Bytes::from(self.held);
        let content = match self.rest {
            None => Either::Left(Full::new(held)),
            Some(rest) => {
                let (sender, pieces) = mpsc::channel(PIECES);
                tokio::spawn(pass(held, rest, sender, place));
                Either::Right(UnsyncBoxBody::new(Passed { pieces }))
            }
        };
        let mut reply = Response::new(content);
        *reply.status_mut() = self.status;
        for name in PASSED {
            if let Some(value) = self.headers.get(&name) {
                reply.headers_mut().insert(name, value.clone());
            }
        }
        if let (Either::Right(_), Some(len)) = (reply.body(), self.len) {
            reply.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(len));
        }
        reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(outcome) = reported {
            reply.headers_mut().insert(TOKEN, HeaderValue::from_static(outcome.name()));
        }
        reply
    }
}

fn is_attachment(value: &HeaderValue) -> bool {
    value.as_bytes().get(..10).is_some_and(|start| start.eq_ignore_ascii_case(b"attachment"))
}

/// Passes a reply's pieces on. Ends with the reply, when the caller is gone, or when one end stands still.
async fn pass(held: Bytes, mut rest: Stream, to: mpsc::Sender<Result<Bytes, BoxError>>, place: OwnedSemaphorePermit) {
    let send = async |piece: Result<Bytes, BoxError>| {
        let was_error = piece.is_err();
        to.send_timeout(piece, QUIET).await.is_ok() && !was_error
    };
    let mut goes_on = held.is_empty() || send(Ok(held)).await;
    while goes_on {
        let frame = tokio::select! {
            frame = tokio::time::timeout(QUIET, rest.frame()) => frame,
            () = to.closed() => break,
        };
        goes_on = match frame {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(piece) => send(Ok(piece)).await,
                Err(_) => true,
            },
            // Told as an error, so that the caller's connection breaks: what came is not whole.
            Ok(Some(Err(error))) => send(Err(error)).await,
            Err(_) => send(Err("the platform went silent".into())).await,
        };
    }
    drop(place);
}

/// What the caller's connection takes.
struct Passed {
    pieces: mpsc::Receiver<Result<Bytes, BoxError>>,
}

impl Body for Passed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.pieces.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
