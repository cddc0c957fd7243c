//! Which errcode does a reply name? Read piece by piece in constant memory, whatever the reply's length and kind.
//!
//! A reply may be an object of 40 bytes or of megabytes, a photo, a page of a proxy, or end in the middle. Nothing is
//! kept of it but the place where the reader stands, so there is no length to limit; what is limited is the depth of
//! brackets. Strings and escapes are followed only as far as to know where they end, so that an `errcode` inside a text,
//! or inside a member, is never taken for the reply's own.

/// Brackets deeper than this are refused as unclear; the JSON readers of hosts stop at the same depth.
const MAX_DEPTH: u8 = 128;

const NAME: &[u8] = b"errcode";

/// What a reply says of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Errcode {
    /// A JSON object that names no errcode: a success of many of the platform's calls.
    Absent,
    /// Not a JSON object: media, a page of a proxy, or nothing at all.
    NoObject,
    /// This one; 0 is success. A number beyond 32 bits is `i32::MAX`.
    Is(i32),
    /// It begins as a JSON object and is cut, malformed, or names its errcode twice or as something other than a number:
    /// nothing may be concluded from it.
    Unclear,
}

impl Errcode {
    /// The number, unless it is 0.
    #[must_use]
    pub const fn refused(self) -> Option<i32> {
        match self {
            Self::Is(0) | Self::Absent | Self::NoObject | Self::Unclear => None,
            Self::Is(code) => Some(code),
        }
    }
}

/// Reads the errcode at the top level of a JSON object out of a reply that comes in pieces.
///
/// ```
/// use wxtoken_core::{Errcode, ErrcodeReader};
/// let mut reader = ErrcodeReader::new();
/// reader.push(br#"{"errco"#);
/// reader.push(br#"de":40001,"errmsg":"invalid credential"}"#);
/// assert_eq!(reader.finish(), Errcode::Is(40001));
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ErrcodeReader {
    place: Place,
    /// Brackets open inside a member's value.
    depth: u8,
    found: Option<i32>,
}

/// Where the reader stands. All but the inside of a value is at the top level.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Place {
    /// Before the first character.
    Start,
    /// Before a member's name, or the end of the object.
    Name,
    /// In a name; `matched` bytes of it are ours so far, `None` when it is another.
    InName { matched: Option<u8>, escaped: bool },
    /// Before the colon.
    Colon { ours: bool },
    /// Before a value.
    Value { ours: bool },
    /// In our number; `digits` is false before the first one.
    Number { quoted: bool, negative: bool, digits: bool, value: i64 },
    /// In our null: so many letters have come.
    Null(u8),
    /// After our value.
    After,
    /// In another member's value, outside a string.
    Other,
    /// In a string of another member's value.
    Text { escaped: bool },
    /// After the object.
    End,
    /// It is no JSON object. Stays.
    Foreign,
    /// Nothing may be concluded. Stays.
    Unclear,
}

impl ErrcodeReader {
    /// A reader at the start of a reply.
    #[must_use]
    pub const fn new() -> Self {
        Self { place: Place::Start, depth: 0, found: None }
    }

    /// The next bytes of the reply.
    pub fn push(&mut self, piece: &[u8]) {
        for &byte in piece {
            if matches!(self.place, Place::Foreign | Place::Unclear) {
                return;
            }
            self.place = self.next(byte);
        }
    }

    /// Whether the reply may still turn out to be the platform's refusal: it is empty so far, or began as a JSON object.
    #[must_use]
    pub const fn may_refuse(&self) -> bool {
        !matches!(self.place, Place::Foreign)
    }

    /// What the reply said, now that it has ended.
    #[must_use]
    pub const fn finish(&self) -> Errcode {
        match (self.place, self.found) {
            (Place::Start | Place::Foreign, _) => Errcode::NoObject,
            (Place::End, None) => Errcode::Absent,
            (Place::End, Some(code)) => Errcode::Is(code),
            _ => Errcode::Unclear,
        }
    }

    fn next(&mut self, byte: u8) -> Place {
        let place = self.place;
        match (place, byte) {
            (Place::Text { escaped: true }, _) => Place::Text { escaped: false },
            (Place::Text { .. }, b'\\') => Place::Text { escaped: true },
            (Place::Text { .. }, b'"') => Place::Other,
            (Place::Text { .. }, _) => place,
            (Place::InName { escaped: true, .. }, _) => Place::InName { matched: None, escaped: false },
            (Place::InName { .. }, b'\\') => Place::InName { matched: None, escaped: true },
            (Place::InName { matched, .. }, b'"') => {
                Place::Colon { ours: matched.map(usize::from) == Some(NAME.len()) }
            }
            (Place::InName { matched, .. }, _) => {
                let goes_on = matched.filter(|&n| NAME.get(usize::from(n)) == Some(&byte));
                Place::InName { matched: goes_on.map(|n| n.saturating_add(1)), escaped: false }
            }
            (Place::Number { quoted, .. }, _) => self.number(quoted, byte),
            (Place::Null(n), _) => match (n, byte) {
                (1, b'u') | (2, b'l') => Place::Null(n.saturating_add(1)),
                (3, b'l') => Place::After,
                _ => Place::Unclear,
            },
            (Place::Other, _) => self.other(byte),
            (_, b' ' | b'\t' | b'\r' | b'\n') => place,
            (Place::Start, b'{') => Place::Name,
            (Place::Start, _) => Place::Foreign,
            (Place::Name, b'"') => Place::InName { matched: Some(0), escaped: false },
            (Place::Name | Place::After, b'}') => Place::End,
            (Place::Colon { ours }, b':') => Place::Value { ours },
            (Place::Value { ours: false }, b',' | b'}' | b']' | b':') => Place::Unclear,
            (Place::Value { ours: false }, _) => self.other(byte),
            (Place::Value { ours: true }, b'"') => {
                Place::Number { quoted: true, negative: false, digits: false, value: 0 }
            }
            (Place::Value { ours: true }, b'n') => Place::Null(1),
            (Place::Value { ours: true }, b'-' | b'0'..=b'9') => {
                self.place = Place::Number { quoted: false, negative: false, digits: false, value: 0 };
                self.number(false, byte)
            }
            (Place::After, b',') => Place::Name,
            _ => Place::Unclear,
        }
    }

    /// A byte of our number, or the one after it.
    fn number(&mut self, was_quoted: bool, byte: u8) -> Place {
        let Place::Number { quoted, negative, digits, value } = self.place else { return Place::Unclear };
        match byte {
            b'0'..=b'9' => {
                let value = value.saturating_mul(10).saturating_add(i64::from(byte.wrapping_sub(b'0')));
                Place::Number { quoted, negative, digits: true, value }
            }
            b'-' if !negative && !digits => Place::Number { quoted, negative: true, digits, value },
            // Twice is ambiguous, and ambiguity about a refusal is not ours to resolve.
            _ if !digits || self.found.is_some() => Place::Unclear,
            _ => {
                let value = if negative { value.saturating_neg() } else { value };
                // A code beyond 32 bits is no code we know; saturated, it stays unknown.
                self.found = Some(i32::try_from(value).unwrap_or(i32::MAX));
                match (was_quoted, byte) {
                    (true, b'"') | (false, b' ' | b'\t' | b'\r' | b'\n') => Place::After,
                    (false, b',') => Place::Name,
                    (false, b'}') => Place::End,
                    _ => Place::Unclear,
                }
            }
        }
    }

    /// A byte of another member's value, outside its strings.
    fn other(&mut self, byte: u8) -> Place {
        match byte {
            b'"' => return Place::Text { escaped: false },
            b'{' | b'[' => {
                self.depth = self.depth.saturating_add(1);
                // The object itself is one.
                if self.depth >= MAX_DEPTH {
                    return Place::Unclear;
                }
            }
            b',' if self.depth == 0 => return Place::Name,
            b'}' if self.depth == 0 => return Place::End,
            b']' if self.depth == 0 => return Place::Unclear,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Place::Other
    }
}

impl Default for ErrcodeReader {
    fn default() -> Self {
        Self::new()
    }
}
