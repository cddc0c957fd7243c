//! Token, fingerprint and the instants beside them.

use core::{fmt::Write as _, hint::black_box, time::Duration};

use wxtoken_core::{Fingerprint, Instant, Policy, Ticks32, Token};

use crate::{sink::Sink, text};

pub(crate) fn drive() {
    let token = match black_box(Token::new(text())) {
        Ok(token) => token,
        Err(why) => {
            let _ = write!(Sink, "{}", black_box(why));
            return;
        }
    };
    let mut copy = black_box(token.clone());
    black_box((token.len(), token.is_empty(), token.as_str(), token == copy));
    black_box((token.fingerprint(), Fingerprint::of(text()), Fingerprint::from(&token)));
    copy.clone_from(&token);
    drop(black_box(copy));
    time();
    policy();
}

fn time() {
    let (a, b) = (black_box(Instant::from_millis(1)), black_box(Instant::ZERO));
    let by = black_box(Duration::MAX);
    black_box((a.as_millis(), a.saturating_add(by), a.saturating_sub(by), a.checked_since(b), a.saturating_since(b)));
    let mut ticks = black_box(Ticks32::new());
    black_box(ticks.widen(black_box(u32::MAX)));
}

fn policy() {
    fn any<T: Default>() -> T {
        black_box(T::default())
    }
    let policy = black_box(Policy::ROTATING)
        .with_lead(any(), any(), any())
        .with_margin(any())
        .with_grace(any())
        .with_floor(any())
        .with_backoff(any(), any())
        .with_urgency(any(), any())
        .with_quiet_window(any(), any())
        .with_patience(any(), any())
        .with_daily_limit(any(), any())
        .with_forced_limit(any());
    black_box((policy.daily_limit(), policy.daily_reserve(), policy.forced_limit(), policy.floor_s()));
}
