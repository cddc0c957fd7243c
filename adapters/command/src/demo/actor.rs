//! Who takes part? An account with its client, and callers who need a token at a steady pace.

use wxtoken::{Client, Reported, TokenRef};

use super::alarm::Alarm;
use super::clock::VirtualClock;
use super::record::{Band, Served, Track};
use super::wire::{Business, Wire};
use wxtoken_platform::Running;

/// Milliseconds between two business calls of an account.
pub(crate) const PACE_MS: u64 = 30_000;

pub(crate) struct Actor {
    /// For people.
    pub(crate) label: &'static str,
    /// The platform's name for the account.
    pub(crate) name: &'static str,
    /// The path of its token endpoint.
    pub(crate) path: &'static str,
    pub(crate) work: bool,
    /// `None` until it takes part.
    pub(crate) client: Option<Client>,
    pub(crate) wire: Wire,
    pub(crate) next_call_ms: u64,
    pub(crate) calls: Calls,
    pub(crate) track: Track,
    pub(crate) bands: Vec<Band>,
    pub(crate) outage: Option<Outage>,
    /// Fetches counted by clients that were replaced.
    pub(crate) counted_before: u64,
    /// What 64 cold callers cost, once they came.
    pub(crate) cold_fetches: Option<u64>,
    /// What the outage was like, once it is over.
    pub(crate) survived: Option<Survived>,
    /// How many of the exchanges have been looked at for something to tell.
    pub(crate) exchanges_told: usize,
    pub(crate) alarms: Vec<Alarm>,
}

/// What became of the business calls.
#[derive(Clone, Copy, Default)]
pub(crate) struct Calls {
    pub(crate) made: u64,
    /// Succeeded with the second token, after the first was refused.
    pub(crate) retried: u64,
    /// Had no token, or a refused one twice.
    pub(crate) failed: u64,
}

/// The token endpoint will be down for a while, from the moment it is needed.
#[derive(Clone, Copy)]
pub(crate) struct Outage {
    pub(crate) length_ms: u64,
    pub(crate) began: Option<Began>,
}

/// What was so when an outage began.
#[derive(Clone, Copy)]
pub(crate) struct Began {
    pub(crate) at_ms: u64,
    pub(crate) without_ms: u64,
    pub(crate) failed: u64,
}

/// What an outage was like.
#[derive(Clone, Copy)]
pub(crate) struct Survived {
    pub(crate) lasted_ms: u64,
    pub(crate) without_ms: u64,
}

/// No token, or a refused one twice.
struct Failed;

/// A refused token was reported, and the call went through with another.
pub(crate) struct Retried {
    pub(crate) errcode: i64,
    pub(crate) generation: u32,
}

impl Actor {
    /// One business call, as a careful caller makes it: a refused token is reported, and the call made once more.
    pub(crate) fn call(&mut self, business: &Business) -> Option<Retried> {
        self.calls.made += 1;
        match self.try_call(business) {
            Ok(None) => None,
            Ok(Some(retried)) => {
                self.calls.retried += 1;
                Some(retried)
            }
            Err(Failed) => {
                self.calls.failed += 1;
                None
            }
        }
    }

    fn try_call(&self, business: &Business) -> Result<Option<Retried>, Failed> {
        let client = self.client.as_ref().ok_or(Failed)?;
        let token = client.token().map_err(|_| Failed)?;
        let errcode = match self.spend(business, &token) {
            Some(0) => return Ok(None),
            Some(code @ (40_001 | 40_014 | 42_001)) => code,
            _ => return Err(Failed),
        };
        let kept = client.report_refused(&token) == Reported::Kept;
        let next = client.token().map_err(|_| Failed)?;
        // Only with a different one, unless this one is so young that it may need a moment.
        if !kept && *next == *token || self.spend(business, &next) != Some(0) {
            return Err(Failed);
        }
        Ok(Some(Retried { errcode, generation: next.generation() }))
    }

    fn spend(&self, business: &Business, token: &TokenRef) -> Option<i64> {
        if self.work { business.message(token.as_str()) } else { business.addresses(token.as_str()) }
    }

    /// Lets the client refresh if that is due, and looks at what it hands out.
    pub(crate) fn observe(&mut self, clock: &VirtualClock, platform: &Running) {
        let Some(client) = &self.client else { return };
        // A zero wait would never fetch. This one lets a due fetch be made and waits for nothing else.
        let served = match client.token_within(std::time::Duration::from_millis(1)) {
            Ok(token) if platform.token_is_valid(self.name, token.as_str()) => Served::Valid(token.generation()),
            Ok(token) => Served::Dead(token.generation()),
            Err(_) => Served::Nothing,
        };
        self.track.observe(clock.ms(), served);
    }

    pub(crate) fn generation(&self) -> u32 {
        self.client.as_ref().map_or(0, |client| client.status().generation)
    }

    /// Whether the client wants to fetch now.
    pub(crate) fn is_due(&self) -> bool {
        self.client.as_ref().is_some_and(|client| client.status().next_in.is_zero())
    }

    /// Fetches as the clients themselves counted them today.
    pub(crate) fn counted(&self) -> u64 {
        let now = self.client.as_ref().map(|client| client.status().ledger).unwrap_or_default();
        self.counted_before + u64::from(now.fetches)
    }

    /// Fetches that reached the platform today: granted and refused.
    pub(crate) fn fetched(&self, platform: &Running) -> u64 {
        let counters = platform.counters().account(self.name);
        counters.fetches.values().map(|calls| calls.accepted + calls.refused.values().sum::<u64>()).sum()
    }
}
