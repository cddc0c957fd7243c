//! Who may make an exchange now? Whoever knows the newest credential, unless another's exchange may still be executing.
//!
//! What counts is the issuer: it cannot be fenced, so fencing the store alone protects little. What protects is that at
//! most one exchange may be executing anywhere. The rule is one function, so that every store goes by the same.

use serde::{Deserialize, Serialize};

use super::{Key, Record, StoredLedger};

/// A clock that says that a lease was taken this much later than now was set back: the lease is not believed.
const TOLERANCE_MS: u64 = 5_000;

/// One run of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner(pub u64);

/// An exchange that may be executing. Times of day in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who makes it.
    pub owner: Owner,
    /// When it began.
    pub taken_at_ms: u64,
    /// By when it has certainly ended, for its owner.
    pub exchange_until_ms: u64,
    /// By when the platform has certainly executed it, or never will.
    pub quiet_until_ms: u64,
}

/// A request for leave to make one exchange.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Which credential.
    pub key: Key,
    /// The newest credential the owner knows.
    pub generation: u32,
    /// The lease it wants.
    pub lease: Lease,
    /// Nothing valid is held: there is nothing that a second exchange could kill, only one to save.
    pub nothing_held: bool,
    /// The ledger with this exchange counted in.
    pub ledger: StoredLedger,
}

/// Leave to make one exchange, and to say what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Which credential.
    pub key: Key,
    /// Whose it is.
    pub owner: Owner,
}

/// What a claim led to.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_enums, reason = "an engine must handle every answer")]
pub enum Claimed {
    /// Make the exchange.
    Granted(Attempt),
    /// Somebody fetched a newer one: take this up.
    Newer(Record),
    /// An exchange of another owner may be executing until this time of day, in milliseconds since the Unix epoch.
    Busy {
        /// When to ask again.
        until_ms: u64,
    },
}

/// Judges a claim against what is stored. `alone`: no other owner can be alive, so another's lease is that of one that
/// was killed; what it sent may still be executing all the same.
pub(super) fn judge(stored: Option<&Record>, claim: &Claim, alone: bool) -> Claimed {
    let attempt = Attempt { key: claim.key, owner: claim.lease.owner };
    let Some(stored) = stored else { return Claimed::Granted(attempt) };
    if stored.generation > claim.generation && stored.token.is_some() {
        return Claimed::Newer(stored.clone());
    }
    let now = claim.lease.taken_at_ms;
    let other = stored.lease.filter(|lease| lease.owner != claim.lease.owner);
    let Some(lease) = other.filter(|lease| lease.taken_at_ms <= now.saturating_add(TOLERANCE_MS)) else {
        return Claimed::Granted(attempt);
    };
    let until_ms = match (claim.nothing_held, alone) {
        (false, _) => lease.quiet_until_ms,
        (true, false) => lease.exchange_until_ms,
        (true, true) => 0,
    };
    if now < until_ms { Claimed::Busy { until_ms } } else { Claimed::Granted(attempt) }
}

/// The record with a granted claim written in.
pub(super) fn with_claim(stored: Option<Record>, claim: &Claim) -> Record {
    Record { lease: Some(claim.lease), ledger: claim.ledger, ..stored.unwrap_or_default() }
}

/// The record with a commit written in, or `Err` with the stored one when that is newer.
pub(super) fn with_commit(stored: Option<Record>, attempt: Attempt, record: Record) -> Result<Record, Box<Record>> {
    let stored = stored.unwrap_or_default();
    if stored.generation > record.generation {
        return Err(Box::new(stored));
    }
    // A save while an exchange is under way brings that one's lease along.
    let lease = record.lease.or_else(|| others(stored.lease, attempt));
    Ok(Record { lease, ..record })
}

/// The record with a failure written in.
pub(super) fn with_failure(
    stored: Option<Record>,
    attempt: Attempt,
    ledger: StoredLedger,
    lease_until_ms: u64,
) -> Record {
    let stored = stored.unwrap_or_default();
    let lease = match stored.lease {
        Some(lease) if lease.owner == attempt.owner && lease_until_ms > lease.taken_at_ms => {
            Some(Lease { exchange_until_ms: lease.taken_at_ms, quiet_until_ms: lease_until_ms, ..lease })
        }
        lease => others(lease, attempt),
    };
    Record { ledger, lease, ..stored }
}

fn others(lease: Option<Lease>, attempt: Attempt) -> Option<Lease> {
    lease.filter(|lease| lease.owner != attempt.owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoredToken;

    const NOW: u64 = 1_700_000_000_000;

    fn lease(owner: u64, at: u64) -> Lease {
        Lease { owner: Owner(owner), taken_at_ms: at, exchange_until_ms: at + 15_000, quiet_until_ms: at + 75_000 }
    }

    fn claim(owner: u64, generation: u32, at: u64) -> Claim {
        Claim {
            key: Key::new([0; 32]),
            generation,
            lease: lease(owner, at),
            nothing_held: false,
            ledger: StoredLedger::default(),
        }
    }

    fn stored(generation: u32, lease: Option<Lease>) -> Record {
        let token = StoredToken {
            text: zeroize::Zeroizing::new("t".to_owned()),
            life_ms: 1,
            saved_at_ms: 0,
            expires_at_ms: 0,
            boot_id: String::new(),
            boot_expires_at_ms: 0,
        };
        Record { generation, token: Some(token), ledger: StoredLedger::default(), lease }
    }

    fn granted(stored: &Record, claim: &Claim, alone: bool) -> bool {
        matches!(judge(Some(stored), claim, alone), Claimed::Granted(_))
    }

    #[test]
    fn only_the_newest_generation_may_fetch() {
        assert!(granted(&stored(3, None), &claim(1, 3, NOW), false));
        assert!(granted(&stored(3, None), &claim(1, 4, NOW), false), "the store missed one");
        assert!(
            matches!(judge(Some(&stored(3, None)), &claim(1, 2, NOW), false), Claimed::Newer(r) if r.generation == 3)
        );
        assert!(matches!(judge(None, &claim(1, 2, NOW), false), Claimed::Granted(_)));
    }

    #[test]
    fn another_s_exchange_is_waited_for_as_long_as_it_may_execute() {
        let record = stored(3, Some(lease(2, NOW)));
        for (after, nothing_held, alone, want) in [
            (74_999, false, false, false),
            (75_000, false, false, true),
            (74_999, false, true, false),
            (14_999, true, false, false),
            (15_000, true, false, true),
            (0, true, true, true),
        ] {
            let claim = Claim { nothing_held, ..claim(1, 3, NOW + after) };
            assert_eq!(granted(&record, &claim, alone), want, "{after} {nothing_held} {alone}");
        }
        assert!(granted(&record, &claim(2, 3, NOW), false), "one's own lease is no obstacle");
        assert!(granted(&record, &claim(1, 3, NOW - 5_001), false), "a lease from the future");
    }

    #[test]
    fn an_older_commit_changes_nothing() {
        let attempt = Attempt { key: Key::new([0; 32]), owner: Owner(1) };
        assert_eq!(with_commit(Some(stored(4, None)), attempt, stored(3, None)), Err(Box::new(stored(4, None))));
        let mine = with_commit(Some(stored(3, Some(lease(1, NOW)))), attempt, stored(4, None));
        assert_eq!(mine, Ok(stored(4, None)), "its own lease ends");
        let other = with_commit(Some(stored(3, Some(lease(2, NOW)))), attempt, stored(4, None));
        assert_eq!(other, Ok(stored(4, Some(lease(2, NOW)))), "another's does not");
    }

    #[test]
    fn a_failure_keeps_the_credential_and_what_may_still_be_executing() {
        let attempt = Attempt { key: Key::new([0; 32]), owner: Owner(1) };
        let ledger = StoredLedger { fetches: 9, forced: 0, ends_at_ms: NOW };
        let quiet = with_failure(Some(stored(3, Some(lease(1, NOW)))), attempt, ledger, NOW + 80_000);
        assert_eq!(quiet.lease.map(|l| (l.exchange_until_ms, l.quiet_until_ms)), Some((NOW, NOW + 80_000)));
        assert_eq!((quiet.ledger, quiet.token.is_some()), (ledger, true));
        assert_eq!(with_failure(Some(stored(3, Some(lease(1, NOW)))), attempt, ledger, 0).lease, None);
    }
}
