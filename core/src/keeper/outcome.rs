//! What did the exchange bring, and how long is the wait after it?

use super::{Failure, Keeper, Outcome, Ticket, Trouble};
#[cfg(feature = "token-server")]
use crate::MAX_EXPIRES_IN;
use crate::{
    Act, Instant, Malformed, Meaning, Phase, Refusal, Repeat, jitter,
    policy::ms,
    reply::{Grant, Reply},
};

const HOUR_MS: u64 = 3_600_000;
/// 89507 and 89506 name these spans themselves.
const LOCKED_HOUR_MS: u64 = HOUR_MS;
const LOCKED_DAY_MS: u64 = 24 * HOUR_MS;
/// 45011: "retry next minute"; also the first wait on WeCom's 45009.
const MINUTE_MS: u64 = 60_000;
/// Everybody's quota is filled at the same midnight; do not all come then.
const AFTER_MIDNIGHT_MS: u32 = 300_000;
/// Two forced refreshes closer than this do not both refresh (getStableAccessToken document).
const FORCE_GAP_MS: u64 = 30_000;
/// After this many failures in a row haste has not helped: at five seconds each, the day's budget would be gone within
/// the hour, and the hours after the platform's recovery would run on the reserve.
const URGENT_ATTEMPTS: u8 = 60;
/// A credential announced with a full life although it was the same one is looked at again after this.
const VERIFY_AFTER_MS: u64 = 60_000;

impl Keeper {
    /// Ends an exchange that got a reply.
    ///
    /// A token is believed only from status 200; an errcode explains itself at any status.
    pub fn handle_response(&mut self, ticket: Ticket, now: Instant, status: u16, body: &[u8]) -> Outcome {
        self.handle_reply(ticket, now, status, Reply::read(body, self.endpoint.token_field))
    }

    /// The same for a reply that has been read already: by [`Reply::read`], or by something else than this crate.
    pub fn handle_reply(
        &mut self,
        ticket: Ticket,
        now: Instant,
        status: u16,
        reply: Result<Reply<'_>, Malformed>,
    ) -> Outcome {
        if self.in_flight() != Some(ticket) {
            return Outcome::Stale;
        }
        let now = now.as_millis();
        self.roll_day(now);
        match (status, reply) {
            (200, Ok(Reply::Grant(grant))) => self.accept(now, &grant),
            (_, Ok(Reply::Refused(refused))) => {
                let refusal = Refusal::new(self.endpoint.product, Phase::Fetching, refused.errcode(), refused.errmsg());
                self.fail(now, Trouble::Refused { errcode: refusal.errcode(), meaning: refusal.meaning() });
                Outcome::Refused(refusal)
            }
            (200, Err(why)) => {
                self.fail(now, Trouble::Malformed(why));
                Outcome::Malformed(why)
            }
            (status, _) => {
                self.fail(now, Trouble::Status(status));
                Outcome::Status(status)
            }
        }
    }

    /// Ends an exchange that got no reply.
    pub fn handle_failure(&mut self, ticket: Ticket, now: Instant, failure: Failure) -> Outcome {
        if self.in_flight() != Some(ticket) {
            return Outcome::Stale;
        }
        let now = now.as_millis();
        self.roll_day(now);
        self.fail(now, Trouble::Failed(failure));
        Outcome::Failed(failure)
    }

    /// Ends an exchange in which a token server said that the token held is still the current one (304): how long it is
    /// good for from when it said so, and after how long it wants to be asked again, both in seconds.
    #[cfg(feature = "token-server")]
    pub fn handle_unchanged(
        &mut self,
        ticket: Ticket,
        now: Instant,
        expires_in: u32,
        refresh_after: Option<u32>,
    ) -> Outcome {
        if self.in_flight() != Some(ticket) {
            return Outcome::Stale;
        }
        let now = now.as_millis();
        self.roll_day(now);
        if !self.holds() || !(1..=MAX_EXPIRES_IN).contains(&expires_in) {
            self.fail(now, Trouble::Malformed(Malformed::Expiry));
            return Outcome::Malformed(Malformed::Expiry);
        }
        self.accepted(now, true, expires_in, refresh_after)
    }

    fn accept(&mut self, now: u64, grant: &Grant<'_>) -> Outcome {
        let same = self.holds() && grant.is(&self.token);
        if !same {
            grant.write_into(&mut self.token);
        }
        self.accepted(now, same, grant.expires_in(), grant.refresh_after())
    }

    /// The token in `self.token` was granted: the same as before, or another one.
    fn accepted(&mut self, now: u64, same: bool, expires_in: u32, refresh_after: Option<u32>) -> Outcome {
        self.in_flight = false;
        self.streak = 0;
        self.trouble = None;
        self.quiet_until = 0;
        self.not_before = self.not_before.max(now.saturating_add(ms(self.policy.floor_s)));
        self.stretch_reserve(now);
        // Life counts from sending: how long the reply took is not ours to spend.
        let announced_ms = u64::from(expires_in) * 1000;
        let margin_ms = u64::from(self.policy.margin_s) * 1000;
        let expires_at = self.sent_at.saturating_add(announced_ms).saturating_sub(margin_ms);
        let outcome = if same {
            self.accept_repeat(now, expires_in, expires_at);
            Outcome::Repeated
        } else {
            self.generation = self.generation.saturating_add(1);
            self.become_current(self.sent_at, expires_at, expires_in);
            Outcome::Granted { generation: self.generation }
        };
        if let Some(after) = refresh_after {
            // Whatever it says: never before the floor, and at the end at the latest.
            let lead_ms = announced_ms.saturating_sub(u64::from(after) * 1000).saturating_sub(margin_ms);
            self.lead_ms = u32::try_from(lead_ms).unwrap_or(u32::MAX).max(1);
        }
        outcome
    }

    /// The token in `self.token` is a new one: forget what was known of the one before.
    pub(super) fn become_current(&mut self, granted_at: u64, expires_at: u64, announced_s: u32) {
        self.refused = false;
        self.graced = false;
        self.reaffirmed = false;
        self.force_pending = false;
        self.expires_at = expires_at;
        self.life_ms = span(granted_at, expires_at);
        self.lead_ms = self.lead(announced_s);
    }

    /// The same token again. Its known expiry never moves later before it has passed.
    fn accept_repeat(&mut self, now: u64, announced_s: u32, expires_at: u64) {
        // A token server stands by what it was told of only: refused while this was under way, it is told of it next.
        let untold = self.endpoint.takes_reports() && !self.flight_reports;
        if self.refused && !untold {
            // The issuer stands by a token that was refused. Where it can be told to mint another, that is next, and
            // until then nothing is served; elsewhere its word is all there is.
            let can_force =
                self.endpoint.repeat == Repeat::SameUntilLast300s && self.day_forced < self.policy.forced_limit;
            self.force_pending = can_force;
            self.refused = can_force;
            self.reaffirmed = !can_force;
        }
        if self.sent_at >= self.certainly_dead_at() {
            self.expires_at = expires_at;
            self.life_ms = span(self.sent_at, expires_at);
            self.lead_ms = match self.endpoint.repeat {
                // It may have been renewed, or it was not quite dead when it was repeated: look again soon.
                Repeat::SameWhileValid => span(now.saturating_add(VERIFY_AFTER_MS), expires_at).max(1),
                Repeat::Rotates | Repeat::SameUntilLast300s => self.lead(announced_s),
            };
            return;
        }
        let granted_at = self.granted_at();
        self.expires_at = self.expires_at.min(expires_at);
        self.life_ms = span(granted_at, self.expires_at);
        // Anew, so that a wish to rotate that the platform did not grant ends here and does not fetch for ever.
        self.lead_ms = self.lead(announced_s);
        if self.endpoint.repeat == Repeat::SameWhileValid && self.refresh_at() <= self.not_before {
            // Inside the lead: asking again before the expiry would bring the same token again.
            self.lead_ms = 0;
        }
    }

    /// Ends the exchange in flight without a token and decides the wait.
    pub(super) fn fail(&mut self, now: u64, trouble: Trouble) {
        self.in_flight = false;
        if self.trouble.is_some_and(|last| family(last) != family(trouble)) {
            self.streak = 0;
        }
        if self.flight_forced && is_quota(trouble) {
            // The platform counts forced refreshes apart and may have seen more of them than we did. A plain fetch
            // still works, so do not wait for midnight with the wish to force.
            self.day_forced = self.policy.forced_limit;
            self.force_pending = false;
        }
        let wait = self.wait_after(now, trouble);
        self.not_before = self.not_before.max(now.saturating_add(wait));
        if trouble == Trouble::Failed(Failure::NotSent) {
            // The platform never saw it.
            self.day_fetches = self.day_fetches.saturating_sub(1);
            self.day_forced = self.day_forced.saturating_sub(u8::from(self.flight_forced));
        } else {
            self.stretch_reserve(now);
        }
        if trouble.maybe_executed() && self.endpoint.repeat == Repeat::Rotates {
            self.quiet_until = now.saturating_add(ms(self.policy.quiet_s));
        }
        if self.flight_forced {
            self.not_before = self.not_before.max(self.sent_at.saturating_add(FORCE_GAP_MS));
        }
        self.streak = self.streak.saturating_add(1);
        self.trouble = Some(trouble);
    }

    fn wait_after(&self, now: u64, trouble: Trouble) -> u64 {
        let meaning = match trouble {
            Trouble::Refused { meaning, .. } => meaning,
            // The key is wrong, or not for this account: asking again mends neither.
            Trouble::Status(401 | 403) if self.endpoint.takes_reports() => return self.patience(),
            _ => return self.backoff(now),
        };
        match meaning {
            Meaning::MinuteQuota => MINUTE_MS,
            Meaning::DailyQuota if self.flight_forced => MINUTE_MS,
            Meaning::FrequencyLimit if self.streak == 0 => MINUTE_MS,
            Meaning::FrequencyLimit => HOUR_MS,
            Meaning::DailyQuota => self.until_midnight(now).min(HOUR_MS),
            Meaning::RefusedForAnHour => LOCKED_HOUR_MS,
            Meaning::RefusedForADay => LOCKED_DAY_MS,
            _ => match family(trouble) {
                Family::Act => self.patience(),
                Family::Passing | Family::Quota => self.backoff(now),
            },
        }
    }

    /// Full jitter below a doubling ceiling, never less than a quarter of the first one: chance must not hammer.
    fn backoff(&self, now: u64) -> u64 {
        let policy = &self.policy;
        let remaining = if self.is_valid(now) { self.expires_at.saturating_sub(now) } else { 0 };
        let urgent = remaining < ms(policy.urgent_below_s) && self.streak < URGENT_ATTEMPTS;
        let cap = ms(if urgent { policy.urgent_cap_s.min(policy.backoff_cap_s) } else { policy.backoff_cap_s });
        let first = u64::from(policy.backoff_first_ms);
        let ceiling = doubled(first, self.streak).min(cap);
        let least = first / 4;
        let spread = u32::try_from(ceiling.saturating_sub(least)).unwrap_or(u32::MAX);
        least.saturating_add(u64::from(jitter::up_to(spread, self.seed, u64::from(self.ticket) << 32)))
    }

    fn patience(&self) -> u64 {
        doubled(ms(self.policy.patience_first_s), self.streak).min(ms(self.policy.patience_cap_s))
    }

    /// Until the platform's quota is filled again, as far as that is known. That it happens at midnight in Beijing is
    /// nowhere documented, so nobody waits for it longer than for the next hourly probe.
    fn until_midnight(&self, now: u64) -> u64 {
        if !self.day_known {
            return HOUR_MS;
        }
        let jitter = jitter::up_to(AFTER_MIDNIGHT_MS, self.seed, u64::from(self.ticket));
        self.day_ends_at.saturating_sub(now).saturating_add(u64::from(jitter))
    }
}

/// Failures that share a streak: a change between two kinds of passing trouble must not start the backoff anew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Passing,
    Quota,
    Act,
}

fn family(trouble: Trouble) -> Family {
    let Trouble::Refused { meaning, .. } = trouble else {
        return Family::Passing;
    };
    match (meaning, meaning.act()) {
        // It passes by itself, but only with the next push, minutes away.
        (Meaning::PushedTicketInvalid, _) => Family::Act,
        (_, Act::WaitUntil) => Family::Quota,
        (_, Act::Retry) => Family::Passing,
        (_, Act::Refresh | Act::Configuration | Act::Person | Act::Never) => Family::Act,
    }
}

const fn is_quota(trouble: Trouble) -> bool {
    matches!(trouble, Trouble::Refused { meaning: Meaning::DailyQuota, .. })
}

/// Milliseconds from one instant to a later one, as the 32 bits a day fits into.
pub(super) fn span(from: u64, to: u64) -> u32 {
    u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX)
}

/// `first` doubled `times` times.
fn doubled(first: u64, times: u8) -> u64 {
    // Sixteen doublings of a second are eighteen hours, beyond every cap.
    first.saturating_mul(1 << times.min(16))
}
