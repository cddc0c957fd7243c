//! Which bytes of a chunked body are data (RFC 9112, section 7.1)?
//!
//! ```text
//!   SIZE ─▶ (EXTENSION) ─▶ SIZE_END ─▶ DATA ─▶ DATA_CR ─▶ DATA_LF ─▶ SIZE …
//!                             └ size 0 ▶ LINE_START ─▶ TRAILER ─▶ TRAILER_LF ─▶ LINE_START ─▶ FINAL_LF ▶ end
//! ```
//!
//! Strict about line ends and sizes, since a decoder that guesses differently from a proxy in between is how replies are
//! smuggled; extensions and trailers are skipped, as section 7.1.1 and 7.1.2 allow.

use super::framing::Taken;
use crate::Fault;

/// Sizes, extensions and trailers may take so many bytes altogether: they occupy no buffer, only patience.
const MAX_AROUND: u16 = 1024;

#[derive(Clone, Copy)]
pub(super) struct Chunked {
    place: Place,
    /// Of the chunk's data still to come, in bytes.
    left: u32,
    around: u16,
}

#[derive(Clone, Copy)]
enum Place {
    /// Before the first digit of a size.
    Size,
    /// After at least one digit.
    Digits,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    LineStart,
    Trailer,
    TrailerLf,
    FinalLf,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self { place: Place::Size, left: 0, around: 0 }
    }

    pub(super) fn take(&mut self, byte: u8) -> Result<Taken, Fault> {
        let next = match (self.place, byte) {
            (Place::Data, _) => {
                self.left = self.left.saturating_sub(1);
                if self.left == 0 {
                    self.place = Place::DataCr;
                }
                return Ok(Taken::Data);
            }
            (Place::FinalLf, b'\n') => return Ok(Taken::End),
            (Place::Size | Place::Digits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = (byte as char).to_digit(16).unwrap_or(0);
                self.left = self.left.checked_mul(16).ok_or(Fault::Chunk)?.saturating_add(digit);
                Place::Digits
            }
            (Place::Digits | Place::Extension, b'\r') => Place::SizeEnd,
            (Place::Digits, b';' | b' ' | b'\t') => Place::Extension,
            (Place::Extension, b'\t' | b' '..=0x7e | 0x80..) => Place::Extension,
            (Place::SizeEnd, b'\n') if self.left == 0 => Place::LineStart,
            (Place::SizeEnd, b'\n') => Place::Data,
            (Place::DataCr, b'\r') => Place::DataLf,
            (Place::DataLf, b'\n') => Place::Size,
            (Place::LineStart, b'\r') => Place::FinalLf,
            (Place::Trailer, b'\r') => Place::TrailerLf,
            (Place::LineStart | Place::Trailer, b'\t' | b' '..=0x7e | 0x80..) => Place::Trailer,
            (Place::TrailerLf, b'\n') => Place::LineStart,
            _ => return Err(Fault::Chunk),
        };
        self.around = self.around.saturating_add(1);
        if self.around > MAX_AROUND {
            return Err(Fault::Chunk);
        }
        self.place = next;
        Ok(Taken::Around)
    }
}
