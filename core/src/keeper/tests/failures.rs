//! What a failure costs: a wait of the right length, and never the token.

use super::*;

/// Ends one exchange at `scene.now` with `failure` and returns how long the wait is.
fn wait_after(scene: &mut Scene, end: impl FnOnce(&mut Scene, Fetch)) -> u64 {
    scene.now = scene.now.max(scene.keeper.poll_at().as_millis());
    let fetch = scene.fetch();
    end(scene, fetch);
    scene.wait() - scene.now
}

fn not_sent(scene: &mut Scene, fetch: Fetch) {
    scene.fail(fetch, Failure::NotSent);
}

#[test]
fn every_failure_keeps_the_token_and_is_followed_by_an_attempt() {
    type End = fn(&mut Scene, Fetch);
    let ends: [End; 10] = [
        not_sent,
        |s, f| drop(s.fail(f, Failure::MaybeSent)),
        |s, _| assert!(s.after(15_000).wait() > s.now),
        |s, f| drop(s.reply(f, "<html>")),
        |s, f| drop(s.grant(f, &"x".repeat(513), 7200)),
        |s, f| drop(s.grant(f, "b", 0)),
        |s, f| drop(s.grant(f, "b", 86_401)),
        |s, f| drop(s.keeper.handle_response(f.ticket(), s.instant(), 502, b"")),
        |s, f| drop(s.keeper.handle_response(f.ticket(), s.instant(), 302, br#"{"access_token":"b","expires_in":9}"#)),
        |s, f| drop(s.keeper.handle_response(f.ticket(), s.instant(), 200, &[b' '; 5000])),
    ];
    for end in ends {
        for endpoint in [STABLE, TOKEN, WORK] {
            let (mut scene, _) = Scene::granted(endpoint);
            scene.now = scene.keeper.poll_at().as_millis();
            let wait = wait_after(&mut scene, end);
            assert_eq!(scene.token(), Some("a"));
            assert!((250..=75_000).contains(&wait), "{wait}");
            scene.after(wait).fetch();
        }
    }
}

#[test]
fn every_errcode_is_followed_by_an_attempt_within_a_day() {
    for endpoint in [STABLE, TOKEN, WORK] {
        for code in (-2..=0).chain(40_000..=90_000).chain([i32::MAX, i32::MIN]) {
            if code == 0 {
                continue;
            }
            let mut scene = Scene::new(endpoint);
            let wait = wait_after(&mut scene, |s, f| drop(s.refuse(f, code)));
            assert!((250..=86_400_000).contains(&wait), "{code}: {wait}");
        }
    }
}

#[test]
fn the_backoff_doubles_to_a_minute_and_never_hammers() {
    let (mut scene, _) = Scene::granted(TOKEN);
    scene.now = scene.keeper.poll_at().as_millis();
    let mut ceiling = 1_000;
    for _ in 0..10 {
        let wait = wait_after(&mut scene, not_sent);
        assert!((250..=ceiling).contains(&wait), "{wait} of {ceiling}");
        ceiling = (ceiling * 2).min(60_000);
    }
    let long = (0..20).map(|_| wait_after(&mut scene, not_sent)).max();
    assert!(long > Some(20_000), "{long:?}: the ceiling is reached");
}

#[test]
fn the_backoff_stays_below_ten_seconds_when_little_life_is_left() {
    let mut scene = Scene::new(STABLE);
    for _ in 0..30 {
        assert!(wait_after(&mut scene, not_sent) <= 10_000, "nothing is held");
    }
    let (mut scene, sent) = Scene::granted(TOKEN);
    // Six failures reach the ceiling of a minute, before the last 600 s of life.
    scene.now = scene.keeper.poll_at().as_millis();
    for _ in 0..6 {
        wait_after(&mut scene, not_sent);
    }
    assert!(scene.now < sent + 6_598_000);
    scene.at(sent + 6_598_001);
    for _ in 0..20 {
        assert!(wait_after(&mut scene, not_sent) <= 10_000);
    }
}

#[test]
fn chance_never_draws_a_wait_below_a_quarter_of_the_first() {
    let first: Vec<_> =
        (0..400).map(|seed| wait_after(&mut Scene::seeded(STABLE, Policy::STABLE, seed), not_sent)).collect();
    assert!(first.iter().all(|wait| (250..=1_000).contains(wait)), "{first:?}");
    assert!(first.iter().any(|&wait| wait < 300) && first.iter().any(|&wait| wait > 950), "both ends are drawn");
}

#[test]
fn haste_begins_below_600_s_and_not_at_it() {
    let longest = |left: u64| {
        let of_seed = |seed| {
            let mut scene = Scene::seeded(TOKEN, Policy::ROTATING, seed);
            let fetch = scene.fetch();
            scene.grant(fetch, "a", 7200);
            let expires_at = scene.now + 7_198_000;
            scene.now = expires_at - left;
            scene.keeper.streak = 7;
            wait_after(&mut scene, not_sent)
        };
        (0..50).map(of_seed).max()
    };
    assert!(longest(600_000) > Some(10_000));
    assert!(longest(599_999) <= Some(10_000));
}

#[test]
fn haste_ends_after_sixty_failures() {
    let nth = |failures| {
        let of_seed = |seed| {
            let mut scene = Scene::seeded(STABLE, Policy::STABLE, seed);
            scene.keeper.streak = failures;
            wait_after(&mut scene, not_sent)
        };
        (0..50).map(of_seed).max()
    };
    assert!(nth(59) <= Some(10_000));
    assert!(nth(60) > Some(10_000));

    let mut scene = Scene::new(STABLE);
    let waits: Vec<_> = (0..160).map(|_| wait_after(&mut scene, not_sent)).collect();
    assert!(waits.iter().take(60).all(|&wait| wait <= 10_000));
    assert!(waits.iter().skip(60).any(|&wait| wait > 40_000));
}

#[test]
fn a_success_ends_the_streak() {
    let mut scene = Scene::new(STABLE);
    for _ in 0..8 {
        wait_after(&mut scene, not_sent);
    }
    assert_eq!(scene.keeper.trouble(), Some(Trouble::Failed(Failure::NotSent)));
    scene.now = scene.keeper.poll_at().as_millis();
    let fetch = scene.fetch();
    scene.grant(fetch, "a", 7200);
    assert_eq!(scene.keeper.trouble(), None);
    assert!(wait_after(&mut scene, not_sent) <= 1_000);
}

#[test]
fn two_kinds_of_passing_trouble_in_turn_do_not_restart_the_backoff() {
    let (mut scene, _) = Scene::granted(TOKEN);
    scene.now = scene.keeper.poll_at().as_millis();
    let mut longest = 0;
    for n in 0..12 {
        let wait = wait_after(&mut scene, |s, f| match n % 2 {
            0 => drop(s.refuse(f, -1)),
            _ => drop(s.reply(f, "garbage")),
        });
        longest = longest.max(wait);
    }
    assert!(longest > 5_000, "{longest}");
}

#[test]
fn quotas_wait_as_long_as_they_say() {
    let wait = |endpoint, codes: &[i32]| {
        let mut scene = Scene::new(endpoint);
        codes.iter().map(|&code| wait_after(&mut scene, |s, f| drop(s.refuse(f, code)))).collect::<Vec<_>>()
    };
    assert_eq!(wait(STABLE, &[45011, 45011]), [60_000, 60_000]);
    assert_eq!(wait(STABLE, &[45009, 45009]), [3_600_000, 3_600_000], "hourly probes while midnight is unknown");
    assert_eq!(wait(WORK, &[45009, 45009, 45009]), [60_000, 3_600_000, 3_600_000]);
    assert_eq!(wait(TOKEN, &[89507]), [3_600_000]);
    assert_eq!(wait(TOKEN, &[89506]), [86_400_000]);
}

#[test]
fn a_used_up_day_ends_at_midnight_in_beijing_where_the_time_is_known() {
    let mut scene = Scene::new(STABLE);
    // 15:40 UTC is 23:40 in Beijing.
    scene.keeper.wall_clock(scene.instant(), 1_700_000_000 / 86_400 * 86_400 + (15 * 60 + 40) * 60);
    let wait = wait_after(&mut scene, |s, f| drop(s.refuse(f, 45009)));
    assert!((1_200_000..=1_500_000).contains(&wait), "{wait}: twenty minutes and up to five");
    // Further from midnight than an hour, the hourly probe comes first: the hour of the reset is nowhere documented.
    let mut scene = Scene::new(STABLE);
    scene.keeper.wall_clock(scene.instant(), 1_700_000_000 / 86_400 * 86_400);
    assert_eq!(wait_after(&mut scene, |s, f| drop(s.refuse(f, 45009))), 3_600_000);
}

#[test]
fn configuration_and_people_are_waited_for_patiently() {
    for code in [40001, 40002, 40013, 40125, 40164, 40243, 41002, 41004, 43002, 43003, 61004, 89501, 89503, 50004] {
        let mut scene = Scene::new(TOKEN);
        let waits = [0; 5].map(|_| wait_after(&mut scene, |s, f| drop(s.refuse(f, code))));
        assert_eq!(waits, [300_000, 600_000, 1_200_000, 1_800_000, 1_800_000], "{code}");
    }
    for code in [40013, 40091, 60020] {
        assert_eq!(wait_after(&mut Scene::new(WORK), |s, f| drop(s.refuse(f, code))), 300_000, "{code}");
    }
}

#[test]
fn a_mended_configuration_is_tried_at_once() {
    let mut scene = Scene::new(TOKEN);
    wait_after(&mut scene, |s, f| drop(s.refuse(f, 40125)));
    scene.after(10);
    scene.keeper.configuration_changed(scene.instant());
    let now = scene.now;
    scene.next_fetch_at(now);
    // In mid-exchange: what is in flight carries the old secret and is given up.
    let stale = scene.keeper.in_flight().expect("in flight");
    scene.keeper.configuration_changed(scene.instant());
    let fetch = scene.next_fetch_at(now);
    assert_eq!(scene.keeper.handle_failure(stale, scene.instant(), Failure::NotSent), Outcome::Stale);
    assert_eq!(scene.grant(fetch, "a", 7200), Outcome::Granted { generation: 1 });
    // With a token held and nothing wrong, news of a configuration fetches nothing.
    scene.keeper.configuration_changed(scene.instant());
    assert!(scene.wait() > now + 30_000);
}

#[test]
fn a_mended_configuration_does_not_break_the_floor() {
    let (mut scene, sent) = Scene::granted(TOKEN);
    scene.report("a");
    scene.report("a");
    scene.keeper.configuration_changed(scene.instant());
    scene.next_fetch_at(sent + 30_000);
}

#[test]
fn an_exchange_nobody_speaks_of_is_lost_after_15_s() {
    let (mut scene, _) = Scene::granted(TOKEN);
    scene.now = scene.keeper.poll_at().as_millis();
    let (fetch, sent) = (scene.fetch(), scene.now);
    scene.at(sent + 14_999);
    assert_eq!(scene.wait(), sent + 15_000);
    assert_eq!(scene.at(sent + 15_000).wait(), sent + 15_000 + 75_000, "and then the quiet window");
    assert_eq!(scene.keeper.trouble(), Some(Trouble::Lost));
    assert_eq!(scene.grant(fetch, "late", 7200), Outcome::Stale, "too late to matter");
    assert_eq!(scene.token(), Some("a"));
}

#[test]
fn a_late_reply_of_an_older_exchange_changes_nothing() {
    let mut scene = Scene::new(STABLE);
    let old = scene.fetch();
    scene.after(15_000).wait();
    scene.now = scene.keeper.poll_at().as_millis();
    let new = scene.fetch();
    assert_eq!(scene.grant(old, "old", 7200), Outcome::Stale);
    assert_eq!(scene.keeper.in_flight(), Some(new.ticket()));
    scene.grant(new, "new", 7200);
    let before = format!("{:?}", scene.keeper);
    assert_eq!(scene.grant(old, "old", 7200), Outcome::Stale);
    assert_eq!(scene.fail(new, Failure::MaybeSent), Outcome::Stale, "a result is handed in once");
    assert_eq!((scene.token(), format!("{:?}", scene.keeper)), (Some("new"), before));
}

#[test]
fn the_quiet_window_is_for_rotating_endpoints_only() {
    for (endpoint, quiet) in [(TOKEN, true), (STABLE, false), (WORK, false)] {
        let (mut scene, _) = Scene::granted(endpoint);
        scene.now = scene.keeper.poll_at().as_millis();
        let wait = wait_after(&mut scene, |s, f| drop(s.fail(f, Failure::MaybeSent)));
        assert_eq!(wait == 75_000, quiet, "{wait}");
        assert!(quiet || wait <= 1_000);
    }
}

#[test]
fn the_quiet_window_ends_when_the_token_is_known_dead() {
    // Nothing held: nothing to protect.
    let mut scene = Scene::new(TOKEN);
    assert!(wait_after(&mut scene, |s, f| drop(s.fail(f, Failure::MaybeSent))) <= 1_000);

    // It expires inside the window.
    let (mut scene, sent) = Scene::granted(TOKEN);
    let expires_at = sent + 7_198_000;
    scene.at(expires_at - 20_000);
    let fetch = scene.fetch();
    scene.fail(fetch, Failure::MaybeSent);
    scene.next_fetch_at(expires_at);

    // It is reported inside the window.
    let (mut scene, _) = Scene::granted(TOKEN);
    scene.now = scene.keeper.poll_at().as_millis();
    assert_eq!(wait_after(&mut scene, |s, f| drop(s.fail(f, Failure::MaybeSent))), 75_000);
    assert_eq!(scene.after(2_000).report("a"), ReportOutcome::Refreshing);
    scene.fetch();
}

#[test]
fn a_refusal_names_the_product_and_the_address() {
    let mut scene = Scene::new(WORK);
    let fetch = scene.fetch();
    let body = r#"{"errcode":60020,"errmsg":"not allow, hint: [1691740144216840123456789], from ip: 203.0.113.7, x"}"#;
    let Outcome::Refused(refusal) = scene.reply(fetch, body) else { panic!("refused") };
    assert_eq!((refusal.errcode(), refusal.address()), (60020, Some("203.0.113.7")));
    let want = Refusal::new(Product::Work, crate::Phase::Fetching, 60020, "");
    assert_eq!(refusal.meaning(), want.meaning());
    // An errcode explains itself whatever the status.
    scene.now = scene.keeper.poll_at().as_millis();
    let fetch = scene.fetch();
    let outcome =
        scene.keeper.handle_response(fetch.ticket(), scene.instant(), 403, br#"{"errcode":40091,"errmsg":""}"#);
    assert!(matches!(outcome, Outcome::Refused(r) if r.errcode() == 40091));
}
