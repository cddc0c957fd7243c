//! How many fetches a day may cost, whatever happens in it.

use super::*;

const DAY: u64 = 86_400_000;

/// Every attempt from `scene.now` for `span`, ended by `end`; returns the instants.
fn attempts(scene: &mut Scene, span: u64, mut end: impl FnMut(&mut Scene, Fetch)) -> Vec<u64> {
    let (until, mut at) = (scene.now + span, Vec::new());
    for _ in 0..ENDLESS {
        if scene.now >= until {
            return at;
        }
        match scene.poll() {
            Action::Fetch(fetch) => {
                at.push(scene.now);
                end(scene, fetch);
            }
            Action::Wait(at) => scene.now = at.as_millis().min(until),
        }
    }
    panic!("attempts without end");
}

#[test]
fn a_day_of_failures_costs_the_limit_at_most_and_the_reserve_is_spread() {
    let mut scene = Scene::new(STABLE);
    let start = scene.now;
    let at = attempts(&mut scene, DAY, |s, f| drop(s.refuse(f, -1)));
    assert!(at.len() <= 500 && at.len() > 450, "{}", at.len());
    // Recovery is never far, even after the budget for ordinary fetches is gone.
    let ends = at.iter().skip(1).copied().chain([start + DAY]);
    let longest = at.iter().zip(ends).map(|(from, to)| to - from).max();
    assert!(longest <= Some(30 * 60_000), "{longest:?}");
    let first_spread = at.get(451).expect("the reserve was used") - start;
    assert!(first_spread > 3 * 3_600_000, "haste must not use up the day: {first_spread}");
    assert_eq!(scene.keeper.ledger(scene.instant()).resets_in.as_millis(), 0);
}

#[test]
fn what_was_not_sent_costs_nothing() {
    let mut scene = Scene::new(STABLE);
    let at = attempts(&mut scene, DAY, |s, f| drop(s.fail(f, Failure::NotSent)));
    assert!(at.len() > 2_500, "{}", at.len());
    assert_eq!(scene.keeper.ledger(scene.instant()).fetches, 0);
    scene.now = scene.keeper.poll_at().as_millis();
    let fetch = scene.fetch();
    assert_eq!(scene.grant(fetch, "a", 7200), Outcome::Granted { generation: 1 });
}

#[test]
fn the_reserve_is_for_when_nothing_valid_is_held() {
    let mut scene = Scene::with(TOKEN, Policy::ROTATING.with_daily_limit(10, 5));
    let fetch = scene.fetch();
    scene.grant(fetch, "a", 86_400);
    let expires_at = scene.now + 86_398_000;
    scene.keeper.restore_ledger(
        scene.instant(),
        Ledger { fetches: 5, forced: 0, resets_in: core::time::Duration::from_secs(86_400) },
    );
    // The lead would be six hours; the unreserved part is used up, so it waits for the last minute or the new day.
    assert_eq!(scene.wait(), expires_at - 60_000);
    scene.after(60_000).report("a");
    scene.fetch();
}

#[test]
fn used_up_is_used_up_until_the_day_ends() {
    let mut scene = Scene::with(STABLE, Policy::STABLE.with_daily_limit(3, 1));
    let first = scene.now;
    let at = attempts(&mut scene, DAY - 1, |s, f| drop(s.refuse(f, -1)));
    assert_eq!(at.len(), 3);
    assert_eq!(scene.keeper.poll_at().as_millis(), first + DAY);
    let at = attempts(&mut scene, DAY, |s, f| drop(s.refuse(f, -1)));
    assert_eq!(at.first(), Some(&(first + DAY)));
}

#[test]
fn the_day_is_the_platforms_where_the_time_is_known() {
    let mut scene = Scene::with(STABLE, Policy::STABLE.with_daily_limit(3, 1));
    // Ten minutes to midnight in Beijing.
    scene.keeper.wall_clock(scene.instant(), 86_400 * 19_000 + 16 * 3600 - 600);
    let midnight = scene.now + 600_000;
    let at = attempts(&mut scene, 600_000, |s, f| drop(s.refuse(f, -1)));
    assert_eq!(at.len(), 3);
    let next = attempts(&mut scene, DAY - 1, |s, f| drop(s.refuse(f, -1)));
    assert!(next.first() >= Some(&midnight) && next.len() == 3, "{next:?}");
    // Told again in the middle of a day, the count stays.
    scene.keeper.wall_clock(scene.instant(), 86_400 * 19_001 + 16 * 3600 - 3600);
    assert_eq!(scene.keeper.ledger(scene.instant()).fetches, 3);
}

#[test]
fn a_keeper_asleep_for_days_wakes_with_an_empty_ledger() {
    let mut scene = Scene::with(STABLE, Policy::STABLE.with_daily_limit(3, 1));
    scene.keeper.wall_clock(scene.instant(), 86_400 * 19_000);
    let ends = 16 * 3_600_000 + scene.now;
    attempts(&mut scene, 600_000, |s, f| drop(s.refuse(f, -1)));
    scene.at(ends + 5 * DAY + 1_000);
    scene.fetch();
    let ledger = scene.keeper.ledger(scene.instant());
    assert_eq!((ledger.fetches, ledger.resets_in.as_millis()), (1, u128::from(DAY - 1_000)));
}

#[test]
fn a_restored_ledger_counts_on() {
    let mut scene = Scene::with(STABLE, Policy::STABLE.with_daily_limit(3, 1));
    let hour = core::time::Duration::from_secs(3600);
    scene.keeper.restore_ledger(scene.instant(), Ledger { fetches: 3, forced: 1, resets_in: hour });
    let now = scene.now;
    assert_eq!(scene.keeper.ledger(scene.instant()), Ledger { fetches: 3, forced: 1, resets_in: hour });
    scene.next_fetch_at(now + 3_600_000);
    // A store that claims a reset in a year is not believed beyond a day.
    let mut scene = Scene::with(STABLE, Policy::STABLE.with_daily_limit(3, 1));
    let now = scene.now;
    let year = core::time::Duration::from_secs(365 * 86_400);
    scene.keeper.restore_ledger(scene.instant(), Ledger { fetches: 9, forced: 0, resets_in: year });
    scene.next_fetch_at(now + DAY);
}
