//! What is the next byte to write, where do the next bytes read go, and what did the peer answer?
//!
//! ```text
//!            handle_written              handle_read: a head        handle_read: the last byte
//!  SENDING ─────────────────▶ HEAD ────────────────────────▶ BODY ────────────────────────────▶ DONE
//!     │      all accepted,     │ ▲                            │
//!     │      buffer wiped      └─┘ 1xx, skipped (RFC 9110,    │
//!     │                            section 15.2)              │
//!     └──────────────┬─────────┴──────────────────────────────┘
//!                    ▼   handle_error, handle_timeout, a reply that cannot be trusted
//!                  FAILED
//! ```
//!
//! The request is rendered as a whole into the buffer that the reply will use, and not streamed piece by piece. The
//! reply needs the room anyway, so it costs no RAM; one `Write` step serves the blocking and the async pump alike, while
//! pieces would need the writer of the core as a coroutine; and the secret is in one place that is wiped as soon as the
//! connection has taken it.

use core::fmt;

use embedded_io::ErrorKind;
use wxtoken_core::{Failure, Request};
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
    keep_alive: bool,
    /// The connection has taken bytes of the request, so the platform may have seen it.
    accepted: bool,
    /// Bytes were handed out to be written, and the connection has not said yet what became of them.
    offered: bool,
}

#[derive(Clone, Copy)]
enum State {
    Sending { at: usize, len: usize },
    Head { filled: usize, interim: u8 },
    Body { head: Head, len: usize },
    Done { status: u16, len: usize, reusable: bool },
    Failed(Fault),
}

/// What to do next.
#[derive(PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a pump must do all of these, and they are all there can be")]
pub enum Step<'e> {
    /// Write these bytes, or some of them, and say how many by [`Exchange::handle_written`]. **They hold the secret.**
    Write(&'e [u8]),
    /// Read into this room, which is never empty, and say how many bytes came by [`Exchange::handle_read`].
    Read(&'e mut [u8]),
    /// The exchange has ended, well or not.
    Done,
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(bytes) => write!(f, "Write({} bytes)", bytes.len()),
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
        let room = buffer.len();
        let mut rest = &mut *buffer;
        let written = request.write_http(&mut rest, keep_alive);
        let len = room.saturating_sub(rest.len());
        if written.is_err() {
            buffer.zeroize();
            return Err(Fault::RequestTooLong);
        }
        Ok(Self { buffer, state: State::Sending { at: 0, len }, keep_alive, accepted: false, offered: false })
    }

    /// Says what to do now.
    pub fn step(&mut self) -> Step<'_> {
        match self.state {
            State::Sending { at, len } => {
                self.offered = true;
                Step::Write(self.buffer.get(at..len).unwrap_or(&[]))
            }
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
        self.state = if at < len {
            State::Sending { at, len }
        } else {
            self.buffer.zeroize();
            State::Head { filled: 0, interim: 0 }
        };
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
            State::Sending { .. } | State::Done { .. } | State::Failed(_) => Ok(()),
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
            State::Sending { .. } | State::Head { .. } | State::Body { .. } => Err(Fault::Unfinished),
        }
    }

    /// Whether the exchange has ended, well or not.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done { .. } | State::Failed(_))
    }

    /// Whether the whole request was taken by the connection, which should be flushed now.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        matches!(self.state, State::Head { .. } | State::Body { .. } | State::Done { .. })
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

    fn fail(&mut self, fault: Fault) {
        if !self.is_done() {
            self.buffer.zeroize();
            self.state = State::Failed(fault);
        }
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
            if matches!(head.framing, Framing::Length(left) if left > self.buffer.len()) {
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
        if !ended && len >= self.buffer.len() {
            return Err(Fault::BodyTooLong);
        }
        self.state = if ended {
            State::Done { status: head.status, len, reusable: head.reusable }
        } else {
            State::Body { head, len }
        };
        Ok(())
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.buffer.zeroize();
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

fn byte(buffer: &[u8], at: usize) -> u8 {
    buffer.get(at).copied().unwrap_or(0)
}

fn put(buffer: &mut [u8], at: usize, byte: u8) {
    if let Some(place) = buffer.get_mut(at) {
        *place = byte;
    }
}
