//! `/cgi-bin/stable_token`: the same token with what is left of its life, until its last five minutes or a force.

use wxtoken_platform::ForcedPredecessor;

use crate::bench::{ID, MIDNIGHT, T, fetch, force, model, official, stable, token, using};

#[test]
fn hands_out_the_same_token_until_the_last_five_minutes() {
    let mut model = model(official());
    let first = stable(&mut model, T);
    let a = token(&first);
    assert_eq!(first.expires_in(), Some(7_200));
    for (after_ms, left_s) in [(1, 7_199), (1_000, 7_199), (1_001, 7_198), (6_855_000, 345), (6_899_999, 300)] {
        let again = stable(&mut model, T + after_ms);
        assert_eq!((token(&again), again.expires_in()), (a.clone(), Some(left_s)), "after {after_ms} ms");
    }
    let next = stable(&mut model, T + 6_900_000);
    assert_ne!(token(&next), a);
    assert_eq!(next.expires_in(), Some(7_200));
    // Both are valid for those five minutes, and the old one no longer than it would have been.
    assert_eq!(using(&mut model, T + 7_199_999, &a), 0);
    assert_eq!(using(&mut model, T + 7_199_999, &token(&next)), 0);
    assert_eq!(using(&mut model, T + 7_200_000, &a), 42_001);
    assert_eq!(using(&mut model, T + 7_200_000, &token(&next)), 0);
    assert_eq!(model.counters(T).account(ID).minted, 2);
}

#[test]
fn mints_after_the_expiry_too() {
    let mut model = model(official());
    let a = token(&stable(&mut model, T));
    assert_ne!(token(&stable(&mut model, T + 9_000_000)), a);
}

#[test]
fn a_force_mints_and_kills_the_predecessor() {
    let mut model = model(official());
    let a = token(&stable(&mut model, T));
    let forced = force(&mut model, T + 1_000);
    assert_eq!(forced.expires_in(), Some(7_200));
    assert_eq!(using(&mut model, T + 1_000, &a), 40_001);
    assert_eq!(using(&mut model, T + 1_000, &token(&forced)), 0);
    assert_eq!(token(&stable(&mut model, T + 2_000)), token(&forced));
}

#[test]
fn the_other_reading_lets_a_forced_predecessor_live_on() {
    let mut model = model(official().forced_predecessor(ForcedPredecessor::LivesOn));
    let a = token(&stable(&mut model, T));
    let b = token(&force(&mut model, T));
    assert_eq!(using(&mut model, T + 29_999, &a), 0);
    force(&mut model, T + 30_000);
    assert_eq!(using(&mut model, T + 30_000, &a), 40_001, "two forces, 30 s apart, kill a leaked token");
    assert_eq!(using(&mut model, T + 329_999, &b), 0);
    assert_eq!(using(&mut model, T + 330_000, &b), 40_001);
}

#[test]
fn forces_less_than_30_s_apart_do_not_refresh() {
    let mut model = model(official());
    let a = force(&mut model, T);
    let b = force(&mut model, T + 29_999);
    assert_eq!(token(&a), token(&b));
    assert_eq!(b.expires_in(), Some(7_170));
    assert_ne!(token(&force(&mut model, T + 30_000)), token(&a));
    assert_eq!(model.counters(T).account(ID).forced, 2);
}

#[test]
fn twenty_forces_a_day_and_the_day_ends_at_midnight_utc_plus_8() {
    let mut model = model(official());
    let start = MIDNIGHT + 86_400_000 - 21 * 30_000;
    for index in 0..20 {
        assert!(force(&mut model, start + index * 30_000).token().is_some());
    }
    let held = token(&stable(&mut model, start + 20 * 30_000));
    assert_eq!(force(&mut model, start + 20 * 30_000).errcode(), 45_009);
    assert_eq!(force(&mut model, MIDNIGHT + 86_400_000 - 1).errcode(), 45_009);
    assert_eq!(using(&mut model, MIDNIGHT + 86_400_000 - 1, &held), 0, "a refused force kills nothing");
    assert!(force(&mut model, MIDNIGHT + 86_400_000).token().is_some());
}

#[test]
fn a_force_too_soon_does_not_use_the_budget() {
    let mut model = model(official().quotas(|quotas| quotas.forced_per_day = 2));
    force(&mut model, T);
    for after in 1..20 {
        force(&mut model, T + after * 1_000);
    }
    let second = token(&force(&mut model, T + 30_000));
    assert_eq!(token(&stable(&mut model, T + 30_000)), second);
    assert_eq!(force(&mut model, T + 60_000).errcode(), 45_009);
}

#[test]
fn the_two_endpoints_do_not_touch_each_other() {
    let mut model = model(official());
    let stable_token = token(&stable(&mut model, T));
    let rotating = token(&fetch(&mut model, T));
    for step in 1..10 {
        fetch(&mut model, T + step);
    }
    assert_eq!(using(&mut model, T + 400_000, &stable_token), 0);
    assert_eq!(using(&mut model, T + 400_000, &rotating), 40_001);
    let last = token(&fetch(&mut model, T + 400_000));
    force(&mut model, T + 400_000);
    model.force_elsewhere(T + 500_000, ID).unwrap();
    assert_eq!(using(&mut model, T + 500_000, &last), 0);
    assert_eq!(using(&mut model, T + 500_000, &stable_token), 40_001);
}

#[test]
fn revoking_makes_room_for_a_new_token() {
    let mut model = model(official());
    let a = token(&stable(&mut model, T));
    model.revoke_all(T + 1, ID).unwrap();
    assert_eq!(using(&mut model, T + 1, &a), 40_001);
    assert_ne!(token(&stable(&mut model, T + 1)), a);
}
