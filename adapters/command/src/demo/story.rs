//! What happens during the day? Its chapters, in order, and what each of them promises.

use std::net::{IpAddr, Ipv4Addr};

use wxtoken::{Act, Error};
use wxtoken_platform::{Fault, FaultScope};

use super::Trouble;
use super::actor::{Outage, PACE_MS};
use super::record::{Band, Result as Came};
use super::side::{self, CALLERS};
use super::stage::{LOST_REPLY, NEWCOMER, OUTAGE, ROTATING, SECRET, STABLE, Stage, WORK, seconds};

/// Troubles in which alarms are sent.
const ROTATED: &str = "a rotation elsewhere";
const WRONG_SECRET: &str = "a wrong secret";
const ADDRESS: &str = "an address not allowed";
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Ten seconds before midnight, while the day's ledgers still count.
const END_MS: u64 = 24 * HOUR_MS - 10_000;
/// The three that nothing but the platform's moods befalls.
const ACCOUNTS: [usize; 3] = [STABLE, ROTATING, WORK];
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// After a lost reply from `/cgi-bin/token` nothing is sent for this long (a rule of the client).
const QUIET_MS: u64 = 75_000;
/// What an hour against a closed door may cost: tries after 5, 10, 20, 30 minutes.
const FEW: u64 = 5;

pub(crate) fn play(stage: &mut Stage<'_>, seed: u64) -> Result<(), Trouble> {
    cold_callers(stage)?;
    side::an_old_token(stage, seed)?;
    side::every_token_refused(stage, seed)?;
    side::tickets(stage, seed)?;
    stage.until(5 * HOUR_MS)?;
    rotated_elsewhere(stage)?;
    lost_replies(stage)?;
    outages(stage)?;
    wrong_secret(stage)?;
    address_not_allowed(stage)?;
    alarms_of_their_own_trouble(stage)?;
    stage.chapter("evening", "Nothing happens but refreshes.")?;
    stage.until(END_MS)?;
    ledgers(stage);
    Ok(())
}

fn cold_callers(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    let text = format!("No account has a token, and {CALLERS} threads ask each client for one at once.");
    stage.chapter("64 cold callers", &text)?;
    stage.clock.stand_still_for_waiters(true);
    for index in ACCOUNTS {
        let (label, path) = (stage.actors[index].label, stage.actors[index].path);
        // Slow enough, in real time, that all of them come while the one fetch is under way.
        let slow = Fault::Latency { ms: 40, by: wxtoken_platform::TimeBase::Real };
        stage.platform.fault(slow, FaultScope::next_call().on_path(path));
        let (tokens, served) = all_at_once(stage, index);
        let fetches = stage.actors[index].fetched(&stage.platform);
        let text = format!("{label}: {CALLERS} cold callers, {fetches} fetch, {served} served, {tokens} token");
        stage.event(&text)?;
        stage.actors[index].cold_fetches = Some(fetches);
        stage.promise((fetches, served, tokens) == (1, CALLERS, 1), text);
    }
    stage.clock.stand_still_for_waiters(false);
    Ok(())
}

/// How many different tokens were handed out, and to how many callers.
fn all_at_once(stage: &Stage<'_>, index: usize) -> (usize, usize) {
    let Some(client) = &stage.actors[index].client else { return (0, 0) };
    let mut tokens: Vec<_> = side::all_at_once(|| client.token().ok()).into_iter().flatten().collect();
    let served = tokens.len();
    tokens.dedup_by(|a, b| **a == **b);
    (tokens.len(), served)
}

fn rotated_elsewhere(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.chapter(
        "rotated elsewhere",
        "Another program fetches for A by force and for B, and the platform revokes C's token early. Nobody tells us.",
    )?;
    let before = snapshots(stage);
    let names = ACCOUNTS.map(|index| stage.actors[index].name);
    let ordered = stage
        .platform
        .force_elsewhere(names[STABLE])
        .and_then(|()| stage.platform.rotate_elsewhere(names[ROTATING]))
        .and_then(|()| stage.platform.rotate_elsewhere(names[WORK]));
    ordered.map_err(|unknown| Trouble::Machine(unknown.to_string()))?;
    let mut noticed = [0; 3];
    for (index, noticed) in ACCOUNTS.into_iter().zip(&mut noticed) {
        band(stage, index, "rotated elsewhere", 6 * MINUTE_MS);
        let fetched = stage.actors[index].fetched(&stage.platform);
        stage.alarm(index, ROTATED)?;
        // The alarm was the call that was refused.
        *noticed = u64::from(stage.actors[index].fetched(&stage.platform) > fetched);
    }
    // B's superseded token lives five more minutes, as documented, and only then is somebody refused.
    let until = stage.clock.ms() + 8 * MINUTE_MS;
    stage.until(until)?;
    for index in ACCOUNTS {
        let (now, then) = (Snapshot::of(stage, index), &before[index]);
        let (fetches, failed) = (now.fetches - then.fetches, now.failed - then.failed);
        let retried = now.retried - then.retried + noticed[index];
        let without = now.without_ms - then.without_ms;
        let label = stage.actors[index].label;
        stage.promise(
            failed == 0 && retried == 1 && fetches == 1 && without <= PACE_MS + 1_000,
            format!(
                "{label}: rotated elsewhere: {retried} call refused and made again, {fetches} fetch, {failed} calls failed; \
                 {} until a caller noticed",
                seconds(without)
            ),
        );
    }
    stage.promise_of_alarms(ROTATED);
    Ok(())
}

fn lost_replies(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.until(9 * HOUR_MS)?;
    stage.chapter(
        "a lost reply",
        "Each account's next fetch is executed, and its reply never arrives. B's token is thereby superseded.",
    )?;
    let before = snapshots(stage);
    for index in ACCOUNTS {
        stage.platform.fault(Fault::ReplyLost, FaultScope::next_call().on_path(stage.actors[index].path));
    }
    stage.until(11 * HOUR_MS + 30 * MINUTE_MS)?;
    for index in ACCOUNTS {
        let exchanges = stage.actors[index].wire.exchanges();
        let label = stage.actors[index].label;
        let lost = exchanges.iter().position(|e| e.at_ms >= 9 * HOUR_MS && e.came == Came::Nothing);
        let (Some(lost), failed) = (lost, stage.actors[index].calls.failed - before[index].failed) else {
            stage.promise(false, format!("{label}: a reply was to be lost, and none was"));
            continue;
        };
        let pause_ms = exchanges.get(lost + 1).map_or(0, |next| next.at_ms - exchanges[lost].at_ms);
        let at = exchanges[lost].at_ms;
        stage.actors[index].bands.push(Band { label: "lost reply", from_ms: at, to_ms: at + 2 * MINUTE_MS });
        let quiet = if index == ROTATING { QUIET_MS } else { 0 };
        let least = if index == ROTATING { ", at least 75 s" } else { "" };
        stage.promise(
            failed == 0 && pause_ms >= quiet && pause_ms > 0,
            format!("{label}: a lost reply: {failed} calls failed, next fetch {} later{least}", seconds(pause_ms)),
        );
    }
    stage.promise_of_alarms(LOST_REPLY);
    Ok(())
}

fn outages(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.until(12 * HOUR_MS)?;
    stage.chapter(
        "an outage",
        "Each token endpoint is down from the moment its account wants to refresh, for less than that account's lead.",
    )?;
    let lengths = [(STABLE, 4 * MINUTE_MS), (ROTATING, 25 * MINUTE_MS), (WORK, 45_000)];
    let before = lengths.map(|(index, length_ms)| {
        stage.actors[index].outage = Some(Outage { length_ms, began: None });
        stage.actors[index].generation()
    });
    stage.until(14 * HOUR_MS + 50 * MINUTE_MS)?;
    for ((index, _), generation) in lengths.into_iter().zip(before) {
        let actor = &stage.actors[index];
        let fresh = actor.outage.is_none() && actor.generation() > generation;
        let text = format!("{}: recovered from the outage with a new token", actor.label);
        stage.promise(fresh, text);
    }
    stage.promise_of_alarms(OUTAGE);
    Ok(())
}

fn wrong_secret(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.until(15 * HOUR_MS)?;
    stage.chapter("a wrong secret", "D is set up with a mistyped secret. Its callers go on asking for an hour.")?;
    stage.enter(NEWCOMER, "made-up-secret-mistyped")?;
    stage.until(16 * HOUR_MS)?;
    let label = stage.actors[NEWCOMER].label;
    let said = complaint(stage);
    let fetches = stage.actors[NEWCOMER].fetched(&stage.platform);
    let calls = stage.actors[NEWCOMER].calls;
    let right = said.as_ref().is_some_and(|e| {
        e.act() == Act::Configuration && e.refusal().is_some_and(|refusal| refusal.errcode() == 40_125)
    });
    report(stage, said.as_ref())?;
    stage.alarm(NEWCOMER, WRONG_SECRET)?;
    stage.promise_of_alarms(WRONG_SECRET);
    stage.promise(
        right && fetches <= FEW && calls.failed == calls.made,
        format!("{label}: an hour with a wrong secret: {} calls were told so, {fetches} fetches spent", calls.failed),
    );
    band_since(stage, "wrong secret", 15 * HOUR_MS);

    stage.event(format_args!("{label}: the secret is set right"))?;
    stage.enter(NEWCOMER, SECRET)?;
    let until = stage.clock.ms() + MINUTE_MS;
    stage.until(until)?;
    let (now, after) = (stage.actors[NEWCOMER].calls, stage.actors[NEWCOMER].fetched(&stage.platform) - fetches);
    stage.promise(
        now.failed == calls.failed && now.made > calls.made && after == 1,
        format!("{label}: with the right secret the next call succeeds, after {after} fetch"),
    );
    Ok(())
}

fn address_not_allowed(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.until(17 * HOUR_MS)?;
    stage.chapter(
        "an address not allowed",
        "An administrator takes this machine's address off D's allow-list, and puts it back at 18:45.",
    )?;
    let name = stage.actors[NEWCOMER].name;
    let label = stage.actors[NEWCOMER].label;
    let fetched_before = stage.actors[NEWCOMER].fetched(&stage.platform);
    stage.platform.deny_address(name, HERE).map_err(|unknown| Trouble::Machine(unknown.to_string()))?;
    // The token it holds goes on working; only fetching is refused.
    stage.alarm(NEWCOMER, ADDRESS)?;
    stage.until(18 * HOUR_MS + 45 * MINUTE_MS)?;
    stage.alarm(NEWCOMER, ADDRESS)?;
    stage.promise_of_alarms(ADDRESS);
    let said = complaint(stage);
    let fetches = stage.actors[NEWCOMER].fetched(&stage.platform) - fetched_before;
    let named = said.as_ref().is_some_and(|e| {
        e.act() == Act::Person && e.refusal().and_then(|refusal| refusal.address()) == Some(&*HERE.to_string())
    });
    report(stage, said.as_ref())?;
    stage.promise(
        named && fetches <= FEW,
        format!("{label}: an address not allowed: callers are told which one, {fetches} fetches spent"),
    );
    band_since(stage, "address not allowed", 17 * HOUR_MS);

    stage.event(format_args!("{label}: the address is allowed again"))?;
    stage.platform.allow_address(name, HERE).map_err(|unknown| Trouble::Machine(unknown.to_string()))?;
    if let Some(client) = &stage.actors[NEWCOMER].client {
        client.configuration_changed();
    }
    let failed = stage.actors[NEWCOMER].calls.failed;
    let until = stage.clock.ms() + MINUTE_MS;
    stage.until(until)?;
    let kept = stage.actors[NEWCOMER].calls.failed == failed;
    stage.promise(kept, format!("{label}: with the address allowed the next call succeeds"));
    Ok(())
}

/// What befalls the alarm itself: whether it was executed is then the question.
fn alarms_of_their_own_trouble(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.until(20 * HOUR_MS)?;
    stage.chapter(
        "alarms on a bad line",
        "What happens is done to the alarm itself: its reply is lost, it is cut off before it arrives, the platform is busy, \
         or refuses the token.",
    )?;
    let busy = Fault::Body { bytes: br#"{"errcode":-1,"errmsg":"system error"}"#.to_vec() };
    let message = ["/cgi-bin/message/template/send", "/cgi-bin/message/template/send", "/cgi-bin/message/send"];
    for (fault, executed, trouble) in [
        (Fault::ReplyLost, true, "the loss of its own reply"),
        (Fault::ResetBefore, false, "a cut before it arrives"),
        (busy, false, "a busy platform"),
        (Fault::TokenRefused { errcode: None }, false, "a refusal of its token"),
    ] {
        for index in ACCOUNTS {
            let scope = FaultScope::next_call().on_path(message[index]).executed(executed);
            stage.platform.fault(fault.clone(), scope);
            stage.alarm(index, trouble)?;
            stage.platform.clear_faults();
        }
        stage.promise_of_alarms(trouble);
        // Another minute, so that each refused token is no longer young.
        let until = stage.clock.ms() + MINUTE_MS;
        stage.until(until)?;
    }
    Ok(())
}

fn ledgers(stage: &mut Stage<'_>) {
    for index in 0..stage.actors.len() {
        let actor = &stage.actors[index];
        let (reached, counted) = (actor.fetched(&stage.platform), actor.counted());
        let limit = actor.client.as_ref().map_or(0, |client| u64::from(client.status().daily_limit));
        let text = format!(
            "{}: no fetch beyond the ledger: {reached} reached the platform, {counted} counted, {limit} allowed",
            actor.label
        );
        stage.promise(reached <= counted && counted <= limit, text);
    }
    for index in ACCOUNTS {
        let actor = &stage.actors[index];
        let text =
            format!("{}: {} business calls in the day, {} failed", actor.label, actor.calls.made, actor.calls.failed);
        stage.promise(actor.calls.failed == 0 && actor.calls.made > 2_800, text);
    }
}

/// What the newcomer's callers are told.
fn complaint(stage: &Stage<'_>) -> Option<Error> {
    stage.actors[NEWCOMER].client.as_ref().and_then(|client| client.token_within(std::time::Duration::ZERO).err())
}

fn report(stage: &mut Stage<'_>, said: Option<&Error>) -> Result<(), Trouble> {
    let label = stage.actors[NEWCOMER].label;
    let text = said.map_or_else(|| "no error".to_owned(), ToString::to_string);
    Ok(stage.event(format_args!("{label}: callers are told: {text}"))?)
}

fn band(stage: &mut Stage<'_>, index: usize, label: &'static str, length_ms: u64) {
    let from_ms = stage.clock.ms();
    stage.actors[index].bands.push(Band { label, from_ms, to_ms: from_ms + length_ms });
}

fn band_since(stage: &mut Stage<'_>, label: &'static str, from_ms: u64) {
    let to_ms = stage.clock.ms();
    stage.actors[NEWCOMER].bands.push(Band { label, from_ms, to_ms });
}

/// The counts of an account at one moment.
struct Snapshot {
    fetches: u64,
    failed: u64,
    retried: u64,
    without_ms: u64,
}

impl Snapshot {
    fn of(stage: &Stage<'_>, index: usize) -> Self {
        let actor = &stage.actors[index];
        Self {
            fetches: actor.fetched(&stage.platform),
            failed: actor.calls.failed,
            retried: actor.calls.retried,
            without_ms: actor.track.without_ms(),
        }
    }
}

fn snapshots(stage: &Stage<'_>) -> [Snapshot; 3] {
    ACCOUNTS.map(|index| Snapshot::of(stage, index))
}
