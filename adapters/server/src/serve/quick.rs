//! Which requests are so many that the least work pays? Reads of a token that is held. They are answered here, from one
//! buffer into another.
//!
//! One whole request in one piece, written as HTTP clients write it, is answered here; whatever is not quite that (another
//! path or method, a body, a field that could mean something, a head that comes in pieces, anything to be refused) is left
//! to hyper together with the bytes that came, and so is the rest of the connection. Nothing is decided here that hyper's
//! side would decide otherwise: a test compares the two.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    sync::watch,
    time::{sleep, timeout},
};

use crate::doors::{Doors, Peer};

/// The longest request that is answered here, in bytes.
const ROOM: usize = 2048;
/// The most fields of a request that is answered here.
const FIELDS: usize = 16;
/// An answer must be taken within this.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// Fields that say nothing to this server.
const WITHOUT_MEANING: [&str; 10] = [
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-type",
    "pragma",
    "traceparent",
    "tracestate",
];

/// What a request asks for, when it is one that is answered here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    pub(crate) key: &'a str,
    pub(crate) account: &'a str,
}

/// Answers as long as nothing else is asked. Returns the bytes that came of the first other request; `None` when the
/// connection is over: the peer has closed it or is silent for longer than `idle` (and less than twice that), or the end
/// was ordered.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    doors: &Doors,
    peer: &Peer,
    idle: Duration,
    mut stopped: watch::Receiver<bool>,
) -> Option<Vec<u8>> {
    let mut stopping = pin!(async move { stopped.wait_for(|stopped| *stopped).await.map(drop) });
    let mut silence = pin!(sleep(idle));
    let mut answered = false;
    loop {
        let step = poll_fn(|cx| {
            loop {
                match ready_step(stream, doors, peer, cx) {
                    Poll::Ready(Step::Answered) => answered = true,
                    Poll::Ready(step) => return Poll::Ready(step),
                    Poll::Pending => break,
                }
            }
            if stopping.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Step::Over);
            }
            ready!(silence.as_mut().poll(cx));
            Poll::Ready(Step::Silent)
        });
        match step.await {
            Step::Answered => {}
            Step::Rest(rest) => {
                timeout(WRITE_LIMIT, async {
                    stream.write_all(&rest).await?;
                    stream.flush().await
                })
                .await
                .ok()?
                .ok()?;
                answered = true;
            }
            Step::Other(read) => return Some(read),
            // The timer is set anew once in a while and not for each request.
            Step::Silent if std::mem::take(&mut answered) => silence.set(sleep(idle)),
            Step::Silent | Step::Over => return None,
        }
    }
}

enum Step {
    Answered,
    /// This much of the answer was not taken yet.
    Rest(Vec<u8>),
    /// Another request began like this.
    Other(Vec<u8>),
    Silent,
    Over,
}

/// Reads one request and answers it.
fn ready_step<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    doors: &Doors,
    peer: &Peer,
    cx: &mut Context<'_>,
) -> Poll<Step> {
    // On the stack: a connection that waits holds no buffer.
    let mut room = [const { MaybeUninit::uninit() }; ROOM];
    let mut buffer = ReadBuf::uninit(&mut room);
    if ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer)).is_err() {
        return Poll::Ready(Step::Over);
    }
    let read = buffer.filled();
    if read.is_empty() {
        return Poll::Ready(Step::Over);
    }
    let answer = asked(read).and_then(|asked| doors.held(peer, asked.key, asked.account));
    let Some(answer) = answer else { return Poll::Ready(Step::Other(read.to_vec())) };
    Poll::Ready(match written(stream, &answer, cx) {
        Ok(Poll::Ready(())) => Step::Answered,
        Ok(Poll::Pending) => Step::Rest(Vec::new()),
        Err(Unwritten::Rest(taken)) => Step::Rest(answer.get(taken..).unwrap_or_default().to_vec()),
        Err(Unwritten::Broken) => Step::Over,
    })
}

enum Unwritten {
    Rest(usize),
    Broken,
}

/// `Pending`: all of it was taken, and is not on its way yet.
fn written<S: AsyncWrite + Unpin>(stream: &mut S, answer: &[u8], cx: &mut Context<'_>) -> Result<Poll<()>, Unwritten> {
    let taken = match Pin::new(&mut *stream).poll_write(cx, answer) {
        Poll::Ready(Ok(taken)) => taken,
        Poll::Ready(Err(_)) => return Err(Unwritten::Broken),
        Poll::Pending => 0,
    };
    if taken < answer.len() {
        return Err(Unwritten::Rest(taken));
    }
    match Pin::new(stream).poll_flush(cx) {
        Poll::Ready(Ok(())) => Ok(Poll::Ready(())),
        Poll::Ready(Err(_)) => Err(Unwritten::Broken),
        Poll::Pending => Ok(Poll::Pending),
    }
}

/// What is asked, if these bytes are exactly one request that is answered here.
fn asked(bytes: &[u8]) -> Option<Asked<'_>> {
    // Looked at before anything is parsed.
    let path = bytes.strip_prefix(b"GET /v1/accounts/")?;
    let end = path.iter().position(|byte| !is_of_name(*byte)).filter(|end| *end > 0)?;
    let (account, rest) = path.split_at_checked(end)?;
    if !rest.starts_with(b"/token HTTP/1.1\r\n") || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        _ => return None,
    }
    let mut key = None;
    for field in request.headers.iter() {
        if field.name.eq_ignore_ascii_case("authorization") {
            // Of two, hyper's side would take the first; that is its affair.
            if key.replace(field.value).is_some() {
                return None;
            }
        } else if field.name.eq_ignore_ascii_case("connection") {
            if !field.value.eq_ignore_ascii_case(b"keep-alive") {
                return None;
            }
        } else if !WITHOUT_MEANING.iter().any(|name| field.name.eq_ignore_ascii_case(name)) {
            return None;
        }
    }
    let key = std::str::from_utf8(key?).ok()?.strip_prefix("Bearer ")?;
    let account = std::str::from_utf8(account).ok()?;
    // A key has no blanks; where one stands it is for the other side to say what that means.
    key.bytes().all(|byte| byte.is_ascii_graphic()).then_some(Asked { key, account })
}

const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// A stream on which some bytes that came are read first.
pub(super) struct Reread<S> {
    first: io::Cursor<Vec<u8>>,
    stream: S,
}

impl<S> Reread<S> {
    pub(super) fn new(first: Vec<u8>, stream: S) -> Self {
        Self { first: io::Cursor::new(first), stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Reread<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = self.first.get_ref().len() as u64 - self.first.position();
        if left == 0 {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.first).poll_read(cx, buffer))?;
        if left == (buffer.filled().len() - before) as u64 {
            self.first = io::Cursor::default();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Reread<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
