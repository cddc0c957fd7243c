//! The single flight under every interleaving that a random scheduler finds:
//! `RUSTFLAGS="--cfg shuttle" cargo test -p wxtoken-shuttle`.
//!
//! Waiting has no time limit here, only news ends it: a caller that would be stranded is a deadlock, which shuttle
//! reports with the schedule that leads to it.
#![cfg(shuttle)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use shuttle::thread;
use wxtoken::{
    Alarm, Builder, Client, Clock, Endpoint, Error, Instant, Reason, Reported, Request, Response, Transport,
    TransportError,
};

const SCHEDULES: usize = 3000;
const CALLERS: usize = 3;

#[derive(Clone, Default)]
struct World(Arc<Inner>);

#[derive(Default)]
struct Inner {
    now_ms: AtomicU64,
    alarms: Mutex<Vec<Alarm>>,
    exchanges: AtomicUsize,
    panics: bool,
    fails: bool,
}

impl World {
    fn that_panics() -> Self {
        Self(Arc::new(Inner { panics: true, ..Inner::default() }))
    }

    fn that_fails() -> Self {
        Self(Arc::new(Inner { fails: true, ..Inner::default() }))
    }

    fn client(&self, background: bool) -> Client {
        self.builder().background(background).build().expect("fine")
    }

    fn builder(&self) -> Builder {
        Client::builder(&Endpoint::WORK, "wx1", "secret").clock(self.clone()).transport(self.clone())
    }

    fn exchanges(&self) -> usize {
        self.0.exchanges.load(Ordering::SeqCst)
    }

    fn advance(&self, by: Duration) {
        self.0.now_ms.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
        let alarms = self.0.alarms.lock().expect("no panic").clone();
        for alarm in alarms {
            alarm.ring();
        }
    }
}

impl Clock for World {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.now_ms.load(Ordering::SeqCst))
    }

    fn unix_time(&self) -> Option<Duration> {
        None
    }

    fn real_wait(&self, _: Duration) -> Option<Duration> {
        None
    }

    fn subscribe(&self, alarm: Alarm) {
        self.0.alarms.lock().expect("no panic").push(alarm);
    }
}

impl Transport for World {
    fn exchange(&self, _: &Request<'_, '_>) -> Result<Response, TransportError> {
        let n = self.0.exchanges.fetch_add(1, Ordering::SeqCst) + 1;
        // Whoever wants to come in between may.
        thread::yield_now();
        assert!(!self.0.panics, "on purpose");
        if self.0.fails {
            return Ok(Response::new(200, *br#"{"errcode":40013,"errmsg":"invalid corpid"}"#));
        }
        Ok(Response::new(200, format!(r#"{{"access_token":"token{n}","expires_in":7200}}"#)))
    }
}

fn callers<T: Send + 'static>(client: &Client, call: impl Fn(Client) -> T + Copy + Send + 'static) -> Vec<T> {
    let threads: Vec<_> = (0..CALLERS)
        .map(|_| {
            let client = client.clone();
            thread::spawn(move || call(client))
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().expect("no caller panics")).collect()
}

fn both_ways(test: impl Fn(bool) + Send + Sync + 'static) {
    let test = Arc::new(test);
    for background in [false, true] {
        let test = Arc::clone(&test);
        shuttle::check_random(move || test(background), SCHEDULES);
    }
}

#[test]
fn cold_callers_cost_one_fetch() {
    both_ways(|background| {
        let world = World::default();
        let tokens = callers(&world.client(background), |client| client.token().expect("fetched"));
        assert!(tokens.iter().all(|token| token.as_str() == "token1"));
        assert_eq!(world.exchanges(), 1);
    });
}

#[test]
fn a_refusal_reaches_every_caller() {
    both_ways(|background| {
        let world = World::that_fails();
        for outcome in callers(&world.client(background), |client| client.token().map(|_| ())) {
            assert!(matches!(outcome, Err(Error::Configuration { .. })));
        }
        assert_eq!(world.exchanges(), 1);
    });
}

#[test]
fn a_fetcher_that_panics_strands_nobody() {
    both_ways(|background| {
        let world = World::that_panics();
        let wait = Duration::from_millis(1);
        for outcome in callers(&world.client(background), move |client| client.token_within(wait).map(|_| ())) {
            let error = outcome.expect_err("no token");
            assert_eq!(error.reason(), Some(&Reason::Transport(TransportError::Panicked)), "{error}");
        }
        assert_eq!(world.exchanges(), 1);
    });
}

#[test]
fn a_report_during_a_refresh_never_brings_the_reported_token_back() {
    both_ways(|background| {
        let world = World::default();
        let client = world.client(background);
        let first = client.token().expect("fetched");
        // Within the last minute of its life: a refresh is due.
        world.advance(Duration::from_secs(7150));
        let other = client.clone();
        let refreshing = thread::spawn(move || other.token().expect("old or new"));
        let reported = client.report_refused(&first);
        assert!(matches!(reported, Reported::Refreshing | Reported::Replaced), "{reported:?}");
        assert_ne!(client.token().expect("a new one").as_str(), first.as_str());
        refreshing.join().expect("no panic");
        assert_eq!(world.exchanges(), 2);
    });
}

#[test]
fn clients_dropped_anywhere_end_the_refresher() {
    both_ways(|background| {
        let world = World::default();
        let client = world.client(background);
        let clone = client.clone();
        let user = thread::spawn(move || drop(clone.token()));
        let dropper = thread::spawn(move || drop(client));
        user.join().expect("no panic");
        dropper.join().expect("no panic");
        // A refresher that stays would be a deadlock: shuttle waits for every thread.
        assert!(world.exchanges() <= 1);
    });
}

#[test]
fn time_that_passes_anywhere_ends_a_wait() {
    both_ways(|background| {
        let world = World::default();
        let client = world.builder().transport(Never).background(background).build().expect("fine");
        let done = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&done);
        let caller = thread::spawn(move || {
            let outcome = client.token_within(Duration::from_secs(2));
            tell.store(true, Ordering::SeqCst);
            outcome.map(|_| ())
        });
        // Half a second at a time: the backoff in between ends somewhere inside, the deadline too.
        while !done.load(Ordering::SeqCst) {
            world.advance(Duration::from_millis(500));
            thread::yield_now();
        }
        assert!(caller.join().expect("no panic").is_err());
    });
}

/// Fails in a way that is tried again within the caller's wait.
struct Never;

impl Transport for Never {
    fn exchange(&self, _: &Request<'_, '_>) -> Result<Response, TransportError> {
        Err(TransportError::NameNotFound)
    }
}
