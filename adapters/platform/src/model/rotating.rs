//! What does `/cgi-bin/token` do? Each call mints, and retires what it minted before.

use super::account::{Account, Overlap};
use super::ledger::Ledger;

/// Milliseconds that an overlap lasts: five minutes ("Get access token" documentation).
pub(crate) const OVERLAP_MS: u64 = 300_000;

/// Adds `token` and applies the overlap rule to the older ones. Returns the life reported, in seconds.
pub(crate) fn grant(ledger: &mut Ledger, account: &Account, token: String, now: u64) -> u64 {
    let (predecessor_ends, others_end) = match account.overlap {
        Overlap::EachSuperseded => (now.saturating_add(OVERLAP_MS), None),
        Overlap::DirectPredecessor => (now.saturating_add(OVERLAP_MS), Some(now)),
        Overlap::None => (now, None),
    };
    supersede(ledger, predecessor_ends, others_end);
    ledger.push(token, now, account.life_s);
    u64::from(account.life_s)
}

/// Ends the newest token at one instant, and those before it, which are in their overlap, at another.
pub(crate) fn supersede(ledger: &mut Ledger, newest_ends: u64, others_end: Option<u64>) {
    let mut newest_first = ledger.newest_first_mut();
    if let Some(newest) = newest_first.next() {
        newest.kill_at(newest_ends);
    }
    if let Some(end) = others_end {
        newest_first.for_each(|other| other.kill_at(end));
    }
}
