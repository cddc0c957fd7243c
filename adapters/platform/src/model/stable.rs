//! What does `/cgi-bin/stable_token` do? It hands out the same token until its last five minutes, unless forced.
//!
//! The rules are those of the getStableAccessToken documentation; its tokens live apart from those of
//! `/cgi-bin/token`, so neither endpoint touches the other's.

use super::account::{Account, ForcedPredecessor};
use super::ledger::Ledger;
use super::quota::{Span, Window};
use super::rotating::{self, OVERLAP_MS};

/// A token with this many milliseconds left or fewer is succeeded by a new one, and both are valid.
const WINDOW_MS: u64 = 300_000;

#[derive(Default)]
pub(crate) struct Stable {
    pub(crate) ledger: Ledger,
    forced_at: Option<u64>,
    forced_today: Window,
}

pub(crate) struct Granted {
    pub(crate) token: String,
    pub(crate) expires_in: u64,
    pub(crate) minted: bool,
    pub(crate) forced: bool,
}

impl Stable {
    /// The normal mode. `mint` is called only when a new token is due.
    pub(crate) fn normal(&mut self, account: &Account, now: u64, mint: impl FnOnce() -> String) -> Granted {
        if let Some(current) = self.ledger.newest()
            && current.is_alive(now)
            && current.expires_at - now > WINDOW_MS
        {
            return Granted {
                token: current.token.clone(),
                expires_in: current.remaining_s(now),
                minted: false,
                forced: false,
            };
        }
        // The predecessor, if any, is in its last five minutes and runs out by itself.
        self.push(account, now, mint())
    }

    /// The forced mode; refused with 45009 when the day's forced refreshes are used up.
    pub(crate) fn forced(
        &mut self,
        account: &Account,
        now: u64,
        mint: impl FnOnce() -> String,
    ) -> Result<Granted, i32> {
        let apart = u64::from(account.quotas.forced_apart_s) * 1_000;
        if self.forced_at.is_some_and(|at| now.saturating_sub(at) < apart) {
            return Ok(self.normal(account, now, mint));
        }
        if !self.forced_today.take(Span::Day, now, account.quotas.forced_per_day) {
            return Err(45_009);
        }
        self.forced_at = Some(now);
        let mut granted = self.replace(account, now, mint());
        granted.forced = true;
        Ok(granted)
    }

    /// A forced refresh by somebody whose budget is no concern here.
    pub(crate) fn replace(&mut self, account: &Account, now: u64, token: String) -> Granted {
        let ends = match account.forced {
            ForcedPredecessor::DiesAtOnce => now,
            ForcedPredecessor::LivesOn => now.saturating_add(OVERLAP_MS),
        };
        rotating::supersede(&mut self.ledger, ends, Some(now));
        self.push(account, now, token)
    }

    fn push(&mut self, account: &Account, now: u64, token: String) -> Granted {
        let minted = self.ledger.push(token, now, account.life_s);
        Granted { token: minted.token.clone(), expires_in: u64::from(account.life_s), minted: true, forced: false }
    }
}
