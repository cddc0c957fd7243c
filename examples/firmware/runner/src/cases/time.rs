//! Does a gateway keep time over weeks, and apart from its neighbours?

use std::{io, time::Duration};

use wxtoken_platform::Platform;

use super::{Case, code};
use crate::{
    log,
    trial::{ID, Trial},
};

/// How many times as fast time passes.
const HURRY: u32 = 60;

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new("a refresh is due across the tick's wrap, after 49.7 days", wrap),
        Case::new("three hours of life while others force new tokens", hours),
        Case::new("twenty devices boot together", together),
    ]
}

/// A 32-bit tick of milliseconds wraps 100 s after the token, whose refresh is due some 160 s after it.
fn wrap(trial: &mut Trial<'_>) -> io::Result<()> {
    const WRAPS_AT_MS: u64 = 1 << 32;
    let account = Trial::account().life_s(450);
    let platform = trial.platform(Platform::builder().account(account).speed(HURRY.into()))?;
    let mut words = Trial::words(&platform, HURRY, 5);
    words.extend(["tokens=2".to_owned(), format!("uptime={}", WRAPS_AT_MS / 1000 - 100)]);
    // Before the wrap, and after it.
    words.extend(["trip=50".to_owned(), "trip=120".to_owned()]);
    let board = trial.boot(&words)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_fetched(&platform, 2);
    trial.expect_alarms(2);
    let at = |what: &str| lines.iter().find(|line| line.contains(what)).and_then(|line| log::said_at_ms(line));
    match (at("token 1 is good for"), at("token 2 is good for")) {
        (Some(first), Some(second)) => {
            trial.expect(first < WRAPS_AT_MS && WRAPS_AT_MS < second, || format!("tokens at {first} and {second} ms"));
            let apart = second - first;
            trial.expect((150_000..180_000).contains(&apart), || format!("the refresh came after {apart} ms"));
        }
        _ => trial.complain("it does not get two tokens"),
    }
    Ok(())
}

/// Two hours of a token's life and a part of the next. Somebody else forces a new one every twenty minutes, which a gateway
/// that calls nothing cannot know; it must neither fetch more often for it, nor miss its own refresh.
fn hours(trial: &mut Trial<'_>) -> io::Result<()> {
    const FAST: u32 = 900;
    let platform = trial.platform(Platform::builder().account(Trial::account()).speed(FAST.into()))?;
    let began = platform.now_ms();
    let mut words = Trial::words(&platform, FAST, 50);
    words.push("tokens=3".to_owned());
    let mut board = trial.boot(&words)?;
    let mut forced = 0;
    while !board.says("token 2 is good for", 1, Duration::from_millis(100))? {
        let minutes = platform.now_ms().saturating_sub(began) / 60_000;
        trial.expect(minutes < 300, || "no second token in five hours".to_owned());
        if minutes >= 300 {
            break;
        }
        if minutes >= 20 * (forced + 1) {
            platform.force_elsewhere(ID).map_err(io::Error::other)?;
            forced += 1;
        }
    }
    trial.cut_anywhere(board)?;
    let fetches = platform.counters().account(ID).fetched_in_all();
    trial.expect(fetches == 2, || format!("{fetches} fetches instead of 2"));
    trial.expect(forced >= 5, || format!("only {forced} tokens were forced elsewhere"));
    trial.expect_alarms(1);
    trial.note(format!("{forced} tokens forced elsewhere, {fetches} fetches"));
    Ok(())
}

/// Twenty gateways whose power comes back at once spread their first fetches over a minute.
fn together(trial: &mut Trial<'_>) -> io::Result<()> {
    const DEVICES: u64 = 20;
    const AT_A_TIME: usize = 4;
    const WITHIN_S: u64 = 60;
    let platform = trial.platform(Platform::builder().account(Trial::account()).speed(HURRY.into()))?;
    let mut at_ms = Vec::new();
    let devices: Vec<u64> = (100..100 + DEVICES).collect();
    for group in devices.chunks(AT_A_TIME) {
        let mut boards = Vec::new();
        for device in group {
            let mut words = Trial::words(&platform, HURRY, 3);
            words.retain(|word| !word.starts_with("device=") && !word.starts_with("spread="));
            words.extend([format!("device={device}"), format!("spread={WITHIN_S}")]);
            boards.push(trial.boot(&words)?);
        }
        for board in boards {
            let lines = trial.wait(board)?;
            trial.expect_code(code::FRESH);
            at_ms.extend(lines.iter().find(|line| line.contains("is good for")).and_then(|line| log::said_at_ms(line)));
        }
    }
    at_ms.sort_unstable();
    trial.expect(at_ms.len() as u64 == DEVICES, || format!("{} devices got a token", at_ms.len()));
    let seconds: Vec<String> = at_ms.iter().map(|ms| format!("{:.1}", *ms as f64 / 1000.0)).collect();
    trial.note(format!("fetches at {} s of their own time", seconds.join(" ")));
    // The most in any six seconds; all in one instant would be twenty, evenly spread they would be two.
    let crowd = at_ms.iter().map(|from| at_ms.iter().filter(|at| (*from..from + 6_000).contains(at)).count()).max();
    trial.expect(crowd <= Some(7), || format!("{} of them within six seconds", crowd.unwrap_or(0)));
    let (first, last) = (at_ms.first().copied().unwrap_or(0), at_ms.last().copied().unwrap_or(0));
    trial.expect(last - first > 30_000, || format!("all of them within {} ms", last - first));
    trial.expect_fetched(&platform, DEVICES);
    trial.expect_alarms(DEVICES as usize);
    Ok(())
}
