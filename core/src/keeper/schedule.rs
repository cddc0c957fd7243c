//! When is the next attempt, and may it be made?

use super::{Action, DAY_MS, Fetch, Keeper, Ticket, Trouble, outcome::span};
use crate::{
    Instant, Repeat,
    divide::divide,
    jitter,
    policy::{EXCHANGE_LIMIT_MS, ms},
};

/// With less life than this left, the fetches kept in reserve may be used.
const EMERGENCY_BELOW_MS: u64 = 60_000;

/// What is added to an expiry that must certainly have passed: the reply took its time to come, too.
const CERTAINLY_MS: u64 = 1_000;

impl Keeper {
    /// Says what to do at `now`.
    ///
    /// A [`Fetch`](Action::Fetch) starts an exchange: life counts from this very call, so send at once. An exchange
    /// that nobody speaks of is given up at the instant [`poll_at`](Self::poll_at) names.
    pub fn poll(&mut self, now: Instant) -> Action {
        let now = now.as_millis();
        if self.in_flight {
            let lost_at = self.lost_at();
            if now < lost_at {
                return Action::Wait(Instant::from_millis(lost_at));
            }
            self.fail(now, Trouble::Lost);
        }
        self.roll_day(now);
        let mut at = self.attempt_at();
        if now >= at && self.would_repeat(now) {
            // Whoever polls late comes into the last seconds of a token. What `attempt_at` does not plan is not done then.
            self.lead_ms = 0;
            at = self.attempt_at();
        }
        if now < at {
            return Action::Wait(Instant::from_millis(at));
        }
        Action::Fetch(self.begin(now))
    }

    /// The next instant at which [`poll`](Self::poll) will do something. Polling exactly then makes progress; until
    /// then, and without news, it stays the same. Polled later, `poll` may put the fetch off: in the last seconds of a token
    /// that its endpoint would only repeat it waits until that is over.
    #[must_use]
    pub fn poll_at(&self) -> Instant {
        Instant::from_millis(if self.in_flight { self.lost_at() } else { self.attempt_at() })
    }

    fn lost_at(&self) -> u64 {
        self.sent_at.saturating_add(ms(self.policy.lost_after_s))
    }

    fn begin(&mut self, now: u64) -> Fetch {
        if self.day_ends_at <= now {
            self.day_ends_at = now.saturating_add(DAY_MS);
        }
        self.flight_forced = self.force_pending && self.day_forced < self.policy.forced_limit;
        // Out of forced refreshes: the plain fetch that follows will serve what the platform repeats.
        self.force_pending = self.flight_forced;
        self.day_fetches = self.day_fetches.saturating_add(1);
        self.day_forced = self.day_forced.saturating_add(u8::from(self.flight_forced));
        self.ticket = self.ticket.wrapping_add(1);
        self.in_flight = true;
        self.sent_at = now;
        self.flight_reports = self.refused;
        Fetch { ticket: Ticket(self.ticket), forced: self.flight_forced }
    }

    /// The earliest instant of the next attempt, a pure function of the state.
    pub(super) fn attempt_at(&self) -> u64 {
        let dead_at = self.dead_at();
        let mut at = self.refresh_at().max(self.not_before);
        // The quiet window protects a token that may still live; once that is known dead there is nothing to protect.
        at = at.max(self.quiet_until.min(dead_at));
        // At the end of its day the ledger is empty again.
        if self.day_fetches >= self.policy.daily_limit {
            at = at.max(self.day_ends_at);
        } else if self.day_fetches >= self.unreserved() {
            let emergency_at = dead_at.saturating_sub(EMERGENCY_BELOW_MS);
            at = at.max(emergency_at.min(self.day_ends_at));
        }
        // Last, so that nothing moves it into those seconds again.
        if self.would_repeat(at) { self.certainly_dead_at() } else { at }
    }

    /// When the token held is over; 0 when none is held or it was refused.
    fn dead_at(&self) -> u64 {
        if self.holds() && !self.refused { self.expires_at } else { 0 }
    }

    /// Around the expiry a repeating endpoint hands out the same dying token, and then the floor stands before the next
    /// fetch: better to come once, when it is certainly dead.
    fn would_repeat(&self, at: u64) -> bool {
        let dead_at = self.dead_at();
        let dying = dead_at > 0 && at > dead_at.saturating_sub(ms(self.policy.floor_s));
        dying && at < self.certainly_dead_at() && self.endpoint.repeat == Repeat::SameWhileValid
    }

    /// When the token held should be replaced.
    #[inline(never)]
    pub(super) fn refresh_at(&self) -> u64 {
        if !self.holds() || self.refused || self.force_pending {
            0
        } else if self.lead_ms == 0 {
            self.certainly_dead_at()
        } else {
            self.expires_at.saturating_sub(u64::from(self.lead_ms))
        }
    }

    /// When the announced life is over beyond doubt. Fetched a moment too early, the reply would be the same dying token,
    /// announced with a full life.
    pub(super) const fn certainly_dead_at(&self) -> u64 {
        self.expires_at.saturating_add(self.policy.margin_s as u64 * 1000 + CERTAINLY_MS)
    }

    /// How long before the expiry of a token with this announced life to fetch, jitter drawn once per generation.
    pub(super) fn lead(&self, announced_s: u32) -> u32 {
        let policy = &self.policy;
        let part = announced_s.checked_div(u32::from(policy.lead_divisor)).unwrap_or(0);
        let mut lead_s = part.max(u32::from(policy.lead_s));
        // A lead as long as the life would fetch at once, for ever; and where each fetch kills the token before it,
        // more than half a life is too eager as well.
        if lead_s >= announced_s || self.endpoint.repeat == Repeat::Rotates {
            lead_s = lead_s.min(announced_s / 2);
        }
        let jitter = jitter::up_to(u32::from(policy.lead_jitter_s) * 1000, self.seed, u64::from(self.generation));
        lead_s.saturating_mul(1000).saturating_sub(jitter).max(1)
    }

    pub(super) fn unreserved(&self) -> u16 {
        self.policy.daily_limit.saturating_sub(self.policy.daily_reserve)
    }

    /// Starts the ledger anew when its day is over.
    #[inline(never)]
    pub(super) fn roll_day(&mut self, now: u64) {
        if self.day_ends_at > now {
            return;
        }
        self.day_fetches = 0;
        self.day_forced = 0;
        self.day_ends_at = if self.day_known {
            // Its midnights lie whole days apart.
            let (_, into_day) = divide(now.saturating_sub(self.day_ends_at), DAY_MS as u32);
            now.saturating_add(DAY_MS.saturating_sub(into_day.into()))
        } else {
            // The next day begins with its first fetch.
            0
        };
    }

    /// Spreads what is left of the reserve over what is left of the day, so that a day-long fault still ends in a
    /// recovery within half an hour, and not only at midnight.
    #[inline(never)]
    pub(super) fn stretch_reserve(&mut self, now: u64) {
        if self.day_fetches >= self.unreserved() {
            let left = u32::from(self.policy.daily_limit.saturating_sub(self.day_fetches));
            let spacing = span(now, self.day_ends_at) / (left + 1);
            self.not_before = self.not_before.max(now.saturating_add(spacing.into()));
        }
    }
}

const _: () = assert!(EXCHANGE_LIMIT_MS as u64 <= 10_000, "Policy::lost_after_s is clamped to 10 s for this limit");
