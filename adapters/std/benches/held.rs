//! What does `token()` cost when a token is held? Against the clock read that is a part of it, in one run:
//! `cargo bench -p wxtoken`.

use std::{hint::black_box, time::Duration};

use wxtoken::{Client, Clock, Endpoint, Instant, Request, Response, SystemClock, Transport, TransportError};

const ROUNDS: u32 = 2_000_000;
const REPEATS: usize = 7;

struct Once;

impl Transport for Once {
    fn exchange(&self, _: &Request<'_, '_>) -> Result<Response, TransportError> {
        Ok(Response::new(200, *br#"{"access_token":"accesstoken000001","expires_in":7200}"#))
    }
}

/// Costs nothing to read: what is left is the client's own work.
struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::from_millis(1_000_000)
    }

    fn unix_time(&self) -> Option<Duration> {
        None
    }
}

fn main() {
    let builder = || Client::builder(&Endpoint::STABLE_TOKEN, "wx0123456789abcdef", "secret").transport(Once);
    let client = builder().build().expect("fine");
    let without_clock = builder().clock(Still).background(false).build().expect("fine");
    let clock = SystemClock::new();
    let read = measure("a read of the clock", || {
        black_box(clock.now());
    });
    let own = measure("token(), clock standing still", || {
        black_box(without_clock.token().expect("held"));
    });
    let held = measure("token()", || {
        black_box(client.token().expect("held"));
    });
    println!("token() is {:.1} reads of the clock; the client's own part is {own:.1} ns", held / read);
    assert!(held.is_finite());
}

/// The least of several means: what else the machine does only ever adds.
#[allow(clippy::disallowed_methods, reason = "a benchmark is what a clock is for")]
fn measure(name: &str, mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..REPEATS {
        let start = std::time::Instant::now();
        for _ in 0..ROUNDS {
            work();
        }
        let elapsed = start.elapsed();
        best = best.min(elapsed.as_nanos() as f64 / f64::from(ROUNDS));
    }
    println!("{name:<32} {best:6.1} ns");
    best
}
