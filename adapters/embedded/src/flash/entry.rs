//! What stands in the two items, and when is it believed? All numbers are little-endian.

use core::time::Duration;

use sequential_storage::map::{SerializationError, Value};
use wxtoken_core::{Ledger, Snapshot, Token};

/// The version of the layout, the first byte of each item.
const FORMAT: u8 = 1;
/// A clock may be stepped by this much without anybody lying.
const TOLERANCE_S: u64 = 5;

/// FORMAT, mark (4), generation (4), life in ms (4), Unix seconds of writing (8) and of the expiry (8), the token.
#[derive(Clone, Copy)]
pub(super) struct TokenEntry<'a> {
    pub(super) mark: u32,
    pub(super) generation: u32,
    life_ms: u32,
    saved_at: u64,
    pub(super) expires_at: u64,
    /// Empty: there is no token any more.
    text: &'a str,
}

/// A token that is believed.
pub(super) struct Stored {
    token: Token,
    remaining: Duration,
    life: Duration,
    generation: u32,
}

impl Stored {
    pub(super) const fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { token: &self.token, remaining: self.remaining, life: self.life, generation: self.generation }
    }
}

impl<'a> TokenEntry<'a> {
    pub(super) fn new(mark: u32, snapshot: &Snapshot<'a>, unix_s: u64) -> Self {
        Self {
            mark,
            generation: snapshot.generation,
            life_ms: u32::try_from(snapshot.life.as_millis()).unwrap_or(u32::MAX),
            saved_at: unix_s,
            expires_at: unix_s.saturating_add(snapshot.remaining.as_secs()),
            text: snapshot.token.as_str(),
        }
    }

    pub(super) const fn none(mark: u32) -> Self {
        Self { mark, generation: 0, life_ms: 0, saved_at: 0, expires_at: 0, text: "" }
    }

    pub(super) const fn is_some(&self) -> bool {
        !self.text.is_empty()
    }

    pub(super) fn token(&self, unix_s: u64) -> Option<Stored> {
        let life = Duration::from_millis(self.life_ms.into());
        // The second that has begun counts as passed.
        let remaining = Duration::from_secs(self.expires_at.saturating_sub(unix_s).saturating_sub(1));
        let from_the_future = self.saved_at > unix_s.saturating_add(TOLERANCE_S);
        if from_the_future || remaining.is_zero() || remaining > life.saturating_add(Duration::from_secs(TOLERANCE_S)) {
            return None;
        }
        Some(Stored { token: Token::new(self.text).ok()?, remaining, life, generation: self.generation })
    }
}

impl<'a> Value<'a> for TokenEntry<'a> {
    fn serialize_into(&self, buffer: &mut [u8]) -> Result<usize, SerializationError> {
        let mut out = Writer::new(buffer);
        out.put(&[FORMAT])?;
        out.put(&self.mark.to_le_bytes())?;
        out.put(&self.generation.to_le_bytes())?;
        out.put(&self.life_ms.to_le_bytes())?;
        out.put(&self.saved_at.to_le_bytes())?;
        out.put(&self.expires_at.to_le_bytes())?;
        out.put(self.text.as_bytes())?;
        Ok(out.at)
    }

    fn deserialize_from(buffer: &'a [u8]) -> Result<(Self, usize), SerializationError> {
        let mut rest = Reader::new(buffer)?;
        let entry = Self {
            mark: u32::from_le_bytes(rest.take()?),
            generation: u32::from_le_bytes(rest.take()?),
            life_ms: u32::from_le_bytes(rest.take()?),
            saved_at: u64::from_le_bytes(rest.take()?),
            expires_at: u64::from_le_bytes(rest.take()?),
            text: core::str::from_utf8(rest.0).map_err(|_| SerializationError::InvalidFormat)?,
        };
        Ok((entry, buffer.len()))
    }
}

/// FORMAT, mark (4), fetches (2), forced (1), milliseconds left of the day (4), Unix second of its end or 0 (8).
#[derive(Clone, Copy)]
pub(super) struct LedgerEntry {
    pub(super) mark: u32,
    fetches: u16,
    forced: u8,
    resets_in_ms: u32,
    ends_at: u64,
}

impl LedgerEntry {
    pub(super) fn new(mark: u32, ledger: &Ledger, unix_s: Option<u64>) -> Self {
        Self {
            mark,
            fetches: ledger.fetches,
            forced: ledger.forced,
            resets_in_ms: u32::try_from(ledger.resets_in.as_millis()).unwrap_or(u32::MAX),
            // Rounded up: the second in which the day ends still belongs to it.
            ends_at: unix_s.map_or(0, |s| s.saturating_add(ledger.resets_in.as_secs()).saturating_add(1)),
        }
    }

    /// What is left of it at `unix_s`. Where time is unknown, then or now, none has passed: a budget that is used up too
    /// long is better than one that every reboot fills.
    pub(super) fn ledger(&self, unix_s: Option<u64>) -> Ledger {
        let resets_in = match unix_s {
            Some(now) if self.ends_at != 0 => Duration::from_secs(self.ends_at.saturating_sub(now)),
            _ => Duration::from_millis(self.resets_in_ms.into()),
        };
        if resets_in.is_zero() {
            return Ledger::default();
        }
        Ledger { fetches: self.fetches, forced: self.forced, resets_in }
    }
}

impl<'a> Value<'a> for LedgerEntry {
    fn serialize_into(&self, buffer: &mut [u8]) -> Result<usize, SerializationError> {
        let mut out = Writer::new(buffer);
        out.put(&[FORMAT])?;
        out.put(&self.mark.to_le_bytes())?;
        out.put(&self.fetches.to_le_bytes())?;
        out.put(&[self.forced])?;
        out.put(&self.resets_in_ms.to_le_bytes())?;
        out.put(&self.ends_at.to_le_bytes())?;
        Ok(out.at)
    }

    fn deserialize_from(buffer: &'a [u8]) -> Result<(Self, usize), SerializationError> {
        let mut rest = Reader::new(buffer)?;
        let mark = u32::from_le_bytes(rest.take()?);
        let fetches = u16::from_le_bytes(rest.take()?);
        let [forced] = rest.take()?;
        let resets_in_ms = u32::from_le_bytes(rest.take()?);
        let ends_at = u64::from_le_bytes(rest.take()?);
        Ok((Self { mark, fetches, forced, resets_in_ms, ends_at }, buffer.len()))
    }
}

struct Writer<'b> {
    buffer: &'b mut [u8],
    at: usize,
}

impl<'b> Writer<'b> {
    const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, at: 0 }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), SerializationError> {
        let end = self.at.saturating_add(bytes.len());
        let place = self.buffer.get_mut(self.at..end).ok_or(SerializationError::BufferTooSmall)?;
        place.copy_from_slice(bytes);
        self.at = end;
        Ok(())
    }
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    /// What follows the version.
    fn new(buffer: &'b [u8]) -> Result<Self, SerializationError> {
        match buffer.split_first() {
            Some((&FORMAT, rest)) => Ok(Self(rest)),
            _ => Err(SerializationError::InvalidFormat),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], SerializationError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(SerializationError::InvalidFormat)?;
        self.0 = rest;
        Ok(*taken)
    }
}
