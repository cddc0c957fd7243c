//! Does a gateway get its token, keep it fresh, and see what it is told to do?

use super::{
    code,
    once::{Alarms, Base, Door, NO_TOKEN, Once},
};
use crate::images::Of;

pub(super) fn all() -> Vec<Once> {
    vec![
        Once::named("a token"),
        Once {
            // 160 s from one fetch to the next, since the platform hands out a new token in the last 300 s only.
            account: |account| account.life_s(450),
            // More than it takes: in a hurry a connection may come too late.
            attempts: 20,
            tokens: 3,
            hurry: 60,
            says: &["token 1 is good for", "token 2 is good for", "token 3 is good for"],
            fetched: 3,
            ..Once::named("keeps it fresh: three tokens, time in a hurry")
        },
        Once {
            spread_s: 60,
            hurry: 60,
            attempts: 20,
            says: &["lets others go first, fetches in", "is good for"],
            ..Once::named("waits its turn after a boot, time in a hurry")
        },
        Once {
            of: Of::WithoutTls,
            base: Base::Https(Door::GOOD),
            // Nothing is sent before it is refused: not even a connection is opened.
            code: code::CONFIGURATION,
            says: &["this connector speaks plain TCP only", "the configuration is wrong"],
            fetched: 0,
            alarms: NO_TOKEN,
            ..Once::named("told to use https, which it cannot")
        },
        Once {
            // The emulator asks the resolver of this machine, which says no, or nothing at all.
            base: Base::Unknown,
            code: code::NO_CONNECTION,
            says: &["the host's name was not resolved"],
            fetched: 0,
            alarms: NO_TOKEN,
            ..Once::named("a name that nobody knows")
        },
        Once {
            base: Base::Missing,
            code: code::BAD_SETTINGS,
            says: &["settings: NoBase"],
            fetched: 0,
            alarms: Alarms::Cannot("it ends before its job begins"),
            ..Once::named("not told whom to ask")
        },
    ]
}
