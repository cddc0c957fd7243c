//! The keeper: every method, on a keeper of which nothing is known.

use core::{fmt::Write as _, hint::black_box, time::Duration};

use wxtoken_core::{
    Action, Endpoint, Failure, Fetch, Fingerprint, Instant, Keeper, Ledger, Malformed, Policy, Reply, Snapshot, Token,
};

use crate::{sink::Sink, text};

static ENDPOINT: Endpoint = Endpoint::TOKEN;

pub(crate) fn drive() {
    let mut keeper = Keeper::with_policy(black_box(&ENDPOINT), black_box(Policy::STABLE), black_box(0));
    black_box(&mut keeper);
    let Action::Fetch(fetch) = keeper.poll(now()) else { return };
    let fetch = black_box(fetch);
    black_box(fetch.is_forced());
    black_box(&mut keeper);
    black_box(keeper.handle_failure(fetch.ticket(), now(), black_box(Failure::MaybeSent)));
    black_box(&mut keeper);
    if let Action::Fetch(fetch) = keeper.poll(now()) {
        replies(&mut keeper, fetch);
    }
    getters(&keeper);
    news(&mut keeper);
    drop(black_box(keeper.clone()));
}

/// Everything after the JSON reader: the credential is judged, copied and compared, or the refusal is weighed.
fn replies(keeper: &mut Keeper, fetch: Fetch) {
    let granted = black_box(Reply::granted(text(), black_box(7200)));
    let refused = black_box(Reply::refused(black_box(-1), text()));
    for reply in [granted, refused, black_box(Err(Malformed::NotJson))] {
        black_box(&mut *keeper);
        black_box(keeper.handle_reply(black_box(fetch).ticket(), now(), black_box(200), reply));
        match black_box(reply) {
            Ok(Reply::Grant(grant)) => {
                black_box((grant.expires_in(), grant.token()));
            }
            Ok(Reply::Refused(refused)) => {
                black_box((refused.errcode(), refused.errmsg()));
                let _ = refused.write_errmsg(black_box(8), &mut Sink);
            }
            Ok(_) => {}
            Err(why) => {
                let _ = write!(Sink, "{}", black_box(why));
            }
        }
    }
}

fn getters(keeper: &Keeper) {
    black_box((keeper.endpoint(), keeper.policy(), keeper.token(now()), keeper.remaining(now()), keeper.generation()));
    black_box((keeper.in_flight(), keeper.trouble(), keeper.poll_at(), keeper.snapshot(now()), keeper.ledger(now())));
}

fn news(keeper: &mut Keeper) {
    black_box(keeper.report_refused(now(), black_box(Fingerprint::of(text()))));
    black_box(&mut *keeper);
    if let Ok(token) = black_box(Token::new(text())) {
        black_box(keeper.report_refused(now(), &token));
        black_box(&mut *keeper);
        let stored = Snapshot {
            token: &token,
            remaining: black_box(Duration::MAX),
            life: black_box(Duration::ZERO),
            generation: black_box(u32::MAX),
        };
        black_box(keeper.restore(now(), &stored));
        black_box(&mut *keeper);
    }
    black_box(keeper.rotate(now()));
    black_box(&mut *keeper);
    keeper.configuration_changed(now());
    black_box(&mut *keeper);
    keeper.wall_clock(now(), black_box(0));
    black_box(&mut *keeper);
    keeper.restore_ledger(now(), black_box(Ledger::default()));
    black_box(&mut *keeper);
}

pub(crate) fn now() -> Instant {
    black_box(Instant::ZERO)
}
