//! Who comes late does not give up while a fetch is under way, and does not wait longer than it may.

use std::{thread, time::Duration};

use wxtoken::{Call, CallError, CallReason, Error};

use crate::{
    script::{Script, errcode, ok, tokens},
    world::{Gate, World, grant, token, until},
};

const SHORT: Duration = Duration::from_secs(3);

/// The second fetch stands at the gate, and takes longer than any call here may.
fn scene() -> (World, Script, Gate) {
    let gate = Gate::default();
    let door = gate.clone();
    let fetch = move |n| {
        if n == 2 {
            door.pass();
        }
        grant(n)
    };
    let script = Script::with(fetch, |_, with, _| if with == token(1) { errcode(40_001) } else { ok() });
    (World::still(), script, gate)
}

#[test]
fn a_fetch_under_way_is_waited_for_although_the_keepers_next_would_come_too_late() {
    let (world, script, gate) = scene();
    let client = script.primed(&world);
    let call = Call::post("/x", b"{}").expect("fine");
    thread::scope(|scope| {
        let first = scope.spawn(|| client.call(&call).map(drop));
        gate.await_arrivals(1);
        // It finds no token, and the exchange under way may take ten seconds: more than it has.
        let waits = world.waits();
        let second = scope.spawn(|| client.call_within(&call, SHORT).map(drop));
        until(|| world.waits() > waits || second.is_finished());
        let gave_up = second.is_finished();
        gate.open();
        assert!(!gave_up, "given up although a fetch is under way");
        first.join().expect("no panic").expect("healed");
        second.join().expect("no panic").expect("served by the other's fetch");
    });
    assert_eq!((script.fetches(), script.sent()), (2, tokens(&[1, 2, 2])));
}

#[test]
fn when_its_time_is_over_it_says_so() {
    let (world, script, gate) = scene();
    let client = script.primed(&world);
    let call = Call::post("/x", b"{}").expect("fine");
    thread::scope(|scope| {
        let first = scope.spawn(|| client.call(&call).map(drop));
        gate.await_arrivals(1);
        let waits = world.waits();
        let second = scope.spawn(|| client.call_within(&call, SHORT).map(drop));
        until(|| world.waits() > waits);
        world.advance(SHORT + Duration::from_millis(1));
        let error = second.join().expect("no panic").expect_err("its time is over");
        let CallReason::NoToken { error: token, errcode: None } = error.reason() else { panic!("{error:?}") };
        assert!(matches!(**token, Error::Deadline { .. }), "{error}");
        assert!(matches!(error, CallError::Unavailable(_)), "{error}");
        gate.open();
        first.join().expect("no panic").expect("healed");
    });
    assert_eq!(script.sent(), tokens(&[1, 2]));
}
