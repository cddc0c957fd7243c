//! What can happen to a gateway, and what must it then do and say? One entry a case.

use std::{net::IpAddr, time::Duration};

use wxtoken_platform::{Account, Fault, FaultScope, Running};

use crate::trial::{ID, SECRET};

/// What base URL the image is told to use.
#[derive(Clone, Copy)]
pub(crate) enum Base {
    Http,
    Https,
    /// None at all.
    Missing,
}

/// Something to do to the platform, so long after the boot.
pub(crate) type Meanwhile = (Duration, fn(&Running));

/// One case.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The secret on the platform's side.
    pub(crate) secret: &'static str,
    pub(crate) account: fn(Account) -> Account,
    pub(crate) prepare: Box<dyn Fn(&Running)>,
    pub(crate) base: Base,
    pub(crate) attempts: u32,
    pub(crate) tokens: u32,
    /// Seconds over which devices spread their first fetches.
    pub(crate) spread_s: u32,
    /// How fast time passes, for the image and for the platform.
    pub(crate) hurry: u32,
    /// Something that happens while the image runs.
    pub(crate) meanwhile: Option<Meanwhile>,
    /// The image's exit code, see the table in the README.
    pub(crate) code: i32,
    /// What its log must say.
    pub(crate) says: &'static [&'static str],
    /// How many fetches the platform must have granted.
    pub(crate) fetched: u64,
}

const FRESH: i32 = 0;
const BAD_SETTINGS: i32 = 2;
const CONFIGURATION: i32 = 10;
const ADDRESS: i32 = 11;
const PERSON: i32 = 12;
const BUSY: i32 = 13;
const NO_CONNECTION: i32 = 20;
const CUT: i32 = 21;
const TIMED_OUT: i32 = 22;
const FOREIGN: i32 = 23;
const MALFORMED: i32 = 24;

/// A case in which all is well, to be changed.
fn case(name: &'static str) -> Case {
    Case {
        name,
        secret: SECRET,
        account: |account| account,
        prepare: Box::new(|_| {}),
        base: Base::Http,
        attempts: 1,
        tokens: 1,
        spread_s: 0,
        hurry: 1,
        meanwhile: None,
        code: FRESH,
        says: &["is good for"],
        fetched: 1,
    }
}

/// A case in which every call meets a fault.
fn faulty(name: &'static str, fault: Fault, code: i32, says: &'static [&'static str], fetched: u64) -> Case {
    let prepare = Box::new(move |platform: &Running| platform.fault(fault.clone(), FaultScope::every_call()));
    Case { prepare, code, says, fetched, ..case(name) }
}

/// A case in which the reply is unusual and still right.
fn unusual(name: &'static str, fault: Fault) -> Case {
    faulty(name, fault, FRESH, &["is good for"], 1)
}

/// A case in which the platform refuses.
fn refused(name: &'static str, errcode: i32, code: i32, says: &'static [&'static str]) -> Case {
    let prepare = Box::new(move |platform: &Running| {
        platform.refuse_with(ID, errcode).expect("the account is there");
    });
    Case { prepare, code, says, fetched: 0, ..case(name) }
}

fn listen(platform: &Running, yes: bool) {
    platform.set_listening(yes).expect("its own port can be bound again");
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    vec![
        case("a token"),
        Case {
            // 160 s from one fetch to the next, since the platform hands out a new token in the last 300 s only.
            account: |account| account.life_s(450),
            attempts: 5,
            tokens: 3,
            hurry: 30,
            says: &["token 1 is good for", "token 2 is good for", "token 3 is good for"],
            fetched: 3,
            ..case("keeps it fresh: three tokens, time in a hurry")
        },
        Case {
            spread_s: 60,
            hurry: 30,
            says: &["lets others go first, fetches in", "is good for"],
            ..case("waits its turn after a boot, time in a hurry")
        },
        Case {
            secret: "another-key-than-the-device-has",
            code: CONFIGURATION,
            says: &["errcode 40125", "the configuration is wrong"],
            fetched: 0,
            ..case("secret refused (40125)")
        },
        Case {
            account: |account| account.allow_only([IpAddr::from([203, 0, 113, 7])]),
            code: ADDRESS,
            says: &["errcode 40164", "127.0.0.1", "ask the account's administrator"],
            fetched: 0,
            ..case("address not allowed (40164)")
        },
        refused("secret frozen (40243)", 40_243, PERSON, &["errcode 40243", "ask the account's administrator"]),
        refused("platform busy (-1)", -1, BUSY, &["errcode -1", "it passes by itself"]),
        Case {
            prepare: Box::new(|platform| listen(platform, false)),
            code: NO_CONNECTION,
            says: &["refused, or no route", "check cable"],
            fetched: 0,
            ..case("port closed")
        },
        Case {
            base: Base::Https,
            code: CONFIGURATION,
            says: &["this connector speaks plain TCP only", "the configuration is wrong"],
            fetched: 0,
            ..case("told to use https, which it cannot")
        },
        Case {
            base: Base::Missing,
            code: BAD_SETTINGS,
            says: &["settings: NoBase"],
            fetched: 0,
            ..case("not told whom to ask")
        },
        faulty("closed before the reply", Fault::ReplyLost, CUT, &["closed before the reply was complete"], 1),
        faulty("cut in mid-body", Fault::Cut { after: 10 }, CUT, &["closed before the reply was complete"], 1),
        faulty("reset before the reply", Fault::ResetBefore, CUT, &["the connection broke"], 1),
        faulty("reset in mid-body", Fault::ResetMidBody { after: 10 }, CUT, &["it is tried again by itself"], 1),
        faulty("silence", Fault::Silence, TIMED_OUT, &["no complete reply in time"], 1),
        faulty(
            "trickles for longer than an exchange may take",
            Fault::Trickle { bytes: 1, every_ms: 200 },
            TIMED_OUT,
            &["no complete reply in time"],
            1,
        ),
        faulty("oversize reply", Fault::Oversize { bytes: 100_000 }, FOREIGN, &["does not fit into the buffer"], 0),
        faulty(
            "redirected (302)",
            Fault::Redirect { location: "/elsewhere".to_owned() },
            FOREIGN,
            &["redirected, and not followed"],
            0,
        ),
        faulty(
            "a proxy's error page (502)",
            Fault::Status { status: 502 },
            FOREIGN,
            &["502", "not what the platform"],
            0,
        ),
        faulty("a captive portal's page", Fault::Html, MALFORMED, &["NotJson"], 0),
        faulty("garbage", Fault::Garbage, MALFORMED, &["NotJson"], 0),
        faulty("gzip that nobody asked for", Fault::GzipClaimed, FOREIGN, &["compressed"], 1),
        faulty("two lengths", Fault::DuplicateLength { differing_by: 1 }, FOREIGN, &["length is ambiguous"], 1),
        unusual("chunked", Fault::Chunked { chunk: 7, extensions: true, trailers: true, with_length: false }),
        unusual("interim replies first", Fault::Informational { count: 3 }),
        unusual("no length at all", Fault::UntilClose),
        unusual("byte by byte", Fault::Trickle { bytes: 1, every_ms: 1 }),
        Case {
            prepare: Box::new(|platform| platform.fault(Fault::Cut { after: 10 }, FaultScope::next_call())),
            attempts: 2,
            says: &["closed before the reply was complete", "is good for"],
            fetched: 2,
            ..case("recovers: cut once")
        },
        Case {
            prepare: Box::new(|platform| {
                for fault in [Fault::Garbage, Fault::ResetBefore] {
                    platform.fault(fault, FaultScope::next_call().executed(false));
                }
            }),
            attempts: 3,
            says: &["NotJson", "the connection broke", "is good for"],
            ..case("recovers: garbage, then a reset")
        },
        Case {
            prepare: Box::new(|platform| listen(platform, false)),
            meanwhile: Some((Duration::from_millis(1_500), |platform| listen(platform, true))),
            attempts: 100,
            says: &["refused, or no route", "is good for"],
            ..case("recovers: an outage at boot")
        },
    ]
}
