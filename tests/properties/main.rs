//! Does the keeper keep its rules under any sequence of events? A million operations, judged by an independent oracle.
//!
//! Values are edge-biased: uniform random ones let a missing floor survive. `WXTOKEN_SEED` and `WXTOKEN_CASES` change
//! the run; the seed is printed. The same for the calls on a keeper, see `calls.rs`.

mod calls;
mod judge;
mod oracle;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use oracle::{Bad, Kind, Oracle, Verdict};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use wxtoken_core::{
    Action, Endpoint, Failure, Fetch, Fingerprint, Instant, Keeper, Outcome, ReportOutcome, Snapshot, Token,
};

static OPERATIONS: AtomicU64 = AtomicU64::new(0);
static FETCHES: AtomicU64 = AtomicU64::new(0);
static GRANTS: AtomicU64 = AtomicU64::new(0);

/// Seconds at which rules change their mind.
const EDGES: [u64; 16] = [0, 1, 2, 15, 30, 59, 60, 75, 295, 300, 301, 600, 1800, 7200, 86_400, 86_401];

/// One event. Tokens are named by numbers; `New` ones count up.
#[derive(Clone, Debug)]
enum Op {
    Advance {
        seconds: u64,
        ms: i64,
    },
    /// To the instant the keeper named, or a millisecond beside it.
    ToPoll(i64),
    Poll,
    Reply {
        which: Which,
        body: Body,
    },
    Fail {
        which: Which,
        maybe: bool,
    },
    Report(Named),
    Rotate,
    Reconfigure,
    Time {
        hour: u64,
    },
    Restore {
        named: Named,
        remaining: u64,
        life: u64,
        generation: u32,
    },
}

/// Of which exchange a result is.
#[derive(Clone, Copy, Debug)]
enum Which {
    Current,
    Older,
}

#[derive(Clone, Copy, Debug)]
enum Named {
    New,
    Held,
    Before,
    Never,
}

#[derive(Clone, Debug)]
enum Body {
    Grant(Named, u64),
    Errcode(i32),
    Garbage(usize),
    Status(u16),
}

/// The reference's own state is the kind of endpoint alone: any event may come at any time.
#[derive(Clone, Debug)]
struct Anything;

impl ReferenceStateMachine for Anything {
    type State = (Kind, u64);
    type Transition = Op;

    fn init_state() -> BoxedStrategy<Self::State> {
        let kinds = prop_oneof![Just(Kind::Rotating), Just(Kind::Stable), Just(Kind::Work)];
        (kinds, prop_oneof![Just(0_u64), Just(1_000_000), Just(u64::from(u32::MAX) - 60_000)]).boxed()
    }

    fn transitions(_: &Self::State) -> BoxedStrategy<Op> {
        let edge = || prop::sample::select(&EDGES[..]);
        let named = || {
            prop_oneof![
                4 => Just(Named::New),
                3 => Just(Named::Held),
                1 => Just(Named::Before),
                1 => Just(Named::Never)
            ]
        };
        let which = || prop_oneof![9 => Just(Which::Current), 1 => Just(Which::Older)];
        let lives = prop_oneof![
            4 => Just(7200_u64),
            3 => edge(),
            1 => Just(u64::MAX / 2)
        ];
        let codes = prop::sample::select(
            &[-1, 40001, 40013, 40091, 40125, 40164, 40243, 45009, 45011, 45033, 48001, 89503, 89506, 89507, 60020, 7]
                [..],
        );
        let body = prop_oneof![
            8 => (named(), lives).prop_map(|(n, life)| Body::Grant(n, life)),
            3 => codes.prop_map(Body::Errcode),
            1 => (0..GARBAGE.len()).prop_map(Body::Garbage),
            1 => prop::sample::select(&[204_u16, 302, 404, 412, 500, 502][..]).prop_map(Body::Status),
        ];
        prop_oneof![
            3 => (edge(), -1..=1_i64).prop_map(|(seconds, ms)| Op::Advance { seconds, ms }),
            6 => prop_oneof![1 => Just(-1_i64), 6 => Just(0), 1 => Just(1)].prop_map(Op::ToPoll),
            8 => Just(Op::Poll),
            8 => (which(), body).prop_map(|(which, body)| Op::Reply { which, body }),
            2 => (which(), any::<bool>()).prop_map(|(which, maybe)| Op::Fail { which, maybe }),
            4 => named().prop_map(Op::Report),
            1 => Just(Op::Rotate),
            1 => Just(Op::Reconfigure),
            1 => (0..24_u64).prop_map(|hour| Op::Time { hour }),
            1 => (named(), edge(), edge(), 0..6_u32).prop_map(|(named, remaining, life, generation)| Op::Restore {
                named, remaining, life, generation
            }),
        ]
        .boxed()
    }

    fn apply(state: Self::State, _: &Op) -> Self::State {
        state
    }
}

const GARBAGE: [&str; 6] =
    ["", "<html>", "{}", "{\"access_token\":\"a b\",\"expires_in\":7200}", "[[[[[[[[[[", "{\"errcode\":0}"];

/// The keeper, the oracle that watches it, and what a driver would remember.
struct Watched {
    keeper: Keeper,
    oracle: Oracle,
    fetch: Option<Fetch>,
    older: Option<Fetch>,
    minted: u32,
}

impl Watched {
    fn now(&self) -> Instant {
        Instant::from_millis(self.oracle.now)
    }

    fn name(&mut self, named: Named) -> u32 {
        let held = self.oracle.held.as_ref().map_or(0, |h| h.name);
        match named {
            Named::New => {
                self.minted += 1;
                self.minted
            }
            Named::Held => held,
            Named::Before => held.saturating_sub(1),
            Named::Never => 1_000_000,
        }
    }

    fn poll(&mut self) {
        let before = self.keeper.poll_at().as_millis();
        let now = self.now();
        match self.keeper.poll(now) {
            Action::Wait(until) => {
                self.oracle.waits(until.as_millis());
                assert_eq!(until, self.keeper.poll_at(), "poll and poll_at agree");
                assert_eq!(self.keeper.poll(now), Action::Wait(until), "polling early is harmless");
                assert!(now.as_millis() < before || until.as_millis() != before, "a poll at poll_at makes progress");
            }
            Action::Fetch(fetch) => {
                FETCHES.fetch_add(1, Ordering::Relaxed);
                assert!(now.as_millis() >= before, "nothing before poll_at");
                self.oracle.fetches(fetch.is_forced());
                self.older = self.fetch.replace(fetch).or(self.older);
            }
        }
    }

    fn reply(&mut self, fetch: Fetch, body: &Body) {
        let current = self.keeper.in_flight() == Some(fetch.ticket());
        let (status, text) = match *body {
            Body::Grant(named, life) => {
                let name = self.name(named);
                (200, format!(r#"{{"access_token":"t{name}","expires_in":{life}}}"#))
            }
            Body::Errcode(code) => (200, format!(r#"{{"errcode":{code},"errmsg":"x"}}"#)),
            Body::Garbage(n) => (200, GARBAGE[n].to_owned()),
            Body::Status(status) => (status, r#"{"access_token":"t1","expires_in":7200}"#.to_owned()),
        };
        let served = self.keeper.token(self.now()).cloned();
        let outcome = self.keeper.handle_response(fetch.ticket(), self.now(), status, text.as_bytes());
        if !current {
            assert_eq!(outcome, Outcome::Stale);
            return;
        }
        match *body {
            Body::Grant(_, life) if (1..=86_400).contains(&life) => {
                GRANTS.fetch_add(1, Ordering::Relaxed);
                let name = text.split(['t', '"']).filter_map(|part| part.parse().ok()).next().expect("a name");
                self.oracle.granted(name, life);
                assert!(matches!(outcome, Outcome::Granted { .. } | Outcome::Repeated), "{outcome:?}");
                return;
            }
            Body::Grant(..) | Body::Garbage(_) | Body::Status(_) => self.oracle.ended_badly(Bad::Passing),
            Body::Errcode(code) => self.oracle.ended_badly(self.meaning(code)),
        }
        assert_eq!(self.keeper.token(self.now()).cloned(), served, "a failure removed a token: {body:?}");
    }

    /// The rules' own reading of an errcode while fetching.
    fn meaning(&self, code: i32) -> Bad {
        let work = self.oracle.kind == Kind::Work;
        match code {
            -1 | 45033 | 7 => Bad::Passing,
            40091 | 60020 if !work => Bad::Passing,
            40243 | 89503 | 89506 | 89507 if work => Bad::Passing,
            45011 => Bad::Minute,
            45009 if work => Bad::Frequency,
            45009 => Bad::Daily,
            89507 => Bad::Hour,
            89506 => Bad::Day,
            _ => Bad::Patience,
        }
    }

    fn report(&mut self, named: Named) {
        let name = match named {
            // A token nobody was given cannot be reported, and must not use up a name.
            Named::New => 999_999,
            other => self.name(other),
        };
        let next = self.keeper.poll_at();
        let outcome = self.keeper.report_refused(self.now(), Fingerprint::of(&format!("t{name}")));
        match (self.oracle.reported(name), outcome) {
            (Verdict::Replaced, ReportOutcome::Replaced) | (Verdict::Kept, ReportOutcome::Kept) => {
                assert_eq!(self.keeper.poll_at(), next, "nothing was dropped, nothing is due sooner");
            }
            (Verdict::Dropped, ReportOutcome::Refreshing) => {
                assert!(self.oracle.flight.is_some() || self.keeper.poll_at() <= self.now());
            }
            (Verdict::Dropped, ReportOutcome::HeldOff(until)) => {
                assert!(until > self.now() && until == self.keeper.poll_at());
            }
            other => panic!("{other:?}"),
        }
    }
}

impl StateMachineTest for Watched {
    type SystemUnderTest = Self;
    type Reference = Anything;

    fn init_test(&(kind, now): &(Kind, u64)) -> Self {
        let endpoint = match kind {
            Kind::Rotating => &Endpoint::TOKEN,
            Kind::Stable => &Endpoint::STABLE_TOKEN,
            Kind::Work => &Endpoint::WORK,
        };
        Self { keeper: Keeper::new(endpoint, now), oracle: Oracle::new(kind, now), fetch: None, older: None, minted: 1 }
    }

    fn apply(mut this: Self, _: &(Kind, u64), op: Op) -> Self {
        OPERATIONS.fetch_add(1, Ordering::Relaxed);
        match op {
            Op::Advance { seconds, ms } => this.oracle.now += (seconds * 1000).saturating_add_signed(ms),
            Op::ToPoll(beside) => {
                let at = this.keeper.poll_at().as_millis().saturating_add_signed(beside);
                this.oracle.now = this.oracle.now.max(at);
            }
            Op::Poll => this.poll(),
            Op::Reply { which, body } => {
                let fetch = match which {
                    Which::Current => this.fetch,
                    Which::Older => this.older,
                };
                if let Some(fetch) = fetch {
                    this.reply(fetch, &body);
                }
            }
            Op::Fail { which, maybe } => {
                let (fetch, failure, bad) = match (which, maybe) {
                    (Which::Current, true) => (this.fetch, Failure::MaybeSent, Bad::Maybe),
                    (Which::Current, false) => (this.fetch, Failure::NotSent, Bad::NotSent),
                    (Which::Older, _) => (this.older, Failure::MaybeSent, Bad::Maybe),
                };
                if let Some(fetch) = fetch {
                    let current = this.keeper.in_flight() == Some(fetch.ticket());
                    let served = this.keeper.token(this.now()).cloned();
                    let outcome = this.keeper.handle_failure(fetch.ticket(), this.now(), failure);
                    assert_eq!(outcome != Outcome::Stale, current);
                    if current {
                        this.oracle.ended_badly(bad);
                    }
                    assert_eq!(this.keeper.token(this.now()).cloned(), served, "a failure removed a token");
                }
            }
            Op::Report(named) => this.report(named),
            Op::Rotate => {
                this.keeper.rotate(this.now());
                this.oracle.rotated();
            }
            Op::Reconfigure => {
                this.keeper.configuration_changed(this.now());
                this.oracle.reconfigured();
            }
            Op::Time { hour } => {
                this.keeper.wall_clock(this.now(), 1_700_006_400 + hour * 3600);
                this.oracle.told_the_time(1_700_006_400 + hour * 3600);
            }
            Op::Restore { named, remaining, life, generation } => {
                let name = this.name(named);
                let token = Token::new(&format!("t{name}")).expect("a token");
                let (left, whole) = (Duration::from_secs(remaining), Duration::from_secs(life));
                let snapshot = Snapshot { token: &token, remaining: left, life: whole, generation };
                let taken = this.keeper.restore(this.now(), &snapshot);
                assert_eq!(taken, this.oracle.restored(name, remaining, life, generation));
            }
        }
        // It may be put to rest at any time, and nothing comes of that.
        let (asleep, token) = this.keeper.sleep();
        this.keeper = asleep.wake(token.cloned());
        this
    }

    fn check_invariants(this: &Self, _: &(Kind, u64)) {
        let now = this.now();
        let served = this.keeper.token(now).map(|t| t.as_str().to_owned());
        assert_eq!(served, this.oracle.served().map(|h| format!("t{}", h.name)), "what is served");
        let left = this.oracle.served().map_or(0, |h| h.expires_at - this.oracle.now);
        assert_eq!(this.keeper.remaining(now).as_millis(), u128::from(left), "never at or after expiry");
        assert_eq!(this.keeper.in_flight().is_some(), this.oracle.flight.is_some());
        assert_eq!(this.keeper.generation(), this.oracle.generation);
        let ledger = this.keeper.ledger(now);
        assert!(ledger.fetches <= 500 && ledger.forced <= 20);
    }

    /// Whatever happened, once the platform is well again a valid token is there within a day.
    fn teardown(mut this: Self, _: (Kind, u64)) {
        let start = this.oracle.now;
        for _ in 0..8 {
            if this.keeper.token(this.now()).is_some() {
                break;
            }
            this.oracle.now = this.oracle.now.max(this.keeper.poll_at().as_millis());
            this.poll();
            if let Some(fetch) = this.fetch.filter(|f| this.keeper.in_flight() == Some(f.ticket())) {
                this.reply(fetch, &Body::Grant(Named::New, 7200));
            }
        }
        assert!(this.keeper.token(this.now()).is_some(), "recovered");
        assert!(this.oracle.now - start <= oracle::DAY + 60_000, "within a day");
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// Runs the cases of one property; returns the seed and how many there were.
fn run<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) -> (u64, u64) {
    let seed = setting("WXTOKEN_SEED", 20_261_121);
    let cases = setting("WXTOKEN_CASES", 5_000);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases: cases as u32, ..config() };
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(strategy, test) {
        panic!("seed {seed}: {error}");
    }
    (seed, cases)
}

fn config() -> Config {
    // Making a violation smaller takes minutes; the seeded mutants do without.
    let max_shrink_iters = setting("WXTOKEN_SHRINK", 20_000) as u32;
    Config { failure_persistence: None, max_shrink_iters, ..Config::default() }
}

#[test]
fn a_million_operations_break_no_rule() {
    let (seed, cases) = run(&Anything::sequential_strategy(200..=220), |(initial, ops, seen)| {
        Watched::test_sequential(config(), initial, ops, seen);
        Ok(())
    });
    let [operations, fetches, grants] = [&OPERATIONS, &FETCHES, &GRANTS].map(|n| n.load(Ordering::Relaxed));
    println!("seed {seed}: {operations} operations, {fetches} fetches, {grants} grants, no violation");
    assert!(operations >= cases * 200 && fetches > operations / 50 && grants > operations / 100, "it did happen");
}
