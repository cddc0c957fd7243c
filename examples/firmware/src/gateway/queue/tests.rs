extern crate std;

use std::vec::Vec;

use wxtoken_embedded::core::Instant;

use super::*;
use crate::gateway::Verdict;

const BUSY: Delivery = put_off(Patience::Grows);
const DAY_S: u64 = 86_400;

const fn put_off(patience: Patience) -> Delivery {
    Delivery::PutOff { verdict: Verdict::Busy, patience, may_have_arrived: false }
}

const fn unanswered() -> Delivery {
    Delivery::PutOff { verdict: Verdict::TimedOut, patience: Patience::Grows, may_have_arrived: true }
}

fn at(second: u64) -> Instant {
    Instant::from_millis(second * 1000)
}

fn trip(level_mm: u16) -> Trip {
    Trip { at: at(0), unix_s: None, level_mm }
}

fn alarms() -> Alarms {
    Alarms::new(17, 0xb007)
}

/// Each wait is as long as it should be, or by a quarter longer at most: neighbours are spread.
fn are_apart(tried: &[u64], waits_s: &[u64]) {
    let apart: Vec<u64> = tried.windows(2).map(|two| two[1] - two[0]).collect();
    // Tries are noted in whole seconds.
    let fits =
        apart.len() >= waits_s.len() && apart.iter().zip(waits_s).all(|(is, s)| (*s..=s + s / 4 + 1).contains(is));
    assert!(fits, "{apart:?} instead of {waits_s:?}");
}

/// Tries the alarm whenever it is due, until `limit` or until it is given up; the seconds at which it was tried.
fn tries(alarms: &mut Alarms, delivery: Delivery, limit: u64) -> Vec<u64> {
    let mut tried = Vec::new();
    while let Some(now) = alarms.due_at().filter(|now| *now <= at(limit)) {
        let alarm = alarms.due(now).expect("it is due when it says so");
        tried.push(now.as_millis() / 1000);
        alarms.tried(alarm.number, now, now, delivery);
    }
    tried
}

#[test]
fn they_are_sent_in_their_order_and_leave_when_they_have_arrived() {
    let mut alarms = alarms();
    assert_eq!((alarms.due(at(0)), alarms.due_at()), (None, None));
    let (first, _) = alarms.raise(trip(41));
    let (second, _) = alarms.raise(trip(42));
    assert_ne!(first.number, second.number);
    for alarm in [first, second] {
        assert_eq!(alarms.due(at(1)), Some(alarm));
        assert_eq!(alarms.tried(alarm.number, at(1), at(1), Delivery::Arrived), Fate::Arrived);
    }
    assert_eq!(alarms.due(at(1)), None);
}

#[test]
fn one_too_many_pushes_the_oldest_out_and_says_which() {
    let mut alarms = alarms();
    for count in 1..=KEPT {
        let (alarm, lost) = alarms.raise(trip(0));
        assert_eq!((alarm.number.count as usize, lost), (count, None));
    }
    let (_, lost) = alarms.raise(trip(0));
    assert_eq!(lost.map(|alarm| alarm.number.count), Some(1));
    assert_eq!((alarms.waiting(), alarms.due(at(0)).map(|alarm| alarm.number.count)), (KEPT, Some(2)));
}

#[test]
fn one_that_was_pushed_out_while_it_was_sent_takes_no_other_with_it() {
    let mut alarms = alarms();
    let (first, _) = alarms.raise(trip(0));
    for _ in 0..KEPT {
        alarms.raise(trip(0));
    }
    for delivery in [Delivery::Arrived, BUSY, Delivery::NotSent(Verdict::NoConnection), Delivery::Never(Verdict::Own)] {
        let mut alarms = alarms.clone();
        let fate = alarms.tried(first.number, at(0), at(0), delivery);
        assert_eq!(fate, if delivery == Delivery::Arrived { Fate::Arrived } else { Fate::GivenUp });
        assert_eq!((alarms.waiting(), alarms.due(at(0)).map(|alarm| alarm.number.count)), (KEPT, Some(2)));
    }
}

#[test]
fn while_nothing_can_be_sent_it_waits_without_limit_and_without_haste() {
    let mut alarms = alarms();
    alarms.raise(trip(0));
    let not_sent = tries(&mut alarms, Delivery::NotSent(Verdict::NoConnection), 30 * DAY_S);
    are_apart(&not_sent, &[5, 10, 20, 40, 60, 60, 60]);
    are_apart(&not_sent[4..], &[60; 30_000]);
    // After a month it has lost none of its tries.
    let month_s = *not_sent.last().expect("tried");
    assert!(month_s > 30 * DAY_S - 76);
    let put_off = tries(&mut alarms, BUSY, 60 * DAY_S);
    assert_eq!(put_off.len(), usize::from(MAX_TRIES));
    assert_eq!(alarms.waiting(), 0);
}

#[test]
fn what_is_put_off_is_tried_ever_less_often_and_given_up_after_a_day() {
    let mut alarms = alarms();
    alarms.raise(trip(0));
    let tried = tries(&mut alarms, BUSY, 30 * DAY_S);
    are_apart(&tried, &[60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    assert_eq!(tried.len(), usize::from(MAX_TRIES));
    let last = *tried.last().expect("tried");
    assert!((DAY_S..2 * DAY_S).contains(&last), "{last}");
    assert_eq!(alarms.due_at(), None);
}

#[test]
fn a_quota_is_given_time() {
    let mut alarms = alarms();
    alarms.raise(trip(0));
    let mut others = alarms.clone();
    // And a whole day of it is outlived.
    are_apart(&tries(&mut alarms, put_off(Patience::Hour), DAY_S), &[3_600; 18]);
    are_apart(&tries(&mut others, put_off(Patience::MinuteThenHour), DAY_S), &[60, 3_600, 3_600]);
    assert_eq!((alarms.waiting(), others.waiting()), (1, 1));
}

#[test]
fn a_wait_holds_for_those_that_come_later() {
    let mut alarms = alarms();
    let (first, _) = alarms.raise(trip(0));
    alarms.tried(first.number, at(0), at(10), put_off(Patience::Hour));
    alarms.raise(trip(0));
    assert!(alarms.due_at() >= Some(at(3_610)));
    assert_eq!(alarms.due(at(3_609)), None);
    assert_eq!(alarms.due(at(5_000)).map(|alarm| (alarm.number.count, alarm.tries)), Some((1, 1)));
}

#[test]
fn what_will_never_be_taken_goes_at_once_and_the_next_has_its_turn() {
    let mut alarms = alarms();
    let (first, _) = alarms.raise(trip(0));
    alarms.raise(trip(0));
    assert_eq!(alarms.tried(first.number, at(0), at(0), Delivery::Never(Verdict::Own)), Fate::GivenUp);
    assert_eq!(alarms.due(at(0)).map(|alarm| alarm.number.count), Some(2));
}

#[test]
fn it_remembers_when_an_answer_was_missing_first() {
    let mut alarms = alarms();
    let (first, _) = alarms.raise(trip(0));
    for (begun, delivery, unanswered_at) in
        [(0, BUSY, None), (100, unanswered(), Some(100)), (500, unanswered(), Some(100))]
    {
        alarms.tried(first.number, at(begun), at(begun + 10), delivery);
        let left = alarms.due(at(DAY_S)).and_then(|alarm| alarm.unanswered_at);
        assert_eq!(left, unanswered_at.map(at));
    }
}

#[test]
fn neighbours_do_not_come_back_together() {
    let due: Vec<u64> = (1..=4)
        .map(|device| {
            let mut alarms = Alarms::new(device, 0);
            let (first, _) = alarms.raise(trip(0));
            alarms.tried(first.number, at(0), at(0), put_off(Patience::Hour));
            alarms.due_at().expect("it waits").as_millis() / 1000
        })
        .collect();
    assert!(due.iter().all(|second| (3_600..=4_500).contains(second)), "{due:?}");
    let mut apart = due.clone();
    apart.sort_unstable();
    assert!(apart.windows(2).all(|two| two[1] - two[0] > 15), "{due:?}");
}

#[test]
fn no_wait_overflows() {
    for tries in 0..=u8::MAX {
        let waits = [Patience::Grows, Patience::MinuteThenHour, Patience::Hour].map(|patience| patience.wait(tries));
        assert!(waits.iter().all(|wait| (MINUTE..=HOUR).contains(wait)), "{tries}: {waits:?}");
        assert!(doubled(UNSENT, tries, MINUTE) <= MINUTE);
    }
    let end = Instant::from_millis(u64::MAX);
    let mut alarms = alarms();
    let (first, _) = alarms.raise(trip(0));
    assert_eq!(alarms.tried(first.number, end, end, BUSY), Fate::PutOff(1, end));
    assert!(alarms.due(end).is_some());
}
