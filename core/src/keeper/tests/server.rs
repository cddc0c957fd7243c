//! A token server as the source: it says when to come back, and hears what was refused.

use super::*;

const SERVER: &Endpoint = &Endpoint::TOKEN_SERVER;

fn granted(token: &str, expires_in: u32, refresh_after: &str) -> Vec<u8> {
    format!(r#"{{"access_token":"{token}","expires_in":{expires_in},"generation":7,"refresh_after":{refresh_after}}}"#)
        .into()
}

/// One exchange that brings this; returns the wait until the next.
fn exchange(scene: &mut Scene, status: u16, body: &[u8]) -> u64 {
    let Action::Fetch(fetch) = scene.poll() else { panic!("a fetch is due") };
    scene.keeper.handle_response(fetch.ticket(), scene.instant(), status, body);
    scene.keeper.poll_at().as_millis() - scene.now
}

#[test]
fn it_is_asked_again_when_it_says_within_floor_and_life() {
    for (said, waits_s) in [
        ("600", 600),
        ("7000", 7000),
        // No loop, whatever it says.
        ("1", 5),
        ("0", 7200 - 60 - 2),
        ("null", 7200 - 60 - 2),
        ("-5", 7200 - 60 - 2),
        // At the end at the latest.
        ("7200", 7197),
        ("4294967295", 7197),
        ("99999999999", 7200 - 60 - 2),
    ] {
        let mut scene = Scene::with(SERVER, SERVER.policy());
        let wait = exchange(&mut scene, 200, &granted("T1", 7200, said));
        assert!((waits_s * 1000..=waits_s * 1000 + 10_000).contains(&wait), "{said}: {wait}");
    }
}

#[test]
fn the_same_token_again_takes_its_word_again() {
    let mut scene = Scene::with(SERVER, SERVER.policy());
    let wait = exchange(&mut scene, 200, &granted("T1", 7200, "600"));
    scene.after(wait);
    assert_eq!(exchange(&mut scene, 200, &granted("T1", 6600, "300")), 300_000);
    assert_eq!(scene.keeper.generation(), 1);
}

#[test]
fn a_refused_token_is_named_until_it_is_replaced() {
    let mut scene = Scene::with(SERVER, SERVER.policy());
    exchange(&mut scene, 200, &granted("T1", 7200, "600"));
    assert_eq!(scene.keeper.refused(), None);
    scene.after(60_000);
    let (now, seen) = (scene.instant(), Fingerprint::of("T1"));
    assert_eq!(scene.keeper.report_refused(now, seen), ReportOutcome::Refreshing);
    assert_eq!(scene.keeper.refused(), Some(seen));
    // The server has none yet: the report is made again.
    let wait = exchange(&mut scene, 503, br#"{"type":"urn:wxtoken:problem:no-credential","title":"t","status":503}"#);
    assert!(wait <= 10_000, "{wait}");
    assert_eq!(scene.keeper.refused(), Some(seen));
    scene.after(wait);
    exchange(&mut scene, 200, &granted("T2", 7200, "600"));
    assert_eq!((scene.keeper.refused(), scene.keeper.generation()), (None, 2));
    // The server stands by it: its word is all there is.
    scene.after(60_000);
    let now = scene.instant();
    assert_eq!(scene.keeper.report_refused(now, Fingerprint::of("T2")), ReportOutcome::Refreshing);
    exchange(&mut scene, 200, &granted("T2", 7000, "600"));
    assert_eq!(scene.keeper.token(now).map(Token::as_str), Some("T2"));
}

#[test]
fn a_token_refused_while_it_is_asked_for_is_reported_next() {
    for unchanged in [false, true] {
        let mut scene = Scene::with(SERVER, SERVER.policy());
        let wait = exchange(&mut scene, 200, &granted("T1", 7200, "600"));
        // It asks because it is time, and has said nothing yet when a call is refused.
        let fetch = scene.after(wait).fetch();
        assert_eq!(scene.keeper.refused(), None);
        let (now, seen) = (scene.instant(), Fingerprint::of("T1"));
        assert_eq!(scene.keeper.report_refused(now, seen), ReportOutcome::Refreshing);
        let repeated = if unchanged {
            scene.keeper.handle_unchanged(fetch.ticket(), now, 6600, Some(600))
        } else {
            scene.keeper.handle_response(fetch.ticket(), now, 200, &granted("T1", 6600, "600"))
        };
        assert_eq!((repeated, scene.keeper.refused()), (Outcome::Repeated, Some(seen)));
        assert_eq!(scene.token(), None);
        // Told of it, the server stands by it.
        let fetch = scene.next_fetch_at(now.as_millis() + 5_000);
        scene.keeper.handle_response(fetch.ticket(), scene.instant(), 200, &granted("T1", 6595, "600"));
        assert_eq!((scene.keeper.refused(), scene.token()), (None, Some("T1")));
    }
}

#[test]
fn how_young_a_token_is_only_the_server_knows() {
    let mut scene = Scene::with(SERVER, SERVER.policy());
    exchange(&mut scene, 200, &granted("T1", 1000, "600"));
    scene.after(1);
    let seen = Fingerprint::of("T1");
    assert_eq!(scene.keeper.report_refused(scene.instant(), seen), ReportOutcome::Refreshing);
    let fetch = scene.fetch();
    assert_eq!(scene.keeper.refused(), Some(seen));
    // It was young, and the server kept it. The same report again would loop.
    scene.keeper.handle_response(fetch.ticket(), scene.instant(), 200, &granted("T1", 999, "600"));
    assert_eq!(scene.token(), Some("T1"));
    let held_off = Instant::from_millis(scene.now + 5_000);
    assert_eq!(scene.keeper.report_refused(scene.instant(), seen), ReportOutcome::HeldOff(held_off));
    // Nor does a report shorten the wait after a failure.
    let mut scene = Scene::with(SERVER, SERVER.policy());
    let wait = exchange(&mut scene, 200, &granted("T1", 7200, "600"));
    scene.after(wait);
    let wait = exchange(&mut scene, 503, b"{}");
    let held_off = Instant::from_millis(scene.now + wait);
    assert_eq!(scene.keeper.report_refused(scene.instant(), seen), ReportOutcome::HeldOff(held_off));
}

#[test]
fn a_wrong_key_is_not_tried_again_and_again_and_costs_no_token() {
    for status in [401, 403] {
        let mut scene = Scene::with(SERVER, SERVER.policy());
        let wait = exchange(&mut scene, 200, &granted("T1", 7200, "600"));
        scene.after(wait);
        for minutes in [1, 2, 4, 8, 10, 10] {
            let wait = exchange(&mut scene, status, br#"{"type":"t","title":"t","status":401,"act":"caller"}"#);
            assert_eq!(wait, minutes * 60_000, "{status}");
            assert!(scene.keeper.token(scene.instant()).is_some());
            scene.after(wait);
        }
        // Elsewhere such a status may pass by itself, as it did before.
        let mut scene = Scene::new(STABLE);
        assert!(exchange(&mut scene, status, b"<html>") <= 1_000);
    }
}
