//! 64 callers at once, against the platform over real sockets: what does their trouble cost?

use std::{sync::Barrier, thread, time::Duration};

use wxtoken::{Call, CallError, CallReason, Client, Endpoint, GaveUp, Reason};
use wxtoken_platform::{Fault, FaultScope, Overlap};

use crate::{time::Time, world::ID};

const CALLERS: usize = 64;

/// All at once. Nobody has to wait for a second fetch: less than the half minute that two are apart.
const LIMIT: Duration = Duration::from_secs(25);

fn crowd(client: &Client) -> Vec<Result<(), CallError>> {
    let barrier = Barrier::new(CALLERS);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    client.call_within(&Call::get("/cgi-bin/getcallbackip").expect("fine"), LIMIT).map(drop)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("no panic")).collect()
    })
}

#[test]
fn a_token_rotated_elsewhere_costs_one_fetch_and_all_succeed() {
    for overlap in [Overlap::EachSuperseded, Overlap::DirectPredecessor, Overlap::None] {
        for background in [true, false] {
            let time = Time::still(overlap);
            let client = time.builder(&Endpoint::TOKEN).background(background).build().expect("fine");
            let held = client.token().expect("a token");
            time.platform.rotate_elsewhere(ID).expect("known");
            time.advance_s(301);
            assert!(!time.platform.token_is_valid(ID, held.as_str()), "{overlap:?}");
            let before = time.fetches();
            for outcome in crowd(&client) {
                outcome.unwrap_or_else(|error| panic!("{overlap:?} {background}: {error}"));
            }
            assert_eq!(time.fetches() - before, 1, "{overlap:?} {background}");
        }
    }
}

#[test]
fn while_the_older_token_lives_on_nothing_needs_healing() {
    for (overlap, cost) in [(Overlap::EachSuperseded, 0), (Overlap::DirectPredecessor, 0), (Overlap::None, 1)] {
        let time = Time::still(overlap);
        let client = time.builder(&Endpoint::TOKEN).build().expect("fine");
        client.token().expect("a token");
        time.advance_s(60);
        time.platform.rotate_elsewhere(ID).expect("known");
        time.advance_s(60);
        let before = time.fetches();
        assert!(crowd(&client).iter().all(Result::is_ok));
        assert_eq!(time.fetches() - before, cost, "{overlap:?}");
    }
}

#[test]
fn a_stable_token_that_is_refused_costs_one_normal_and_one_forced_fetch_at_most() {
    let time = Time::still(Overlap::None);
    let client = time.builder(&Endpoint::STABLE_TOKEN).build().expect("fine");
    client.token().expect("a token");
    time.advance_s(60);
    time.platform.force_elsewhere(ID).expect("known");
    time.advance_s(301);
    let before = time.fetches();
    assert!(crowd(&client).iter().all(Result::is_ok));
    assert!(time.fetches() - before <= 2, "{}", time.fetches() - before);
}

#[test]
fn a_platform_that_refuses_every_token_costs_two_fetches_at_most_and_everybody_hears_why() {
    for endpoint in [&Endpoint::TOKEN, &Endpoint::STABLE_TOKEN] {
        for background in [true, false] {
            let time = Time::still(Overlap::None);
            let client = time.builder(endpoint).background(background).build().expect("fine");
            client.token().expect("a token");
            time.advance_s(60);
            let before = time.fetches();
            time.platform.fault(Fault::TokenRefused { errcode: None }, FaultScope::every_call());
            for outcome in crowd(&client) {
                let error = outcome.expect_err("every token is refused");
                assert!(matches!(error, CallError::Unavailable(_)), "{error}");
                assert!(!error.maybe_executed(), "{error}");
                match error.reason() {
                    CallReason::GaveUp(given_up) => {
                        assert!(matches!(given_up.why, GaveUp::RefusedAgain | GaveUp::NoOtherToken), "{error}");
                        assert_eq!(given_up.errcode, Some(40_001), "{error}");
                    }
                    // Who comes when the tokens of the others have been refused.
                    CallReason::NoToken { error, errcode } => {
                        assert!(matches!(error.reason(), Some(Reason::TooSoon)), "{error}");
                        assert!(matches!(errcode, None | Some(40_001)), "{errcode:?}");
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert!(time.fetches() - before <= 2, "{}: {}", endpoint.name(), time.fetches() - before);
        }
    }
}
