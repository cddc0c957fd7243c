use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};

use super::*;
use crate::{
    AccountKind, AccountSpec, Engine, Exchange, Kind, Response, Transport, VirtualClock, config::ClientSpec,
    doors::Peer,
};

/// A platform that refuses some appids with an errcode.
#[derive(Clone, Default)]
pub(in crate::doors) struct Platform(Arc<Mutex<HashMap<&'static str, i32>>>, Arc<AtomicU32>);

impl Platform {
    pub(in crate::doors) fn refuse(&self, appid: &'static str, errcode: i32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(appid, errcode);
    }
}

impl Transport for Platform {
    fn exchange<'a>(&'a self, request: wxtoken::Request<'a, 'a>) -> Exchange<'a> {
        let mut text = String::new();
        request.write_body(&mut text).expect("written");
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = refused.iter().find(|(appid, _)| text.contains(&format!("\"{appid}\""))).map(|(_, code)| *code);
        let body = match refused {
            Some(errcode) => format!("{{\"errcode\":{errcode},\"errmsg\":\"invalid ip 1.2.3.4, not in whitelist\"}}"),
            None => {
                let nth = self.1.fetch_add(1, Ordering::Relaxed);
                format!(r#"{{"access_token":"TOKEN{nth}","ticket":"TICKET{nth}","errcode":0,"expires_in":7200}}"#)
            }
        };
        Box::pin(async move { Ok(Response::new(200, body)) })
    }
}

/// Three accounts: `cards` with a ticket, `office`, and `shop`, which the platform refuses. `K1` has the first two and may
/// rotate them, `K2` is an administrator with none, `K3` has `shop`.
pub(in crate::doors) async fn scene() -> (Doors, VirtualClock, Platform) {
    let platform = Platform::default();
    platform.refuse("wx-shop", 40164);
    let mut cards = AccountSpec::new("cards", AccountKind::Official, "wx-cards", "a secret");
    cards.tickets = vec![Kind::WxCard];
    let accounts = [
        AccountSpec::new("shop", AccountKind::Official, "wx-shop", "a secret"),
        cards,
        AccountSpec::new("office", AccountKind::MiniProgram, "wx-office", "a secret"),
    ];
    let clock = VirtualClock::new(Duration::from_secs(1_800_000_000));
    let engine =
        Engine::builder().clock(clock.clone()).transport(platform.clone()).start(&accounts).await.expect("good");
    engine.settle().await;
    let clients = [
        ClientSpec::new("own", "K1", &["office", "cards"], &[Permission::Rotate, Permission::Read]),
        ClientSpec::new("admin", "K2", &[], &[Permission::Admin]),
        ClientSpec::new("other", "K3", &["shop"], &[]),
    ];
    (Doors::new(engine, &clients), clock, platform)
}

pub(in crate::doors) async fn ask(doors: &Doors, method: &str, path: &str, key: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
    let request = request.body(Full::new(Bytes::new())).expect("a request");
    let (head, body) = doors.answer(&Peer { address: None }, request).await.into_parts();
    let body = body.collect().await.expect("whole").to_bytes();
    let text = String::from_utf8_lossy(&body);
    assert!(
        head.status != 200 || path.contains("/token") || !text.contains("TOKEN") && !text.contains("TICKET"),
        "{text}"
    );
    (head.status.as_u16(), serde_json::from_slice(&body).expect("JSON"))
}

async fn get(doors: &Doors, query: &str, key: &str) -> Value {
    let (status, body) = ask(doors, "GET", &format!("/v1/status{query}"), key).await;
    assert_eq!(status, 200, "{body}");
    body
}

fn names(body: &Value) -> Vec<&str> {
    body["accounts"].as_array().expect("a list").iter().map(|account| account["name"].as_str().expect("text")).collect()
}

#[tokio::test]
async fn everybody_sees_their_own_and_an_administrator_all() {
    let (doors, _, _) = scene().await;
    let own = get(&doors, "", "K1").await;
    assert_eq!((names(&own), &own["total"], &own["server"]), (vec!["cards", "office"], &json!(2), &Value::Null));
    assert_eq!(own["states"], json!({ "ok": 2, "refreshing": 0, "waiting": 0, "failing": 0, "down": 0 }));
    let all = get(&doors, "", "K2").await;
    assert_eq!((names(&all), &all["next"]), (vec!["cards", "office", "shop"], &Value::Null));
    assert_eq!(all["states"], json!({ "ok": 2, "refreshing": 0, "waiting": 0, "failing": 0, "down": 1 }));
    let server = &all["server"];
    assert_eq!((&server["accounts"], &server["store"], &server["uptime"]), (&json!(3), &json!("ok"), &json!(0)));
    let may = |body: &Value| body["accounts"].as_array().expect("a list").iter().all(|a| a["may_rotate"] == true);
    assert!(may(&own) && may(&all) && !may(&get(&doors, "", "K3").await));
    // What the page offers is granted, to these and to nobody else; no state lets anybody read.
    for (key, path, want) in [
        ("K2", "/v1/accounts/office/token/rotate", 200),
        ("K3", "/v1/accounts/shop/token/rotate", 403),
        ("K1", "/v1/accounts/shop/token/rotate", 403),
    ] {
        assert_eq!(ask(&doors, "POST", path, key).await.0, want, "{key} {path}");
    }
    assert_eq!(ask(&doors, "GET", "/v1/accounts/office/token", "K2").await.0, 403);
}

#[tokio::test]
async fn a_credential_is_described() {
    let (doors, clock, platform) = scene().await;
    for _ in 0..7 {
        ask(&doors, "GET", "/v1/accounts/cards/token", "K1").await;
    }
    let body = get(&doors, "", "K1").await;
    let cards = &body["accounts"][0];
    assert_eq!(
        (&cards["id"], &cards["kind"], &cards["host"], &cards["endpoint"]),
        (&json!("wx-cards"), &json!("official"), &json!("api.weixin.qq.com"), &json!("stable_token"))
    );
    let (token, ticket) = (&cards["credentials"][0], &cards["credentials"][1]);
    assert_eq!((&token["kind"], &ticket["kind"]), (&json!("token"), &json!("wx_card")));
    assert_eq!((&token["state"], &token["expires_in"], &token["life"]), (&json!("ok"), &json!(7198), &json!(7198)));
    assert_eq!(
        (&token["ledger"]["fetches"], &token["generation"], &token["saved"]),
        (&json!(1), &json!(1), &json!(true))
    );
    assert!(token["ledger"]["limit"].as_u64().is_some_and(|limit| limit > 100), "{token}");
    assert!(token["next_fetch_in"].as_u64().is_some_and(|next| (6000..7198).contains(&next)), "{token}");
    assert_eq!((&token["readers_per_minute"], &ticket["readers_per_minute"]), (&json!(7), &json!(0)));
    assert_eq!(token["refusal"], Value::Null);

    // The next fetch is refused: valid still, and it is said what is to be done, in both languages.
    platform.refuse("wx-cards", 40164);
    clock.advance(Duration::from_secs(7000));
    doors.engine.settle().await;
    let body = get(&doors, "?state=failing", "K1").await;
    assert_eq!(names(&body), ["cards"]);
    let token = &body["accounts"][0]["credentials"][0];
    assert_eq!((&token["state"], &token["expires_in"]), (&json!("failing"), &json!(198)));
    let refusal = &token["refusal"];
    assert_eq!((&refusal["errcode"], &refusal["act"]), (&json!(40164), &json!("administrator")));
    let (en, zh) = (refusal["en"].as_str().expect("text"), refusal["zh"].as_str().expect("text"));
    assert!(
        en.contains("1.2.3.4") && zh.contains("1.2.3.4") && zh.contains("白名单") && !en.contains("白名单的"),
        "{refusal}"
    );
    clock.advance(Duration::from_secs(198));
    let body = get(&doors, "?state=down", "K1").await;
    assert_eq!((names(&body), &body["accounts"][0]["credentials"][0]["expires_in"]), (vec!["cards"], &json!(0)));
}

#[tokio::test]
async fn it_is_read_page_by_page() {
    let (doors, _, _) = scene().await;
    let (mut after, mut seen) = (String::new(), Vec::new());
    for _ in 0..3 {
        let body = get(&doors, &format!("?limit=1&after={after}"), "K2").await;
        assert_eq!((body["accounts"].as_array().map(Vec::len), &body["total"]), (Some(1), &json!(3)));
        seen.push(body["accounts"][0]["name"].as_str().expect("text").to_owned());
        match body["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(seen, ["cards", "office", "shop"]);
    assert_eq!(names(&get(&doors, "?after=office", "K2").await), ["shop"]);
    assert_eq!(names(&get(&doors, "?limit=99999999999999999999999", "K2").await).len(), 3);
    let none = get(&doors, "?limit=0", "K2").await;
    assert_eq!((names(&none).len(), &none["next"]), (0, &Value::Null));
    for bad in ["?limit=", "?limit=-1", "?limit=1&limit=1", "?state=well", "?after=a&after=b"] {
        let (status, body) = ask(&doors, "GET", &format!("/v1/status{bad}"), "K2").await;
        assert_eq!((status, &body["type"]), (400, &json!("urn:wxtoken:problem:bad-status-query")), "{bad}");
    }
}
