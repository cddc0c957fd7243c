//! When a token is fetched, served, and no longer served.

use super::*;

#[test]
fn a_rotating_token_is_replaced_a_quarter_of_its_life_ahead() {
    let (mut scene, sent) = Scene::granted(TOKEN);
    let fetch = scene.next_fetch_at(sent + 7_198_000 - 1_800_000);
    assert_eq!(scene.token(), Some("a"), "served while it is replaced");
    assert_eq!(scene.grant(fetch, "b", 7200), Outcome::Granted { generation: 2 });
    assert_eq!(scene.token(), Some("b"));
}

#[test]
fn a_stable_token_is_replaced_in_its_last_300_seconds() {
    let (mut scene, sent) = Scene::granted(STABLE);
    scene.next_fetch_at(sent + 7_198_000 - 295_000);
}

#[test]
fn a_stable_token_met_halfway_keeps_the_same_lead() {
    let mut scene = Scene::new(STABLE);
    let (fetch, sent) = (scene.fetch(), scene.now);
    scene.grant(fetch, "a", 345);
    scene.next_fetch_at(sent + 343_000 - 295_000);
}

#[test]
fn jitter_is_drawn_once_and_shortens_the_lead_by_at_most_ten_seconds() {
    let mut seen = Vec::new();
    for seed in 0..200 {
        let mut keeper = Keeper::new(STABLE, seed);
        let now = Instant::from_millis(0);
        let Action::Fetch(fetch) = keeper.poll(now) else { panic!("cold") };
        keeper.handle_response(fetch.ticket(), now, 200, br#"{"access_token":"a","expires_in":7200}"#);
        let at = keeper.poll_at().as_millis();
        assert!((6_903_000..=6_913_000).contains(&at), "{at}");
        for later in [1, 1_000, 6_902_999] {
            assert_eq!(keeper.poll(Instant::from_millis(later)), Action::Wait(Instant::from_millis(at)));
        }
        seen.push(at);
    }
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 100, "seeds spread: {}", seen.len());
}

#[test]
fn a_token_is_served_up_to_its_expiry_and_not_at_it() {
    let (mut scene, sent) = Scene::granted(STABLE);
    scene.at(sent + 7_197_999);
    assert_eq!(scene.token(), Some("a"));
    assert_eq!(scene.keeper.remaining(scene.instant()).as_millis(), 1);
    scene.at(sent + 7_198_000);
    assert_eq!(scene.token(), None);
    assert!(scene.keeper.remaining(scene.instant()).is_zero());
}

#[test]
fn a_slow_reply_shortens_the_life() {
    let mut scene = Scene::new(STABLE);
    let (fetch, sent) = (scene.fetch(), scene.now);
    scene.after(9_000).grant(fetch, "a", 7200);
    scene.at(sent + 7_197_999);
    assert_eq!(scene.token(), Some("a"));
    scene.at(sent + 7_198_000);
    assert_eq!(scene.token(), None);
}

#[test]
fn the_floor_holds_whatever_the_replies_say() {
    for endpoint in [STABLE, TOKEN, WORK] {
        for expires_in in [0, 1, 2, 59, 300, 301, 7200] {
            let mut scene = Scene::new(endpoint);
            let mut last_success = None;
            for n in 0..100 {
                scene.now = scene.now.max(scene.keeper.poll_at().as_millis());
                let fetch = scene.fetch();
                if let Some(last) = last_success {
                    assert!(scene.now >= last + 30_000, "{endpoint:?} {expires_in} {n}");
                }
                if scene.grant(fetch, &format!("t{n}"), expires_in) == (Outcome::Granted { generation: n + 1 }) {
                    last_success = Some(scene.now);
                }
            }
            assert_eq!(last_success.is_some(), expires_in > 0, "0 is no life at all");
        }
    }
}

#[test]
fn a_lead_longer_than_the_life_is_halved_and_not_spun_on() {
    let mut scene = Scene::new(TOKEN);
    let (fetch, sent) = (scene.fetch(), scene.now);
    scene.grant(fetch, "a", 1000);
    scene.next_fetch_at(sent + 998_000 - 500_000);
    let mut scene = Scene::new(STABLE);
    let (fetch, sent) = (scene.fetch(), scene.now);
    scene.grant(fetch, "a", 100);
    scene.next_fetch_at(sent + 98_000 - 50_000);
}

#[test]
fn work_asks_60_s_ahead_and_then_when_the_token_is_certainly_dead() {
    let (mut scene, sent) = Scene::granted(WORK);
    let expires_at = sent + 7_198_000;
    let fetch = scene.next_fetch_at(expires_at - 60_000);
    // The same token, announced with a full life that it does not have.
    assert_eq!(scene.grant(fetch, "a", 7200), Outcome::Repeated);
    assert_eq!(scene.keeper.generation(), 1);
    scene.at(expires_at - 1);
    assert_eq!(scene.token(), Some("a"));
    scene.at(expires_at);
    assert_eq!(scene.token(), None, "a repeat does not move the known expiry");
    let fetch = scene.next_fetch_at(expires_at + 3_000);
    assert_eq!(scene.grant(fetch, "b", 7200), Outcome::Granted { generation: 2 });
}

#[test]
fn a_token_renewed_after_its_expiry_is_looked_at_again_after_a_minute() {
    let (mut scene, sent) = Scene::granted(WORK);
    let fetch = scene.next_fetch_at(sent + 7_138_000);
    scene.grant(fetch, "a", 7200);
    let fetch = scene.next_fetch_at(sent + 7_201_000);
    assert_eq!(scene.grant(fetch, "a", 7200), Outcome::Repeated);
    assert_eq!(scene.token(), Some("a"), "the issuer says it lives");
    let renewed = scene.now;
    let fetch = scene.next_fetch_at(renewed + 60_000);
    scene.grant(fetch, "a", 7200);
    scene.next_fetch_at(renewed + 7_198_000 - 60_000);
}

#[test]
fn a_repeat_that_announces_less_life_is_believed() {
    let (mut scene, sent) = Scene::granted(STABLE);
    let fetch = scene.next_fetch_at(sent + 6_903_000);
    scene.grant(fetch, "a", 100);
    scene.after(97_999);
    assert_eq!(scene.token(), Some("a"));
    scene.after(1);
    assert_eq!(scene.token(), None);
}

#[test]
fn a_stable_token_repeated_inside_its_last_seconds_is_asked_for_at_the_floor() {
    let (mut scene, sent) = Scene::granted(STABLE);
    let fetch = scene.next_fetch_at(sent + 6_903_000);
    assert_eq!(scene.grant(fetch, "a", 297), Outcome::Repeated);
    scene.next_fetch_at(sent + 6_933_000);
}

#[test]
fn work_does_not_ask_for_a_token_that_is_just_dying() {
    for (attempt, want) in [(-30_000, -30_000), (-29_999, 3_000), (0, 3_000), (2_999, 3_000), (3_000, 3_000)] {
        let (mut scene, sent) = Scene::granted(WORK);
        let expires_at = sent + 7_198_000;
        let at = |ms: i64| expires_at.saturating_add_signed(ms);
        let fetch = scene.next_fetch_at(at(-60_000));
        // The lead's attempt fails so that the next one would come at `attempt`.
        scene.fail(fetch, Failure::NotSent);
        scene.keeper.not_before = at(attempt);
        let fetch = scene.next_fetch_at(at(want));
        scene.grant(fetch, "b", 7200);
    }
    // Nor does it when its attempt was due before and nobody came: a sleeping device, a host with other work.
    for late in [-29_999, 0, 2_999] {
        let (mut scene, sent) = Scene::granted(WORK);
        scene.at((sent + 7_198_000).saturating_add_signed(late));
        assert_eq!(scene.wait(), sent + 7_201_000);
        scene.next_fetch_at(sent + 7_201_000);
    }
    // Reported refused, it is asked for all the same; what comes back is not believed beyond what was known.
    let (mut scene, sent) = Scene::granted(WORK);
    scene.at(sent + 7_197_999).report("a");
    let fetch = scene.at(sent + 7_198_000).fetch();
    scene.at(sent + 7_198_500).grant(fetch, "a", 7200);
    assert_eq!(scene.token(), None);
}
