use std::{collections::BTreeSet, sync::Arc};

use hyper::{Method, Request};
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};

use super::*;
use crate::{
    AccountKind, AccountSpec, Engine, Exchange, Response, Transport, VirtualClock,
    config::{ClientSpec, Permission},
};

struct Platform;

impl Transport for Platform {
    fn exchange<'a>(&'a self, _: wxtoken::Request<'a, 'a>) -> Exchange<'a> {
        Box::pin(async { Ok(Response::new(200, r#"{"access_token":"T-1_a","expires_in":7200}"#)) })
    }
}

const HERE: Peer = Peer { address: None };
const IDLE: Duration = Duration::from_secs(30);

async fn doors() -> Arc<Doors> {
    let accounts = [AccountSpec::new("shop.1", AccountKind::Official, "wx1", "a secret")];
    let clock = VirtualClock::new(Duration::from_secs(1_800_000_000));
    let engine = Engine::builder().clock(clock).transport(Platform).start(&accounts).await.expect("good");
    let clients = [
        ClientSpec::new("reader", "K1", &["shop.1"], &[Permission::Read]),
        ClientSpec::new("reporter", "K2", &["shop.1"], &[Permission::Report]),
        ClientSpec::new("other", "K3", &["other"], &[Permission::Read]),
    ];
    engine.settle().await;
    Arc::new(Doors::new(engine, &clients))
}

const READ: &str = "GET /v1/accounts/shop.1/token HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer K1\r\n\r\n";

#[test]
fn a_read_is_known_and_what_only_looks_like_one_is_not() {
    let known = Some(Asked { key: "K1", account: "shop.1" });
    assert_eq!(asked(READ.as_bytes()), known);
    let with = |field: &str| READ.replace("Host: a\r\n", &format!("Host: a\r\n{field}\r\n"));
    for field in ["Connection: Keep-Alive", "ACCEPT: */*", "user-agent: x", "Accept-Encoding: gzip"] {
        assert_eq!(asked(with(field).as_bytes()), known, "{field}");
    }
    let others = [
        with("Connection: close"),
        with("Connection: upgrade"),
        with("Content-Length: 0"),
        with("Transfer-Encoding: chunked"),
        with("Expect: 100-continue"),
        with("Upgrade: h2c"),
        with("If-None-Match: *"),
        with("X-Anything: 1"),
        with("Authorization: Bearer K1"),
        with(" folded"),
        with("no colon"),
        READ.replace("GET", "HEAD"),
        READ.replace("GET", "get"),
        READ.replace("HTTP/1.1", "HTTP/1.0"),
        READ.replace("/token", "/token?wait=1"),
        READ.replace("/token", "/token/"),
        READ.replace("/token", "/token/report"),
        READ.replace("/v1", "//v1"),
        READ.replace("shop.1", ""),
        READ.replace("shop.1", "sh%6fp.1"),
        READ.replace("shop.1", "../shop.1"),
        READ.replace("/v1", "http://a/v1"),
        READ.replace("Bearer", "Basic"),
        READ.replace("Bearer K1", "Bearer"),
        READ.replace("Bearer K1", "Bearer  K1"),
        READ.replace("Bearer K1", "Bearer K1\u{e9}"),
        READ.replace("Authorization", "Authorisation"),
        READ.replace("\r\n", "\n"),
        format!("{READ}G"),
        format!("{READ}{READ}"),
        format!("\r\n{READ}"),
    ];
    for other in &others {
        assert_eq!(asked(other.as_bytes()), None, "{other:?}");
    }
    for length in 0..READ.len() {
        assert_eq!(asked(&READ.as_bytes()[..length]), None, "{length}");
    }
    let many = (0..FIELDS).map(|_| "Accept: */*\r\n").collect::<String>();
    assert_eq!(asked(READ.replace("Host: a\r\n", &many).as_bytes()), None);
}

/// A connection that is served, its other end, and how to order the end.
struct Served {
    end: DuplexStream,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Option<Vec<u8>>>,
}

async fn served(room: usize) -> Served {
    let (end, mut stream) = duplex(room);
    let (doors, (stop, stopped)) = (doors().await, watch::channel(false));
    let task = tokio::spawn(async move { serve(&mut stream, &doors, &HERE, IDLE, stopped).await });
    Served { end, stop, task }
}

impl Served {
    /// The head and the body of one answer.
    async fn ask(&mut self, request: &str) -> (String, String) {
        self.end.write_all(request.as_bytes()).await.expect("taken");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.end.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8(head).expect("text");
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).expect("a length");
        let mut body = vec![0; length];
        self.end.read_exact(&mut body).await.expect("whole");
        (head, String::from_utf8(body).expect("text"))
    }
}

#[tokio::test]
async fn an_answer_is_the_one_that_is_made_of_parts() {
    let doors = doors().await;
    let quick = doors.held(&HERE, "K1", "shop.1").expect("it is held");
    let quick = String::from_utf8(quick).expect("text");
    let (head, body) = quick.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.split("\r\n");
    assert_eq!(lines.next(), Some("HTTP/1.1 200 OK"));
    let fields: BTreeSet<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();

    let request = Request::builder().method(Method::GET).uri("/v1/accounts/shop.1/token");
    let request = request.header("authorization", "Bearer K1");
    let request = request.body(http_body_util::Empty::<hyper::body::Bytes>::new()).expect("a request");
    let (parts, content) = doors.answer(&HERE, request).await.into_parts();
    let content = http_body_util::BodyExt::collect(content).await.expect("whole").to_bytes();
    // Readers are told apart by when they are to come back.
    let value = |bytes: &[u8]| {
        let mut value = serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON");
        (value["refresh_after"].take().as_u64().expect("seconds"), value)
    };
    let ((after, quick), (_, other)) = (value(body.as_bytes()), value(&content));
    assert_eq!(quick, other);
    let text = |value: &hyper::header::HeaderValue| value.to_str().expect("text").to_owned();
    let mut expected: BTreeSet<(String, String)> =
        parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    expected.retain(|(name, _)| name != "wxtoken-refresh-after");
    expected.insert(("wxtoken-refresh-after".to_owned(), after.to_string()));
    // What hyper adds.
    expected.insert(("content-length".to_owned(), body.len().to_string()));
    expected.insert(("date".to_owned(), "Fri, 15 Jan 2027 08:00:00 GMT".to_owned()));
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn whoever_may_not_read_is_refused_elsewhere() {
    let doors = doors().await;
    for (key, account) in [("K2", "shop.1"), ("K3", "shop.1"), ("K4", "shop.1"), ("", "shop.1"), ("K3", "other")] {
        assert_eq!(doors.held(&HERE, key, account), None, "{key} {account}");
    }
}

#[tokio::test]
async fn reads_are_answered_until_something_else_comes() {
    let mut served = served(4096).await;
    for _ in 0..3 {
        let (head, body) = served.ask(READ).await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body.contains("\"access_token\":\"T-1_a\""), "{head}{body}");
    }
    let other = "POST /v1/accounts/shop.1/token/rotate HTTP/1.1\r\n";
    served.end.write_all(other.as_bytes()).await.expect("taken");
    assert_eq!(served.task.await.expect("no panic"), Some(other.as_bytes().to_vec()));
}

#[tokio::test]
async fn an_answer_that_is_taken_slowly_is_whole() {
    let mut served = served(READ.len()).await;
    for _ in 0..3 {
        let (head, body) = served.ask(READ).await;
        assert!(head.contains("content-type: application/json") && body.ends_with('}'), "{head}{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_taken_ends_the_connection() {
    let mut served = served(READ.len()).await;
    served.end.write_all(READ.as_bytes()).await.expect("taken");
    assert_eq!(served.task.await.expect("no panic"), None);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection_and_requests_do_not() {
    let mut served = served(4096).await;
    for _ in 0..5 {
        tokio::time::sleep(IDLE - Duration::from_secs(1)).await;
        served.ask(READ).await;
    }
    let before = tokio::time::Instant::now();
    assert_eq!(served.task.await.expect("no panic"), None);
    assert!((IDLE..IDLE * 2).contains(&before.elapsed()), "{:?}", before.elapsed());
}

#[tokio::test]
async fn the_end_is_obeyed_and_so_is_the_peers() {
    let mut first = served(4096).await;
    first.ask(READ).await;
    first.stop.send_replace(true);
    assert_eq!(first.task.await.expect("no panic"), None);
    let second = served(4096).await;
    drop(second.end);
    assert_eq!(second.task.await.expect("no panic"), None);
}

#[tokio::test]
async fn what_came_first_is_read_first() {
    let (mut end, stream) = duplex(64);
    let mut again = Reread::new(b"first ".to_vec(), stream);
    end.write_all(b"second").await.expect("taken");
    drop(end);
    let mut all = Vec::new();
    let mut piece = [0; 4];
    loop {
        let read = again.read(&mut piece).await.expect("sound");
        if read == 0 {
            break;
        }
        all.extend_from_slice(&piece[..read]);
    }
    assert_eq!(all, b"first second");
}

#[tokio::test]
async fn where_a_key_may_come_from_and_how_often_holds_on_this_way_too() {
    let doors = doors().await;
    let mut near = ClientSpec::new("near", "NEAR", &["*"], &[Permission::Read]);
    near.networks = vec!["10.0.0.0/8".parse().expect("a network")];
    let mut paced = ClientSpec::new("paced", "PACED", &["*"], &[Permission::Read]);
    paced.rate = crate::config::RateSpec::new(1, 2);
    doors.set_clients(&[near, paced]);
    let held = |from: &str, key: &str| {
        doors.held(&Peer { address: Some(from.parse().expect("an address")) }, key, "shop.1").is_some()
    };
    assert!(held("10.1.2.3", "NEAR") && !held("11.1.2.3", "NEAR"));
    assert_eq!((0..4).map(|_| held("10.1.2.3", "PACED")).collect::<Vec<_>>(), [true, true, false, false]);
}
