//! Where does a credential survive a restart, and how do servers that share one store keep from fetching twice?
//!
//! A [`Coordinator`] keeps one [`Record`] for each credential and compares before it sets: whoever is about to fetch
//! claims the generation it knows, and commits what came under that claim. Readers never come here, they read snapshots
//! in memory; and a store that fails never stops the serving, nor costs a fetch.
//!
//! [`Redb`] is the implementation for one server, [`Memory`] one for tests and for servers without a disk. An engine
//! shared by several servers needs nothing else than these five calls.

mod belief;
mod lease;
mod memory;
mod record;
mod redb;

use std::{error::Error, fmt, future::Future, pin::Pin};

use tokio::sync::broadcast;

pub use self::{
    lease::{Attempt, Claim, Claimed, Lease, Owner},
    memory::Memory,
    record::{Record, StoredLedger, StoredToken},
    redb::{CannotOpen, Opened, Redb},
};
pub(crate) use belief::{Believed, Moment, believe, ledger, write_down};

/// What a call of a [`Coordinator`] returns.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failing>> + Send + 'a>>;

/// Names one credential in a store: a digest of endpoint, base, id, secret and kind. Nothing of the secret can be read
/// off it, and a changed secret is another key: it never takes the old account's credential.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    pub(crate) const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The bytes it is stored under.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A few bytes tell two lines of a log apart.
        f.write_str("Key(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The seam to whatever keeps the records. Calls about one key are carried out in the order they are made.
///
/// An error says that the store could not be asked or did not take it; the engine then goes on alone, and saves again
/// once [`commit`](Self::commit) works.
pub trait Coordinator: Send + Sync + 'static {
    /// What is held under these keys, in their order. Everything at once: a restart must not take a trip for each.
    fn read(&self, keys: Vec<Key>) -> Answer<'_, Vec<Option<Record>>>;

    /// Compare and set: asks for leave to make one exchange. Refused when the store knows a higher generation than
    /// [`Claim::generation`], or when another owner's exchange may still be executing.
    ///
    /// A granted claim is durable before this returns, its ledger included: a server that is killed during the exchange
    /// has counted it.
    fn claim(&self, claim: Claim) -> Answer<'_, Claimed>;

    /// Compare and set: what an exchange brought, or what is held, goes into the store. Returns what is there instead
    /// when somebody else got in between with a higher generation.
    fn commit(&self, attempt: Attempt, record: Record) -> Answer<'_, Option<Record>>;

    /// Ends an exchange that brought nothing. The credential that is stored stays; the lease ends, unless the exchange may
    /// have been executed on an endpoint where that matters until `lease_until_ms`.
    fn fail(&self, attempt: Attempt, ledger: StoredLedger, lease_until_ms: u64) -> Answer<'_, ()>;

    /// Keys that other owners have changed. A receiver that lags reads everything again.
    fn watch(&self) -> broadcast::Receiver<Key>;

    /// Closes it: what was promised is on disk when this returns. Later calls fail.
    fn close(&self) -> Answer<'_, ()>;
}

/// Why a store does not do what it is asked, by what helps against it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failing {
    /// The disk or the quota is full.
    Full,
    /// The file or its file system cannot be written.
    ReadOnly,
    /// It did not answer in time: the disk hangs.
    Stuck,
    /// Another error of the system; its words, which hold no secret.
    System(String),
    /// What is there is damaged, and could not be set aside.
    Damaged,
    /// It has been closed.
    Closed,
}

impl Failing {
    /// The class in one word, for a log line or a metric.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::Stuck => "stuck",
            Self::System(_) => "system",
            Self::Damaged => "damaged",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the disk is full; make room, it is saved by itself then"),
            Self::ReadOnly => f.write_str(
                "the store cannot be written; mend its permissions or mount the file system writable, it is saved by itself then",
            ),
            Self::Stuck => f.write_str("the store does not answer; does its disk hang?"),
            Self::System(words) => write!(f, "the store cannot be used: {words}"),
            Self::Damaged => f.write_str("the store is damaged and could not be set aside; move the file away and restart"),
            Self::Closed => f.write_str("the store is closed"),
        }
    }
}

impl Error for Failing {}
