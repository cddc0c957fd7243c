//! What does the application know that the machine cannot: a refused token, a stored one, a new secret, the time of day.

use core::time::Duration;

use super::{DAY_MS, Failure, Keeper, Trouble, outcome::span};
use crate::{Fingerprint, Instant, Repeat, Token, divide::divide, policy::ms, reply::MAX_EXPIRES_IN};

/// Beijing is ahead of UTC by this; the platform's day begins there (WeCom document 90454 says natural day).
const UTC_PLUS_8_S: u64 = 8 * 3600;
/// A token refused within this after it came counts towards a streak of tokens that never worked.
const SOON_MS: u64 = 60_000;

/// What a report of a refused token led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ReportOutcome {
    /// The report is about an older token: take the current one and call once more.
    Replaced,
    /// The token was dropped, and a fetch is under way or due now: poll, then call once more with a different token.
    Refreshing,
    /// The token is kept: it is so young that the platform may not know it everywhere yet. Try it once more.
    Kept,
    /// The token was dropped, but nothing may be fetched before this instant. A report never shortens a wait.
    HeldOff(Instant),
}

/// What is written down so that a restart costs no fetch. `Debug` shows no token.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Snapshot<'a> {
    /// The token, already checked.
    pub token: &'a Token,
    /// The life it has left. The caller turns it into wall time to store it and back again to restore it.
    pub remaining: Duration,
    /// The whole life it had, from sending to expiry: the lead is a part of it.
    pub life: Duration,
    /// Its number.
    pub generation: u32,
}

/// How much of the day's budget is used, for a display and for the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ledger {
    /// Fetches counted in this day, those in flight included; one that was certainly not sent is taken off again.
    pub fetches: u16,
    /// The forced ones among them.
    pub forced: u8,
    /// Until the count starts anew; zero when nothing has been counted.
    pub resets_in: Duration,
}

impl Keeper {
    /// The application's call was refused with 40001, 40014 or 42001 while it used `seen` (a `&Token` or its
    /// [`Fingerprint`]).
    ///
    /// Compare-and-invalidate: only the token that was seen is dropped, so a thousand late reports of an old token
    /// cost nothing. A token younger than the grace (30 s) gets one report without consequence.
    pub fn report_refused(&mut self, now: Instant, seen: impl Into<Fingerprint>) -> ReportOutcome {
        self.report(now, seen.into())
    }

    fn report(&mut self, now: Instant, seen: Fingerprint) -> ReportOutcome {
        let ms_now = now.as_millis();
        if !self.is_valid(ms_now) {
            // Nothing is being handed out; whatever was seen is on its way to be replaced.
            return self.pending(now);
        }
        if self.token.fingerprint() != seen {
            return ReportOutcome::Replaced;
        }
        let age = ms_now.saturating_sub(self.granted_at());
        if age < u64::from(self.policy.grace_s) * 1000 && !self.graced {
            self.graced = true;
            return ReportOutcome::Kept;
        }
        self.refused = true;
        self.refused_streak = if age < SOON_MS || self.reaffirmed { self.refused_streak.saturating_add(1) } else { 1 };
        if self.refused_streak > 1 {
            // Token after token refused as it comes: fetching is not the cure, and must not burn the day's budget.
            let doublings = self.refused_streak.saturating_sub(2).min(10);
            let wait = ms(self.policy.floor_s) << doublings;
            self.not_before = self.not_before.max(ms_now.saturating_add(wait.min(ms(self.policy.patience_cap_s))));
        } else if self.endpoint.takes_reports() && self.trouble.is_none() {
            // The floor keeps from asking for what is known already. This the server does not know.
            self.not_before = self.not_before.min(ms_now);
        }
        self.pending(now)
    }

    /// The application wants a new token although the old one works (it leaked, or an operator says so). On
    /// `stable_token` that is a forced refresh, within its budget; elsewhere a fetch. The old one is served meanwhile.
    pub fn rotate(&mut self, now: Instant) -> ReportOutcome {
        // Due at once, and until it has succeeded. Whether it may still be forced today is judged when it begins.
        self.lead_ms = u32::MAX;
        self.force_pending = self.endpoint.repeat == Repeat::SameUntilLast300s;
        self.pending(now)
    }

    fn pending(&self, now: Instant) -> ReportOutcome {
        let at = Instant::from_millis(self.attempt_at());
        if self.in_flight || at <= now { ReportOutcome::Refreshing } else { ReportOutcome::HeldOff(at) }
    }

    /// The id, secret, base or allow-list was mended: a wait caused by a failure ends now. An exchange in flight is
    /// given up, it carries what was wrong.
    pub fn configuration_changed(&mut self, now: Instant) {
        let now = now.as_millis();
        if self.in_flight {
            self.fail(now, Trouble::Failed(Failure::MaybeSent));
        }
        // Without a failure the wait is the floor after a success, which stays.
        if self.trouble.is_some() {
            self.not_before = now;
            self.streak = 0;
        }
    }

    /// The time of day, in seconds since the Unix epoch, wherever it is known: the ledger's day then becomes the
    /// platform's (midnight in Beijing). Tell it at start and after every step of the clock.
    pub fn wall_clock(&mut self, now: Instant, unix_s: u64) {
        let now = now.as_millis();
        self.roll_day(now);
        let (_, into_day_s) = divide(unix_s.saturating_add(UTC_PLUS_8_S), 86_400);
        self.day_known = true;
        self.day_ends_at = now.saturating_add(DAY_MS.saturating_sub(u64::from(into_day_s) * 1000));
    }

    /// What to write down, if a token is valid.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> Option<Snapshot<'_>> {
        Some(Snapshot {
            token: self.token(now)?,
            remaining: self.remaining(now),
            life: Duration::from_millis(u64::from(self.life_ms)),
            generation: self.generation,
        })
    }

    /// Takes up a token that was written down, here or by another process that shares the store. Returns whether it
    /// was taken.
    ///
    /// Not taken: one without life left or with more than a day of it, the one already held, one that is older (by
    /// generation) than a valid one held.
    pub fn restore(&mut self, now: Instant, stored: &Snapshot<'_>) -> bool {
        let now = now.as_millis();
        let remaining = crate::time::millis(stored.remaining);
        let possible = remaining > 0 && remaining <= u64::from(MAX_EXPIRES_IN) * 1000 && !stored.token.is_empty();
        let same = self.holds() && self.token == *stored.token;
        let older = self.is_valid(now) && stored.generation <= self.generation;
        if !possible || same || older {
            return false;
        }
        let expires_at = now.saturating_add(remaining);
        let life = crate::time::millis(stored.life).min(u64::from(MAX_EXPIRES_IN) * 1000).max(remaining);
        self.generation = stored.generation.max(self.generation.saturating_add(u32::from(self.holds())));
        self.token.clone_from(stored.token);
        self.become_current(expires_at.saturating_sub(life), expires_at, span(0, life) / 1000);
        true
    }

    /// How much of the day's budget is used.
    #[must_use]
    pub fn ledger(&self, now: Instant) -> Ledger {
        let resets_in = Instant::from_millis(self.day_ends_at).saturating_since(now);
        if resets_in.is_zero() {
            return Ledger::default();
        }
        Ledger { fetches: self.day_fetches, forced: self.day_forced, resets_in }
    }

    /// Takes up a ledger that was written down, so that restarts cannot multiply the budget. Counts only ever rise by
    /// it, and it holds for a day at most.
    pub fn restore_ledger(&mut self, now: Instant, stored: Ledger) {
        let now = now.as_millis();
        self.roll_day(now);
        self.day_fetches = self.day_fetches.max(stored.fetches);
        self.day_forced = self.day_forced.max(stored.forced);
        if !self.day_known {
            let ends = now.saturating_add(crate::time::millis(stored.resets_in).min(DAY_MS));
            self.day_ends_at = self.day_ends_at.max(ends);
        }
    }
}
