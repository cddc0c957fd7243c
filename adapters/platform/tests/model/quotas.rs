//! Allowances by the minute, the hour and the day.

use wxtoken_platform::Account;
use wxtoken_platform::model::Request;

use crate::bench::{CORP, ID, MIDNIGHT, SECRET, T, fetch, gettoken, model, official, stable, token, using, work};

#[test]
fn a_day_of_rotating_fetches_ends_at_midnight_utc_plus_8() {
    let mut model = model(official().quotas(|quotas| quotas.token_per_day = 3));
    let day_end = MIDNIGHT + 86_400_000;
    for now in [MIDNIGHT, T, day_end - 2] {
        assert!(fetch(&mut model, now).token().is_some());
    }
    let refused = fetch(&mut model, day_end - 1);
    assert_eq!(refused.errcode(), 45_009);
    assert_eq!(model.counters(T).account(ID).alive, 2, "a refusal retires nothing");
    assert!(fetch(&mut model, day_end).token().is_some());
}

#[test]
fn the_documented_number_is_2000_and_200_for_a_test_account() {
    for (account, quota) in [(official(), 2_000), (Account::official_test(ID, SECRET), 200)] {
        let mut model = model(account);
        for _ in 0..quota {
            assert!(fetch(&mut model, T).token().is_some());
        }
        assert_eq!(fetch(&mut model, T).errcode(), 45_009);
    }
}

#[test]
fn a_minute_of_stable_fetches() {
    let mut model = model(official().quotas(|quotas| quotas.stable_per_minute = 2));
    let minute = T - T % 60_000;
    assert!(stable(&mut model, minute).token().is_some());
    assert!(stable(&mut model, minute + 1).token().is_some());
    assert_eq!(stable(&mut model, minute + 59_999).errcode(), 45_011);
    assert!(stable(&mut model, minute + 60_000).token().is_some());
}

#[test]
fn a_day_of_stable_fetches() {
    let mut model = model(official().quotas(|quotas| quotas.stable_per_day = 1));
    stable(&mut model, T);
    assert_eq!(stable(&mut model, MIDNIGHT + 86_399_999).errcode(), 45_009);
    assert!(stable(&mut model, MIDNIGHT + 86_400_000).token().is_some());
}

#[test]
fn wecom_penalises_for_as_long_as_the_window_exceeded() {
    let mut minute = model(work().quotas(|quotas| quotas.work_per_minute = 1));
    let at = T - T % 60_000 + 59_000;
    assert!(gettoken(&mut minute, at).token().is_some());
    assert_eq!(gettoken(&mut minute, at + 500).errcode(), 45_009);
    // The natural minute is over, the penalty is not.
    assert_eq!(gettoken(&mut minute, at + 60_499).errcode(), 45_009);
    assert!(gettoken(&mut minute, at + 60_500).token().is_some());

    let mut hour = model(work().quotas(|quotas| quotas.work_per_hour = 1));
    gettoken(&mut hour, T);
    assert_eq!(gettoken(&mut hour, T + 120_000).errcode(), 45_009);
    assert_eq!(gettoken(&mut hour, T + 120_000 + 3_599_999).errcode(), 45_009);
    assert!(gettoken(&mut hour, T + 120_000 + 3_600_000).token().is_some());
}

#[test]
fn wecom_blocks_an_hour_after_many_failures() {
    let mut model = model(work().quotas(|quotas| quotas.work_failures_per_hour = 3));
    let wrong = Request::get(&format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret=no"));
    for _ in 0..2 {
        assert_eq!(model.handle(T, &wrong).errcode(), 40_091);
    }
    assert!(gettoken(&mut model, T).token().is_some());
    model.handle(T + 1, &wrong);
    assert_eq!(gettoken(&mut model, T + 3_600_000).errcode(), 45_009);
    assert!(gettoken(&mut model, T + 3_600_001).token().is_some());
}

#[test]
fn each_api_has_a_day_of_its_own() {
    let mut model = model(official().quotas(|quotas| quotas.each_api.per_day = 1));
    let a = token(&fetch(&mut model, T));
    assert_eq!(using(&mut model, T, &a), 0);
    assert_eq!(using(&mut model, T, &a), 45_009);
    let other = format!("/cgi-bin/get_api_domain_ip?access_token={a}");
    assert_eq!(model.handle(T, &Request::get(&other)).errcode(), 0);
}

#[test]
fn one_api_has_less_than_the_others() {
    let template = "/cgi-bin/message/template/send";
    let mut model = model(official().quotas(|quotas| quotas.api(template).per_day = 1));
    let a = token(&fetch(&mut model, T));
    let send = Request::post(&format!("{template}?access_token={a}"), r#"{"touser":"o1","template_id":"t1"}"#);
    assert_eq!(model.handle(T, &send).errcode(), 0);
    assert_eq!(model.handle(MIDNIGHT + 86_399_999, &send).errcode(), 42_001);
    let b = token(&fetch(&mut model, MIDNIGHT + 86_399_000));
    let send = Request::post(&format!("{template}?access_token={b}"), r#"{"touser":"o1","template_id":"t1"}"#);
    assert_eq!(model.handle(MIDNIGHT + 86_399_999, &send).errcode(), 45_009);
    assert_eq!(using(&mut model, MIDNIGHT + 86_399_999, &b), 0);
    assert_eq!(model.handle(MIDNIGHT + 86_400_000, &send).errcode(), 0);
    model.change_quotas(ID, |quotas| quotas.api(template).per_day = 2).unwrap();
    assert_eq!(model.handle(MIDNIGHT + 86_400_001, &send).errcode(), 0);
    assert_eq!(model.counters(T).account(ID).messages, 3, "what is refused is not taken over");
}

#[test]
fn a_full_minute_is_45011_and_over_with_the_minute() {
    let mut model = model(official().quotas(|quotas| quotas.each_api.per_minute = 1));
    let minute = T - T % 60_000;
    let a = token(&fetch(&mut model, minute));
    assert_eq!([0, 1, 59_999].map(|after| using(&mut model, minute + after, &a)), [0, 45_011, 45_011]);
    assert_eq!(using(&mut model, minute + 60_000, &a), 0);
}

#[test]
fn wecom_s_full_minute_is_45009_and_a_penalty_of_one() {
    let mut model = model(work().quotas(|quotas| quotas.each_api.per_minute = 1));
    let minute = T - T % 60_000;
    let a = token(&gettoken(&mut model, minute));
    assert_eq!([0, 30_000, 89_999].map(|after| using(&mut model, minute + after, &a)), [0, 45_009, 45_009]);
    assert_eq!(using(&mut model, minute + 90_000, &a), 0);
}

#[test]
fn wecom_s_documented_10_000_a_minute_hold_for_each_api() {
    let mut model = model(work());
    let a = token(&gettoken(&mut model, T));
    for _ in 0..10_000 {
        assert_eq!(using(&mut model, T, &a), 0);
    }
    assert_eq!(using(&mut model, T, &a), 45_009);
}

#[test]
fn another_program_uses_the_same_day() {
    let mut model = model(official().quotas(|quotas| quotas.token_per_day = 2));
    model.rotate_elsewhere(T, ID).unwrap();
    model.rotate_elsewhere(T, ID).unwrap();
    assert_eq!(fetch(&mut model, T).errcode(), 45_009);
}

#[test]
fn a_refused_fetch_uses_nothing() {
    let mut model = model(official().quotas(|quotas| quotas.token_per_day = 1));
    model.freeze_secret(ID, true).unwrap();
    for _ in 0..5 {
        assert_eq!(fetch(&mut model, T).errcode(), 40_243);
    }
    model.freeze_secret(ID, false).unwrap();
    assert!(fetch(&mut model, T).token().is_some());
}
