//! What if somebody pulls the cable, or presses the reset button?

use std::{io, thread, time::Duration};

use wxtoken_platform::{Fault, FaultScope, Platform};

use super::{Case, alarm, code, power};
use crate::{board::LIMIT, qmp::Waiting, trial::Trial};

/// How many times as fast time passes: an exchange that hangs is given up after 10 s.
const HURRY: u32 = 8;

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new("cable out at boot, in later", cable_at_boot),
        Case::new("cable out in mid-body, in later", cable_in_mid_body),
        Case::new("reset in mid-body: counted, and recovers", reset_in_mid_body),
        Case::new("cable out with an alarm waiting, in later", cable_with_alarm),
        Case::new("cable out while its alarm is answered, in later", cable_in_answer),
        Case::new("reset while its alarm is answered: the next is another one", reset_in_answer),
    ]
}

/// A body so slow that there is time to do something in its midst.
fn slowly() -> Fault {
    Fault::Trickle { bytes: 1, every_ms: 15 }
}

fn cable_at_boot(trial: &mut Trial<'_>) -> io::Result<()> {
    let builder = Platform::builder().account(Trial::account()).speed(HURRY.into());
    let platform = trial.platform(builder)?;
    let waiting = Waiting::new()?;
    let mut more = waiting.arguments()?;
    more.push("-S".to_owned());
    let mut board = trial.boot_with(&Trial::words(&platform, HURRY, 100), &more)?;
    let mut qmp = waiting.answer()?;
    qmp.set_link(false)?;
    qmp.go()?;
    let told = board.says("no network", 1, LIMIT)?;
    trial.expect(told, || "it does not say that there is no network".to_owned());
    qmp.set_link(true)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_said(&lines, "is good for");
    trial.expect_fetched(&platform, 1);
    trial.expect_alarms(1);
    Ok(())
}

fn cable_in_mid_body(trial: &mut Trial<'_>) -> io::Result<()> {
    let builder = Platform::builder().account(Trial::account()).speed(HURRY.into());
    let platform = trial.platform(builder)?;
    platform.fault(slowly(), FaultScope::next_call());
    let waiting = Waiting::new()?;
    let mut board = trial.boot_with(&Trial::words(&platform, HURRY, 100), &waiting.arguments()?)?;
    let mut qmp = waiting.answer()?;
    trial.expect_soon("the platform is replying", || platform.counters().faults == 1);
    thread::sleep(Duration::from_millis(100));
    qmp.set_link(false)?;
    let told = board.says("next try in", 1, LIMIT)?;
    trial.expect(told, || "it does not say that the exchange failed".to_owned());
    qmp.set_link(true)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_said(&lines, "is good for");
    trial.expect_fetched(&platform, 2);
    trial.expect_alarms(1);
    Ok(())
}

fn reset_in_mid_body(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(Platform::builder().account(Trial::account()))?;
    platform.fault(slowly(), FaultScope::next_call());
    trial.new_flash()?;
    let waiting = Waiting::new()?;
    let board = trial.boot_with(&power::words(&platform, 1, 1), &waiting.arguments()?)?;
    let mut qmp = waiting.answer()?;
    trial.expect_soon("the platform is replying", || platform.counters().faults == 1);
    thread::sleep(Duration::from_millis(100));
    qmp.reset()?;
    let lines = trial.wait_after_reset(board)?;
    trial.expect_code(code::FRESH);
    let boots = lines.iter().filter(|line| line.contains("asks 10.0.2.2")).count();
    trial.expect(boots == 2, || format!("it booted {boots} times instead of 2"));
    trial.expect_said(&lines, "remembers 1 of today's 500 fetches");
    trial.expect_said(&lines, "is good for");
    trial.expect_fetched(&platform, 2);
    // That of the first boot was lost with the RAM; the sensor tripped again.
    trial.expect_alarms(1);
    Ok(())
}

fn cable_with_alarm(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(Platform::builder().account(Trial::account()).speed(HURRY.into()))?;
    let waiting = Waiting::new()?;
    let mut words = Trial::words(&platform, HURRY, 9);
    words.push("trip=10".to_owned());
    let mut board = trial.boot_with(&words, &waiting.arguments()?)?;
    let mut qmp = waiting.answer()?;
    board.says("token 1 is good for", 1, LIMIT)?;
    qmp.set_link(false)?;
    let told = board.says("was not sent and waits", 1, LIMIT)?;
    trial.expect(told, || "it does not say that the alarm waits".to_owned());
    qmp.set_link(true)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_said(&lines, "has arrived");
    trial.expect_ever_said("is put off", 0);
    trial.expect_fetched(&platform, 1);
    trial.expect_alarms(1);
    Ok(())
}

/// The platform has taken it over, and the device cannot know.
fn cable_in_answer(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(Platform::builder().account(Trial::account()).speed(HURRY.into()))?;
    platform.fault(slowly(), FaultScope::next_call().on_path(alarm::MESSAGES));
    let waiting = Waiting::new()?;
    let mut board = trial.boot_with(&Trial::words(&platform, HURRY, 9), &waiting.arguments()?)?;
    let mut qmp = waiting.answer()?;
    trial.expect_soon("the platform is replying", || platform.counters().faults == 1);
    thread::sleep(Duration::from_millis(100));
    qmp.set_link(false)?;
    let told = board.says("network: link down", 1, LIMIT)?;
    trial.expect(told, || "it does not say that the cable is out".to_owned());
    qmp.set_link(true)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_said(&lines, "has arrived");
    trial.expect_fetched(&platform, 1);
    trial.expect_alarms(1);
    Ok(())
}

/// The platform has taken the first one over. After the reset the device counts anew, and must not be taken for repeating
/// itself.
fn reset_in_answer(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(Platform::builder().account(Trial::account()))?;
    platform.fault(Fault::Silence, FaultScope::next_call().on_path(alarm::MESSAGES));
    trial.new_flash()?;
    let waiting = Waiting::new()?;
    let words = power::words(&platform, 1, 1);
    let board = trial.boot_with(&words, &waiting.arguments()?)?;
    let mut qmp = waiting.answer()?;
    trial.expect_soon("the platform has the alarm", || platform.counters().faults == 1);
    qmp.reset()?;
    let lines = trial.wait_after_reset(board)?;
    trial.expect_said(&lines, "has arrived");
    trial.expect_ever_said("remembers a token", 1);
    trial.expect_fetched(&platform, 1);
    trial.expect_alarms(2);
    Ok(())
}
