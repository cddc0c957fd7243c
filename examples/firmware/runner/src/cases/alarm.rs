//! What becomes of an alarm? It arrives once, whatever happens on its way; where it cannot, the log says why.

use std::io;

use wxtoken_platform::{Fault, FaultScope, Platform, Refusal, Running, TimeBase};

use super::{
    Case, code,
    once::{Alarms, Once},
    wire,
};
use crate::{
    board::LIMIT,
    trial::{ID, Trial, WORK_ID},
};

/// Where both kinds of message go.
pub(super) const MESSAGES: &str = "/cgi-bin/message/";

/// How many times as fast time passes where a wait of the queue is a minute, and where it is an hour.
const MINUTES: u32 = 20;
const HOURS: u32 = 300;
/// An address and a connection take real time, which is much of an image's time then.
const IN_A_HURRY: u32 = 9;
/// Where an exchange has to run into its limit of 10 s.
const SECONDS: u32 = 8;

/// Each fault of the wire, at the first call alone, and what else a call can meet.
pub(super) fn once() -> Vec<Once> {
    let mut all: Vec<Once> = wire::faults().into_iter().map(on_the_way).collect();
    all.extend(late());
    all.extend(refused());
    all.extend(never_told());
    all.push(Once {
        account: |account| account.token_length(512),
        ..Once::named("alarm: with the longest token that the platform documents")
    });
    all.push(Once { work: true, ..Once::named("alarm: to members of a corporation") });
    all
}

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new("alarm: its token was made void (40001), another is fetched", void_token),
        Case::new("alarm: the day's quota is used up (45009)", day_quota),
        Case::new("alarm: waits while nobody listens", outage),
        Case::new("alarm: more than can be kept, the oldest go", too_many),
    ]
}

/// The first call meets what `fetch` shows of a fetch. It is sent again, and the platform knows it again.
fn on_the_way(fetch: Once) -> Once {
    let fault = match fetch.faults.into_iter().next() {
        // The reply to a message is shorter than one with a token.
        Some((Fault::Trickle { bytes: 200, every_ms }, _)) => Fault::Trickle { bytes: 150, every_ms },
        Some((fault, _)) => fault,
        None => unreachable!("each of them has one"),
    };
    let right = fetch.code == code::FRESH;
    // A reply that does not fit into the buffer may do so for ever: it is not tried again at once.
    let put_off = matches!(fault, Fault::Oversize { .. });
    let says: &[_] = match (right, put_off) {
        (true, _) => &["done in 1 attempts", "has arrived"],
        (false, false) => &["done in 2 attempts", "has arrived"],
        (false, true) => &["does not fit into the buffer", "is put off, 1 of 31 tries used", "has arrived"],
    };
    Once {
        faults: vec![(fault, FaultScope::next_call().on_path(MESSAGES))],
        hurry: if put_off { MINUTES } else { SECONDS },
        attempts: IN_A_HURRY,
        says,
        retries: (!right).into(),
        ..Once::named(format!("alarm: {}", fetch.name))
    }
}

fn late() -> Vec<Once> {
    let delayed = || Fault::Delayed { ms: 12_000, by: TimeBase::Virtual };
    vec![
        Once {
            faults: vec![(Fault::Latency { ms: 5_000, by: TimeBase::Virtual }, FaultScope::every_call())],
            hurry: SECONDS,
            attempts: IN_A_HURRY,
            ..Once::named("each reply is 5 s late")
        },
        Once {
            // Given up after 10 s, fetched again, and executed after all.
            faults: vec![(delayed(), FaultScope::next_call())],
            hurry: SECONDS,
            attempts: 2,
            trips: &[0, 20],
            alarms: Alarms::Arrive(2),
            says: &["no complete reply in time", "is good for"],
            fetched: 2,
            ..Once::named("executed after it was given up")
        },
        Once {
            faults: vec![(delayed(), FaultScope::next_call().on_path(MESSAGES))],
            hurry: SECONDS,
            attempts: IN_A_HURRY,
            trips: &[0, 20],
            alarms: Alarms::Arrive(2),
            says: &["done in 2 attempts", "has arrived"],
            retries: 1,
            ..Once::named("alarm: executed after it was given up, and sent again")
        },
    ]
}

/// The platform says no, and it passes.
fn refused() -> Vec<Once> {
    let refuse = |name: &str, refusal: Refusal| Once {
        hurry: MINUTES,
        attempts: IN_A_HURRY,
        prepare: Box::new(move |platform: &Running| {
            let there = [ID, WORK_ID].map(|id| platform.refuse(id, refusal.clone()).is_ok());
            assert!(there.contains(&true), "one of the accounts is there");
        }),
        says: &["is put off, 1 of 31 tries used", "has arrived"],
        ..Once::named(name)
    };
    let token_refused = |errcode| vec![(Fault::TokenRefused { errcode }, FaultScope::next_call())];
    vec![
        Once {
            // The platform is eventually consistent, so nothing is fetched for it.
            faults: token_refused(None),
            hurry: MINUTES,
            attempts: IN_A_HURRY,
            says: &["refused with errcode 40001", "is put off, 1 of 31 tries used", "has arrived"],
            refused: 1,
            retries: 1,
            ..Once::named("alarm: a token so young that it is not known everywhere (40001)")
        },
        Once {
            // It hands out the same token once more before one is forced.
            faults: token_refused(Some(42_001)),
            hurry: SECONDS,
            attempts: IN_A_HURRY,
            trips: &[40],
            says: &["refused with errcode 42001", "the same token", "token 2 is good for", "has arrived"],
            refused: 1,
            retries: 3,
            fetched: 3,
            ..Once::named("alarm: its token is refused although it lives (42001)")
        },
        Once {
            hurry: SECONDS,
            attempts: IN_A_HURRY,
            says: &["done in 3 attempts", "has arrived"],
            refused: 2,
            retries: 2,
            ..refuse("alarm: the platform is busy twice (-1)", Refusal::using(-1).times(2))
        },
        Once {
            refused: 3,
            retries: 3,
            waits_s: 60,
            ..refuse("alarm: the platform is busy for longer than a call waits (-1)", Refusal::using(-1).times(3))
        },
        Once {
            refused: 1,
            retries: 1,
            waits_s: 60,
            ..refuse("alarm: the minute's quota is used up (45011)", Refusal::using(45_011).times(1))
        },
        Once {
            work: true,
            refused: 1,
            retries: 1,
            waits_s: 60,
            ..refuse("alarm: WeCom was called too often (45009)", Refusal::using(45_009).times(1))
        },
    ]
}

/// It never gets through, and the run ends with the reason.
fn never_told() -> Vec<Once> {
    let silence = |executed| vec![(Fault::Silence, FaultScope::every_call().on_path(MESSAGES).executed(executed))];
    let unanswered = |name, executed, alarms| Once {
        faults: silence(executed),
        hurry: SECONDS,
        attempts: IN_A_HURRY,
        sends: Some(1),
        code: code::TIMED_OUT,
        says: &[
            "given up after 3 attempts",
            "it may have been executed all the same",
            "is put off, 1 of 31 tries used",
        ],
        alarms,
        retries: 3,
        ..Once::named(name)
    };
    vec![
        unanswered("alarm: taken over, and never answered", true, Alarms::Arrive(1)),
        unanswered("alarm: never answered nor taken over", false, Alarms::Cannot("no call is executed")),
        Once {
            prepare: Box::new(|platform| {
                platform.refuse(ID, Refusal::using(-1)).expect("the account is there");
            }),
            hurry: MINUTES,
            attempts: IN_A_HURRY,
            sends: Some(2),
            code: code::BUSY,
            says: &["is put off, 2 of 31 tries used"],
            alarms: Alarms::Cannot("the platform stays busy"),
            refused: 6,
            retries: 6,
            ..Once::named("alarm: the platform stays busy (-1)")
        },
        Once {
            prepare: Box::new(|platform| {
                platform.refuse(ID, Refusal::using(48_001)).expect("the account is there");
            }),
            code: code::CONFIGURATION,
            says: &["errcode 48001", "is given up: it has not arrived", "the configuration is wrong"],
            alarms: Alarms::Cannot("the account may not send templates"),
            refused: 1,
            retries: 1,
            ..Once::named("alarm: the account may not send it (48001)")
        },
        Once {
            work: true,
            account: |account| account.agent(7),
            code: code::CONFIGURATION,
            says: &["errcode 301002", "is given up: it has not arrived", "the configuration is wrong"],
            alarms: Alarms::Cannot("the app is another one than the secret's"),
            refused: 1,
            retries: 1,
            ..Once::named("alarm: names another app (301002)")
        },
    ]
}

/// Somebody else makes the token void while all is quiet; the alarm finds out.
fn void_token(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(Platform::builder().account(Trial::account()).speed(SECONDS.into()))?;
    let mut words = Trial::words(&platform, SECONDS, 9);
    words.push("trip=40".to_owned());
    let mut board = trial.boot(&words)?;
    board.says("token 1 is good for", 1, LIMIT)?;
    platform.revoke_all(ID).map_err(io::Error::other)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    for words in ["refused with errcode 40001", "token 2 is good for", "done in 2 attempts", "has arrived"] {
        trial.expect_said(&lines, words);
    }
    trial.expect_fetched(&platform, 2);
    trial.expect_refused(&platform, 1..=1);
    trial.expect_alarms(1);
    Ok(())
}

/// There is no hurry: the next try is an hour later.
fn day_quota(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(Platform::builder().account(Trial::account()).speed(HOURS.into()))?;
    platform.refuse(ID, Refusal::using(45_009).lasting_ms(3_500_000)).map_err(io::Error::other)?;
    let board = trial.boot(&Trial::words(&platform, HOURS, IN_A_HURRY))?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    for words in ["the quota of this day is used up", "is put off, 1 of 31 tries used", "has arrived"] {
        trial.expect_said(&lines, words);
    }
    // An exchange has a thirtieth of a second here: a reply may come too late, and the call is made again at once.
    trial.expect_refused(&platform, 1..=3);
    trial.expect_alarms(1);
    Ok(())
}

/// It is held for as long as it takes, without using up a try, and sent when the platform is back.
fn outage(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(Platform::builder().account(Trial::account()).speed(SECONDS.into()))?;
    let mut words = Trial::words(&platform, SECONDS, 9);
    words.push("trip=10".to_owned());
    let mut board = trial.boot(&words)?;
    board.says("token 1 is good for", 1, LIMIT)?;
    platform.set_listening(false)?;
    let waits = board.says("was not sent and waits", 2, LIMIT)?;
    trial.expect(waits, || "it does not say that it waits".to_owned());
    platform.set_listening(true)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_said(&lines, "has arrived");
    trial.expect_ever_said("is put off", 0);
    trial.expect_fetched(&platform, 1);
    trial.expect_alarms(1);
    Ok(())
}

/// Ten in an outage, where eight are kept.
fn too_many(trial: &mut Trial<'_>) -> io::Result<()> {
    const RAISED: usize = 10;
    const KEPT: usize = 8;
    let platform = trial.platform(Platform::builder().account(Trial::account()).speed(SECONDS.into()))?;
    let mut words = Trial::words(&platform, SECONDS, 9);
    words.extend((0..RAISED).map(|n| format!("trip={}", 10 + n)));
    let mut board = trial.boot(&words)?;
    board.says("token 1 is good for", 1, LIMIT)?;
    platform.set_listening(false)?;
    board.says("the water stands at", RAISED, LIMIT)?;
    platform.set_listening(true)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_ever_said("is lost: only 8 are kept, and the oldest goes", RAISED - KEPT);
    trial.expect_alarms(KEPT);
    // In the order in which they came.
    let levels: Vec<String> = platform
        .messages()
        .iter()
        .map(|message| message.body["data"]["thing1"]["value"].as_str().unwrap_or_default().to_owned())
        .collect();
    let wanted: Vec<String> = (RAISED - KEPT..RAISED).map(|n| format!("水位 {} mm", 41 + n)).collect();
    trial.expect(levels == wanted, || format!("{levels:?} arrived, in this order"));
    trial.expect(!lines.is_empty(), || "it says nothing".to_owned());
    Ok(())
}
