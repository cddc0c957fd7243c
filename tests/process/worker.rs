//! A program that keeps a token through a shared cache until it is killed: `cache-worker BASE CACHE BEGAN_MS`.

mod clock;

use std::{process::ExitCode, thread, time::Duration};

use clock::FastClock;
use wxtoken::{Client, Endpoint, Policy};

/// Ends by itself if nobody kills it.
const TURNS: u32 = 20_000;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr).with_ansi(false).init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, cache, began] = arguments.as_slice() else { return ExitCode::from(2) };
    let Ok(began_ms) = began.parse() else { return ExitCode::from(2) };
    let client = Client::builder(&Endpoint::TOKEN, "wx0123456789abcdef", "a secret")
        .base(base.clone())
        .cache(cache.clone())
        .clock(FastClock { began_ms })
        // A day of this world is a minute and a half: its ledger is not what is tested here.
        .policy(Policy::ROTATING.with_daily_limit(60_000, 50))
        .build();
    let Ok(client) = client else { return ExitCode::from(3) };
    for _ in 0..TURNS {
        // What it says does not matter here: the file is what is watched.
        let _ = client.token_within(Duration::from_secs(30));
        thread::sleep(Duration::from_millis(1));
    }
    ExitCode::SUCCESS
}
