//! What is written down of one credential? Enough that a restart costs no fetch and no budget; never the secret.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::lease::Lease;

/// The version of the format, before each record.
const FORMAT: u8 = 1;

/// One credential as it is stored. Times of day are milliseconds since the Unix epoch. `Debug` shows no token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Counts the different credentials so far.
    pub generation: u32,
    /// The last one, if one is valid.
    pub token: Option<StoredToken>,
    /// How much of the day's budget is used.
    pub ledger: StoredLedger,
    /// An exchange that may be executing.
    pub lease: Option<Lease>,
}

/// A credential with its life.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredToken {
    /// Its text.
    pub text: Zeroizing<String>,
    /// The whole life it had, in milliseconds: the lead before its expiry is a part of it.
    pub life_ms: u64,
    /// When it was written down; 0 when the time of day was not known.
    pub saved_at_ms: u64,
    /// When it expires by the time of day; 0 when that was not known.
    pub expires_at_ms: u64,
    /// The run of the system within which the next field means anything; empty when it has no name.
    pub boot_id: String,
    /// When it expires by the clock that counts suspend, in milliseconds since that run began.
    pub boot_expires_at_ms: u64,
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken")
            .field("bytes", &self.text.len())
            .field("life_ms", &self.life_ms)
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}

/// A ledger whose day ends at a time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLedger {
    /// Fetches counted in the day.
    pub fetches: u16,
    /// The forced ones among them.
    pub forced: u8,
    /// When the count starts anew; 0 when nothing has been counted.
    pub ends_at_ms: u64,
}

impl Record {
    /// The record as bytes; wiped when dropped, they hold the credential.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Room for the longest token and all around it, so that nothing grows and leaves a copy.
        let bytes = Zeroizing::new(Vec::with_capacity(1024));
        let mut bytes = Zeroizing::new(postcard::to_extend(self, std::mem::take(&mut *{ bytes })).unwrap_or_default());
        bytes.insert(0, FORMAT);
        bytes
    }

    /// Reads a record; `None` when it is torn, or of another version.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (format, bytes) = bytes.split_first()?;
        if *format != FORMAT {
            return None;
        }
        let (record, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            generation: 7,
            token: Some(StoredToken {
                text: Zeroizing::new("accesstoken".to_owned()),
                life_ms: 7_198_000,
                saved_at_ms: 1_700_000_000_000,
                expires_at_ms: 1_700_007_198_000,
                boot_id: "b".to_owned(),
                boot_expires_at_ms: 9,
            }),
            ledger: StoredLedger { fetches: 3, forced: 1, ends_at_ms: 1_700_050_000_000 },
            lease: None,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Record::decode(&record().encode()), Some(record()));
        assert_eq!(Record::decode(&Record::default().encode()), Some(Record::default()));
    }

    #[test]
    fn a_torn_record_is_none() {
        let whole = record().encode();
        for len in 0..whole.len() {
            assert_eq!(Record::decode(&whole[..len]), None, "{len}");
        }
        let mut longer = whole.to_vec();
        longer.push(0);
        assert_eq!(Record::decode(&longer), None);
        longer.pop();
        longer[0] = FORMAT + 1;
        assert_eq!(Record::decode(&longer), None);
    }

    #[test]
    fn debug_has_no_token() {
        assert!(!format!("{:?}", record()).contains("accesstoken"));
    }
}
