//! Refusals on request, and what is wrong with a request itself.

use wxtoken_platform::Refusal;
use wxtoken_platform::model::Request;

use crate::bench::{ID, SECRET, T, fetch, model, official, stable, token, using};

#[test]
fn any_errcode_for_every_fetch() {
    let mut model = model(official());
    for code in [-1, 40_001, 45_009, 50_004, 61_024, 89_503, 12_345] {
        model.refuse(T, ID, Refusal::fetching(code)).unwrap();
        assert_eq!(fetch(&mut model, T).errcode(), i64::from(code));
        assert_eq!(stable(&mut model, T).errcode(), i64::from(code));
        model.accept(ID).unwrap();
    }
    assert!(fetch(&mut model, T).token().is_some());
}

#[test]
fn a_number_of_times() {
    let mut model = model(official());
    model.refuse(T, ID, Refusal::fetching(-1).times(2)).unwrap();
    assert_eq!([(); 3].map(|()| fetch(&mut model, T).errcode()), [-1, -1, 0]);
    assert_eq!(model.counters(T).account(ID).fetches_refused(-1), 2);
}

#[test]
fn every_token_for_a_while() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    model.refuse(T, ID, Refusal::using(40_001).lasting_ms(1_000)).unwrap();
    assert_eq!(using(&mut model, T + 999, &a), 40_001);
    let b = token(&fetch(&mut model, T + 999));
    assert_eq!(using(&mut model, T + 999, &b), 40_001);
    assert_eq!(using(&mut model, T + 1_000, &a), 0);
}

#[test]
fn a_young_token_is_refused_once_and_works_later() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    model.refuse(T, ID, Refusal::using(40_001).times(1).younger_than_ms(30_000)).unwrap();
    assert_eq!(using(&mut model, T + 30_000, &a), 0, "no longer young");
    assert_eq!(using(&mut model, T + 29_999, &a), 40_001);
    assert_eq!(using(&mut model, T + 29_999, &a), 0);
}

#[test]
fn what_is_wrong_with_the_request_in_the_order_of_the_checks() {
    let mut model = model(official());
    let mut ask = |query: &str| model.handle(T, &Request::get(&format!("/cgi-bin/token?{query}"))).errcode();
    assert_eq!(ask(""), 41_002);
    assert_eq!(ask("appid=wx_nobody"), 40_013, "appid comes before grant_type");
    assert_eq!(ask(&format!("appid={ID}&secret={SECRET}")), 40_002);
    assert_eq!(ask(&format!("appid={ID}&grant_type=client_credential")), 41_004);
    assert_eq!(ask(&format!("appid={ID}&grant_type=client_credential&secret=no")), 40_125);
}

#[test]
fn the_stable_endpoint_takes_json_by_post_only() {
    let mut model = model(official());
    let form = format!("grant_type=client_credential&appid={ID}&secret={SECRET}");
    assert_eq!(model.handle(T, &Request::post("/cgi-bin/stable_token", form.clone())).errcode(), 41_002);
    assert_eq!(model.handle(T, &Request::get(&format!("/cgi-bin/stable_token?{form}"))).errcode(), 43_002);
}

#[test]
fn a_post_without_a_length_gets_412_and_nothing_else() {
    let mut model = model(official());
    let reply = model.handle(T, &crate::bench::stable_request(false).chunked());
    assert_eq!((reply.status, reply.body.len()), (412, 0));
    assert_eq!(model.counters(T).length_required, 1);
    assert_eq!(model.counters(T).account(ID).minted, 0);
}

#[test]
fn https_can_be_required() {
    let mut model = model(official());
    let mut quirks = wxtoken_platform::Quirks::default();
    quirks.require_https = true;
    model.set_quirks(quirks);
    assert_eq!(model.handle(T, &crate::bench::token_request().plain()).errcode(), 43_003);
    assert_eq!(fetch(&mut model, T).errcode(), 0);
}
