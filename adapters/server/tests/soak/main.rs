//! What do a hundred thousand accounts cost over three days? The platform runs in a process of its own, over real sockets;
//! both clocks are stepped together, and between two steps everything that was due has happened.
//!
//! Fails when a fetch was late, when a token was missing at any look, or when the fetches are not within 3 % of what the
//! platform's rules ask for. Prints fetches, memory and processor time. `WXTOKEN_SOAK_ACCOUNTS` and `WXTOKEN_SOAK_DAYS`
//! make it smaller.

mod far_side;
mod process;

use std::time::Duration;

use far_side::FarSide;
use process::{cpu, peak_rss_kb, rss_kb};
use wxtoken_server::{AccountKind, AccountSpec, Clock as _, Engine, Https, Roots, VirtualClock, store::Redb};

/// 12:00 in Beijing.
const NOON: Duration = Duration::from_secs(1_800_000_000 - 1_800_000_000 % 86_400 + 4 * 3600);
/// Both clocks move by this much at least: what was due in between happens late by so much at most.
const STEP: Duration = Duration::from_secs(5);
/// Every account is looked at this often.
const LOOK: Duration = Duration::from_secs(60);
/// A token lives for so long, and is renewed by the platform in its last 300 s only.
const LIFE: f64 = 7200.0;
const RENEWED_FROM: f64 = 300.0;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn main() {
    let accounts = number("WXTOKEN_SOAK_ACCOUNTS", 100_000);
    let days = number("WXTOKEN_SOAK_DAYS", 3);
    if std::env::args().nth(1).as_deref() == Some(far_side::ARGUMENT) {
        return far_side::run(accounts, NOON);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(soak(accounts, days));
}

async fn soak(accounts: u64, days: u64) {
    let platform = FarSide::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = Redb::open(&folder.path().join("soak.redb")).expect("a store");
    let clock = VirtualClock::new(NOON);
    let empty_kb = rss_kb();
    let engine = {
        let specs: Vec<AccountSpec> = (0..accounts)
            .map(|nth| {
                let mut spec =
                    AccountSpec::new(format!("a{nth}"), AccountKind::Official, far_side::id(nth), far_side::SECRET);
                spec.base = Some(platform.url().to_owned());
                spec
            })
            .collect();
        let builder =
            Engine::builder().clock(clock.clone()).transport(Https::new(&Roots::Mozilla).expect("compiled in"));
        builder.coordinator(store).concurrency(256).start(specs).await.expect("good accounts")
    };
    let mut next = engine.settle().await;
    let (filled_kb, filled_cpu) = (rss_kb(), cpu());
    println!(
        "filled: {accounts} accounts, {filled_kb} kB resident ({empty_kb} before), {filled_cpu:?} of processor time"
    );

    let all = engine.accounts();
    let start = clock.now();
    let end = start.saturating_add(Duration::from_secs(days * 86_400));
    let (mut looks, mut worst_late, mut looked_at) = (0_u64, Duration::ZERO, start);
    while clock.now() < end {
        let now = clock.now();
        let due = next.map_or(LOOK, |at| at.saturating_since(now));
        let step = due.clamp(STEP, LOOK);
        platform.advance(step).await;
        clock.advance(step);
        next = engine.settle().await;
        if clock.now().saturating_since(looked_at) >= LOOK {
            looked_at = clock.now();
            looks += 1;
            let now = clock.now();
            for account in &all {
                let snapshot = account.token().snapshot();
                assert!(
                    snapshot.valid(now).is_some(),
                    "{} has no token {:?} after the start",
                    account.name(),
                    now.saturating_since(start)
                );
                worst_late = worst_late.max(now.saturating_since(snapshot.next_fetch_at()));
            }
            if looks.is_multiple_of(720) {
                println!("  {} h: {} kB resident, {:?} of processor time", looks / 60, rss_kb(), cpu());
            }
        }
    }

    // Before the counters of all accounts are read, which are larger than all the rest.
    let (ended_kb, peak_kb, ended_cpu) = (rss_kb(), peak_rss_kb(), cpu());
    let fetches = platform.fetches().await;
    let seconds = days as f64 * 86_400.0;
    // One at the start, and one whenever the platform first renews.
    let need = accounts as f64 * (1.0 + (seconds / (LIFE - RENEWED_FROM)).floor());
    let over = (fetches as f64 / need - 1.0) * 100.0;
    println!(
        "{days} days: {fetches} fetches, {over:+.2} % of the need of {need} (one at the start, then one each {} s, for each \
         account); {looks} looks at every account, none without a token, the latest fetch {worst_late:?} late",
        LIFE - RENEWED_FROM
    );
    println!(
        "memory: {} kB resident, {} kB at most; processor time: {:?} in all, {:?} a fetch",
        ended_kb,
        peak_kb,
        ended_cpu,
        ended_cpu / u32::try_from(fetches.max(1)).unwrap_or(u32::MAX)
    );
    engine.stop().await.expect("stored");
    assert!(worst_late <= STEP, "a fetch was late");
    assert!(over.abs() <= 3.0, "the fetches are not what is needed");
}
