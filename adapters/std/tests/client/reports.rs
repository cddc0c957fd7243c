//! A caller's token was refused: what happens, and what does not.

use std::time::Duration;

use wxtoken::{Endpoint, Error, Reason, Reported};

use crate::world::{Script, World, builder, grant, on, token};

#[test]
fn a_reported_token_is_replaced_and_late_reports_change_nothing() {
    let (world, script) = (World::still(), Script::tokens());
    let client = builder(&world, &script).build().expect("fine");
    let first = client.token().expect("fetched");
    world.advance_s(600);
    assert_eq!(client.report_refused(&first), Reported::Refreshing);
    let second = client.token().expect("another");
    assert_eq!(second.as_str(), token(2));
    for _ in 0..1000 {
        assert_eq!(client.report_refused(&first), Reported::Replaced, "museum 10");
    }
    assert_eq!(client.token().expect("unharmed").as_str(), token(2));
    assert_eq!(script.exchanges(), 2);
}

#[test]
fn a_young_token_is_tried_once_more() {
    let (world, script) = (World::still(), Script::tokens());
    let client = builder(&world, &script).build().expect("fine");
    let first = client.token().expect("fetched");
    world.advance_s(3);
    assert_eq!(client.report_refused(&first), Reported::Kept);
    assert_eq!(client.token().expect("kept").as_str(), token(1));
    // A second time it is believed, and the floor after a fetch is kept.
    assert_eq!(client.report_refused(&first), Reported::HeldOff(Duration::from_secs(27)));
    let error = client.token().expect_err("27 s are more than the 15 s a caller waits");
    assert!(matches!(&error, Error::Unavailable { reason: Reason::TooSoon, .. }), "{error}");
    assert_eq!(error.next_in(), Some(Duration::from_secs(27)));
    world.advance_s(27);
    assert_eq!(client.token().expect("another").as_str(), token(2));
}

#[test]
fn museum_22_refusals_without_end_do_not_fetch_without_end() {
    let (world, script) = (World::still(), Script::tokens());
    let client = builder(&world, &script).build().expect("fine");
    for _ in 0..3600 {
        if let Ok(token) = client.token_within(Duration::from_millis(1)) {
            client.report_refused(&token);
        }
        world.advance_s(1);
    }
    assert!(script.exchanges() <= 12, "{} fetches in an hour", script.exchanges());
}

#[test]
fn rotate_forces_once_on_stable_token() {
    let (world, script) = (World::still(), Script::tokens());
    let client = on(&Endpoint::STABLE_TOKEN, &world, &script).build().expect("fine");
    client.token().expect("fetched");
    world.advance_s(600);
    assert_eq!(client.rotate(), Reported::Refreshing);
    assert_eq!(client.token().expect("forced").as_str(), token(2));
    world.advance_s(60);
    assert_eq!(client.token().expect("held").as_str(), token(2));
    assert_eq!(client.status().ledger.forced, 1, "museum 26");
}

#[test]
fn a_mended_configuration_ends_the_wait() {
    let world = World::still();
    let script = Script::new(|n| if n == 1 { crate::world::refuse(40125, "invalid appsecret") } else { grant(n) });
    let client = builder(&world, &script).build().expect("fine");
    assert!(matches!(client.token(), Err(Error::Configuration { .. })));
    assert!(client.token().is_err());
    assert_eq!(script.exchanges(), 1);
    client.configuration_changed();
    assert_eq!(client.token().expect("at once").as_str(), token(2));
}

#[test]
fn a_report_wakes_the_refresher() {
    let (world, script) = (World::still(), Script::tokens());
    let client = builder(&world, &script).background(true).build().expect("fine");
    let first = client.token().expect("fetched");
    crate::world::until(|| !client.status().fetching);
    let waits = world.waits();
    world.advance_s(600);
    // The refresher has looked and waits again: only the report can wake it now.
    crate::world::until(|| world.waits() > waits);
    client.report_refused(&first);
    crate::world::until(|| client.status().generation == 2);
}
