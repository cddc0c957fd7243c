//! What a report of a refused token does, and what it must not do.

use super::*;

#[test]
fn only_the_token_that_was_seen_is_dropped() {
    let (mut scene, _) = Scene::granted(TOKEN);
    scene.after(60_000);
    for _ in 0..1_000 {
        assert_eq!(scene.report("older"), ReportOutcome::Replaced);
    }
    assert_eq!(scene.token(), Some("a"));
    assert_eq!(scene.report("a"), ReportOutcome::Refreshing);
    assert_eq!(scene.token(), None);
    let fetch = scene.fetch();
    assert_eq!(scene.report("a"), ReportOutcome::Refreshing, "one flight serves all");
    scene.grant(fetch, "b", 7200);
    assert_eq!(scene.report("a"), ReportOutcome::Replaced);
    assert_eq!(scene.token(), Some("b"));
}

#[test]
fn a_young_token_gets_one_report_without_consequence() {
    let (mut scene, sent) = Scene::granted(TOKEN);
    scene.at(sent + 29_999);
    assert_eq!(scene.report("a"), ReportOutcome::Kept);
    assert_eq!(scene.token(), Some("a"));
    assert_eq!(scene.report("a"), ReportOutcome::HeldOff(Instant::from_millis(sent + 30_000)), "only one");
    assert_eq!(scene.token(), None);
    scene.next_fetch_at(sent + 30_000);

    let (mut scene, sent) = Scene::granted(TOKEN);
    scene.at(sent + 30_000);
    assert_eq!(scene.report("a"), ReportOutcome::Refreshing, "30 s old is not young");
}

#[test]
fn every_token_has_its_own_grace() {
    let (mut scene, sent) = Scene::granted(TOKEN);
    assert_eq!(scene.report("a"), ReportOutcome::Kept);
    scene.at(sent + 40_000);
    scene.report("a");
    let fetch = scene.fetch();
    scene.grant(fetch, "b", 7200);
    assert_eq!(scene.report("b"), ReportOutcome::Kept);
}

#[test]
fn a_report_never_shortens_a_backoff() {
    let (mut scene, _) = Scene::granted(TOKEN);
    scene.now = scene.keeper.poll_at().as_millis();
    let fetch = scene.fetch();
    scene.refuse(fetch, 40164);
    let until = scene.now + 300_000;
    assert_eq!(scene.after(1_000).report("a"), ReportOutcome::HeldOff(Instant::from_millis(until)));
    scene.next_fetch_at(until);
}

#[test]
fn an_expired_token_needs_no_report() {
    let (mut scene, sent) = Scene::granted(TOKEN);
    scene.at(sent + 7_198_000);
    assert_eq!(scene.report("a"), ReportOutcome::Refreshing);
    assert_eq!(scene.report("never seen"), ReportOutcome::Refreshing);
}

#[test]
fn stable_token_is_forced_only_when_a_plain_fetch_repeats_the_refused_token() {
    let (mut scene, _) = Scene::granted(STABLE);
    scene.after(60_000).report("a");
    let fetch = scene.fetch();
    assert!(!fetch.is_forced(), "somebody else may have rotated it: then a plain fetch is enough");
    let repeated = scene.now;
    assert_eq!(scene.grant(fetch, "a", 7000), Outcome::Repeated);
    assert_eq!(scene.token(), None, "refused stays refused");
    let fetch = scene.next_fetch_at(repeated + 30_000);
    assert!(fetch.is_forced());
    // Pending until a different token arrives.
    assert_eq!(scene.grant(fetch, "a", 6900), Outcome::Repeated);
    let fetch = scene.next_fetch_at(repeated + 60_000);
    assert!(fetch.is_forced());
    scene.grant(fetch, "b", 7200);
    // And then no more: force is one-shot.
    scene.now = scene.keeper.poll_at().as_millis();
    assert!(!scene.fetch().is_forced());
}

#[test]
fn a_forced_refresh_that_fails_waits_30_s_and_stays_pending() {
    let (mut scene, _) = Scene::granted(STABLE);
    scene.after(60_000).report("a");
    let fetch = scene.fetch();
    scene.grant(fetch, "a", 7000);
    scene.now = scene.keeper.poll_at().as_millis();
    let (fetch, sent) = (scene.fetch(), scene.now);
    scene.after(10).fail(fetch, Failure::MaybeSent);
    assert!(scene.next_fetch_at(sent + 30_000).is_forced());
}

#[test]
fn without_forced_refreshes_left_the_issuers_word_is_taken() {
    let mut scene = Scene::with(STABLE, Policy::STABLE.with_forced_limit(0));
    let fetch = scene.fetch();
    scene.grant(fetch, "a", 7200);
    scene.after(60_000).report("a");
    let fetch = scene.fetch();
    scene.grant(fetch, "a", 7000);
    assert_eq!(scene.token(), Some("a"));
}

#[test]
fn the_forced_budget_is_20_a_day_and_then_plain_fetches_serve() {
    let (mut scene, _) = Scene::granted(STABLE);
    scene.after(60_000).report("a");
    let mut forced = 0;
    for _ in 0..40 {
        scene.now = scene.now.max(scene.keeper.poll_at().as_millis());
        let fetch = scene.fetch();
        forced += u32::from(fetch.is_forced());
        scene.grant(fetch, "a", 7000);
        if scene.token().is_some() {
            break;
        }
    }
    assert_eq!((forced, scene.token()), (20, Some("a")));
}

#[test]
fn work_serves_a_token_again_that_the_issuer_stands_by() {
    let (mut scene, _) = Scene::granted(WORK);
    scene.after(60_000).report("a");
    let fetch = scene.fetch();
    assert!(!fetch.is_forced());
    assert_eq!(scene.grant(fetch, "a", 7200), Outcome::Repeated);
    assert_eq!(scene.token(), Some("a"));
}

#[test]
fn a_platform_that_refuses_every_token_does_not_burn_the_day() {
    let mut scene = Scene::new(TOKEN);
    let start = scene.now;
    let mut fetches = 0;
    for _ in 0..ENDLESS {
        if scene.now >= start + 86_400_000 {
            break;
        }
        match scene.poll() {
            Action::Fetch(fetch) => {
                fetches += 1;
                let token = format!("t{fetches}");
                scene.grant(fetch, &token, 7200);
                scene.report(&token);
                scene.report(&token);
            }
            Action::Wait(until) => scene.now = until.as_millis(),
        }
    }
    assert!((50..70).contains(&fetches), "{fetches}: doubling from 30 s to 30 min");
}

#[test]
fn a_token_that_worked_for_a_while_ends_the_streak() {
    let mut scene = Scene::new(TOKEN);
    for n in 0..20 {
        scene.now = scene.now.max(scene.keeper.poll_at().as_millis());
        let fetch = scene.fetch();
        let token = format!("t{n}");
        scene.grant(fetch, &token, 7200);
        // Somebody else rotates the same account every minute.
        scene.after(60_000);
        assert_eq!(scene.report(&token), ReportOutcome::Refreshing, "{n}");
    }
}

#[test]
fn rotate_serves_the_old_token_until_the_new_one_is_there() {
    for (endpoint, forced) in [(STABLE, true), (TOKEN, false), (WORK, false)] {
        let (mut scene, sent) = Scene::granted(endpoint);
        assert_eq!(
            scene.keeper.rotate(scene.instant()),
            ReportOutcome::HeldOff(Instant::from_millis(sent + 30_000)),
            "the floor holds"
        );
        assert_eq!(scene.token(), Some("a"));
        let fetch = scene.next_fetch_at(sent + 30_000);
        assert_eq!(fetch.is_forced(), forced);
        scene.grant(fetch, "b", 7200);
        assert_eq!(scene.token(), Some("b"));
        assert!(scene.wait() > sent + 6_000_000 - 600_000, "once");
    }
}

#[test]
fn a_wish_to_rotate_that_is_not_granted_is_not_repeated_for_ever() {
    let mut scene = Scene::with(STABLE, Policy::STABLE.with_forced_limit(0));
    let (fetch, sent) = (scene.fetch(), scene.now);
    scene.grant(fetch, "a", 7200);
    scene.keeper.rotate(scene.instant());
    let fetch = scene.next_fetch_at(sent + 30_000);
    assert!(!fetch.is_forced(), "none are left to force");
    assert_eq!(scene.grant(fetch, "a", 7170), Outcome::Repeated);
    assert!(scene.wait() > sent + 6_000_000);
}

#[test]
fn a_forced_refresh_refused_for_quota_gives_way_to_plain_fetches() {
    let (mut scene, _) = Scene::granted(STABLE);
    scene.after(60_000).report("a");
    let fetch = scene.fetch();
    scene.grant(fetch, "a", 7000);
    scene.now = scene.keeper.poll_at().as_millis();
    let fetch = scene.fetch();
    assert!(fetch.is_forced());
    scene.refuse(fetch, 45009);
    let now = scene.now;
    let fetch = scene.next_fetch_at(now + 60_000);
    assert!(!fetch.is_forced(), "today's forced refreshes are gone");
    scene.grant(fetch, "a", 6900);
    assert_eq!(scene.token(), Some("a"), "the issuer's word is all there is");
}

#[test]
fn a_token_the_issuer_stands_by_although_it_is_refused_does_not_burn_the_day() {
    let (mut scene, start) = Scene::granted(WORK);
    let mut fetches = 0;
    scene.after(60_000);
    for _ in 0..ENDLESS {
        if scene.now >= start + 7_000_000 {
            break;
        }
        scene.report("a");
        match scene.poll() {
            Action::Fetch(fetch) => {
                fetches += 1;
                scene.grant(fetch, "a", 7200);
            }
            Action::Wait(until) => scene.now = until.as_millis(),
        }
    }
    assert!((5..12).contains(&fetches), "{fetches}: doubling from 30 s");
}
