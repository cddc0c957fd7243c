use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::{
    AccountKind, AccountSpec, Exchange, Response as Answer, Transport, VirtualClock,
    config::{ClientSpec, Permission},
};

/// A platform that hands out "T1", or refuses.
struct Script(bool);

impl Transport for Script {
    fn exchange<'a>(&'a self, _: wxtoken::Request<'a, 'a>) -> Exchange<'a> {
        let body = match self.0 {
            true => r#"{"access_token":"T1","expires_in":7200}"#,
            false => r#"{"errcode":40164,"errmsg":"invalid ip 1.2.3.4, not in whitelist"}"#,
        };
        Box::pin(async move { Ok(Answer::new(200, body)) })
    }
}

const HERE: Peer = Peer { address: None };

async fn doors(well: bool) -> Doors {
    let accounts = [
        AccountSpec::new("shop", AccountKind::Official, "wx1", "a secret"),
        AccountSpec::new("other", AccountKind::Official, "wx2", "a secret"),
    ];
    let clock = VirtualClock::new(Duration::from_secs(1_800_000_000));
    let engine = Engine::builder().clock(clock).transport(Script(well)).start(&accounts).await.expect("good");
    let clients = [
        ClientSpec::new("all", "K1", &["shop"], &[Permission::Read, Permission::Report, Permission::Rotate]),
        ClientSpec::new("none", "K2", &["shop"], &[]),
    ];
    Doors::new(engine, &clients)
}

async fn ask(doors: &Doors, method: &str, path: &str, key: &str, body: &str) -> (u16, Value, Reply) {
    let mut request = Request::builder().method(method).uri(path);
    if !key.is_empty() {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let reply = doors.answer(&HERE, request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request")).await;
    let (head, body) = reply.into_parts();
    let bytes = body.collect().await.expect("whole").to_bytes();
    let value = serde_json::from_slice(&bytes).expect("JSON");
    (head.status.as_u16(), value, Response::from_parts(head, Either::Left(Full::new(bytes))))
}

#[tokio::test]
async fn a_token_is_read_reported_and_rotated() {
    let doors = doors(true).await;
    let (status, body, reply) = ask(&doors, "GET", "/v1/accounts/shop/token", "K1", "").await;
    assert_eq!(
        (status, &body["access_token"], &body["expires_in"], &body["generation"]),
        (200, &json!("T1"), &json!(7198), &json!(1))
    );
    assert!(body["refresh_after"].as_u64().is_some_and(|after| (6800..7198).contains(&after)), "{body}");
    assert_eq!(reply.headers()["cache-control"], "no-store");
    let report = |text: &'static str| ask(&doors, "POST", "/v1/accounts/shop/token/report", "K1", text);
    let (_, body, _) = report(r#"{"access_token":"T0","errcode":40001}"#).await;
    assert_eq!(body, json!({ "outcome": "replaced", "generation": 1 }));
    // Young, so kept once.
    let hash: String = Sha256::digest("T1").iter().map(|byte| format!("{byte:02x}")).collect();
    let text: &'static str = format!("{{\"sha256\":\"{hash}\"}}").leak();
    let (_, body, _) = report(text).await;
    assert_eq!(body, json!({ "outcome": "kept", "generation": 1 }));
    let (status, body, _) = ask(&doors, "POST", "/v1/accounts/shop/token/rotate", "K1", "").await;
    assert_eq!((status, &body["outcome"]), (200, &json!("held_off")));
    let (_, body, _) = ask(&doors, "GET", "/v1/accounts", "K1", "").await;
    assert_eq!((body["accounts"].as_array().map(Vec::len), &body["accounts"][0]["name"]), (Some(1), &json!("shop")));
}

#[tokio::test]
async fn without_a_key_nothing_is_learned() {
    let doors = doors(true).await;
    let mut answers = Vec::new();
    for path in [
        "/v1/accounts",
        "/v1/accounts/shop/token",
        "/v1/accounts/nobody/token",
        "/v1/accounts/shop/tickets/jsapi",
        "/x",
    ] {
        for (key, want) in [("", 401), ("K3", 401)] {
            let (status, body, _) = ask(&doors, "GET", path, key, "").await;
            assert_eq!(status, want, "{path}");
            answers.push(body.to_string());
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // With a key: another's account and one that is not there look the same, and so does what is not permitted.
    let mut refused = Vec::new();
    for (key, path) in
        [("K1", "/v1/accounts/other/token"), ("K1", "/v1/accounts/nobody/token"), ("K2", "/v1/accounts/shop/token")]
    {
        let (status, body, _) = ask(&doors, "GET", path, key, "").await;
        assert_eq!(status, 403, "{path}");
        refused.push(body.to_string());
    }
    refused.dedup();
    assert_eq!(refused.len(), 1, "{refused:?}");
}

#[tokio::test]
async fn without_a_token_it_is_said_who_must_act() {
    let doors = doors(false).await;
    let (status, body, reply) = ask(&doors, "GET", "/v1/accounts/shop/token", "K1", "").await;
    assert_eq!((status, &body["act"]), (503, &json!("administrator")), "{body}");
    assert!(body["detail"].as_str().is_some_and(|text| text.contains("1.2.3.4")), "{body}");
    let after: u64 = reply.headers()["retry-after"].to_str().expect("text").parse().expect("a number");
    assert!((300..=301).contains(&after), "{after}");
    assert_eq!(ask(&doors, "GET", "/healthz", "", "").await.1, json!({ "status": "ok", "store": "ok" }));
    let (status, body, _) = ask(&doors, "GET", "/readyz", "", "").await;
    assert_eq!((status, body), (503, json!({ "accounts": 2, "ready": 0 })));
}

#[tokio::test]
async fn bad_requests_are_answered_as_such() {
    let doors = doors(true).await;
    let long = format!("{{\"access_token\":\"{}\"}}", "x".repeat(5000));
    for (method, path, body, want) in [
        ("POST", "/v1/accounts/shop/token", "", 405),
        ("GET", "/v1/accounts/shop/token/report", "", 405),
        ("POST", "/v1/accounts/shop/token/report", "", 400),
        ("POST", "/v1/accounts/shop/token/report", "{}", 400),
        ("POST", "/v1/accounts/shop/token/report", r#"{"sha256":"00"}"#, 400),
        ("POST", "/v1/accounts/shop/token/report", r#"{"access_token":"a","sha256":"b"}"#, 400),
        ("POST", "/v1/accounts/shop/token/report", &long, 413),
        ("POST", "/v1/accounts/shop/token/rotate", "[]", 400),
        ("GET", "/v1/accounts/shop/token?wait=1&wait=1", "", 400),
        ("GET", "/v1/accounts/shop/token?wait=", "", 400),
        ("GET", "/v1/accounts/shop/token?wait=-1", "", 400),
        ("GET", "/v1/accounts/shop/token?wait=99999999999999999999&x=y", "", 200),
        ("HEAD", "/v1/accounts/shop/token", "", 200),
        ("GET", "/v1/accounts/shop/token/report/1/2/3/4/5/6", "", 404),
        ("GET", "/v1/accounts/shop/tickets/jsapi", "", 404),
        ("GET", "/v1/accounts/shop/tickets/token", "", 404),
        ("GET", "/v1/accounts/shop/token/", "", 404),
        ("GET", "/v1/accounts//token", "", 403),
        ("GET", "/x", "", 404),
    ] {
        let (status, answer, reply) = ask(&doors, method, path, "K1", body).await;
        assert_eq!(status, want, "{method} {path} {answer}");
        let allow = reply.headers().get("allow").and_then(|value| value.to_str().ok());
        let allowed = match (want, path.ends_with("report")) {
            (405, true) => Some("POST"),
            (405, false) => Some("GET, HEAD"),
            _ => None,
        };
        assert_eq!(allow, allowed, "{method} {path}");
        if want >= 400 {
            assert_eq!(reply.headers()["content-type"], "application/problem+json");
            assert!(answer["type"].as_str().is_some_and(|kind| kind.starts_with("urn:wxtoken:problem:")), "{answer}");
            assert!(answer["title"].is_string() && answer["status"] == want && answer["act"].is_string(), "{answer}");
        }
    }
    let request = Request::get("/v1/accounts").header("authorization", "Basic K1").body(Empty::<Bytes>::new());
    assert_eq!(doors.answer(&HERE, request.expect("a request")).await.status(), 401);
}

/// Doors whose clients are all different, and a clock that is stepped.
async fn particular() -> (Arc<Doors>, VirtualClock) {
    let accounts = [AccountSpec::new("shop", AccountKind::Official, "wx1", "a secret")];
    let clock = VirtualClock::new(Duration::from_secs(1_800_000_000));
    let engine = Engine::builder().clock(clock.clone()).transport(Script(true)).start(&accounts).await.expect("good");
    let mut near = ClientSpec::new("near", "NEAR", &["*"], &[Permission::Read]);
    near.networks = vec!["10.0.0.0/8".parse().expect("a network")];
    let mut paced = ClientSpec::new("paced", "PACED", &["*"], &[Permission::Read]);
    paced.rate = crate::config::RateSpec::new(1, 2);
    let admin = ClientSpec::new("admin", "ADMIN", &[], &[Permission::Admin]);
    engine.settle().await;
    (Arc::new(Doors::new(engine, &[near, paced, admin])), clock)
}

async fn from(doors: &Doors, address: &str, method: &str, path: &str, key: &str) -> (u16, Option<String>) {
    let peer = Peer { address: Some(address.parse().expect("an address")) };
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
    let reply = doors.answer(&peer, request.body(Empty::<Bytes>::new()).expect("a request")).await;
    let after = reply.headers().get("retry-after").map(|after| after.to_str().expect("text").to_owned());
    (reply.status().as_u16(), after)
}

const TOKEN: &str = "/v1/accounts/shop/token";

#[tokio::test]
async fn a_key_is_good_where_it_may_come_from_and_as_often_as_it_may() {
    let (doors, _) = particular().await;
    assert_eq!(from(&doors, "10.9.9.9", "GET", TOKEN, "NEAR").await.0, 200);
    assert_eq!(from(&doors, "11.9.9.9", "GET", TOKEN, "NEAR").await, (401, None), "as if nobody had it");
    for (status, after) in [(200, None), (200, None), (429, Some("1".to_owned()))] {
        assert_eq!(from(&doors, "10.9.9.9", "GET", TOKEN, "PACED").await, (status, after));
    }
    // An SDK hears it in its own words.
    let path = "/cgi-bin/token?grant_type=client_credential&appid=wx1&secret=PACED";
    let (status, body, _) = ask(&doors, "GET", path, "", "").await;
    assert_eq!((status, &body["errcode"]), (200, &json!(45009)), "{body}");
}

#[tokio::test]
async fn an_admin_rotates_any_account_and_reads_none() {
    let (doors, _) = particular().await;
    assert_eq!(from(&doors, "10.9.9.9", "GET", TOKEN, "ADMIN").await.0, 403);
    assert_eq!(from(&doors, "10.9.9.9", "POST", &format!("{TOKEN}/report"), "ADMIN").await.0, 403);
    assert_eq!(from(&doors, "10.9.9.9", "POST", &format!("{TOKEN}/rotate"), "ADMIN").await.0, 200);
    assert_eq!(from(&doors, "10.9.9.9", "POST", "/v1/accounts/stop/token/rotate", "ADMIN").await.0, 403);
}

#[tokio::test]
async fn who_tries_keys_waits_and_who_has_one_does_not() {
    let (doors, clock) = particular().await;
    let mut tries: Vec<_> = (0..6)
        .map(|nth| {
            let doors = doors.clone();
            tokio::spawn(async move { from(&doors, "10.9.9.9", "GET", TOKEN, &format!("guess {nth}")).await.0 })
        })
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(tries.iter().filter(|attempt| !attempt.is_finished()).count(), 3, "a mistake is no attack");
    // From the same address, in between.
    assert_eq!(from(&doors, "10.9.9.9", "GET", TOKEN, "NEAR").await.0, 200);
    clock.advance(Duration::from_millis(3_200));
    for attempt in tries.drain(..) {
        assert_eq!(attempt.await.expect("no panic"), 401);
    }
}
