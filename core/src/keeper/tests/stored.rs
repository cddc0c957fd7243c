//! What is taken up from a store, and what is not.

use core::time::Duration;

use super::*;

fn restore(scene: &mut Scene, token: &str, remaining_s: u64, life_s: u64, generation: u32) -> bool {
    let token = Token::new(token).expect("a token");
    let (remaining, life) = (Duration::from_secs(remaining_s), Duration::from_secs(life_s));
    scene.keeper.restore(scene.instant(), &Snapshot { token: &token, remaining, life, generation })
}

#[test]
fn a_restart_costs_no_fetch_and_keeps_the_lead() {
    for endpoint in [STABLE, TOKEN, WORK] {
        let (mut scene, _) = Scene::granted(endpoint);
        let due = scene.keeper.poll_at();
        scene.after(2_000_000);
        let snapshot = scene.keeper.snapshot(scene.instant()).expect("held");
        let mut again = Scene::new(endpoint);
        again.now = scene.now;
        assert!(again.keeper.restore(again.instant(), &snapshot));
        assert_eq!(again.token(), Some("a"));
        assert_eq!(again.keeper.generation(), 1);
        let shift = again.keeper.poll_at().as_millis().abs_diff(due.as_millis());
        assert!(shift <= 1_000, "{shift}");
    }
}

#[test]
fn what_cannot_be_true_is_not_taken() {
    for (remaining, life) in [(0, 7200), (86_401, 86_401), (u64::MAX / 1000, 7200)] {
        let mut scene = Scene::new(STABLE);
        assert!(!restore(&mut scene, "x", remaining, life, 5), "{remaining}");
        assert_eq!(scene.token(), None);
        scene.fetch();
    }
    // A life shorter than what remains of it is mended, not believed.
    let mut scene = Scene::new(TOKEN);
    assert!(restore(&mut scene, "x", 7000, 0, 5));
    let now = scene.now;
    scene.next_fetch_at(now + 7_000_000 - 1_750_000);
}

#[test]
fn a_newer_one_replaces_and_an_older_one_does_not() {
    let (mut scene, _) = Scene::granted(TOKEN);
    assert!(!restore(&mut scene, "b", 7000, 7200, 1), "same generation, another token: not newer");
    assert!(restore(&mut scene, "b", 7000, 7200, 2));
    assert_eq!((scene.token(), scene.keeper.generation()), (Some("b"), 2));
}

#[test]
fn a_token_reported_refused_is_not_taken_back_from_the_store() {
    let (mut scene, _) = Scene::granted(TOKEN);
    scene.after(60_000).report("a");
    assert!(!restore(&mut scene, "a", 7000, 7200, 9));
    assert_eq!(scene.token(), None);
    // Another process already fetched a different one: no fetch is needed here.
    assert!(restore(&mut scene, "b", 7000, 7200, 1));
    assert_eq!((scene.token(), scene.keeper.generation()), (Some("b"), 2), "generations only rise");
    assert!(scene.wait() > scene.now);
}

#[test]
fn nothing_valid_is_nothing_to_store() {
    let (mut scene, sent) = Scene::granted(TOKEN);
    let life = scene.keeper.snapshot(scene.instant()).expect("held").life;
    assert_eq!(life, Duration::from_secs(7198));
    scene.at(sent + 7_198_000);
    assert!(scene.keeper.snapshot(scene.instant()).is_none());
}
