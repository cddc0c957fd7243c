//! What if the power goes? The flash is what lasts, see the images' `board/flash.rs`.

use std::{io, thread, time::Duration};

use wxtoken_platform::{Builder, Fault, FaultScope, Platform, Running};

use super::{Case, code};
use crate::{
    board::{self, Board, LIMIT},
    dice::Dice,
    log,
    trial::{FLASH, ID, Trial},
};

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new("power cut while it waits for the reply", while_waiting),
        Case::new("power cycle: the token is remembered, no second fetch", cycle),
        Case::new("power cycle: without flash, one fetch more", cycle_without_flash),
        Case::new("power cycle: an expired token is not taken up", cycle_after_expiry),
        Case::new("power cut at 40 seeded moments", at_any_moment),
        Case::new("reboots for ever: the day's budget holds", for_ever),
    ]
}

fn builder() -> Builder {
    Platform::builder().account(Trial::account())
}

/// `flash=`, and the platform's time of day: it is not the host's when it is in a hurry, nor after it was stepped.
pub(super) fn words(platform: &Running, hurry: u32, attempts: u32) -> Vec<String> {
    let mut words = Trial::words(platform, hurry, attempts);
    words.extend([format!("flash={FLASH}"), format!("date={}", platform.now_ms() / 1000)]);
    words
}

fn while_waiting(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(builder())?;
    platform.fault(Fault::Silence, FaultScope::next_call());
    let words = Trial::words(&platform, 1, 1);
    let board = trial.boot(&words)?;
    trial.expect_soon("the platform has the request", || platform.counters().faults == 1);
    trial.cut(board)?;
    let board = trial.boot(&words)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_said(&lines, "is good for");
    trial.expect_fetched(&platform, 2);
    // That of the first boot went with the power.
    trial.expect_alarms(1);
    Ok(())
}

/// Boots until it holds a token, and boots again.
fn twice(trial: &mut Trial<'_>, platform: &Running, between: Duration) -> io::Result<Vec<String>> {
    trial.new_flash()?;
    let board = trial.boot(&words(platform, 1, 1))?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_said(&lines, "token 1 is good for");
    platform.advance(between);
    // It may send its alarm with the token of the boot before.
    let board = trial.boot(&words(platform, 60, 9))?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_said(&lines, "has arrived");
    Ok(lines)
}

fn cycle(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(builder())?;
    let lines = twice(trial, &platform, Duration::from_secs(600))?;
    trial.expect_said(&lines, "remembers 1 of today's 500 fetches");
    // 7198 s less the ten minutes without power, and the seconds of booting.
    let remembered = |line: &String| log::number_between(line, "remembers a token that is good for ", " ");
    let good = lines.iter().find_map(remembered).unwrap_or(0);
    trial.expect((6_560..=6_598).contains(&good), || format!("the token is believed for {good} s"));
    trial.expect_fetched(&platform, 1);
    // The first of each boot, which must not be taken for the same.
    trial.expect_alarms(2);
    Ok(())
}

fn cycle_without_flash(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(builder())?;
    for _ in 0..2 {
        let board = trial.boot(&Trial::words(&platform, 1, 1))?;
        let lines = trial.wait(board)?;
        trial.expect_said(&lines, "token 1 is good for");
        trial.expect(!lines.iter().any(|line| line.contains("remembers")), || "it remembers something".to_owned());
    }
    trial.expect_fetched(&platform, 2);
    trial.expect_alarms(2);
    Ok(())
}

fn cycle_after_expiry(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(builder())?;
    let lines = twice(trial, &platform, Duration::from_secs(7_300))?;
    trial
        .expect(!lines.iter().any(|line| line.contains("remembers a token")), || "a dead token is taken up".to_owned());
    trial.expect_said(&lines, "is good for");
    trial.expect_fetched(&platform, 2);
    trial.expect_alarms(2);
    Ok(())
}

/// The power goes some milliseconds after some step of the boot, again and again, with ten new devices. Every fetch of a device that was
/// executed is in its ledger when it comes back; and once its token was written down, none follows.
fn at_any_moment(trial: &mut Trial<'_>) -> io::Result<()> {
    const DEVICES: u64 = 10;
    const BOOTS: u64 = 4;
    let platform = trial.platform(builder())?;
    let mut dice = Dice::seeded(0x0f_1a_5b);
    let (mut with_ledger, mut with_token) = (0, 0);
    for device in 1..=DEVICES {
        trial.new_flash()?;
        let mut had_token = false;
        let executed_by_others = fetched(&platform);
        for boot in 1..=BOOTS {
            let at = format!("device {device}, boot {boot}");
            let before = fetched(&platform) - executed_by_others;
            let mut board = trial.boot(&words(&platform, 1, 100))?;
            // Milestones and not milliseconds since the start, which mean something else on a busy machine.
            match dice.below(5) {
                0 => board.says_one_of(&["asks 10.0.2.2"], LIMIT)?,
                1 => board.says_one_of(&["DHCP"], LIMIT)?,
                2 => {
                    let until = board::now() + LIMIT;
                    let known = |board: &mut Board<'_>| board.says_one_of(&["fetches in"], Duration::ZERO);
                    while fetched(&platform) - executed_by_others == before
                        && !known(&mut board)?
                        && board::now() < until
                    {
                        thread::sleep(Duration::from_millis(1));
                    }
                    true
                }
                3 => board.says_one_of(&["is good for", "fetches in"], LIMIT)?,
                _ => board.says_one_of(&["has arrived"], LIMIT)?,
            };
            thread::sleep(Duration::from_millis(dice.below(16)));
            let lines = trial.cut_anywhere(board)?;
            let count = lines.iter().find_map(|line| log::number_between(line, "remembers ", " of today's"));
            let token = lines.iter().any(|line| line.contains("remembers a token"));
            // What it remembers it says before it has an address.
            let has_said = count.is_some() || lines.iter().any(|line| line.contains("DHCP"));
            trial.expect(!has_said || count.unwrap_or(0) >= before, || {
                format!("{at}: {} fetches remembered of {before} executed", count.unwrap_or(0))
            });
            let now = fetched(&platform) - executed_by_others;
            trial.expect(!had_token || now == before, || format!("{at}: fetched although a token was remembered"));
            trial.expect(!had_token || token || !has_said, || format!("{at}: the token was forgotten"));
            had_token |= token;
            with_ledger += u32::from(count.is_some());
            with_token += u32::from(token);
        }
    }
    let (boots, executed) = (DEVICES * BOOTS, fetched(&platform));
    trial.note(format!(
        "{boots} cuts: {executed} fetches; ledger remembered {with_ledger} times, token {with_token} times"
    ));
    // One in each boot, unless the power went first.
    trial.expect_alarms_within(1..=boots as usize);
    // Else it shows nothing.
    trial.expect(with_ledger > 0 && with_token > 0, || "every cut came too early".to_owned());
    Ok(())
}

/// Each boot asks, never gets the reply, and reboots: no hundred-and-first fetch of a 测试号.
fn for_ever(trial: &mut Trial<'_>) -> io::Result<()> {
    const LIMIT_OF_DAY: u64 = 100;
    let platform = trial.platform(builder())?;
    platform.fault(Fault::ReplyLost, FaultScope::every_call());
    trial.new_flash()?;
    let mut words = words(&platform, 1, 1);
    words.push("account=test".to_owned());
    for _ in 0..LIMIT_OF_DAY + 5 {
        let mut board = trial.boot(&words)?;
        // Either it has asked, or it says that it must not.
        board.says_one_of(&["gateway: done", "fetches are used up"], LIMIT)?;
        trial.cut_anywhere(board)?;
    }
    let executed = fetched(&platform);
    trial.expect(executed == LIMIT_OF_DAY, || format!("{executed} fetches in a day of {LIMIT_OF_DAY}"));
    trial.expect_ever_said("today's fetches are used up", 5);
    // What was lost in between is no reason to forget the day.
    platform.clear_faults();
    let mut board = trial.boot(&words)?;
    let held = board.says("fetches are used up", 1, LIMIT)?;
    trial.expect(held, || "it forgets its budget".to_owned());
    trial.cut_anywhere(board)?;
    trial.expect_fetched(&platform, LIMIT_OF_DAY);
    trial.expect_no_alarm("no boot gets a token");
    trial.note(format!("{} boots, {executed} fetches", LIMIT_OF_DAY + 6));
    Ok(())
}

fn fetched(platform: &Running) -> u64 {
    platform.counters().account(ID).fetched_in_all()
}
