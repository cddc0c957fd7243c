//! One fetches, the others wait or use what is valid; nobody is stranded.

use std::{thread, time::Duration};

use wxtoken::{Client, Endpoint, Error, Reason, TransportError};

use crate::world::{Gate, REFRESH_AFTER_S, Script, World, all_at_once, builder, grant, on, refuse, token, until};

/// 64 threads ask for a token at the same moment.
fn tokens_at_once(client: &Client, world: &World, gate: &Gate) -> Vec<Result<String, Error>> {
    all_at_once(world, gate, || client.clone().token().map(|t| t.as_str().to_owned()))
}

#[test]
fn museum_07_one_fetch_is_one_exchange() {
    let world = World::sleeping();
    let script = Script::new(|_| Err(TransportError::Broken));
    let client = builder(&world, &script).build().expect("fine");
    // Less than the shortest backoff, so that the one layer that retries has no time to.
    assert!(client.token_within(Duration::from_millis(20)).is_err());
    assert_eq!(script.exchanges(), 1);
}

#[test]
fn museum_11_64_cold_callers_cost_one_fetch() {
    for background in [false, true] {
        let (world, gate) = (World::still(), Gate::default());
        let door = gate.clone();
        let script = Script::new(move |n| {
            door.pass();
            grant(n)
        });
        let client = builder(&world, &script).background(background).build().expect("fine");
        let tokens = tokens_at_once(&client, &world, &gate);
        assert!(tokens.iter().all(|t| t.as_deref().is_ok_and(|t| t == token(1))));
        assert_eq!(script.exchanges(), 1, "background {background}");
    }
}

#[test]
fn when_the_one_fetch_fails_64_callers_learn_why_at_once() {
    for background in [false, true] {
        let (world, gate) = (World::still(), Gate::default());
        let door = gate.clone();
        let script = Script::new(move |_| {
            door.pass();
            refuse(40013, "invalid appid")
        });
        let client = builder(&world, &script).background(background).build().expect("fine");
        for outcome in tokens_at_once(&client, &world, &gate) {
            let error = outcome.expect_err("refused");
            assert!(matches!(error, Error::Configuration { .. }), "{error:?}");
            assert_eq!(error.refusal().map(|r| r.errcode()), Some(40013));
            assert_eq!(error.next_in(), Some(Duration::from_secs(300)));
        }
        assert_eq!(script.exchanges(), 1, "background {background}");
    }
}

#[test]
fn museum_12_a_valid_token_is_served_while_another_thread_refreshes() {
    for background in [false, true] {
        let (world, gate) = (World::still(), Gate::default());
        let door = gate.clone();
        let script = Script::new(move |n| {
            if n == 2 {
                door.pass();
            }
            grant(n)
        });
        let client = builder(&world, &script).background(background).build().expect("fine");
        assert_eq!(client.token().expect("fetched").as_str(), token(1));
        world.advance_s(REFRESH_AFTER_S);
        thread::scope(|scope| {
            let refreshing = scope.spawn(|| client.token().map(|t| t.as_str().to_owned()));
            gate.await_arrivals(1);
            for _ in 0..100 {
                assert_eq!(client.token().expect("still valid").as_str(), token(1));
            }
            if background {
                let own = refreshing.join().expect("no panic").expect("valid");
                assert_eq!(own, token(1), "the refresher is at the gate, not this caller");
                gate.open();
            } else {
                gate.open();
                assert_eq!(refreshing.join().expect("no panic").expect("fetched"), token(2));
            }
        });
        until(|| client.status().generation == 2);
        assert_eq!(client.token().expect("new").as_str(), token(2));
        assert_eq!(script.exchanges(), 2);
    }
}

#[test]
fn the_refresher_refreshes_by_itself_and_ends_with_the_last_client() {
    let (world, script) = (World::still(), Script::tokens());
    let client = builder(&world, &script).background(true).build().expect("fine");
    assert_eq!(script.exchanges(), 0, "nobody has asked yet");
    client.token().expect("fetched");
    for n in 2..=5 {
        world.advance_s(REFRESH_AFTER_S);
        until(|| script.exchanges() == n && !client.status().fetching);
    }
    let status = client.status();
    assert_eq!((status.generation, status.ledger.fetches, status.trouble), (5, 5, None));
    let clone = client.clone();
    drop(client);
    assert!(clone.token().is_ok(), "a clone is left");
    drop(clone);
    // No alarm rings: the end itself must wake the refresher, which then lets go of the transport.
    until(|| script.is_unused());
}

#[test]
fn a_panicking_transport_strands_nobody() {
    for background in [false, true] {
        let (world, gate) = (World::still(), Gate::default());
        let door = gate.clone();
        let script = Script::new(move |n| {
            if n == 1 {
                door.pass();
                panic!("a transport with a mistake, on purpose");
            }
            grant(n)
        });
        let client = builder(&world, &script).background(background).wait(Duration::ZERO).build().expect("fine");
        let patient = Duration::from_secs(10);
        thread::scope(|scope| {
            let callers: Vec<_> = (0..8).map(|_| scope.spawn(|| client.token_within(patient))).collect();
            gate.await_arrivals(1);
            gate.open();
            // The wait after a panic is a backoff of at most a second: it counts as an exchange that may have been made.
            until(|| client.status().trouble.is_some());
            assert_eq!(client.status().trouble, Some(Reason::Transport(TransportError::Panicked)));
            world.advance_s(1);
            for caller in callers {
                assert_eq!(caller.join().expect("no panic").expect("second try").as_str(), token(2));
            }
        });
        assert_eq!(script.exchanges(), 2);
    }
}

#[test]
fn a_caller_waits_until_its_deadline_and_no_longer() {
    let (world, gate) = (World::still(), Gate::default());
    let door = gate.clone();
    let script = Script::new(move |n| {
        door.pass();
        grant(n)
    });
    let client = builder(&world, &script).background(true).build().expect("fine");
    thread::scope(|scope| {
        let caller = scope.spawn(|| client.token_within(Duration::from_millis(1500)));
        gate.await_arrivals(1);
        world.advance(Duration::from_millis(1499));
        until(|| world.waits() >= 2);
        assert!(!caller.is_finished());
        world.advance(Duration::from_millis(1));
        let error = caller.join().expect("no panic").expect_err("too slow");
        assert!(matches!(error, Error::Deadline { waited } if waited == Duration::from_millis(1500)), "{error}");
        gate.open();
    });
    until(|| client.status().generation == 1);
    assert!(client.token_within(Duration::ZERO).is_ok());
}

#[test]
fn no_wait_means_what_is_held_or_an_error_and_no_exchange_of_ones_own() {
    let (world, script) = (World::still(), Script::tokens());
    let client = builder(&world, &script).build().expect("fine");
    let error = client.token_within(Duration::ZERO).expect_err("nothing held");
    assert!(matches!(error, Error::Deadline { .. }));
    assert_eq!(script.exchanges(), 0);
}

#[test]
fn the_shortest_wait_is_worth_one_try_on_a_machine_that_stalls() {
    let wait = Duration::from_millis(1);
    let script = Script::tokens();
    let client = builder(&World::stalling(), &script).build().expect("fine");
    assert_eq!(client.token_within(wait).expect("fetched").as_str(), token(1));
    let script = Script::new(|_| refuse(-1, "system error"));
    let client = builder(&World::stalling(), &script).build().expect("fine");
    let error = client.token_within(wait).expect_err("refused");
    assert_eq!(error.refusal().map(|r| r.errcode()), Some(-1), "{error}");
    assert_eq!(script.exchanges(), 1, "one try and no more");
}

#[test]
fn a_passing_failure_is_retried_within_the_wait() {
    let world = World::sleeping();
    let script = Script::new(|n| if n < 3 { Err(TransportError::NameNotFound) } else { grant(n) });
    let client = builder(&world, &script).build().expect("fine");
    assert_eq!(client.token().expect("third try").as_str(), token(3));
    let status = client.status();
    assert_eq!(status.ledger.fetches, 1, "what was not sent costs nothing");
    assert_eq!(status.trouble, None);
}

#[test]
fn museum_3_a_failed_refresh_costs_no_valid_token() {
    let world = World::still();
    let script = Script::new(|n| if n == 1 { grant(n) } else { refuse(-1, "system error") });
    let client = builder(&world, &script).build().expect("fine");
    client.token().expect("fetched");
    world.advance_s(REFRESH_AFTER_S);
    assert_eq!(client.token().expect("kept").as_str(), token(1));
    assert_eq!(script.exchanges(), 2);
    let status = client.status();
    assert!(status.to_string().contains("the platform is busy"), "{status}");
    assert_eq!(status.remaining, Some(Duration::from_secs(7198 - REFRESH_AFTER_S)));
    world.advance_s(1800);
    let error = client.token_within(Duration::ZERO).expect_err("museum 6: over is over");
    assert!(matches!(error, Error::Deadline { .. } | Error::Unavailable { .. }), "{error:?}");
}

#[test]
fn a_transport_that_never_returns_is_given_up_and_its_late_reply_ignored() {
    let (world, gate) = (World::still(), Gate::default());
    let door = gate.clone();
    let script = Script::new(move |n| {
        if n == 1 {
            door.pass();
        }
        grant(n)
    });
    // Idempotent, so that no quiet window follows.
    let client = on(&Endpoint::WORK, &world, &script).background(true).build().expect("fine");
    thread::scope(|scope| {
        let first = scope.spawn(|| client.token_within(Duration::from_secs(14)));
        gate.await_arrivals(1);
        world.advance_s(15);
        assert!(matches!(first.join().expect("no panic"), Err(Error::Deadline { .. })));
        // The next caller finds the exchange lost, waits out the backoff, and does without the refresher.
        let second = scope.spawn(|| client.token());
        until(|| client.status().trouble == Some(Reason::Lost));
        world.advance_s(1);
        assert_eq!(second.join().expect("no panic").expect("second exchange").as_str(), token(2));
        gate.open();
    });
    until(|| !client.status().fetching);
    assert_eq!(client.token().expect("the newer one stays").as_str(), token(2));
    assert_eq!(client.status().generation, 1);
}
