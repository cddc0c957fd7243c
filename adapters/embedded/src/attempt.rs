//! What came of one attempt, and how is it told to the keeper? What the two clients have in common.

use core::time::Duration;

use wxtoken_core::{Account, Action, Failure, Fetch, Instant, Keeper, Outcome, Request};

use crate::{Exchange, Fault, boot_delay};

/// A memory that cannot date its ledger wants to know how time goes by; more often would only wear the flash.
pub(crate) const IDLE_EVERY: Duration = Duration::from_secs(3600);

/// What came of one attempt to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Attempt {
    /// What it means.
    pub outcome: Outcome,
    /// Why there was no reply; `None` when there was one, be it a refusal.
    pub fault: Option<Fault>,
}

/// The account and its keeper, with a start that may be put off.
pub(crate) struct Desk<'a> {
    pub(crate) account: Account<'a>,
    pub(crate) keeper: Keeper,
    /// Drives the jitter of calls, as that of the keeper.
    pub(crate) seed: u64,
    starts_at: Instant,
    /// When the memory is asked next although nothing is due; `None` before the first tick.
    idle_at: Option<Instant>,
}

impl<'a> Desk<'a> {
    pub(crate) const fn new(account: Account<'a>, seed: u64) -> Self {
        Self { account, keeper: Keeper::new(account.endpoint(), seed), seed, starts_at: Instant::ZERO, idle_at: None }
    }

    pub(crate) fn put_off(&mut self, now: Instant, device_id: u64, within: Duration) {
        self.starts_at = now.saturating_add(boot_delay(device_id, within));
    }

    pub(crate) fn poll_at(&self) -> Instant {
        self.keeper.poll_at().max(self.starts_at)
    }

    pub(crate) fn begin(&mut self, now: Instant) -> Option<Fetch> {
        if now < self.starts_at {
            return None;
        }
        match self.keeper.poll(now) {
            Action::Fetch(fetch) => Some(fetch),
            Action::Wait(_) => None,
        }
    }

    /// What is sent for a fetch: to a token server also which token was refused before it.
    pub(crate) fn request(&self, fetch: Fetch) -> Request<'a, 'static> {
        let request = self.account.request(fetch);
        if cfg!(feature = "token-server") { request.reporting(self.keeper.refused()) } else { request }
    }

    /// Whether an hour has passed in which the memory was not asked to note down how time goes by.
    pub(crate) fn is_idle_due(&mut self, now: Instant) -> bool {
        let due = self.idle_at.is_some_and(|at| now >= at);
        if due || self.idle_at.is_none() {
            self.idle_at = Some(now.saturating_add(IDLE_EVERY));
        }
        due
    }

    /// Ends an attempt that had a connection.
    pub(crate) fn end(&mut self, fetch: Fetch, now: Instant, exchange: &Exchange<'_>) -> Attempt {
        match exchange.outcome() {
            Ok(reply) => {
                let outcome = self.keeper.handle_response(fetch.ticket(), now, reply.status(), reply.body());
                self.log(now, Attempt { outcome, fault: None })
            }
            Err(fault) => self.fail(fetch, now, exchange.failure(), fault),
        }
    }

    /// Ends an attempt that got no reply.
    pub(crate) fn fail(&mut self, fetch: Fetch, now: Instant, failure: Failure, fault: Fault) -> Attempt {
        let outcome = self.keeper.handle_failure(fetch.ticket(), now, failure);
        self.log(now, Attempt { outcome, fault: Some(fault) })
    }

    #[cfg(not(feature = "defmt"))]
    fn log(&self, _: Instant, attempt: Attempt) -> Attempt {
        attempt
    }

    /// Says what happened, what to do, and how long until the next try. No text of the peer is in it: what a refusal
    /// names was taken out of it by its exact shape.
    #[cfg(feature = "defmt")]
    fn log(&self, now: Instant, attempt: Attempt) -> Attempt {
        use wxtoken_core::Meaning;

        let id = self.account.id();
        let left = self.keeper.remaining(now).as_secs();
        let next = whole_s(self.poll_at().saturating_since(now));
        match (&attempt.outcome, attempt.fault) {
            (Outcome::Granted { generation }, _) => {
                defmt::info!(
                    "{=str}: token {=u32} is good for {=u64} s; next fetch in {=u64} s",
                    id,
                    generation,
                    left,
                    next
                );
            }
            (Outcome::Repeated, _) => {
                defmt::info!("{=str}: the same token, good for {=u64} s; next fetch in {=u64} s", id, left, next);
            }
            (Outcome::Refused(refusal), _) => {
                let meaning = refusal.meaning();
                // An address is named only where allowing it is the remedy: WeCom puts one into every message.
                if let (Meaning::AddressNotAllowed, Some(address)) = (meaning, refusal.address()) {
                    defmt::error!("{=str}: put {=str} on the allow-list of this account", id, address);
                }
                defmt::warn!(
                    "{=str}: errcode {=i32}, {=str}; trace {=str}; next try in {=u64} s; token good for {=u64} s",
                    id,
                    refusal.errcode(),
                    meaning.text(wxtoken_core::Lang::En),
                    refusal.trace().unwrap_or("none"),
                    next,
                    left
                );
            }
            (_, Some(fault)) => {
                defmt::warn!(
                    "{=str}: {=str}; next try in {=u64} s; token good for {=u64} s",
                    id,
                    fault.text(),
                    next,
                    left
                );
            }
            (Outcome::Malformed(why), None) => {
                defmt::warn!(
                    "{=str}: {=str}; next try in {=u64} s; token good for {=u64} s",
                    id,
                    why.text(),
                    next,
                    left
                );
            }
            (Outcome::Status(status), None) => {
                defmt::warn!(
                    "{=str}: HTTP status {=u16} instead of a reply; {=str}; next try in {=u64} s; token good for {=u64} s",
                    id,
                    *status,
                    remedy(*status),
                    next,
                    left
                );
            }
            (outcome, None) => {
                defmt::warn!("{=str}: {}; next try in {=u64} s; token good for {=u64} s", id, outcome, next, left);
            }
        }
        attempt
    }
}

/// What to look at when a reply is this HTTP status and nothing else.
#[cfg(any(feature = "defmt", test))]
const fn remedy(status: u16) -> &'static str {
    match status {
        400..=499 => "is the base URL right, does a proxy answer?",
        _ => "it may pass by itself",
    }
}

/// Rounded up: "in 0 s" would be now.
#[cfg(any(feature = "defmt", test))]
fn whole_s(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_is_not_over_is_never_shown_as_none() {
        for (ms, s) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (300_000, 300)] {
            assert_eq!(whole_s(Duration::from_millis(ms)), s, "{ms}");
        }
        assert_eq!(whole_s(Duration::MAX), u64::MAX);
    }

    #[test]
    fn every_status_has_a_remedy() {
        assert_ne!(remedy(404), remedy(502));
        assert!([200, 400, 499, 500, 599].into_iter().all(|status| !remedy(status).is_empty()));
    }
}
