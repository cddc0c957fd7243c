//! WeCom's `gettoken`: the same token while it is valid, each secret of a corporation on its own.

use wxtoken_platform::model::Request;
use wxtoken_platform::{Account, WorkBody, WorkRepeat};

use crate::bench::{CORP, SECRET, T, gettoken, model, token, using, work};

#[test]
fn the_same_token_while_valid_and_a_new_one_after() {
    let mut model = model(work());
    let first = gettoken(&mut model, T);
    let a = token(&first);
    assert_eq!(a.len(), 214);
    let last = gettoken(&mut model, T + 7_199_999);
    assert_eq!((token(&last), last.expires_in()), (a.clone(), Some(0)));
    assert_eq!(using(&mut model, T + 7_199_999, &a), 0);
    assert_eq!(using(&mut model, T + 7_200_000, &a), 42_001);
    let next = gettoken(&mut model, T + 7_200_000);
    assert_ne!(token(&next), a);
    assert_eq!(next.expires_in(), Some(7_200));
}

#[test]
fn the_other_reading_reports_the_full_life_each_time() {
    let mut model = model(work().work_repeat(WorkRepeat::FullLife));
    let a = token(&gettoken(&mut model, T));
    let again = gettoken(&mut model, T + 7_000_000);
    assert_eq!((token(&again), again.expires_in()), (a.clone(), Some(7_200)));
    assert_eq!(using(&mut model, T + 7_200_000, &a), 42_001, "and yet it dies when it would have");
}

#[test]
fn bodies_of_three_generations() {
    for (body, text) in [
        (WorkBody::Ok, r#"{"errcode":0,"errmsg":"ok","access_token":"TOKEN","expires_in":7200}"#),
        (WorkBody::EmptyMessage, r#"{"errcode":0,"errmsg":"","access_token":"TOKEN","expires_in":7200}"#),
        (WorkBody::Bare, r#"{"access_token":"TOKEN","expires_in":7200}"#),
    ] {
        let reply = gettoken(&mut model(work().work_body(body)), T);
        assert_eq!(reply.text().replace(&token(&reply), "TOKEN"), text);
    }
}

#[test]
fn an_early_revocation_is_final() {
    let mut model = model(work());
    let a = token(&gettoken(&mut model, T));
    model.rotate_elsewhere(T + 1, CORP).unwrap();
    assert_eq!(using(&mut model, T + 1, &a), 40_014, "there is no overlap here");
    assert_ne!(token(&gettoken(&mut model, T + 1)), a);
}

#[test]
fn each_secret_of_a_corporation_has_its_own_token() {
    let mut model = model(work().agent(1));
    model.add(Account::work(CORP, "the other secret").agent(2)).unwrap();
    let a = token(&gettoken(&mut model, T));
    let other = Request::get(&format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret=the+other+secret"));
    let b = token(&model.handle(T, &other));
    assert_ne!(a, b);
    assert!(model.token_is_valid(T, &format!("{CORP}/1"), &a));
    assert!(!model.token_is_valid(T, &format!("{CORP}/1"), &b));
    assert!(model.token_is_valid(T, &format!("{CORP}/2"), &b));
    assert!(model.add(work().agent(1)).is_err(), "a name is given once");
}

#[test]
fn a_wrong_secret_and_a_wrong_corporation() {
    let mut model = model(work());
    let ask = |model: &mut wxtoken_platform::model::Model, query: &str| {
        model.handle(T, &Request::get(&format!("/cgi-bin/gettoken?{query}"))).errcode()
    };
    assert_eq!(ask(&mut model, &format!("corpid={CORP}&corpsecret=no")), 40_091);
    assert_eq!(ask(&mut model, &format!("corpid=ww2&corpsecret={SECRET}")), 40_013);
    assert_eq!(ask(&mut model, &format!("corpid={CORP}")), 41_004);
    assert_eq!(ask(&mut model, &format!("corpsecret={SECRET}")), 41_002);
}

#[test]
fn no_endpoint_serves_the_other_product() {
    let mut model = model(work());
    let at_token = format!("/cgi-bin/token?grant_type=client_credential&appid={CORP}&secret={SECRET}");
    assert_eq!(model.handle(T, &Request::get(&at_token)).errcode(), 40_013);
    model.add(crate::bench::official()).unwrap();
    let at_gettoken = format!("/cgi-bin/gettoken?corpid={}&corpsecret={SECRET}", crate::bench::ID);
    assert_eq!(model.handle(T, &Request::get(&at_gettoken)).errcode(), 40_013);
}
