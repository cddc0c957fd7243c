//! Any sequence of events for a keeper: never a token at or after its expiry, never two exchanges in flight, never a
//! success sooner than the floor after the one before, never more than the ledger allows; a failure takes no valid
//! token, a late result changes nothing, and polling at the instant it names makes progress.
//!
//! Times are drawn from the edges of the rules: with uniform ones a missing floor survives.

#![no_main]

use std::{collections::HashMap, time::Duration};

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use wxtoken_core::{
    Action, Endpoint, Failure, Fetch, Fingerprint, Instant, Keeper, Outcome, Policy, Repeat, ReportOutcome, Snapshot,
    Token,
};

/// Seconds where some rule changes its mind.
const EDGES: [u64; 24] = [
    0, 1, 2, 10, 14, 15, 29, 30, 31, 59, 60, 75, 295, 300, 301, 600, 1_800, 3_600, 6_899, 7_200, 14_400, 86_399,
    86_400, 86_401,
];

/// A number at an edge, or one beside it, or anything.
#[derive(Clone, Copy, Debug)]
struct Seconds(u64);

impl<'a> Arbitrary<'a> for Seconds {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self(match u.int_in_range(0..=27)? {
            27 => u.arbitrary()?,
            26 => u64::MAX,
            25 => u64::from(u.arbitrary::<u16>()?),
            24 => u64::from(u.arbitrary::<u8>()?),
            n => EDGES[n as usize],
        }))
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Event {
    Advance(Seconds),
    AdvanceMs(u16),
    ToPollAt,
    Poll,
    Granted { token: u8, expires_in: Seconds, status: bool },
    Refused(u8),
    Garbage(u8),
    Failed { maybe_sent: bool },
    Late { token: u8 },
    Report,
    ReportOther(u8),
    Rotate,
    ConfigurationChanged,
    WallClock(Seconds),
    Restore { token: u8, remaining: Seconds, life: Seconds, generation: u8 },
    CarryOverLedger,
}

#[derive(Arbitrary, Debug)]
struct Input {
    endpoint: u8,
    seed: u8,
    small_budget: bool,
    events: Vec<Event>,
}

static ENDPOINTS: [&Endpoint; 3] = [&Endpoint::STABLE_TOKEN, &Endpoint::TOKEN, &Endpoint::WORK];
const CODES: [i32; 16] =
    [-1, 40001, 40013, 40125, 40164, 40243, 41002, 45009, 45011, 45033, 50002, 89503, 89506, 89507, 99999, i32::MIN];
const LOST_AFTER_MS: u64 = 15_000;
const FLOOR_MS: u64 = 30_000;
/// So near the end of the clock every sum saturates, and distances are no longer what they were.
const END_OF_CLOCK: u64 = u64::MAX - 8 * 86_400_000;

struct World {
    keeper: Keeper,
    now: u64,
    flight: Option<(Fetch, u64)>,
    past: Vec<Fetch>,
    /// By name of token: the latest instant at which any source said it would still live.
    alive_until: HashMap<u8, u64>,
    succeeded_at: Option<u64>,
}

fuzz_target!(|input: Input| {
    let endpoint = ENDPOINTS[usize::from(input.endpoint) % ENDPOINTS.len()];
    let policy = if input.small_budget { endpoint.policy().with_daily_limit(5, 2) } else { endpoint.policy() };
    let keeper = Keeper::with_policy(endpoint, policy, u64::from(input.seed));
    let mut world =
        World { keeper, now: 0, flight: None, past: Vec::new(), alive_until: HashMap::new(), succeeded_at: None };
    for &event in input.events.iter().take(400) {
        world.happen(event);
        world.check(&policy);
    }
});

fn name(token: u8) -> String {
    format!("token-{}", token % 8)
}

impl World {
    fn now(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn held(&self) -> Option<String> {
        self.keeper.token(self.now()).map(|t| t.as_str().into())
    }

    fn happen(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Advance(Seconds(s)) => self.now = self.now.saturating_add(s.saturating_mul(1_000)),
            Event::AdvanceMs(ms) => self.now = self.now.saturating_add(ms.into()),
            Event::ToPollAt => {
                self.now = self.now.max(self.keeper.poll_at().as_millis());
                self.poll();
            }
            Event::Poll => self.poll(),
            Event::Granted { token, expires_in: Seconds(life), status } => self.grant(token, life, status),
            Event::Refused(n) => {
                let body = format!(r#"{{"errcode":{},"errmsg":"no"}}"#, CODES[usize::from(n) % CODES.len()]);
                self.end_without_token(|keeper, fetch| {
                    keeper.handle_response(fetch.ticket(), now, 200, body.as_bytes())
                });
            }
            Event::Garbage(n) => {
                let body: &[u8] = match n % 3 {
                    0 => b"<html>",
                    1 => br#"{"access_token":"","expires_in":7200}"#,
                    _ => br#"{"access_token":"x","expires_in":0}"#,
                };
                let status = if n < 128 { 200 } else { 502 };
                self.end_without_token(|keeper, fetch| keeper.handle_response(fetch.ticket(), now, status, body));
            }
            Event::Failed { maybe_sent } => {
                let failure = if maybe_sent { Failure::MaybeSent } else { Failure::NotSent };
                self.end_without_token(|keeper, fetch| keeper.handle_failure(fetch.ticket(), now, failure));
            }
            Event::Late { token } => self.late(token),
            Event::Report => self.report(),
            Event::ReportOther(n) => {
                let before = self.held();
                self.keeper.report_refused(now, Fingerprint::of(&format!("nobody's token {n}")));
                assert_eq!(self.held(), before, "a report of another token took this one");
            }
            Event::Rotate => {
                let before = self.held();
                self.keeper.rotate(now);
                assert_eq!(self.held(), before, "the old token is served until there is a new one");
            }
            Event::ConfigurationChanged => {
                let before = self.held();
                self.keeper.configuration_changed(now);
                self.flight = None;
                assert_eq!(self.held(), before);
            }
            Event::WallClock(Seconds(unix_s)) => self.keeper.wall_clock(now, unix_s),
            Event::Restore { token, remaining, life, generation } => self.restore(token, remaining, life, generation),
            Event::CarryOverLedger => {
                let ledger = self.keeper.ledger(now);
                self.keeper.restore_ledger(now, ledger);
            }
        }
    }

    fn poll(&mut self) {
        let before = self.held();
        if let Action::Fetch(fetch) = self.keeper.poll(self.now()) {
            if let Some((_, sent_at)) = self.flight.filter(|_| self.now < END_OF_CLOCK) {
                assert!(self.now - sent_at >= LOST_AFTER_MS, "two exchanges in flight");
            }
            if let Some(at) = self.succeeded_at.filter(|_| self.now < END_OF_CLOCK) {
                assert!(self.now - at >= FLOOR_MS, "fetched {} ms after a success", self.now - at);
            }
            self.past.extend(self.flight.map(|(fetch, _)| fetch));
            self.flight = Some((fetch, self.now));
        } else if self.keeper.in_flight().is_none() {
            self.past.extend(self.flight.take().map(|(fetch, _)| fetch));
        }
        assert_eq!(self.held(), before, "asking what to do took the token");
    }

    fn grant(&mut self, token: u8, life: u64, status: bool) {
        let Some((fetch, sent_at)) = self.flight.take() else { return };
        self.past.push(fetch);
        let before = self.held();
        let body = format!(r#"{{"access_token":"{}","expires_in":{life}}}"#, name(token));
        let status = if status { 200 } else { 404 };
        match self.keeper.handle_response(fetch.ticket(), self.now(), status, body.as_bytes()) {
            Outcome::Granted { .. } | Outcome::Repeated => {
                assert!(status == 200 && (1..=86_400).contains(&life));
                self.succeeded_at = Some(self.now);
                let until = sent_at.saturating_add(life * 1_000);
                let known = self.alive_until.entry(token % 8).or_default();
                *known = until.max(*known);
            }
            _ => assert_eq!(self.held(), before, "a reply that was refused took the token"),
        }
    }

    fn end_without_token(&mut self, end: impl FnOnce(&mut Keeper, Fetch) -> Outcome) {
        let Some((fetch, _)) = self.flight.take() else { return };
        self.past.push(fetch);
        let before = self.held();
        let outcome = end(&mut self.keeper, fetch);
        assert_ne!(outcome, Outcome::Stale);
        assert_eq!(self.held(), before, "a failure took the token: {outcome:?}");
        assert_eq!(self.keeper.in_flight(), None);
    }

    fn late(&mut self, token: u8) {
        let now = self.now();
        for fetch in self.past.split_off(self.past.len().saturating_sub(3)) {
            let before = format!("{:?}", self.keeper);
            let body = format!(r#"{{"access_token":"{}","expires_in":7200}}"#, name(token));
            let outcome = self.keeper.handle_response(fetch.ticket(), now, 200, body.as_bytes());
            assert_eq!(outcome, Outcome::Stale);
            assert_eq!(self.keeper.handle_failure(fetch.ticket(), now, Failure::MaybeSent), Outcome::Stale);
            assert_eq!(format!("{:?}", self.keeper), before, "a late result changed something");
        }
    }

    fn report(&mut self) {
        let now = self.now();
        let Some(seen) = self.keeper.token(now).map(Token::fingerprint) else { return };
        let wait = self.keeper.poll_at();
        match self.keeper.report_refused(now, seen) {
            ReportOutcome::Kept => assert!(self.held().is_some()),
            ReportOutcome::Refreshing => assert!(self.held().is_none()),
            ReportOutcome::HeldOff(until) => assert!(self.held().is_none() && until > now),
            other => panic!("{other:?} for the token held, which was to be fetched at {wait:?}"),
        }
    }

    fn restore(&mut self, token: u8, remaining: Seconds, life: Seconds, generation: u8) {
        let before = self.held();
        let text = Token::new(&name(token)).expect("a fine token");
        let stored = Snapshot {
            token: &text,
            remaining: Duration::from_secs(remaining.0),
            life: Duration::from_secs(life.0),
            generation: generation.into(),
        };
        if self.keeper.restore(self.now(), &stored) {
            assert!((1..=86_400).contains(&remaining.0));
            let until = self.now.saturating_add(remaining.0 * 1_000);
            let known = self.alive_until.entry(token % 8).or_default();
            *known = until.max(*known);
        } else {
            assert_eq!(self.held(), before);
        }
    }

    fn check(&self, policy: &Policy) {
        let now = self.now();
        for (&token, &until) in &self.alive_until {
            if self.keeper.token(now).is_some_and(|t| t.as_str() == name(token)) {
                assert!(self.now < until, "{} is handed out {} ms after its end", name(token), self.now - until);
                assert!(!self.keeper.remaining(now).is_zero());
            }
        }
        assert!(self.held().is_none_or(|text| self.alive_until.keys().any(|&t| name(t) == text)), "nobody's token");
        assert_eq!(self.keeper.in_flight().is_some(), self.flight.is_some());
        let ledger = self.keeper.ledger(now);
        assert!(ledger.fetches <= policy.daily_limit() && ledger.forced <= policy.forced_limit());
        assert!(ledger.resets_in <= Duration::from_secs(86_400));
        self.progresses();
    }

    /// Polled late, in the last seconds of a token that would only be repeated, it comes once when that is over.
    fn waits_for_an_end(&self, ahead: &mut Keeper, at: Instant, until: Instant) {
        let is_late = self.keeper.poll_at() < at && self.keeper.endpoint().repeat() == Repeat::SameWhileValid;
        assert!(is_late, "told to poll at {at:?}, and nothing came of it");
        assert_eq!(ahead.poll_at(), until);
        if until.as_millis() < END_OF_CLOCK {
            assert!(matches!(ahead.poll(until), Action::Fetch(_)), "it waited until {until:?}, and does not come");
        }
    }

    fn progresses(&self) {
        let at = self.keeper.poll_at().max(self.now());
        if at.as_millis() >= END_OF_CLOCK {
            return;
        }
        let mut ahead = self.keeper.clone();
        match ahead.poll(at) {
            Action::Fetch(_) => {}
            Action::Wait(until) => {
                assert!(until > at, "told to poll at {at:?}, then told to wait until {until:?}");
                if self.flight.is_none() {
                    self.waits_for_an_end(&mut ahead, at, until);
                }
            }
        }
    }
}
