//! What does a gateway make of a platform that says no? Each kind of person who can help is named.

use std::net::IpAddr;

use wxtoken_platform::Running;

use super::{
    code,
    once::{NO_TOKEN, Once},
};
use crate::trial::{ID, OTHER_SECRET};

fn refused(name: &str, errcode: i32, code: i32, says: &'static [&'static str]) -> Once {
    let prepare = Box::new(move |platform: &Running| {
        platform.refuse_with(ID, errcode).expect("the account is there");
    });
    Once { prepare, code, says, fetched: 0, alarms: NO_TOKEN, ..Once::named(name) }
}

pub(super) fn all() -> Vec<Once> {
    vec![
        Once {
            secret: OTHER_SECRET,
            code: code::CONFIGURATION,
            says: &["errcode 40125", "the configuration is wrong"],
            fetched: 0,
            alarms: NO_TOKEN,
            ..Once::named("secret refused (40125)")
        },
        Once {
            account: |account| account.allow_only([IpAddr::from([203, 0, 113, 7])]),
            code: code::ADDRESS,
            says: &["errcode 40164", "127.0.0.1", "ask the account's administrator"],
            fetched: 0,
            alarms: NO_TOKEN,
            ..Once::named("address not allowed (40164)")
        },
        refused("secret frozen (40243)", 40_243, code::PERSON, &["errcode 40243", "ask the account's administrator"]),
        refused("platform busy (-1)", -1, code::BUSY, &["errcode -1", "it passes by itself"]),
        refused("minute's quota used up (45011)", 45_011, code::BUSY, &["errcode 45011"]),
        refused("day's quota used up (45009)", 45_009, code::BUSY, &["errcode 45009"]),
    ]
}
