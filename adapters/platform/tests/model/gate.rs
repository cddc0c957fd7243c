//! Which address may fetch: the allow-list, and the administrator's story.

use std::net::IpAddr;

use wxtoken_platform::model::Model;

use crate::bench::{CORP, ID, T, fetch, gettoken, model, official, stable, token, token_request, using, work};

const HOUR: u64 = 3_600_000;
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn elsewhere() -> IpAddr {
    "203.0.113.9".parse().unwrap()
}

fn code_from(model: &mut Model, now: u64, ip: IpAddr) -> i64 {
    model.handle(now, &token_request().from_ip(ip)).errcode()
}

#[test]
fn only_listed_addresses_fetch_but_every_address_uses() {
    let mut model = model(official().allow_only([elsewhere()]));
    assert_eq!(code_from(&mut model, T, HERE), 40_164);
    assert_eq!(stable(&mut model, T).errcode(), 40_164);
    let reply = model.handle(T, &token_request().from_ip(elsewhere()));
    assert_eq!(using(&mut model, T, &token(&reply)), 0, "a token carries no secret");
    model.allow_address(ID, HERE).unwrap();
    assert!(fetch(&mut model, T).token().is_some());
    model.deny_address(ID, HERE).unwrap();
    assert_eq!(code_from(&mut model, T, HERE), 40_164);
}

#[test]
fn an_address_can_be_denied_without_a_list() {
    let mut model = model(official());
    model.deny_address(ID, HERE).unwrap();
    assert_eq!(code_from(&mut model, T, HERE), 40_164);
    assert_eq!(code_from(&mut model, T, elsewhere()), 0);
    model.allow_address(ID, HERE).unwrap();
    assert_eq!(code_from(&mut model, T, HERE), 0);
}

#[test]
fn wecom_trusts_addresses_for_fetching_and_using() {
    let mut model = model(work());
    let a = token(&gettoken(&mut model, T));
    model.deny_address(CORP, HERE).unwrap();
    assert_eq!(gettoken(&mut model, T).errcode(), 60_020);
    assert_eq!(using(&mut model, T, &a), 60_020);
}

#[test]
fn the_administrator_confirms() {
    let mut model = model(official().admin_confirms_addresses(true));
    assert_eq!(code_from(&mut model, T, HERE), 89_503);
    assert_eq!(code_from(&mut model, T + 1, HERE), 89_501, "asked already");
    assert_eq!(code_from(&mut model, T + 1, elsewhere()), 89_503, "each address is asked about");
    model.admin_confirms(ID, HERE).unwrap();
    assert_eq!(code_from(&mut model, T + 2, HERE), 0);
    assert_eq!(code_from(&mut model, T + 2, elsewhere()), 89_501);
    assert_eq!(model.counters(T).account(ID).admin_notified, 2);
}

#[test]
fn the_administrator_refuses_once_then_again() {
    let mut model = model(official().admin_confirms_addresses(true));
    assert_eq!(code_from(&mut model, T, HERE), 89_503);
    model.admin_refuses(T, ID, HERE).unwrap();
    assert_eq!(code_from(&mut model, T, HERE), 89_507);
    assert_eq!(code_from(&mut model, T + HOUR - 1, HERE), 89_507);
    let again = T + HOUR;
    assert_eq!(code_from(&mut model, again, HERE), 89_503);
    model.admin_refuses(again, ID, HERE).unwrap();
    assert_eq!(code_from(&mut model, again, HERE), 89_506);
    assert_eq!(code_from(&mut model, again + 24 * HOUR - 1, HERE), 89_506);
    assert_eq!(code_from(&mut model, again + 24 * HOUR, HERE), 89_503);
    model.admin_confirms(ID, HERE).unwrap();
    assert_eq!(code_from(&mut model, again + 24 * HOUR, HERE), 0);
}

#[test]
fn a_frozen_secret_fetches_nothing_and_kills_nothing() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    model.freeze_secret(ID, true).unwrap();
    assert_eq!(code_from(&mut model, T, HERE), 40_243);
    assert_eq!(using(&mut model, T, &a), 0);
}

#[test]
fn a_changed_secret() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    model.change_secret(ID, "the new one").unwrap();
    assert_eq!(code_from(&mut model, T, HERE), 40_125);
    assert_eq!(using(&mut model, T, &a), 0);
}
