//! Timelines: one line an instant, just before, at and after each deadline.

extern crate std;
use std::{format, vec::Vec};

use super::*;
use crate::{Fingerprint, Product};

mod failures;
mod ledger;
mod life;
mod reports;
#[cfg(feature = "token-server")]
mod server;
mod stored;

const STABLE: &Endpoint = &Endpoint::STABLE_TOKEN;
const TOKEN: &Endpoint = &Endpoint::TOKEN;
const WORK: &Endpoint = &Endpoint::WORK;

/// More steps than any story here has: a keeper that does not let the time go on must fail a test and not hang it.
const ENDLESS: u32 = 100_000;

/// A keeper and a hand on the clock, in milliseconds.
struct Scene {
    keeper: Keeper,
    now: u64,
}

impl Scene {
    /// Without jitter on the lead, so that instants can be written down.
    fn new(endpoint: &'static Endpoint) -> Self {
        let mut policy = endpoint.policy();
        policy.lead_jitter_s = 0;
        Self::with(endpoint, policy)
    }

    fn with(endpoint: &'static Endpoint, policy: Policy) -> Self {
        Self::seeded(endpoint, policy, 7)
    }

    fn seeded(endpoint: &'static Endpoint, policy: Policy, seed: u64) -> Self {
        // Not zero: a clock that has run for a while shows what subtracts the wrong way round.
        Self { keeper: Keeper::with_policy(endpoint, policy, seed), now: 1_000_000 }
    }

    fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn at(&mut self, ms: u64) -> &mut Self {
        assert!(ms >= self.now, "time runs forward");
        // Between two instants it may be put to rest, and nothing comes of that.
        let (asleep, token) = self.keeper.sleep();
        self.keeper = asleep.wake(token.cloned());
        self.now = ms;
        self
    }

    fn after(&mut self, ms: u64) -> &mut Self {
        self.now += ms;
        self
    }

    fn poll(&mut self) -> Action {
        self.keeper.poll(self.instant())
    }

    /// Expects leave to fetch.
    fn fetch(&mut self) -> Fetch {
        match self.poll() {
            Action::Fetch(fetch) => fetch,
            Action::Wait(until) => panic!("at {} told to wait until {}", self.now, until.as_millis()),
        }
    }

    /// Expects to be told to wait, and returns until when.
    fn wait(&mut self) -> u64 {
        match self.poll() {
            Action::Wait(until) => until.as_millis(),
            Action::Fetch(_) => panic!("at {} told to fetch", self.now),
        }
    }

    /// Expects the next attempt exactly at `ms`: not a moment before, and at it.
    fn next_fetch_at(&mut self, ms: u64) -> Fetch {
        assert_eq!(self.keeper.poll_at().as_millis(), ms);
        if self.now < ms {
            self.at(ms - 1);
            assert_eq!(self.wait(), ms);
        }
        self.at(ms).fetch()
    }

    fn reply(&mut self, fetch: Fetch, body: &str) -> Outcome {
        self.keeper.handle_response(fetch.ticket(), self.instant(), 200, body.as_bytes())
    }

    fn grant(&mut self, fetch: Fetch, token: &str, expires_in: u32) -> Outcome {
        self.reply(fetch, &format!(r#"{{"access_token":"{token}","expires_in":{expires_in}}}"#))
    }

    fn refuse(&mut self, fetch: Fetch, errcode: i32) -> Outcome {
        self.reply(fetch, &format!(r#"{{"errcode":{errcode},"errmsg":"x"}}"#))
    }

    fn fail(&mut self, fetch: Fetch, failure: Failure) -> Outcome {
        self.keeper.handle_failure(fetch.ticket(), self.instant(), failure)
    }

    fn report(&mut self, token: &str) -> ReportOutcome {
        self.keeper.report_refused(self.instant(), Fingerprint::of(token))
    }

    fn token(&self) -> Option<&str> {
        self.keeper.token(self.instant()).map(Token::as_str)
    }

    /// The usual beginning: fetched at once, granted at once, full life.
    fn granted(endpoint: &'static Endpoint) -> (Self, u64) {
        let mut scene = Self::new(endpoint);
        let fetch = scene.fetch();
        scene.grant(fetch, "a", 7200);
        let sent = scene.now;
        (scene, sent)
    }
}

#[test]
fn a_cold_keeper_fetches_at_once_and_once() {
    let mut scene = Scene::new(STABLE);
    assert_eq!(scene.keeper.poll_at(), Instant::ZERO);
    assert_eq!(scene.token(), None);
    let fetch = scene.fetch();
    assert!(!fetch.is_forced());
    assert_eq!(scene.keeper.in_flight(), Some(fetch.ticket()));
    assert_eq!(scene.wait(), scene.now + 15_000, "one exchange at a time");
}

#[test]
fn nothing_panics_at_the_ends_of_time() {
    for endpoint in [STABLE, TOKEN, WORK] {
        for start in [0, 1, u64::MAX - 1, u64::MAX] {
            let mut scene = Scene::with(endpoint, endpoint.policy());
            scene.now = start;
            for step in 0..200_u32 {
                scene.keeper.wall_clock(scene.instant(), u64::MAX - u64::from(step));
                if let Action::Fetch(fetch) = scene.poll() {
                    match step % 5 {
                        0 => scene.grant(fetch, &format!("t{step}"), 86_400),
                        1 => scene.refuse(fetch, [45009, 89506, -1, 40013][step as usize % 4]),
                        2 => scene.fail(fetch, Failure::MaybeSent),
                        3 => scene.fail(fetch, Failure::NotSent),
                        _ => Outcome::Stale,
                    };
                }
                scene.report("t0");
                scene.keeper.rotate(scene.instant());
                scene.keeper.configuration_changed(scene.instant());
                scene.now = scene.now.wrapping_add([0, 1, 60_000, u64::MAX / 2][step as usize % 4]);
            }
        }
    }
}

#[test]
fn debug_shows_no_token() {
    let mut scene = Scene::new(STABLE);
    let fetch = scene.fetch();
    scene.grant(fetch, "s3cr3t", 7200);
    let snapshot = format!("{:?}", scene.keeper.snapshot(scene.instant()));
    let text = format!("{:?} {snapshot}", scene.keeper);
    assert!(text.contains("Token(6 bytes)") && !text.contains("s3cr3t"), "{text}");
}
