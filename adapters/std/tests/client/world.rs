//! A clock and a transport that do as they are told.

use std::{
    sync::{
        Arc, Barrier, Condvar, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use wxtoken::{Alarm, Builder, Client, Clock, Endpoint, Instant, Request, Response, Transport, TransportError};

pub(crate) const ID: &str = "wx0123456789abcdef";
pub(crate) const SECRET: &str = "0123456789secret0123456789secret";

/// By then the refresh of a token of two hours is due: a quarter of its life before its end, and at most 10 s of jitter.
pub(crate) const REFRESH_AFTER_S: u64 = 7198 - 1800 + 10;

/// Stands still until moved; or moves whenever somebody waits (`sleeping`), or looks (`stalling`).
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Inner>);

#[derive(Default)]
struct Inner {
    now_ms: AtomicU64,
    unix_ms: AtomicU64,
    waits: AtomicUsize,
    sleeps: bool,
    /// What passes between two looks at the clock.
    stall_ms: u64,
    alarms: Mutex<Vec<Alarm>>,
    boot_id: Mutex<Option<String>>,
}

impl World {
    /// A Saturday noon in Beijing, five minutes after boot; nothing moves by itself.
    pub(crate) fn still() -> Self {
        Self::new(false, 0)
    }

    /// A busy machine: the thread that looks at the clock is then stopped for two seconds.
    pub(crate) fn stalling() -> Self {
        Self::new(false, 2_000)
    }

    /// Whoever waits gets there at once: for tests of one thread.
    pub(crate) fn sleeping() -> Self {
        Self::new(true, 0)
    }

    fn new(sleeps: bool, stall_ms: u64) -> Self {
        let world = Self(Arc::new(Inner { sleeps, stall_ms, ..Inner::default() }));
        world.0.now_ms.store(300_000, Ordering::SeqCst);
        world.0.unix_ms.store(1_767_412_800_000, Ordering::SeqCst);
        world.boot("first boot");
        world
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.step(by.as_millis() as u64);
        let alarms = self.0.alarms.lock().expect("no panic").clone();
        for alarm in alarms {
            alarm.ring();
        }
    }

    fn step(&self, ms: u64) {
        self.0.now_ms.fetch_add(ms, Ordering::SeqCst);
        self.0.unix_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn advance_s(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// The time of day is set, by a person or a server.
    pub(crate) fn set_unix_back_s(&self, seconds: u64) {
        self.0.unix_ms.fetch_sub(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn set_unix_ahead_s(&self, seconds: u64) {
        self.0.unix_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// The machine is started anew: its uptime is small again.
    pub(crate) fn reboot(&self) {
        self.0.now_ms.store(1_000, Ordering::SeqCst);
        self.boot("second boot");
    }

    fn boot(&self, id: &str) {
        *self.0.boot_id.lock().expect("no panic") = Some(id.to_owned());
    }

    /// How often somebody has begun to wait.
    pub(crate) fn waits(&self) -> usize {
        self.0.waits.load(Ordering::SeqCst)
    }
}

impl Clock for World {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.now_ms.fetch_add(self.0.stall_ms, Ordering::SeqCst))
    }

    fn unix_time(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.0.unix_ms.load(Ordering::SeqCst)))
    }

    fn boot_id(&self) -> Option<String> {
        self.0.boot_id.lock().expect("no panic").clone()
    }

    fn real_wait(&self, wait: Duration) -> Option<Duration> {
        self.0.waits.fetch_add(1, Ordering::SeqCst);
        if self.0.sleeps {
            self.step(wait.as_millis() as u64);
            return Some(Duration::ZERO);
        }
        None
    }

    fn subscribe(&self, alarm: Alarm) {
        self.0.alarms.lock().expect("no panic").push(alarm);
    }
}

pub(crate) type Answer = Result<Response, TransportError>;

/// Answers the n-th exchange (from 1) as a closure says.
#[derive(Clone)]
pub(crate) struct Script {
    exchanges: Arc<AtomicUsize>,
    answer: Arc<dyn Fn(usize) -> Answer + Send + Sync>,
}

impl Script {
    pub(crate) fn new(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        Self { exchanges: Arc::default(), answer: Arc::new(answer) }
    }

    /// A new token each time, good for two hours.
    pub(crate) fn tokens() -> Self {
        Self::new(grant)
    }

    /// Whether no client holds it any more.
    pub(crate) fn is_unused(&self) -> bool {
        Arc::strong_count(&self.exchanges) == 1
    }

    pub(crate) fn exchanges(&self) -> usize {
        self.exchanges.load(Ordering::SeqCst)
    }
}

impl Transport for Script {
    fn exchange(&self, _: &Request<'_, '_>) -> Answer {
        (self.answer)(self.exchanges.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

pub(crate) fn grant(n: usize) -> Answer {
    grant_for(n, 7200)
}

pub(crate) fn grant_for(n: usize, expires_in: u32) -> Answer {
    Ok(Response::new(200, format!(r#"{{"access_token":"{}","expires_in":{expires_in}}}"#, token(n))))
}

/// The text of the n-th token.
pub(crate) fn token(n: usize) -> String {
    format!("accesstoken{n:06}")
}

pub(crate) fn refuse(errcode: i32, errmsg: &str) -> Answer {
    Ok(Response::new(200, format!(r#"{{"errcode":{errcode},"errmsg":"{errmsg}"}}"#)))
}

pub(crate) fn builder(world: &World, script: &Script) -> Builder {
    on(&Endpoint::TOKEN, world, script)
}

pub(crate) fn on(endpoint: &'static Endpoint, world: &World, script: &Script) -> Builder {
    Client::builder(endpoint, ID, SECRET).clock(world.clone()).transport(script.clone()).background(false)
}

/// A door that exchanges wait behind.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<(bool, usize)>, Condvar)>);

impl Gate {
    pub(crate) fn pass(&self) {
        let (lock, bell) = &*self.0;
        let mut state = lock.lock().expect("no panic");
        state.1 += 1;
        bell.notify_all();
        drop(bell.wait_while(state, |state| !state.0).expect("no panic"));
    }

    pub(crate) fn open(&self) {
        let (lock, bell) = &*self.0;
        lock.lock().expect("no panic").0 = true;
        bell.notify_all();
    }

    /// Returns once `n` are at the door.
    pub(crate) fn await_arrivals(&self, n: usize) {
        let (lock, bell) = &*self.0;
        drop(bell.wait_while(lock.lock().expect("no panic"), |state| state.1 < n).expect("no panic"));
    }
}

/// How many threads come at once.
pub(crate) const CALLERS: usize = 64;

/// The same by so many threads at the same moment, while the exchange waits behind the gate.
pub(crate) fn all_at_once<T: Send>(world: &World, gate: &Gate, each: impl Fn() -> T + Sync) -> Vec<T> {
    let start = Barrier::new(CALLERS);
    thread::scope(|scope| {
        let one = || {
            start.wait();
            each()
        };
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(one)).collect();
        gate.await_arrivals(1);
        // Everybody but the one at the gate is waiting for news.
        until(|| world.waits() >= CALLERS - 1);
        gate.open();
        callers.into_iter().map(|caller| caller.join().expect("no panic")).collect()
    })
}

/// Lets other threads run until something is so. Takes no fixed time: a failure is a hang that the runner ends.
pub(crate) fn until(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}
