//! Does a gateway keep time over weeks, and apart from its neighbours?

use std::{io, time::Duration};

use wxtoken_platform::Platform;

use super::{Case, code, once::Door};
use crate::{
    board::LIMIT,
    images::Of,
    log,
    trial::{HOST, ID, Trial},
};

/// How many times as fast time passes.
const HURRY: u32 = 60;

pub(super) fn all() -> Vec<Case> {
    let mut over_tls = Case::new("TLS: twenty devices boot together", |trial| together(trial, true));
    over_tls.of = Of::WithTls;
    vec![
        Case::new("a refresh is due across the tick's wrap, after 49.7 days", wrap),
        Case::new("three hours of life while others force new tokens", hours),
        Case::new("an hour of life in which each alarm meets a token that was replaced elsewhere", an_hour),
        Case::new("twenty devices boot together", |trial| together(trial, false)),
        over_tls,
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
            // Less what an exchange takes, which is much of this time on a busy machine.
            trial.expect((120_000..240_000).contains(&apart), || format!("the refresh came after {apart} ms"));
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
    let lines = trial.cut_anywhere(board)?;
    let fetches = platform.counters().account(ID).fetched_in_all();
    // An exchange has a ninetieth of a second here: on a busy machine one comes too late, and is made again.
    let late = lines.iter().filter(|line| line.contains("no complete reply in time")).count() as u64;
    trial.expect((2..=2 + late).contains(&fetches), || format!("{fetches} fetches, of which {late} may be late"));
    trial.expect(forced >= 5, || format!("only {forced} tokens were forced elsewhere"));
    trial.expect_alarms(1);
    trial.note(format!("{forced} tokens forced elsewhere, {fetches} fetches"));
    Ok(())
}

/// Somebody else forces a new token every quarter of an hour, and each time an alarm is the one to find out.
fn an_hour(trial: &mut Trial<'_>) -> io::Result<()> {
    const FAST: u32 = 240;
    const QUARTER_S: u64 = 900;
    const QUARTERS: u64 = 4;
    let platform = trial.platform(Platform::builder().account(Trial::account()).speed(FAST.into()))?;
    let began = platform.now_ms();
    let mut words = Trial::words(&platform, FAST, 9);
    words.extend((1..=QUARTERS).map(|quarter| format!("trip={}", quarter * QUARTER_S)));
    let mut board = trial.boot(&words)?;
    board.says("is good for", 1, LIMIT)?;
    for quarter in 1..=QUARTERS {
        // Some minutes before the alarm.
        let at_ms = began + (quarter * QUARTER_S - 300) * 1000;
        trial.expect_soon("it is late enough", || platform.now_ms() >= at_ms);
        platform.force_elsewhere(ID).map_err(io::Error::other)?;
        let told = board.says("has arrived", quarter as usize, LIMIT)?;
        trial.expect(told, || format!("alarm {quarter} does not arrive"));
    }
    trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_alarms(QUARTERS as usize);
    // An exchange has a twenty-fourth of a second here, so one may come too late and be made again.
    trial.expect_refused(&platform, QUARTERS..=3 * QUARTERS);
    let fetches = platform.counters().account(ID).fetched_in_all();
    trial.expect((QUARTERS + 1..=3 * QUARTERS).contains(&fetches), || format!("{fetches} fetches"));
    trial.note(format!("{QUARTERS} tokens forced elsewhere, {fetches} fetches"));
    Ok(())
}

/// Twenty gateways whose power comes back at once spread their first fetches over a minute; over TLS, where time is in no
/// hurry, over some seconds.
fn together(trial: &mut Trial<'_>, over_tls: bool) -> io::Result<()> {
    const DEVICES: u64 = 20;
    const AT_A_TIME: usize = 4;
    let (hurry, within_s) = if over_tls { (1, 20) } else { (HURRY, 60) };
    let builder = Platform::builder().account(Trial::account()).speed(hurry.into());
    let platform = trial.platform(if over_tls { Door::GOOD.on(builder) } else { builder })?;
    let base = match platform.https_addr() {
        Some(address) => format!("https://{HOST}:{}", address.port()),
        None => format!("http://{HOST}:{}", platform.http_addr().port()),
    };
    let trust = trial.trust(&platform)?;
    let (mut put_off_s, mut at_ms) = (Vec::new(), Vec::new());
    let devices: Vec<u64> = (100..100 + DEVICES).collect();
    for group in devices.chunks(AT_A_TIME) {
        let mut boards = Vec::new();
        for device in group {
            let mut words = Trial::words_for(&base, hurry, 20);
            words.extend(trust.clone());
            words.retain(|word| !word.starts_with("device=") && !word.starts_with("spread="));
            words.extend([format!("device={device}"), format!("spread={within_s}")]);
            boards.push(trial.boot(&words)?);
        }
        for board in boards {
            let lines = trial.wait(board)?;
            trial.expect_code(code::FRESH);
            // One that need not wait does not say so.
            let wait =
                lines.iter().find_map(|line| log::number_between(line, "lets others go first, fetches in ", " s"));
            put_off_s.push(wait.unwrap_or(0));
            at_ms.extend(lines.iter().find(|line| line.contains("is good for")).and_then(|line| log::said_at_ms(line)));
        }
    }
    at_ms.sort_unstable();
    put_off_s.sort_unstable();
    trial.expect(at_ms.len() as u64 == DEVICES, || format!("{} devices got a token", at_ms.len()));
    let seconds: Vec<String> = at_ms.iter().map(|ms| format!("{:.1}", *ms as f64 / 1000.0)).collect();
    trial.note(format!("put off by {put_off_s:?} s"));
    trial.note(format!("tokens at {} s of their own time", seconds.join(" ")));
    // The most in any tenth of the time; all in one instant would be twenty, evenly spread they would be two.
    let tenth = within_s / 10;
    let within = |from: u64| put_off_s.iter().filter(|at| (from..from + tenth).contains(at)).count();
    let crowd = put_off_s.iter().map(|from| within(*from)).max();
    trial.expect(crowd <= Some(7), || format!("{} of them within {tenth} seconds", crowd.unwrap_or(0)));
    let (first, last) = (put_off_s.first().copied().unwrap_or(0), put_off_s.last().copied().unwrap_or(0));
    trial.expect(last - first > within_s * 3 / 4, || format!("all of them within {} s", last - first));
    // An exchange in a hurry has a sixth of a second: on a busy machine one may come too late and be made again.
    let fetched = platform.counters().account(ID).fetched_in_all();
    trial.expect((DEVICES..=2 * DEVICES).contains(&fetched), || format!("{fetched} fetches for {DEVICES} devices"));
    trial.expect_alarms(DEVICES as usize);
    Ok(())
}
