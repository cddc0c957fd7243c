//! What has happened so far? Numbers only: no token, no secret, no message text.

use std::collections::BTreeMap;

use serde::Serialize;

/// Everything counted since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// By account name, see [`Account::name`](super::Account::name).
    pub accounts: BTreeMap<String, AccountCounters>,
    /// Refusals of calls that could not be tied to an account, by errcode: an unknown appid, a made-up token.
    pub strangers: BTreeMap<i32, u64>,
    /// Replies with HTTP 412: a POST without `Content-Length`.
    pub length_required: u64,
    /// Connections accepted by the server. 0 in the bare model, as the next one.
    pub connections: u64,
    /// Calls to which an ordered [`Fault`](crate::Fault) happened.
    pub faults: u64,
    /// Calls that are held back to be executed at a later virtual instant.
    pub held: u64,
}

impl Counters {
    /// The counters of one account; all zero when nothing has happened or nobody has that name. A bare corpid also
    /// finds the first of that corporation's applications.
    #[must_use]
    pub fn account(&self, name: &str) -> AccountCounters {
        let of_corporation = |other: &str| other.split_once('/').is_some_and(|(id, _)| id == name);
        let found = self.accounts.get(name).or_else(|| {
            let mut others = self.accounts.iter();
            others.find(|(other, _)| of_corporation(other)).map(|(_, counters)| counters)
        });
        found.cloned().unwrap_or_default()
    }
}

/// What one account has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AccountCounters {
    /// Fetches by path: `/cgi-bin/token`, `/cgi-bin/stable_token`, `/cgi-bin/gettoken`.
    pub fetches: BTreeMap<String, Calls>,
    /// Calls with a token, by path.
    pub calls: BTreeMap<String, Calls>,
    /// Tokens minted for fetches, over all endpoints.
    pub minted: u64,
    /// Forced refreshes that minted.
    pub forced: u64,
    /// Tokens minted on behalf of "another program" through the controls.
    pub elsewhere: u64,
    /// Tokens alive at the moment of asking, over all endpoints.
    pub alive: u64,
    /// Tickets minted, of every kind. How often one was asked for is in `calls`.
    pub tickets_minted: u64,
    /// Messages taken over, template and customer messages and WeCom messages alike.
    pub messages: u64,
    /// How often the administrator was asked to confirm an address (89503).
    pub admin_notified: u64,
}

impl AccountCounters {
    /// Fetches of one endpoint that succeeded.
    #[must_use]
    pub fn fetched(&self, path: &str) -> u64 {
        self.fetches.get(path).map_or(0, |calls| calls.accepted)
    }

    /// Fetches over all endpoints that succeeded.
    #[must_use]
    pub fn fetched_in_all(&self) -> u64 {
        self.fetches.values().map(|calls| calls.accepted).sum()
    }

    /// Fetches over all endpoints that were refused with this errcode.
    #[must_use]
    pub fn fetches_refused(&self, errcode: i32) -> u64 {
        self.fetches.values().map(|calls| calls.refused_with(errcode)).sum()
    }

    /// Calls with a token that were accepted, over all paths.
    #[must_use]
    pub fn calls_accepted(&self) -> u64 {
        self.calls.values().map(|calls| calls.accepted).sum()
    }

    /// Calls with a token that were refused with this errcode, over all paths.
    #[must_use]
    pub fn calls_refused(&self, errcode: i32) -> u64 {
        self.calls.values().map(|calls| calls.refused_with(errcode)).sum()
    }
}

/// Calls of one path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Calls {
    /// Executed with success.
    pub accepted: u64,
    /// Refused, by errcode.
    pub refused: BTreeMap<i32, u64>,
}

impl Calls {
    pub(crate) fn count(&mut self, refused: Option<i32>) {
        match refused {
            None => self.accepted += 1,
            Some(code) => *self.refused.entry(code).or_default() += 1,
        }
    }

    /// Refusals with this errcode.
    #[must_use]
    pub fn refused_with(&self, errcode: i32) -> u64 {
        self.refused.get(&errcode).copied().unwrap_or(0)
    }
}
