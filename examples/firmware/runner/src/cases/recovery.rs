//! Does a gateway find its way back by itself?

use std::time::Duration;

use wxtoken_platform::{Fault, FaultScope, Running};

use super::once::{NO_TOKEN, Once};

fn listen(platform: &Running, yes: bool) {
    platform.set_listening(yes).expect("its own port can be bound again");
}

pub(super) fn all() -> Vec<Once> {
    vec![
        Once {
            prepare: Box::new(|platform| listen(platform, false)),
            code: super::code::NO_CONNECTION,
            says: &["refused, or no route", "check cable"],
            fetched: 0,
            alarms: NO_TOKEN,
            ..Once::named("port closed")
        },
        Once {
            faults: vec![(Fault::Cut { after: 10 }, FaultScope::next_call())],
            attempts: 2,
            says: &["closed before the reply was complete", "is good for"],
            fetched: 2,
            ..Once::named("recovers: cut once")
        },
        Once {
            faults: [Fault::Garbage, Fault::ResetBefore]
                .map(|fault| (fault, FaultScope::next_call().executed(false)))
                .into(),
            attempts: 3,
            says: &["is not the JSON of a WeChat reply", "the connection broke", "is good for"],
            ..Once::named("recovers: garbage, then a reset")
        },
        Once {
            prepare: Box::new(|platform| listen(platform, false)),
            meanwhile: Some((Duration::from_millis(1_500), |platform| listen(platform, true))),
            attempts: 100,
            says: &["refused, or no route", "is good for"],
            ..Once::named("recovers: an outage at boot")
        },
    ]
}
