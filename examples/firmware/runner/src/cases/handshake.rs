//! What if TLS itself is slow, torn or repeated: a server that never answers, a connection cut within a record, thirty
//! connections one after the other?

use std::{io, net::TcpListener, sync::Arc};

use wxtoken_platform::{Fault, FaultScope, Leaf, Platform, Running, ServerKey, TlsVersions};

use super::{
    Case, code,
    once::{Door, WITHOUT_TOKEN},
};
use crate::{
    cutter::Cutter,
    dice::Dice,
    images::Of,
    trial::{HOST, ID, Trial},
};

/// Time is in no hurry: an emulated processor has to reckon through the handshake within the 3 s for connecting.
const HURRY: u32 = 1;

/// Both versions, and both kinds of keys.
const VERSIONS_AND_KEYS: [(TlsVersions, ServerKey); 2] =
    [(TlsVersions::Only12, ServerKey::Rsa), (TlsVersions::Only13, ServerKey::Ecdsa)];

pub(super) fn all() -> Vec<Case> {
    let mut all = vec![
        Case::new("TLS: accepts and never shakes hands", silence),
        Case::new("TLS: 40 handshakes cut anywhere, then a token", cut_handshakes),
        Case::new("TLS: a record of the reply cut in the middle, then a token", cut_record),
        Case::new("TLS: no length and no close_notify: cut, and not believed", cut_at_the_end),
        Case::new("TLS: a stranger in the platform's place gets no alarm", stranger_later),
        Case::new("TLS: 30 connections leave nothing on the heap", |trial| connections(trial, Leaf::Good)),
        Case::new("TLS: 30 refused certificates leave nothing on the heap", |trial| {
            connections(trial, Leaf::WrongHost)
        }),
    ];
    all.iter_mut().for_each(|case| case.of = Of::WithTls);
    all
}

/// A platform with such a door, and the way to it.
fn platform(trial: &mut Trial<'_>, door: Door, cuts: Vec<u64>) -> io::Result<(Arc<Running>, Cutter)> {
    let builder = Platform::builder().account(Trial::account()).speed(HURRY.into());
    let platform = trial.platform(door.on(builder))?;
    let address = platform.https_addr().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((platform, Cutter::new(address, cuts)?))
}

fn words(trial: &Trial<'_>, platform: &Running, way: &Cutter, attempts: u32) -> io::Result<Vec<String>> {
    let mut words = Trial::words_for(&format!("https://{HOST}:{}", way.port()), HURRY, attempts);
    words.extend(trial.trust(platform)?);
    Ok(words)
}

fn silence(trial: &mut Trial<'_>) -> io::Result<()> {
    // The system accepts for it.
    let nobody = TcpListener::bind("127.0.0.1:0")?;
    let words = Trial::words_for(&format!("https://{HOST}:{}", nobody.local_addr()?.port()), HURRY, 1);
    let board = trial.boot(&words)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::NO_CONNECTION);
    trial.expect_said(&lines, "no connection in time");
    trial.expect_no_alarm(WITHOUT_TOKEN);
    Ok(())
}

/// Each connection of the rehearsal ends at another byte of what the server sends until it has shaken hands, but for two
/// before them and two after them.
fn cut_handshakes(trial: &mut Trial<'_>) -> io::Result<()> {
    const CUTS: usize = 40;
    for (seed, (versions, key)) in (0..).zip(VERSIONS_AND_KEYS) {
        let mut dice = Dice::seeded(seed);
        // Less than any certificate needs.
        let cuts = [u64::MAX; 2].into_iter().chain((0..CUTS).map(|_| 1 + dice.below(500))).collect();
        let (platform, way) = platform(trial, Door { versions, key, leaf: Leaf::Good }, cuts)?;
        let mut words = words(trial, &platform, &way, 1)?;
        words.push(format!("connections={}", CUTS + 4));
        let board = trial.boot(&words)?;
        let lines = trial.wait(board)?;
        trial.expect_code(code::FRESH);
        trial.expect_said(&lines, "is good for");
        let cut =
            lines.iter().filter(|line| line.contains("rehearsal") && line.contains("could not be agreed")).count();
        trial.expect(cut == CUTS, || format!("{cut} of {CUTS} connections ended within the handshake"));
        expect_no_growth(trial, &lines, CUTS + 4);
        trial.expect_fetched(&platform, 1);
    }
    trial.expect_alarms(VERSIONS_AND_KEYS.len());
    Ok(())
}

/// What the platform sends on a connection with one fetch, in bytes: learnt from one that is left alone.
fn whole(trial: &mut Trial<'_>, door: Door, prepare: impl Fn(&Running)) -> io::Result<u64> {
    let (platform, way) = platform(trial, door, Vec::new())?;
    prepare(&platform);
    let words = words(trial, &platform, &way, 1)?;
    let board = trial.boot(&words)?;
    trial.wait(board)?;
    trial.expect_code(code::FRESH);
    Ok(way.came())
}

/// The platform's last words are the record with the reply and, in 24 to 31 bytes, that it closes.
fn cut_record(trial: &mut Trial<'_>) -> io::Result<()> {
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let door = Door { versions, ..Door::GOOD };
        let all = whole(trial, door, |_| {})?;
        let (platform, way) = platform(trial, door, vec![all - 100])?;
        let words = words(trial, &platform, &way, 2)?;
        let board = trial.boot(&words)?;
        let lines = trial.wait(board)?;
        trial.expect_code(code::FRESH);
        trial.expect_said(&lines, "the connection broke before the reply was complete");
        trial.expect_said(&lines, "is good for");
        // The first was executed, too.
        trial.expect_fetched(&platform, 2);
    }
    // One of each boot.
    trial.expect_alarms(4);
    Ok(())
}

/// A reply without a length ends with its connection. Without the record that says so, anybody on the way could have ended
/// it.
fn cut_at_the_end(trial: &mut Trial<'_>) -> io::Result<()> {
    let until_close = |platform: &Running| platform.fault(Fault::UntilClose, FaultScope::every_call());
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let door = Door { versions, ..Door::GOOD };
        let all = whole(trial, door, until_close)?;
        let (platform, way) = platform(trial, door, vec![all - 8])?;
        until_close(&platform);
        let words = words(trial, &platform, &way, 1)?;
        let board = trial.boot(&words)?;
        let lines = trial.wait(board)?;
        trial.expect_code(code::CUT);
        trial.expect_said(&lines, "the connection broke before the reply was complete");
        trial.expect_fetched(&platform, 1);
    }
    // Of the boots that were left alone.
    trial.expect_alarms(2);
    Ok(())
}

/// The token is fetched from the platform, and another server answers when the alarm is to be sent: the token is a secret,
/// too.
fn stranger_later(trial: &mut Trial<'_>) -> io::Result<()> {
    let (platform, way) = platform(trial, Door::GOOD, Vec::new())?;
    let mut words = words(trial, &platform, &way, 1)?;
    words.extend(["trip=8".to_owned(), "sends=1".to_owned()]);
    let board = trial.boot(&words)?;
    trial.expect_soon("it has a token", || platform.counters().account(ID).fetched_in_all() == 1);
    platform.set_leaf(Leaf::ForeignAuthority)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::CERTIFICATE);
    trial.expect_said(&lines, "is good for");
    trial.expect_said(&lines, "no authority that this device trusts has signed it");
    trial.expect_fetched(&platform, 1);
    trial.expect_no_alarm("nobody to trust");
    Ok(())
}

fn connections(trial: &mut Trial<'_>, leaf: Leaf) -> io::Result<()> {
    const CONNECTIONS: usize = 30;
    for (versions, key) in VERSIONS_AND_KEYS {
        let (platform, way) = platform(trial, Door { versions, key, leaf }, Vec::new())?;
        let mut words = words(trial, &platform, &way, 1)?;
        words.push(format!("connections={CONNECTIONS}"));
        let board = trial.boot(&words)?;
        let lines = trial.wait(board)?;
        let (code, what) = match leaf {
            Leaf::Good => (code::FRESH, "opened and closed"),
            _ => (code::CERTIFICATE, "certificate is not trusted"),
        };
        trial.expect_code(code);
        let rehearsed = lines.iter().filter(|line| line.contains("rehearsal") && line.contains(what)).count();
        trial.expect(rehearsed == CONNECTIONS, || format!("{rehearsed} connections are {what}"));
        expect_no_growth(trial, &lines, CONNECTIONS);
        trial.expect_fetched(&platform, u64::from(leaf == Leaf::Good));
    }
    match leaf {
        Leaf::Good => trial.expect_alarms(VERSIONS_AND_KEYS.len()),
        _ => trial.expect_no_alarm(WITHOUT_TOKEN),
    }
    Ok(())
}

/// After the first of so many connections, none leaves a byte behind. The first may: what Mbed TLS makes once and keeps,
/// such as a number that it reckons out of an authority's key.
fn expect_no_growth(trial: &mut Trial<'_>, lines: &[String], connections: usize) {
    let in_use: Vec<u64> = lines
        .iter()
        .filter(|line| line.contains("rehearsal"))
        .filter_map(|line| line.rsplit_once("; ")?.1.split_once(' ')?.0.parse().ok())
        .collect();
    trial.expect(in_use.len() == connections, || format!("{} of {connections} say what is in use", in_use.len()));
    if let [_, second, .., last] = in_use[..] {
        trial.expect(second == last, || format!("heap in use: {second} bytes after two connections, {last} at last"));
        trial.note(format!("heap in use: {second} bytes after 2 connections, {last} after {connections}"));
    }
}
