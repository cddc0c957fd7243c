//! The control port: the same orders as in-process.

use serde_json::{Value, json};
use wxtoken_platform::{Account, Platform};

use super::client::{ID, START, errcode, frozen, get, post, raw, token_path};

fn order(url: &str, path: &str, body: &Value) -> (u16, Value) {
    let reply = post(url, path, &body.to_string());
    (reply.status, reply.json())
}

#[test]
fn the_clock() {
    let platform = frozen();
    let url = platform.control_url();
    assert_eq!(get(&url, "/clock").json(), json!({ "now_ms": START, "speed": 0.0 }));
    assert_eq!(order(&url, "/clock/advance", &json!({ "ms": 5 })).1["now_ms"], START + 5);
    assert_eq!(order(&url, "/clock/set", &json!({ "ms": 7 })).1["now_ms"], 7);
    assert_eq!(order(&url, "/clock/speed", &json!({ "speed": 2.0 })).1["speed"], 2.0);
    assert_eq!(order(&url, "/clock/speed", &json!({ "speed": -2.0 })).1["speed"], 0.0);
}

#[test]
fn faults() {
    let platform = frozen();
    let url = platform.control_url();
    let body =
        json!({ "fault": { "kind": "status", "status": 503 }, "scope": { "next": 1, "path": "/cgi-bin/token" } });
    assert_eq!(order(&url, "/faults", &body), (200, json!({})));
    assert_eq!(get(&platform.http_url(), &token_path()).status, 503);
    assert_eq!(get(&platform.http_url(), &token_path()).status, 200);
    for kind in ["reply_lost", "reset_before", "silence", "html", "garbage", "gzip_claimed", "until_close"] {
        let body = json!({ "fault": { "kind": kind } });
        assert_eq!(order(&url, "/faults", &body).0, 200, "{kind}");
    }
    let delete = raw(&url, "DELETE /faults HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert!(delete.starts_with(b"HTTP/1.1 200"));
    assert_eq!(get(&platform.http_url(), &token_path()).status, 200);
    for bytes in [json!("HTTP/1.1 204 \r\n\r\n"), json!(b"HTTP/1.1 204 \r\n\r\n")] {
        let body = json!({ "fault": { "kind": "raw", "bytes": bytes }, "scope": { "next": 1 } });
        order(&url, "/faults", &body);
        assert_eq!(get(&platform.http_url(), &token_path()).status, 204);
    }
    for wrong in [
        json!({ "fault": { "kind": "nonsense" } }),
        json!({ "fault": { "kind": "html" }, "scope": { "nxet": 1 } }),
        json!({ "fault": { "kind": "html" }, "next": 1 }),
        json!([]),
    ] {
        assert_eq!(order(&url, "/faults", &wrong).0, 400, "a slip of the pen must not become every call: {wrong}");
    }
}

#[test]
fn accounts() {
    let platform = Platform::builder()
        .account(Account::official(ID, super::client::SECRET))
        .account(Account::work("ww1", "one").agent(3))
        .start_at_ms(START)
        .speed(0.0)
        .start()
        .unwrap();
    let (url, control) = (platform.http_url(), platform.control_url());
    let account = |what: &str, body: Value| order(&control, &format!("/accounts/{ID}/{what}"), &body).0;
    let fetch = || get(&url, &token_path());
    let code = || fetch().json()["errcode"].as_i64().unwrap_or(0);

    assert_eq!(account("refuse", json!({ "errcode": 50_004, "times": 1 })), 200);
    assert_eq!([code(), code()], [50_004, 0]);
    account("refuse", json!({ "errcode": 45_009 }));
    account("accept", json!({}));
    assert_eq!(code(), 0);
    account("deny", json!({ "ip": "127.0.0.1" }));
    assert_eq!(code(), 40_164);
    account("allow", json!({ "ip": "127.0.0.1" }));
    account("ask-admin", json!({ "on": true }));
    assert_eq!(code(), 89_503);
    account("admin-refuses", json!({ "ip": "127.0.0.1" }));
    assert_eq!(code(), 89_507);
    account("admin-confirms", json!({ "ip": "127.0.0.1" }));
    account("freeze", json!({ "on": true }));
    assert_eq!(code(), 40_243);
    account("freeze", json!({ "on": false }));
    let token = fetch().token();
    let valid =
        |token: &str| order(&control, &format!("/accounts/{ID}/valid"), &json!({ "token": token })).1["valid"].clone();
    assert_eq!((valid(&token), valid("made up")), (json!(true), json!(false)));
    account(
        "refuse",
        json!({ "errcode": 40_001, "using": true, "times": 1, "younger_than_ms": 30_000, "lasting_ms": 9 }),
    );
    let using = || get(&url, &format!("/cgi-bin/message/custom/send?access_token={token}"));
    assert_eq!((errcode(&using()), errcode(&using())), (40_001, 43_002));
    account("rotate", json!({}));
    account("force", json!({}));
    assert_eq!(platform.counters().account(ID).elsewhere, 2);
    account("revoke", json!({}));
    assert_eq!(valid(&token), json!(false));
    account("secret", json!({ "secret": "another" }));
    assert_eq!(code(), 40_125);

    assert_eq!(order(&control, "/accounts/ww1/3/rotate", &json!({})).0, 200, "a name with a slash");
    assert_eq!(order(&control, "/accounts/nobody/rotate", &json!({})).0, 404);
    assert_eq!(account("nonsense", json!({})), 404);
    assert_eq!(account("deny", json!({ "ip": "here" })), 400);
    assert_eq!(get(&control, &format!("/accounts/{ID}/rotate")).status, 405);
}

#[test]
fn quotas_and_tickets() {
    let platform = frozen();
    let (url, control) = (platform.http_url(), platform.control_url());
    let account = |what: &str, body: Value| order(&control, &format!("/accounts/{ID}/{what}"), &body);
    let token = get(&url, &token_path()).token();
    let ask = || get(&url, &format!("/cgi-bin/ticket/getticket?type=jsapi&access_token={token}"));
    let ticket = ask().json()["ticket"].clone();
    assert_eq!(account("ticket-valid", json!({ "ticket": ticket })), (200, json!({ "valid": true })));
    assert_eq!(account("ticket-valid", json!({ "ticket": "made-up" })), (200, json!({ "valid": false })));
    let path = "/cgi-bin/ticket/getticket";
    assert_eq!(account("quota", json!({ "path": path, "per_minute": 2 })).0, 200);
    assert_eq!((errcode(&ask()), errcode(&ask())), (0, 45_011));
    assert_eq!(account("quota", json!({ "path": path, "per_minute": 9, "per_day": 2 })).0, 200);
    assert_eq!(errcode(&ask()), 45_009);
    assert_eq!(account("quota", json!({ "path": path, "per_year": 2 })).0, 400);
    assert_eq!(account("quota", json!({ "per_day": 2 })).0, 400);
}

#[test]
fn counters_and_messages_without_a_secret_or_token() {
    let platform = frozen();
    let token = get(&platform.http_url(), &token_path()).token();
    let path = format!("/cgi-bin/message/custom/send?access_token={token}");
    post(&platform.http_url(), &path, r#"{"touser":"o1","msgtype":"text"}"#);
    let counters = get(&platform.control_url(), "/counters");
    assert_eq!(counters.json()["accounts"][ID]["fetches"]["/cgi-bin/token"]["accepted"], 1);
    let messages = get(&platform.control_url(), "/messages");
    assert_eq!(messages.json()[0]["body"]["touser"], "o1");
    assert_eq!(messages.json()[0]["at_ms"], START);
    for reply in [counters, messages] {
        let text = String::from_utf8(reply.body).unwrap();
        assert!(!text.contains(&token) && !text.contains(super::client::SECRET));
    }
}

#[test]
fn a_wrong_order_does_not_echo_what_it_held() {
    let platform = frozen();
    let body = json!({ "secret": 5, "the secret itself": 1 });
    let (status, answer) = order(&platform.control_url(), &format!("/accounts/{ID}/secret"), &body);
    assert_eq!(status, 400);
    assert!(!answer.to_string().contains("itself"));
}

#[test]
fn a_browser_is_turned_away() {
    let platform = frozen();
    let request = "POST /shutdown HTTP/1.1\r\nHost: x\r\nOrigin: http://example.invalid\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert!(raw(&platform.control_url(), request).unwrap().starts_with(b"HTTP/1.1 403"));
    assert_eq!(get(&platform.http_url(), &token_path()).status, 200);
}

#[test]
fn it_can_be_stopped() {
    let platform = frozen();
    assert_eq!(order(&platform.control_url(), "/shutdown", &json!({})).0, 200);
    platform.wait();
}

#[test]
fn the_leaf_needs_an_https_door() {
    let plain = frozen();
    assert_eq!(order(&plain.control_url(), "/leaf", &json!({ "leaf": "expired" })).0, 409);
    let tls = Platform::builder().tls(true).start().unwrap();
    assert_eq!(order(&tls.control_url(), "/leaf", &json!({ "leaf": "foreign_authority" })).0, 200);
    assert_eq!(order(&tls.control_url(), "/leaf", &json!({ "leaf": "nonsense" })).0, 400);
}
