use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use serde_json::{Value, json};
use wxtoken_platform::{Account as Far, Fault, FaultScope, Platform, Running};

use super::*;
use crate::{
    AccountSpec, EndpointChoice, Engine, Https, Roots, VirtualClock,
    config::{CallPath, ClientSpec},
};

const ID: &str = "wx0123456789abcdef";
const OTHER: &str = "wxfedcba9876543210";
const CORP: &str = "ww0123456789abcdef";
const HERE: Peer = Peer { address: None };
/// 12:00 in Beijing, so that no day ends in the middle of a test.
const NOON: Duration = Duration::from_secs(1_800_000_000 - 1_800_000_000 % 86_400 + 4 * 3600);
const LIMIT: Duration = Duration::from_secs(20);

/// A platform, an engine over it, and the doors. The clocks of both are stepped together.
struct World {
    platform: Running,
    clock: VirtualClock,
    doors: Arc<Doors>,
}

impl World {
    async fn new() -> Self {
        let platform = Platform::builder()
            .speed(0.0)
            .start_at_ms(NOON.as_millis() as u64)
            .account(Far::official(ID, "S1"))
            .account(Far::official(OTHER, "S2"))
            .account(Far::work(CORP, "S3").agent(1))
            .account(Far::work(CORP, "S4").agent(2))
            .start()
            .expect("loopback");
        let clock = VirtualClock::new(NOON);
        let spec = |name: &str, kind, id: &str, secret: &str, tickets: &[Kind]| AccountSpec {
            base: Some(platform.http_url()),
            tickets: tickets.to_vec(),
            ..AccountSpec::new(name, kind, id, secret)
        };
        let rotating = |name: &str, id: &str, secret: &str| AccountSpec {
            endpoint: EndpointChoice::Token,
            ..spec(name, AccountKind::Official, id, secret, &[])
        };
        let accounts = [
            spec("shop", AccountKind::Official, ID, "S1", &[Kind::Jsapi]),
            rotating("shop-token", ID, "S1"),
            rotating("other", OTHER, "S2"),
            spec("app-1", AccountKind::Work, CORP, "S3", &[Kind::Jsapi, Kind::AgentConfig]),
            spec("app-2", AccountKind::Work, CORP, "S4", &[]),
        ];
        let engine = Engine::builder()
            .clock(clock.clone())
            .transport(Https::new(&Roots::Mozilla).expect("compiled in"))
            .start(&accounts)
            .await
            .expect("good accounts");
        engine.settle().await;
        let client = ClientSpec::new;
        let all = ["shop", "shop-token", "other", "app-1", "app-2"];
        let clients = [
            client("all", "K1", &all, &[Permission::Read]),
            client("one-app", "K2", &["app-1"], &[Permission::Read]),
            client("rotates", "K3", &["shop"], &[Permission::Read, Permission::Rotate]),
            client("reads-nothing", "K4", &all, &[Permission::Report, Permission::Rotate]),
        ];
        let mut sdk = client("sdk", "K5", &["other"], &[Permission::Read]);
        sdk.call =
            ["/cgi-bin/getcallbackip", "/cgi-bin/user/*"].map(|path| CallPath::parse(path).expect("a path")).to_vec();
        let mut device = client("device", "K6", &["shop"], &[]);
        device.call.clone_from(&sdk.call);
        let clients = [&clients[..], &[sdk, device]].concat();
        Self { platform, clock, doors: Arc::new(Doors::new(engine, &clients)) }
    }

    fn advance(&self, by: Duration) {
        self.platform.advance(by);
        self.clock.advance(by);
    }

    async fn ask(&self, method: &str, target: &str, body: &str) -> Value {
        ask(&self.doors, method, target, body).await
    }

    async fn get(&self, target: &str) -> Value {
        self.ask("GET", target, "").await
    }

    /// The token of `other`, whose every fetch retires the one before.
    async fn other(&self) -> Value {
        self.get(&of_other()).await
    }

    /// Many at once, as threads of one program.
    async fn herd(&self) -> Vec<Value> {
        let asking = || async {
            let mut threads = tokio::task::JoinSet::new();
            for _ in 0..64 {
                let doors = self.doors.clone();
                threads.spawn_local(async move { ask(&doors, "GET", &of_other(), "").await });
            }
            threads.join_all().await
        };
        let here = tokio::task::LocalSet::new();
        tokio::time::timeout(LIMIT, here.run_until(asking())).await.expect("answered")
    }

    /// Fetches and probes of `other` that the platform saw.
    fn seen(&self) -> (u64, u64) {
        let counters = self.platform.counters().account(OTHER);
        let all = |calls: Option<&wxtoken_platform::model::Calls>| {
            calls.map_or(0, |calls| calls.accepted + calls.refused.values().sum::<u64>())
        };
        let fetches = counters.fetches.values().map(|calls| all(Some(calls))).sum();
        (fetches, all(counters.calls.get("/cgi-bin/getcallbackip")))
    }
}

fn of_other() -> String {
    format!("/cgi-bin/token?grant_type=client_credential&appid={OTHER}&secret=K1")
}

async fn ask(doors: &Doors, method: &str, target: &str, body: &str) -> Value {
    let request = Request::builder().method(method).uri(target);
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
    let reply = doors.answer(&HERE, request).await;
    assert_eq!(reply.status(), 200, "{method} {target}");
    assert_eq!(reply.headers()["cache-control"], "no-store");
    let bytes = reply.into_body().collect().await.expect("whole").to_bytes();
    // An SDK damages these before it parses.
    assert!(!bytes.contains(&b'\\'), "{bytes:?}");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn token(answer: &Value) -> &str {
    answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}"))
}

#[tokio::test]
async fn each_route_answers_in_its_shape() {
    let world = World::new().await;
    let held = |name: &str, kind| {
        let account = world.doors.engine.find(name).expect("there");
        let snapshot = account.credential(kind).expect("kept").snapshot();
        snapshot.held.as_ref().expect("held").as_str().to_owned()
    };
    let of_shop = format!("appid={ID}&secret=K1&grant_type=client_credential");
    let of_app = format!("corpid={CORP}&corpsecret=K2");
    let (stable, rotating) = (held("shop", Kind::Token), held("shop-token", Kind::Token));
    // The path says which of the two is meant.
    let body = json!({ "access_token": stable, "expires_in": 7198 });
    let json_body =
        format!(r#" {{"grant_type":"client_credential","appid":"{ID}","secret":"K1","force_refresh":"x"}}"#);
    assert_eq!(world.ask("POST", "/cgi-bin/stable_token", &json_body).await, body);
    assert_eq!(world.ask("POST", "/cgi-bin/stable_token", &of_shop).await, body);
    assert_eq!(world.ask("POST", &format!("/cgi-bin/stable_token?{of_shop}"), "").await, body);
    for answer in [
        world.get(&format!("/cgi-bin/token?{of_shop}")).await,
        world.ask("POST", "/cgi-bin/token", &of_shop).await,
        world.ask("POST", "/cgi-bin/token", &json_body).await,
    ] {
        assert_eq!(token(&answer), rotating);
        // It ends soon after the next fetch, which is 1800 s before its end.
        let told = answer["expires_in"].as_u64().expect("a number");
        assert!((5400..5600).contains(&told), "{told}");
    }
    let ok = |field: &str, text: String, expires_in: u64| {
        let mut body = json!({ "errcode": 0, "errmsg": "ok", "expires_in": expires_in });
        body[field] = text.into();
        body
    };
    let app = held("app-1", Kind::Token);
    assert_eq!(world.get(&format!("/cgi-bin/gettoken?{of_app}")).await, ok("access_token", app.clone(), 7198));
    world.advance(Duration::from_secs(100));
    assert_eq!(world.get(&format!("/cgi-bin/gettoken?{of_app}")).await, ok("access_token", app.clone(), 7098));
    for (path, kind, with) in [
        ("ticket/getticket?type=jsapi&access_token=", Kind::Jsapi, &stable),
        ("get_jsapi_ticket?access_token=", Kind::Jsapi, &app),
        ("ticket/get?type=agent_config&access_token=", Kind::AgentConfig, &app),
    ] {
        let name = if *with == app { "app-1" } else { "shop" };
        let answer = world.get(&format!("/cgi-bin/{path}{with}")).await;
        assert_eq!(answer, ok("ticket", held(name, kind), 7098), "{path}");
    }
}

#[tokio::test]
async fn what_may_not_be_had_is_refused_in_the_same_words() {
    let world = World::new().await;
    let mut answers = Vec::new();
    for (id, key) in [(ID, "K9"), ("wx-nobody", "K9"), ("wx-nobody", "K1"), (ID, "K2"), (CORP, "K1"), (ID, "K4")] {
        let grant = "grant_type=client_credential";
        answers.push(world.get(&format!("/cgi-bin/token?{grant}&appid={id}&secret={key}")).await);
        let body = format!(r#"{{"grant_type":"client_credential","appid":"{id}","secret":"{key}"}}"#);
        answers.push(world.ask("POST", "/cgi-bin/stable_token", &body).await);
    }
    for (id, key) in [(CORP, "K9"), ("ww-nobody", "K1"), (ID, "K1"), (CORP, "K3"), (CORP, "K4")] {
        answers.push(world.get(&format!("/cgi-bin/gettoken?corpid={id}&corpsecret={key}")).await);
    }
    assert_eq!(answers[0]["errcode"], 40_125);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn bad_requests_are_refused_as_wechat_does_and_never_so_that_an_sdk_loops() {
    let world = World::new().await;
    let long = format!(r#"{{"appid":"{}"}}"#, "x".repeat(5000));
    let app = "corpid=ww0123456789abcdef&corpsecret=K1";
    let app_token = world.get("/cgi-bin/gettoken?corpid=ww0123456789abcdef&corpsecret=K2").await;
    let app_ticket = format!("/cgi-bin/ticket/get?type=jsapi&access_token={}", token(&app_token));
    let wrong_side = format!("/cgi-bin/ticket/getticket?type=jsapi&access_token={}", token(&app_token));
    for (method, target, body, errcode) in [
        ("GET", "/cgi-bin/token?appid=a&secret=b", "", 40_002),
        ("GET", "/cgi-bin/token?grant_type=x&appid=a&secret=b", "", 40_002),
        ("GET", "/cgi-bin/token?grant_type=client_credential&secret=b", "", 41_002),
        ("GET", "/cgi-bin/token?grant_type=client_credential&appid=a", "", 41_004),
        ("GET", "/cgi-bin/token?grant_type=client_credential&appid=a&secret=", "", 41_004),
        ("GET", "/cgi-bin/gettoken", "", 41_002),
        ("GET", "/cgi-bin/gettoken?corpid=a", "", 41_004),
        ("GET", &format!("/cgi-bin/gettoken?{app}"), "", 40_013),
        ("PUT", "/cgi-bin/token", "", 43_001),
        ("GET", "/cgi-bin/stable_token", "", 43_002),
        ("POST", "/cgi-bin/stable_token", "{", 47_001),
        ("POST", "/cgi-bin/stable_token", r#"{"appid":7}"#, 47_001),
        ("POST", "/cgi-bin/stable_token", &long, 47_001),
        ("POST", "/cgi-bin/stable_token", "%ff%fe&&==", 40_002),
        ("POST", "/cgi-bin/stable_token", "", 40_002),
        ("GET", "/cgi-bin/ticket/getticket", "", 41_001),
        ("GET", "/cgi-bin/ticket/getticket?access_token=x&type=jsapi", "", 48_001),
        ("GET", "/cgi-bin/get_jsapi_ticket?access_token=x", "", 48_001),
        ("GET", &app_ticket, "", 40_058),
        ("GET", &wrong_side, "", 48_001),
        ("GET", "/cgi-bin/user/get?access_token=x", "", 48_001),
        ("GET", "/cgi-bin/", "", 48_001),
        ("GET", "/cgi-bin", "", 48_001),
    ] {
        let answer = world.ask(method, target, body).await;
        assert_eq!(answer["errcode"], errcode, "{method} {target} {answer}");
        assert!(answer["errmsg"].as_str().is_some_and(|text| text.len() > 20), "{answer}");
    }
}

#[tokio::test]
async fn an_sdk_with_one_base_for_all_has_its_calls_forwarded_by_their_token() {
    let world = World::new().await;
    let first = world.other().await;
    let call = async |path: &str, token: &str| world.get(&format!("/cgi-bin/{path}?access_token={token}")).await;
    assert!(call("getcallbackip", token(&first)).await["ip_list"].is_array());
    world.advance(Duration::from_secs(60));
    world.platform.revoke_all(OTHER).expect("known");
    // Healed here, so the SDK need not: also with the token that it still holds.
    for _ in 0..2 {
        assert!(call("getcallbackip", token(&first)).await["ip_list"].is_array());
    }
    assert_eq!(world.seen().0, 2);
    let shop = world.get(&format!("/cgi-bin/token?grant_type=client_credential&appid={ID}&secret=K1")).await;
    for (path, with) in [
        ("get_api_domain_ip", token(&first)),
        ("getcallbackip", "x"),
        ("getcallbackip", ""),
        ("getcallbackip", token(&shop)),
    ] {
        assert_eq!(call(path, with).await["errcode"], 48_001, "{path} {with}");
    }
    // Without an answer it is no errcode.
    world.platform.set_listening(false).expect("an outage");
    let request = Request::get(format!("/cgi-bin/getcallbackip?access_token={}", token(&first)));
    let reply = world.doors.answer(&HERE, request.body(Full::new(Bytes::new())).expect("a request")).await;
    assert_eq!(reply.status(), 502);
}

#[tokio::test]
async fn a_ticket_is_found_by_a_token_that_was_replaced() {
    let world = World::new().await;
    let first = world.get(&format!("/cgi-bin/token?grant_type=client_credential&appid={ID}&secret=K3")).await;
    world.advance(Duration::from_secs(60));
    let forced = format!(r#"{{"grant_type":"client_credential","appid":"{ID}","secret":"K3","force_refresh":true}}"#);
    let second = world.ask("POST", "/cgi-bin/stable_token", &forced).await;
    assert_ne!(token(&first), token(&second), "a forced one is another");
    // Too soon for one more: the same again, as WeChat does it.
    assert_eq!(world.ask("POST", "/cgi-bin/stable_token", &forced).await["access_token"], second["access_token"]);
    // Without the permission it is a plain read.
    let plain = forced.replace("K3", "K1");
    assert_eq!(world.ask("POST", "/cgi-bin/stable_token", &plain).await["access_token"], second["access_token"]);
    assert_eq!(world.platform.counters().account(ID).forced, 1);
    for answer in [&first, &second] {
        let ticket = world.get(&format!("/cgi-bin/ticket/getticket?type=jsapi&access_token={}", token(answer))).await;
        assert_eq!(ticket["errcode"], 0, "{ticket}");
    }
    // Nobody's any more when the account is gone.
    world.doors.engine.load(&[]).await.expect("none is good");
    let ticket = world.get(&format!("/cgi-bin/ticket/getticket?type=jsapi&access_token={}", token(&second))).await;
    assert_eq!(ticket["errcode"], 48_001);
}

#[tokio::test]
async fn a_herd_that_comes_back_for_a_refused_token_costs_one_probe_and_one_fetch() {
    let world = World::new().await;
    let first = world.herd().await;
    assert!(first.iter().all(|answer| token(answer) == token(&first[0])));
    assert_eq!(world.seen(), (1, 0), "together they are no hint");
    world.advance(Duration::from_secs(60));
    world.platform.revoke_all(OTHER).expect("known");
    let second = world.herd().await;
    assert!(second.iter().all(|answer| token(answer) == token(&second[0])));
    assert!(world.platform.token_is_valid(OTHER, token(&second[0])));
    assert_eq!(world.seen(), (2, 1));
}

#[tokio::test]
async fn a_good_token_stays_whoever_comes_back_and_however_often() {
    let world = World::new().await;
    let first = world.other().await;
    world.advance(Duration::from_secs(60));
    for _ in 0..3 {
        assert!(world.herd().await.iter().all(|answer| token(answer) == token(&first)));
    }
    assert_eq!(world.seen(), (1, 1), "what the probe said is believed");
    // All day: five probes, then one a minute.
    for _ in 0..20 {
        world.advance(Duration::from_secs(3));
        world.other().await;
    }
    let (fetches, probes) = world.seen();
    assert!(fetches == 1 && (5..=7).contains(&probes), "{fetches} {probes}");
}

#[tokio::test]
async fn whoever_comes_back_without_end_is_told_to_stop() {
    let world = World::new().await;
    world.other().await;
    world.advance(Duration::from_secs(60));
    let mut served = 0;
    let last = loop {
        let answer = world.other().await;
        if answer["errcode"].is_number() || served > 10_000 {
            break answer;
        }
        served += 1;
    };
    assert_eq!((served, &last["errcode"]), (500, &json!(45_011)));
    // Others are not told so, nor is it for long.
    world.advance(Duration::from_secs(1));
    token(&world.other().await);
}

#[tokio::test]
async fn a_probe_without_an_answer_decides_nothing() {
    let world = World::new().await;
    let first = world.other().await;
    for fault in [Fault::Status { status: 502 }, Fault::ResetBefore, Fault::Html] {
        world.advance(Duration::from_secs(60));
        world.platform.fault(fault, FaultScope::every_call().on_path("/cgi-bin/getcallbackip"));
        assert_eq!(token(&world.other().await), token(&first));
        world.platform.clear_faults();
    }
    world.advance(Duration::from_secs(60));
    world.platform.change_quotas(OTHER, |quotas| quotas.api("/cgi-bin/getcallbackip").per_day = 0).expect("known");
    assert_eq!(token(&world.other().await), token(&first));
    assert_eq!(world.seen().0, 1);
}

#[tokio::test]
async fn when_every_token_is_refused_an_sdk_is_made_to_raise() {
    let world = World::new().await;
    world.other().await;
    world.advance(Duration::from_secs(60));
    let refused = Fault::TokenRefused { errcode: Some(40_001) };
    world.platform.fault(refused, FaultScope::every_call().on_path("/cgi-bin/getcallbackip"));
    let second = world.herd().await;
    assert!(second.iter().all(|answer| token(answer) == token(&second[0])), "one more try");
    // Young: it is given once more, after a pause that holds for all of them.
    world.advance(TOGETHER);
    let before = world.doors.engine.clock().now();
    let kept = {
        let asking = async {
            let first = world.herd().await;
            // Those that come back within the pause wait for its end, too.
            (first, world.doors.engine.clock().now())
        };
        tokio::pin!(asking);
        loop {
            tokio::select! {
                biased;
                kept = &mut asking => break kept,
                () = tokio::time::sleep(Duration::from_millis(1)) => world.clock.advance(Duration::from_millis(50)),
            }
        }
    };
    assert!(kept.0.iter().all(|answer| token(answer) == token(&second[0])));
    assert!(kept.1.saturating_since(before) >= Duration::from_secs(1));
    let errcodes: Vec<Value> = { world.herd().await.into_iter().map(|answer| answer["errcode"].clone()).collect() };
    assert!(errcodes.iter().all(|errcode| *errcode == 45_009), "{errcodes:?}");
    let (fetches, probes) = world.seen();
    assert_eq!((fetches, probes), (2, 3));
}

const TOGETHER: Duration = Duration::from_millis(300);

#[tokio::test]
async fn without_a_token_the_platforms_own_words_are_passed_on_unless_they_would_loop() {
    for (errcode, want) in [(40_164, 40_164), (40_001, 45_009), (-1, -1), (45_009, 45_009), (50_002, 50_002)] {
        let platform = Platform::builder().account(Far::official(ID, "S1")).start().expect("loopback");
        platform.refuse_with(ID, errcode).expect("known");
        let mut spec = AccountSpec::new("shop", AccountKind::Official, ID, "S1");
        spec.base = Some(platform.http_url());
        let engine = Engine::builder().start(&[spec]).await.expect("good");
        let client = ClientSpec::new("all", "K1", &["shop"], &[Permission::Read]);
        let doors = Doors::new(engine, &[client]);
        let target = format!("/cgi-bin/token?grant_type=client_credential&appid={ID}&secret=K1");
        let answer = ask(&doors, "GET", &target, "").await;
        assert_eq!(answer["errcode"], want, "{answer}");
    }
}

/// What is remembered of tokens is bounded, and goes with its account.
#[tokio::test]
async fn of_each_account_three_tokens_are_remembered() {
    let world = World::new().await;
    let credential = world.doors.engine.find("other").expect("there").token();
    let mut texts = Vec::new();
    for _ in 0..5 {
        texts.push(credential.snapshot().held.as_ref().expect("held").as_str().to_owned());
        world.advance(Duration::from_secs(60));
        let generation = credential.snapshot().generation();
        credential.rotate();
        while credential.snapshot().generation() == generation {
            tokio::task::yield_now().await;
        }
    }
    let known: Vec<bool> = texts.iter().map(|text| world.doors.engine.with_token(text).is_some()).collect();
    assert_eq!(known, [false, false, false, true, true]);
}
