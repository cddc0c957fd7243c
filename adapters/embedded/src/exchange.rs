//! What is the next byte to write, where do the next bytes read go, and what did the peer answer?
//!
//! ```text
//!            handle_written              handle_read: a head        handle_read: the last byte
//!  SENDING ─────────────────▶ HEAD ────────────────────────▶ BODY ────────────────────────────▶ DONE
//!   │ ▲ │    all accepted,     │ ▲                          │ ▲ │
//!   ▼ │ │    buffer wiped      └─┘ 1xx, skipped (RFC 9110,  │ │ │
//!  FILLING   (the body of an       section 15.2)            ▼ │ │
//!     │ │     upload, piece by piece)                      GIVING (a reply longer than the buffer)
//!     └─┴────────────┬─────────┴──────────────────────────────┘
//!                    ▼   handle_error, handle_timeout, a reply that cannot be trusted
//!                  FAILED
//! ```
//!
//! The request is rendered as a whole into the buffer that the reply will use, and not streamed piece by piece. The
//! reply needs the room anyway, so it costs no RAM; one `Write` step serves the blocking and the async pump alike, while
//! pieces would need the writer of the core as a coroutine; and the secret is in one place that is wiped as soon as the
//! connection has taken it. Only the body of a call may be longer than the buffer; it follows piece by piece.

use core::fmt;

use embedded_io::ErrorKind;
use wxtoken_core::{Body, CallRequest, Failure, Request};
use zeroize::Zeroize;

use crate::Fault;

mod chunked;
mod framing;
mod head;

use framing::{Framing, Taken};
use head::Head;

/// The buffer length to start with, in bytes: a reply with a token of 512 bytes fits, head and body one after the other,
/// and so does the request of an account with a secret of ordinary length.
pub const DEFAULT_BUFFER_LEN: usize = 1024;

/// Interim replies (1xx) in a row; a peer that sends more never means to answer.
const MAX_INTERIM: u8 = 8;

/// One HTTP/1.1 exchange as a machine over bytes, without I/O.
///
/// Call [`step`](Self::step) and do what it says until it says [`Done`](Step::Done), then read
/// [`outcome`](Self::outcome). The pumps [`blocking::run`](crate::blocking::run) and
/// [`asynch::run`](crate::asynch::run) do just that over `embedded-io`.
///
/// - **Getters**: [`outcome`](Self::outcome), [`failure`](Self::failure), [`can_reuse`](Self::can_reuse) …;
/// - **[`step`](Self::step)**, which says what to do now; asking again without an answer repeats it;
/// - **`handle_*`**, the answers.
///
/// The head of the reply must fit into the buffer, and so must the body by itself: the head is dropped when it has been
/// read. A body whose end is marked by chunks or by the end of the connection must leave one byte free. The buffer is
/// wiped when the request has been sent, and again when the exchange is dropped.
pub struct Exchange<'b> {
    buffer: &'b mut [u8],
    state: State,
    /// What of the request's body is not in the buffer yet.
    rest: Rest<'b>,
    keep_alive: bool,
    /// A reply may be longer than the buffer, and is given away piece by piece.
    gives: bool,
    /// The connection has taken bytes of the request, so the platform may have seen it.
    accepted: bool,
    /// Bytes were handed out to be written, and the connection has not said yet what became of them.
    offered: bool,
    /// The reply stays in the buffer when this is dropped.
    kept: bool,
}

/// The part of a request's body that is still to come.
#[derive(Clone, Copy)]
enum Rest<'b> {
    Bytes(&'b [u8]),
    /// So many bytes from the caller's source.
    Source(u64),
}

#[derive(Clone, Copy)]
enum State {
    /// Of the buffer, or of the rest when that is bytes and the buffer has been sent.
    Sending {
        at: usize,
        len: usize,
    },
    Filling,
    Head {
        filled: usize,
        interim: u8,
    },
    Body {
        head: Head,
        len: usize,
    },
    Giving {
        head: Head,
        len: usize,
    },
    Done {
        status: u16,
        len: usize,
        reusable: bool,
    },
    Failed(Fault),
}

/// What to do next.
#[derive(PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a pump must do all of these, and they are all there can be")]
pub enum Step<'e> {
    /// Write these bytes, or some of them, and say how many by [`Exchange::handle_written`]. **They hold the secret.**
    Write(&'e [u8]),
    /// Put the next bytes of the request's body into this room, which is never empty, and say how many by
    /// [`Exchange::handle_filled`]. Only for a call whose body is a stream.
    Fill(&'e mut [u8]),
    /// Take these bytes of the reply's body, and say so by [`Exchange::handle_given`]. Only for a call whose reply may be
    /// longer than the buffer.
    Give(&'e [u8]),
    /// Read into this room, which is never empty, and say how many bytes came by [`Exchange::handle_read`].
    Read(&'e mut [u8]),
    /// The exchange has ended, well or not.
    Done,
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(bytes) => write!(f, "Write({} bytes)", bytes.len()),
            Self::Fill(room) => write!(f, "Fill({} bytes)", room.len()),
            Self::Give(bytes) => write!(f, "Give({} bytes)", bytes.len()),
            Self::Read(room) => write!(f, "Read({} bytes)", room.len()),
            Self::Done => f.write_str("Done"),
        }
    }
}

/// A complete reply, in the exchange's buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Response<'e> {
    status: u16,
    body: &'e [u8],
}

impl<'e> Response<'e> {
    /// The HTTP status, 200 to 299 or 400 to 599.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The body, decoded. **It holds the credential.**
    #[must_use]
    pub const fn body(&self) -> &'e [u8] {
        self.body
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Response<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Response({=u16}, {=usize} bytes)", self.status, self.body.len());
    }
}

impl<'b> Exchange<'b> {
    /// The exchange for `request` in `buffer` ([`DEFAULT_BUFFER_LEN`] is a good length). `keep_alive` asks the peer to
    /// leave the connection open; see [`can_reuse`](Self::can_reuse).
    ///
    /// # Errors
    /// [`Fault::RequestTooLong`] when the request does not fit; the buffer is wiped.
    pub fn new(request: &Request<'_, '_>, buffer: &'b mut [u8], keep_alive: bool) -> Result<Self, Fault> {
        let len = render(buffer, |out| request.write_http(out, keep_alive))?;
        Ok(Self::sending(buffer, len, Rest::Bytes(&[]), keep_alive, false))
    }

    /// The exchange for one attempt of an API call. Its body may be longer than the buffer: bytes are written from where
    /// they are, a stream is asked for by [`Step::Fill`]. With `gives`, so may the reply: it is handed out by
    /// [`Step::Give`] each time the buffer is half full, and the [`outcome`](Self::outcome) has what is left.
    ///
    /// # Errors
    /// [`Fault::RequestTooLong`] when the head of the request does not fit; the buffer is wiped.
    pub fn call(
        request: &CallRequest<'b, '_>,
        buffer: &'b mut [u8],
        keep_alive: bool,
        gives: bool,
    ) -> Result<Self, Fault> {
        let mut len = render(buffer, |out| request.write_head(out, keep_alive))?;
        let rest = match request.call().body() {
            Body::Bytes(bytes) => {
                // What fits goes out in one piece with the head: one segment, one TLS record.
                let room = buffer.get_mut(len..).unwrap_or(&mut []);
                let fits = bytes.len().min(room.len());
                room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                len = len.saturating_add(fits);
                Rest::Bytes(bytes.get(fits..).unwrap_or(&[]))
            }
            Body::Stream { len, .. } => Rest::Source(len),
            _ => Rest::Bytes(&[]),
        };
        Ok(Self::sending(buffer, len, rest, keep_alive, gives))
    }

    fn sending(buffer: &'b mut [u8], len: usize, rest: Rest<'b>, keep_alive: bool, gives: bool) -> Self {
        let state = State::Sending { at: 0, len };
        Self { buffer, state, rest, keep_alive, gives, accepted: false, offered: false, kept: false }
    }

    /// Says what to do now.
    pub fn step(&mut self) -> Step<'_> {
        match self.state {
            State::Sending { at, len } => {
                self.offered = true;
                match (len, self.rest) {
                    (0, Rest::Bytes(bytes)) => Step::Write(bytes),
                    _ => Step::Write(self.buffer.get(at..len).unwrap_or(&[])),
                }
            }
            State::Filling => {
                let left = match self.rest {
                    Rest::Source(left) => usize::try_from(left).unwrap_or(usize::MAX),
                    Rest::Bytes(_) => 0,
                };
                let room = left.min(self.buffer.len());
                Step::Fill(self.buffer.get_mut(..room).unwrap_or(&mut []))
            }
            State::Giving { len, .. } => Step::Give(self.buffer.get(..len).unwrap_or(&[])),
            State::Head { filled: used, .. } | State::Body { len: used, .. } => {
                Step::Read(self.buffer.get_mut(used..).unwrap_or(&mut []))
            }
            State::Done { .. } | State::Failed(_) => Step::Done,
        }
    }

    /// The connection took the first `n` bytes of what was to be written. One that takes none, against the contract of
    /// `embedded_io::Write`, is broken.
    pub fn handle_written(&mut self, n: usize) {
        let State::Sending { at, len } = self.state else {
            return;
        };
        self.offered = false;
        if n == 0 {
            return self.fail(Fault::Broken);
        }
        self.accepted = true;
        let at = at.saturating_add(n);
        if at < len {
            self.state = State::Sending { at, len };
            return;
        }
        match &mut self.rest {
            // The buffer is behind us: these were bytes of the rest itself.
            Rest::Bytes(bytes) if len == 0 => *bytes = bytes.get(n..).unwrap_or(&[]),
            _ => self.wipe(),
        }
        self.state = match self.rest {
            Rest::Bytes([]) | Rest::Source(0) => State::Head { filled: 0, interim: 0 },
            Rest::Bytes(_) => State::Sending { at: 0, len: 0 },
            Rest::Source(_) => State::Filling,
        };
    }

    /// The source put `n` bytes into the room; none means that it has no more, which is too few.
    pub fn handle_filled(&mut self, n: usize) {
        if let (State::Filling, Rest::Source(left)) = (self.state, self.rest) {
            let n = n.min(self.buffer.len());
            if n == 0 {
                return self.fail(Fault::Source);
            }
            self.rest = Rest::Source(left.saturating_sub(n as u64));
            self.state = State::Sending { at: 0, len: n };
        }
    }

    /// The bytes given were taken, or not, which ends the exchange.
    pub fn handle_given(&mut self, taken: bool) {
        if let State::Giving { head, .. } = self.state {
            if !taken {
                return self.fail(Fault::Sink);
            }
            self.state = State::Body { head, len: 0 };
        }
    }

    /// `n` bytes were read into the room; none means that the peer closed the connection.
    pub fn handle_read(&mut self, n: usize) {
        let result = match self.state {
            State::Head { filled, interim } if n > 0 => self.read_head(filled.saturating_add(n), interim),
            State::Body { head, len } if n > 0 => self.read_body(head, len, len, len.saturating_add(n)),
            State::Body { head: Head { status, framing: Framing::UntilClose, .. }, len } => {
                self.state = State::Done { status, len, reusable: false };
                Ok(())
            }
            State::Head { .. } | State::Body { .. } => Err(Fault::Cut),
            State::Sending { .. } | State::Filling | State::Giving { .. } | State::Done { .. } | State::Failed(_) => {
                Ok(())
            }
        };
        if let Err(fault) = result {
            self.fail(fault);
        }
    }

    /// The connection reported an error: nothing of what was offered last was taken, nothing more will come.
    pub fn handle_error(&mut self, kind: ErrorKind) {
        self.offered = false;
        self.fail(if kind == ErrorKind::TimedOut { Fault::TimedOut } else { Fault::Broken });
    }

    /// The deadline has passed. A write that nobody answered for may have been made.
    pub fn handle_timeout(&mut self) {
        self.fail(Fault::TimedOut);
    }

    /// The reply, once the exchange has ended well.
    ///
    /// # Errors
    /// The [`Fault`] with which it ended, or [`Fault::Unfinished`] before its end.
    pub fn outcome(&self) -> Result<Response<'_>, Fault> {
        match self.state {
            State::Done { status, len, .. } => Ok(Response { status, body: self.buffer.get(..len).unwrap_or(&[]) }),
            State::Failed(fault) => Err(fault),
            State::Sending { .. } | State::Filling | State::Head { .. } | State::Body { .. } | State::Giving { .. } => {
                Err(Fault::Unfinished)
            }
        }
    }

    /// Leaves the reply in the buffer, and says how many bytes its body, or what was not given of it, has there.
    pub(crate) fn keep(mut self) -> usize {
        self.kept = true;
        self.outcome().map_or(0, |reply| reply.body().len())
    }

    /// Whether the exchange has ended, well or not.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done { .. } | State::Failed(_))
    }

    /// Whether the whole request was taken by the connection, which should be flushed now.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        matches!(self.state, State::Head { .. } | State::Body { .. } | State::Giving { .. } | State::Done { .. })
    }

    /// What to tell a keeper if this exchange fails, or fails to end: `NotSent` until the connection has taken the first
    /// byte of the request, `MaybeSent` after it and when in doubt.
    #[must_use]
    pub const fn failure(&self) -> Failure {
        if self.accepted || self.offered { Failure::MaybeSent } else { Failure::NotSent }
    }

    /// Whether the connection may carry another exchange: it was asked to stay open, the peer agreed, and the reply
    /// ended where its framing said. Bytes that arrive later than the reply are the reader's to notice.
    #[must_use]
    pub const fn can_reuse(&self) -> bool {
        matches!(self.state, State::Done { reusable: true, .. })
    }

    // Called at many places.
    #[inline(never)]
    fn fail(&mut self, fault: Fault) {
        if !self.is_done() {
            self.wipe();
            self.state = State::Failed(fault);
        }
    }

    #[inline(never)]
    fn wipe(&mut self) {
        self.buffer.zeroize();
    }

    fn read_head(&mut self, filled: usize, mut interim: u8) -> Result<(), Fault> {
        let mut filled = filled.min(self.buffer.len());
        loop {
            let Some((head, end)) = head::read(self.buffer.get(..filled).unwrap_or(&[]))? else {
                if filled == self.buffer.len() {
                    return Err(Fault::HeadTooLong);
                }
                self.state = State::Head { filled, interim };
                return Ok(());
            };
            let Some(head) = head else {
                interim = interim.saturating_add(1);
                if interim > MAX_INTERIM {
                    return Err(Fault::HeadTooLong);
                }
                for (to, from) in (end..filled).enumerate() {
                    put(self.buffer, to, byte(self.buffer, from));
                }
                filled = filled.saturating_sub(end);
                continue;
            };
            if matches!(head.framing, Framing::Length(left) if left > self.buffer.len()) && !self.gives {
                return Err(Fault::BodyTooLong);
            }
            let reusable = head.reusable && self.keep_alive;
            return self.read_body(Head { reusable, ..head }, 0, end, filled);
        }
    }

    /// Takes the raw bytes `from..to`; the body already decoded is `..len`, and `len <= from`.
    fn read_body(&mut self, mut head: Head, mut len: usize, from: usize, to: usize) -> Result<(), Fault> {
        let to = to.min(self.buffer.len());
        let mut at = from;
        let mut ended = matches!(head.framing, Framing::Length(0));
        while at < to && !ended {
            let raw = byte(self.buffer, at);
            at = at.saturating_add(1);
            match head.framing.take(raw)? {
                Taken::Data => {
                    put(self.buffer, len, raw);
                    len = len.saturating_add(1);
                    ended = matches!(head.framing, Framing::Length(0));
                }
                Taken::Around => {}
                Taken::End => ended = true,
            }
        }
        if ended && head.reusable && at < to {
            return Err(Fault::Surplus);
        }
        if !ended && len >= self.buffer.len() && !self.gives {
            return Err(Fault::BodyTooLong);
        }
        // Refusals are short: half a buffer is time enough to recognise one before anything is given away.
        let full = self.gives && len > self.buffer.len() / 2;
        self.state = if ended {
            State::Done { status: head.status, len, reusable: head.reusable }
        } else if full {
            State::Giving { head, len }
        } else {
            State::Body { head, len }
        };
        Ok(())
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.wipe();
        }
    }
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("outcome", &self.outcome())
            .field("failure", &self.failure())
            .field("buffer", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

/// Writes a request into `buffer` and says how long it is.
fn render<E>(buffer: &mut [u8], write: impl FnOnce(&mut &mut [u8]) -> Result<(), E>) -> Result<usize, Fault> {
    let room = buffer.len();
    let mut rest = &mut *buffer;
    let written = write(&mut rest);
    let len = room.saturating_sub(rest.len());
    if written.is_err() {
        buffer.zeroize();
        return Err(Fault::RequestTooLong);
    }
    Ok(len)
}

fn byte(buffer: &[u8], at: usize) -> u8 {
    buffer.get(at).copied().unwrap_or(0)
}

fn put(buffer: &mut [u8], at: usize, byte: u8) {
    if let Some(place) = buffer.get_mut(at) {
        *place = byte;
    }
}
