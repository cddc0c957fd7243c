//! What is said of one account? Each of its credentials with its life, its plans, its ledger, and what went wrong.

use std::sync::Arc;

use serde_json::{Value, json};
use wxtoken::{Instant, Lang, Reason};

use super::super::Asking;
use crate::{
    Engine,
    account::Entry,
    engine::Cell,
    words::{reason, who},
};

/// How a credential is, in one word. Later ones are worse: an account is as its worst credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::doors) enum State {
    /// Valid, and nothing is wrong.
    Ok,
    /// Valid, and the next one is being fetched.
    Refreshing,
    /// Nothing is valid yet: it is being fetched, or a ticket waits for its token.
    Waiting,
    /// Valid, and the last fetch failed.
    Failing,
    /// Nothing is valid.
    Down,
}

impl State {
    pub(in crate::doors) const ALL: [Self; 5] = [Self::Ok, Self::Refreshing, Self::Waiting, Self::Failing, Self::Down];

    pub(in crate::doors) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refreshing => "refreshing",
            Self::Waiting => "waiting",
            Self::Failing => "failing",
            Self::Down => "down",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Takes no lock, so that all accounts can be looked at.
    pub(in crate::doors) fn of(cell: &Cell, now: Instant) -> Self {
        let snapshot = cell.snapshot();
        let failed = snapshot.trouble().is_some();
        if snapshot.valid(now).is_some() {
            return match (failed, snapshot.is_fetching()) {
                (true, _) => Self::Failing,
                (false, true) => Self::Refreshing,
                (false, false) => Self::Ok,
            };
        }
        let waits_for_token = cell.parent.as_ref().is_some_and(|token| token.snapshot().valid(now).is_none());
        let is_coming = snapshot.is_fetching() || snapshot.next_fetch_at() <= now;
        if !failed && (waits_for_token || is_coming) { Self::Waiting } else { Self::Down }
    }
}

/// How the account is: as its worst credential.
pub(in crate::doors) fn worst(entry: &Entry, now: Instant) -> State {
    entry.cells.iter().map(|cell| State::of(cell, now)).max().unwrap_or(State::Ok)
}

/// The account with its credentials. Takes their locks, one after the other.
pub(in crate::doors) fn described(engine: &Engine, asking: &Asking, entry: &Arc<Entry>, now: Instant) -> Value {
    let account = engine.account(entry);
    let credentials = entry.cells.iter().filter_map(|cell| {
        let status = account.credential(cell.kind)?.status();
        Some(json!({
            "kind": cell.kind.name(),
            "state": State::of(cell, now).name(),
            "expires_in": status.remaining.map_or(0, |left| left.as_secs()),
            "life": status.life.as_secs(),
            "next_fetch_in": status.next_in.map(|wait| wait.as_secs()),
            "fetching": status.fetching,
            "generation": status.generation,
            "ledger": {
                "fetches": status.ledger.fetches,
                "limit": status.daily_limit,
                "resets_in": status.ledger.resets_in.as_secs(),
            },
            "saved": status.saved,
            "readers_per_minute": status.readers_per_minute,
            "refusal": status.trouble.as_ref().map(refusal),
        }))
    });
    json!({
        "name": account.name(),
        "kind": account.kind().name(),
        "id": account.id(),
        "host": account.base().host_str(),
        "endpoint": account.endpoint().name(),
        "state": worst(entry, now).name(),
        "may_rotate": asking.may_rotate(account.name()),
        "credentials": credentials.collect::<Vec<_>>(),
    })
}

/// Why the last fetch failed, and who must do what.
fn refusal(trouble: &Reason) -> Value {
    let errcode = match trouble {
        Reason::Refused(refusal) => Some(refusal.errcode()),
        _ => None,
    };
    json!({
        "class": trouble.class(),
        "errcode": errcode,
        "act": who(trouble.act()),
        "en": reason(trouble, Lang::En),
        "zh": reason(trouble, Lang::Zh),
    })
}
