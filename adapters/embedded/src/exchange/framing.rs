//! Where does a body end (RFC 9112, section 6.3), and which of the bytes that come are its own?

use super::chunked::Chunked;
use crate::Fault;

#[derive(Clone, Copy)]
pub(super) enum Framing {
    /// So many bytes are still to come.
    Length(usize),
    Chunked(Chunked),
    UntilClose,
}

/// What a byte was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Of the body.
    Data,
    /// A chunk's size, a line end, a trailer.
    Around,
    /// The last one of the message, and not of the body.
    End,
}

impl Framing {
    pub(super) fn take(&mut self, byte: u8) -> Result<Taken, Fault> {
        match self {
            Self::Length(left) => {
                *left = left.saturating_sub(1);
                Ok(Taken::Data)
            }
            Self::Chunked(chunked) => chunked.take(byte),
            Self::UntilClose => Ok(Taken::Data),
        }
    }
}
