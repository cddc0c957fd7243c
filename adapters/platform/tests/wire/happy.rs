//! Does the server serve what the model answers, over real sockets?

use std::time::Duration;

use super::client::{ID, SECRET, START, errcode, frozen, get, post, token_path};
use wxtoken_platform::{Account, Platform};

#[test]
fn serves_the_rotating_endpoint() {
    let platform = frozen();
    let reply = get(&platform.http_url(), &token_path());
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; encoding=utf-8"));
    assert_eq!(reply.json()["expires_in"], 7_200);
    assert!(reply.json().get("errcode").is_none());
    assert!(platform.token_is_valid(ID, &reply.token()));
    assert_eq!(platform.counters().account(ID).fetched("/cgi-bin/token"), 1);

    platform.advance(Duration::from_secs(7_199));
    assert!(platform.token_is_valid(ID, &reply.token()));
    platform.advance(Duration::from_secs(1));
    assert!(!platform.token_is_valid(ID, &reply.token()));
}

#[test]
fn serves_the_stable_endpoint() {
    let platform = frozen();
    let body = format!(r#"{{"grant_type":"client_credential","appid":"{ID}","secret":"{SECRET}"}}"#);
    let first = post(&platform.http_url(), "/cgi-bin/stable_token", &body);
    platform.advance(Duration::from_secs(100));
    let second = post(&platform.http_url(), "/cgi-bin/stable_token", &body);
    assert_eq!(first.token(), second.token());
    assert_eq!(second.json()["expires_in"], 7_100);
}

#[test]
fn serves_wecom_and_checks_tokens() {
    let platform =
        Platform::builder().account(Account::work("ww1", "work secret")).start_at_ms(START).speed(0.0).start().unwrap();
    let reply = get(&platform.http_url(), "/cgi-bin/gettoken?corpid=ww1&corpsecret=work+secret");
    assert_eq!(reply.json()["errmsg"], "ok");
    assert_eq!(reply.header("content-type"), Some("application/json; charset=UTF-8"));
    let token = reply.token();
    let path = format!("/cgi-bin/getcallbackip?access_token={token}");
    assert!(get(&platform.http_url(), &path).json()["ip_list"].is_array());
    let made_up = get(&platform.http_url(), "/cgi-bin/getcallbackip?access_token=madeup");
    assert_eq!(errcode(&made_up), 40_014);
    assert_eq!(made_up.header("error-code"), Some("40014"));
}
