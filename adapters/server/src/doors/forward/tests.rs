use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Response, StatusCode,
    body::{Bytes, Frame},
};
use serde_json::{Value, json};
use tokio::sync::Notify;
use wxtoken_platform::{Account as Far, Fault, FaultScope, Platform, Running};

use super::*;
use crate::{
    AccountKind, AccountSpec, Engine, Exchange, Forwarding, Https, Roots, Transport, VirtualClock,
    config::{CallPath, ClientSpec, Permission},
    doors::Peer,
};

const ID: &str = "wx0123456789abcdef";
const CORP: &str = "ww0123456789abcdef";
const SECRET: &str = "S1";
const HERE: Peer = Peer { address: None };
const NOON: Duration = Duration::from_secs(1_800_000_000 - 1_800_000_000 % 86_400 + 4 * 3600);
const LIMIT: Duration = Duration::from_secs(20);
const IP: &str = "/cgi-bin/getcallbackip";
const SEND: &str = "/cgi-bin/message/custom/send";

fn clients() -> [ClientSpec; 3] {
    let called = |mut client: ClientSpec, paths: &[&str]| {
        client.call = paths.iter().map(|path| CallPath::parse(path).expect(path)).collect();
        client
    };
    [
        called(ClientSpec::new("device", "K1", &["shop", "app"], &[]), &[IP, SEND, "/cgi-bin/media/*", "/cgi-bin/x/*"]),
        ClientSpec::new("reader", "K2", &["shop"], &[Permission::Read, Permission::Admin]),
        called(ClientSpec::new("stranger", "K3", &[], &[]), &[IP]),
    ]
}

/// A platform, an engine over it, and the doors.
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
            .account(Far::official(ID, SECRET))
            .account(Far::work(CORP, SECRET))
            .start()
            .expect("loopback");
        let clock = VirtualClock::new(NOON);
        let mut shop = AccountSpec::new("shop", AccountKind::Official, ID, SECRET);
        shop.base = Some(platform.http_url());
        shop.endpoint = crate::EndpointChoice::Token;
        let mut app = AccountSpec::new("app", AccountKind::Work, CORP, SECRET);
        app.base = Some(platform.http_url());
        let https = Https::new(&Roots::Mozilla).expect("compiled in");
        let engine = Engine::builder().clock(clock.clone()).transport(https).start(&[shop, app]).await;
        let engine = engine.expect("good");
        engine.settle().await;
        Self { platform, clock, doors: Arc::new(Doors::new(engine, &clients())) }
    }

    fn advance(&self, seconds: u64) {
        self.platform.advance(Duration::from_secs(seconds));
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn fetches(&self) -> u64 {
        self.platform.counters().account(ID).fetched_in_all()
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Reply, Value) {
        call(&self.doors, method, path, "K1", body).await
    }
}

async fn call(doors: &Doors, method: &str, path: &str, key: &str, body: &str) -> (u16, Reply, Value) {
    let request = Request::builder().method(method).uri(format!("/v1/accounts/shop/call{path}"));
    let request = request.header("authorization", format!("Bearer {key}")).header("cookie", "session=1");
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
    // Bounded: a virtual clock that stands still may keep a call for ever.
    let reply = tokio::time::timeout(LIMIT, doors.answer(&HERE, request)).await.expect("answered");
    whole(reply).await
}

async fn whole(reply: Reply) -> (u16, Reply, Value) {
    let (head, body) = reply.into_parts();
    let bytes = body.collect().await.expect("whole").to_bytes();
    let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    (head.status.as_u16(), Response::from_parts(head, http_body_util::Either::Left(Full::new(bytes))), value)
}

#[tokio::test]
async fn a_listed_call_is_made_with_the_token_and_no_other() {
    let world = World::new().await;
    let (status, reply, body) = world.call("GET", &format!("{IP}?access_token=mine&a=%26&access%5Ftoken=x"), "").await;
    assert_eq!((status, body["ip_list"].is_array()), (200, true), "{body}");
    assert_eq!(reply.headers()["cache-control"], "no-store");
    assert!(!reply.headers().contains_key("wxtoken-token"));
    let message = json!({ "touser": "u1", "msgtype": "text", "text": { "content": "超温" } }).to_string();
    let (status, _, body) = world.call("POST", SEND, &message).await;
    assert_eq!((status, &body["errcode"]), (200, &json!(0)), "{body}");
    assert_eq!(world.platform.messages().len(), 1);
}

#[tokio::test]
async fn what_is_not_listed_is_refused_like_an_account_of_others() {
    let world = World::new().await;
    let mut refused = Vec::new();
    for (key, path) in [("K1", "/cgi-bin/user/get"), ("K2", IP), ("K3", IP), ("K1", "/cgi-bin/media"), ("K2", SEND)] {
        let (status, _, body) = call(&world.doors, "GET", path, key, "").await;
        assert_eq!(status, 403, "{path} {body}");
        refused.push(body);
    }
    refused.dedup();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(call(&world.doors, "GET", IP, "K9", "").await.0, 401);
    for path in ["", "/", "/cgi-bin", "/cgi-bin/", "/sns/x", "/cgi-bin/media/../user", "/cgi-bin/media//get"] {
        assert_eq!(world.call("GET", path, "").await.0, 400, "{path}");
    }
    for path in
        ["/cgi-bin/media/%2e%2e/user/get", "/cgi-bin/media%2fget", "/cgi-bin/media/./get", "/cgi-bin/media/get/"]
    {
        assert_eq!(world.call("GET", path, "").await.0, 400, "{path}");
    }
    assert_eq!(world.call("TRACE", IP, "").await.0, 405);
    assert_eq!(world.platform.counters().account(ID).calls.len(), 0, "nothing of it was forwarded");
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_made_once_more() {
    let world = World::new().await;
    world.advance(60);
    world.platform.revoke_all(ID).expect("known");
    let calls = (0..64).map(|_| world.call("GET", IP, ""));
    for (status, reply, body) in all(calls).await {
        assert_eq!((status, body["ip_list"].is_array()), (200, true), "{body}");
        assert!(reply.headers().get("wxtoken-token").is_some_and(|told| told == "refreshing" || told == "replaced"));
    }
    assert_eq!(world.fetches(), 2);
    // Refused without end: two attempts, and what the platform says.
    world.advance(60);
    let refused = Fault::TokenRefused { errcode: Some(42_001) };
    world.platform.fault(refused, FaultScope::every_call().on_path(SEND));
    let before = world.platform.counters().account(ID).calls.get(SEND).cloned().unwrap_or_default();
    let (status, reply, body) = world.call("POST", SEND, "{}").await;
    assert_eq!((status, &body["errcode"]), (200, &json!(42_001)));
    assert!(reply.headers().contains_key("wxtoken-token"));
    let after = world.platform.counters().account(ID).calls[SEND].refused_with(42_001);
    assert_eq!((after - before.refused_with(42_001), world.fetches()), (2, 3));
    // Other refusals are answers.
    world.platform.clear_faults();
    let (status, reply, body) = world.call("POST", SEND, "{").await;
    assert_eq!((status, reply.headers().contains_key("wxtoken-token")), (200, false), "{body}");
    assert!(body["errcode"].as_i64().is_some_and(|code| code != 0));
}

/// Polls them all, as tasks would be.
async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.into_iter().map(|one| (Box::pin(one), None)).collect();
    let done = std::future::poll_fn(|cx| {
        let mut left = false;
        for (one, result) in waiting.iter_mut().filter(|(_, result)| result.is_none()) {
            match one.as_mut().poll(cx) {
                std::task::Poll::Ready(value) => *result = Some(value),
                std::task::Poll::Pending => left = true,
            }
        }
        if left { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    });
    tokio::time::timeout(LIMIT, done).await.expect("all of them end");
    waiting.into_iter().filter_map(|(_, result)| result).collect()
}

#[tokio::test]
async fn without_an_answer_it_is_said_whether_it_may_have_been_executed() {
    let world = World::new().await;
    for (fault, status) in
        [(Fault::ReplyLost, 502), (Fault::Cut { after: 20 }, 502), (Fault::Redirect { location: "/x".to_owned() }, 502)]
    {
        world.platform.fault(fault, FaultScope::next(1).on_path(SEND));
        let (got, _, body) = world.call("POST", SEND, "{}").await;
        assert_eq!((got, &body["executed"]), (status, &json!("maybe")), "{body}");
        assert_eq!(body["type"], "urn:wxtoken:problem:platform-not-reached");
    }
    world.platform.set_listening(false).expect("an outage");
    // Until the connections that were kept are gone.
    let mut said = Value::Null;
    for _ in 0..10 {
        let (got, _, body) = world.call("POST", SEND, "{}").await;
        assert_eq!(got, 502, "{body}");
        said = body;
        if said["executed"] == "no" {
            break;
        }
    }
    assert_eq!(said["executed"], "no");
    assert!(said["detail"].as_str().is_some_and(|text| text.contains("no connection")), "{said}");
    // What the platform's own status is, is an answer.
    world.platform.set_listening(true).expect("its end");
    world.platform.fault(Fault::Status { status: 503 }, FaultScope::next(1).on_path(SEND));
    assert_eq!(world.call("POST", SEND, "{}").await.0, 503);
}

#[tokio::test]
async fn without_a_token_nothing_is_forwarded() {
    let world = World::new().await;
    world.advance(60);
    world.platform.refuse_with(ID, 40_164).expect("known");
    world.platform.revoke_all(ID).expect("known");
    // The one there is was refused, and none is to be had.
    let (status, _, body) = world.call("GET", IP, "").await;
    assert_eq!((status, &body["errcode"]), (200, &json!(40_001)));
    let (status, reply, body) = world.call("GET", IP, "").await;
    assert_eq!((status, &body["act"]), (503, &json!("administrator")), "{body}");
    assert!(reply.headers().contains_key("retry-after"));
}

/// The server's own sockets in front of the doors, for what only sockets do.
async fn open(doors: Arc<Doors>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let doors = doors.clone();
            let service = hyper::service::service_fn(move |request| {
                let doors = doors.clone();
                async move { Ok::<_, std::convert::Infallible>(doors.answer(&HERE, request).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .max_buf_size(16 * 1024)
                .serve_connection(hyper_util::rt::TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    address
}

#[tokio::test]
async fn ten_megabytes_pass_both_ways_byte_for_byte() {
    let world = World::new().await;
    let file: Vec<u8> = (0..10_000_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
    let head = b"--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.bin\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n";
    let form = Bytes::from([head, &file[..], b"\r\n--b--\r\n"].concat());
    let upload = async || {
        let request = Request::post("/v1/accounts/app/call/cgi-bin/media/upload?type=file")
            .header("authorization", "Bearer K1")
            .header("content-type", "multipart/form-data; boundary=b");
        whole(world.doors.answer(&HERE, request.body(Full::new(form.clone())).expect("a request")).await).await
    };
    let (status, _, body) = upload().await;
    let id = body["media_id"].as_str().unwrap_or_else(|| panic!("{status} {body}"));
    let request = Request::get(format!("/v1/accounts/app/call/cgi-bin/media/get?media_id={id}"));
    let request = request.header("authorization", "Bearer K1").body(Full::new(Bytes::new())).expect("a request");
    let reply = world.doors.answer(&HERE, request).await;
    assert_eq!(reply.headers()["content-length"], "10000000");
    assert!(reply.into_body().collect().await.expect("whole").to_bytes() == file);
    // A refused token: the body has passed, so nothing is tried again, and the caller is told that he may.
    world.advance(60);
    world.platform.revoke_all(CORP).expect("known");
    let (status, reply, body) = upload().await;
    assert_eq!((status, &body["errcode"], world.platform.media().len()), (200, &json!(40_014), 1));
    assert_eq!(reply.headers()["wxtoken-token"], "refreshing");
    let (_, reply, body) = upload().await;
    assert!(body["media_id"].is_string() && !reply.headers().contains_key("wxtoken-token"), "{body}");
    assert_eq!(world.doors.calls.0.available_permits(), AT_A_TIME, "all places are given back");
}

/// A platform in memory that counts what is taken of its reply, and takes of a body what it is told to.
struct Counting {
    /// Pieces of 16 KiB of the reply that were asked for.
    given: Arc<AtomicUsize>,
    /// Pieces of the call's body it waits for before it answers.
    takes: usize,
    taken: Arc<AtomicUsize>,
    /// Rings when a call ends before its answer.
    dropped: Arc<Notify>,
    head: &'static [u8],
}

const PIECE: usize = 16 * 1024;
const PIECES: usize = 640;

impl Transport for Counting {
    fn exchange<'a>(&'a self, _: wxtoken::Request<'a, 'a>) -> Exchange<'a> {
        Box::pin(async { Ok(crate::Response::new(200, r#"{"access_token":"T1","expires_in":7200}"#)) })
    }

    fn forward(&self, call: hyper::Request<Stream>) -> Forwarding<'_> {
        struct Bell(Arc<Notify>, bool);
        impl Drop for Bell {
            fn drop(&mut self) {
                if self.1 {
                    self.0.notify_one();
                }
            }
        }
        Box::pin(async move {
            let mut bell = Bell(self.dropped.clone(), true);
            let mut body = call.into_body();
            for _ in 0..self.takes {
                match body.frame().await {
                    Some(Ok(_)) => self.taken.fetch_add(1, Ordering::SeqCst),
                    Some(Err(_)) => return Err(TransportError::Broken),
                    // All of it came, and there is no answer.
                    None => std::future::pending().await,
                };
            }
            bell.1 = false;
            let given = self.given.clone();
            let mut head = Some(Bytes::from_static(self.head));
            let mut left = PIECES;
            let pieces = std::iter::from_fn(move || {
                head.take().or_else(|| {
                    left = left.checked_sub(1)?;
                    given.fetch_add(1, Ordering::SeqCst);
                    Some(Bytes::from(vec![b'x'; PIECE]))
                })
            });
            let frames = Pieces(Box::new(pieces));
            Ok(Response::new(Stream::new(frames)))
        })
    }
}

/// A body of pieces that are made when they are asked for.
struct Pieces(Box<dyn Iterator<Item = Bytes> + Send>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

impl Counting {
    fn new(takes: usize, head: &'static [u8]) -> Self {
        Self { given: Arc::default(), takes, taken: Arc::default(), dropped: Arc::default(), head }
    }
}

async fn over(transport: impl Transport) -> Arc<Doors> {
    let shop = AccountSpec::new("shop", AccountKind::Official, ID, SECRET);
    let engine = Engine::builder().clock(VirtualClock::new(NOON)).transport(transport).start(&[shop]).await;
    let engine = engine.expect("good");
    engine.settle().await;
    Arc::new(Doors::new(engine, &clients()))
}

fn get() -> hyper::http::request::Builder {
    Request::get("/v1/accounts/shop/call/cgi-bin/media/get").header("authorization", "Bearer K1")
}

#[tokio::test]
async fn a_reader_who_stands_still_holds_up_the_platform_and_fills_no_memory() {
    for (head, held_back) in [(&b"\xff\xd8 a photo"[..], 0), (&br#"{"errmsg":""#[..], KEPT / PIECE)] {
        let transport = Counting::new(0, head);
        let given = transport.given.clone();
        let doors = over(transport).await;
        let reply = doors.answer(&HERE, get().body(Full::new(Bytes::new())).expect("a request")).await;
        assert_eq!(reply.status(), StatusCode::OK);
        // All that can be taken without a reader is taken.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let most = held_back + reply::PIECES + 2;
        assert!(given.load(Ordering::SeqCst) <= most, "{} of {most}", given.load(Ordering::SeqCst));
        let body = reply.into_body().collect().await.expect("whole").to_bytes();
        assert_eq!(body.len(), head.len() + PIECES * PIECE);
        assert!(body.starts_with(head));
    }
}

#[tokio::test]
async fn of_a_long_body_no_more_is_taken_than_the_platform_takes() {
    let transport = Counting::new(3, b"{}");
    let taken = transport.taken.clone();
    let doors = over(transport).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let body = Sized(Pieces(Box::new((0..PIECES).map(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Bytes::from(vec![b'x'; PIECE])
    }))));
    let request = Request::post("/v1/accounts/shop/call/cgi-bin/media/upload").header("authorization", "Bearer K1");
    let reply = doors.answer(&HERE, request.body(body).expect("a request")).await;
    assert_eq!(reply.status(), StatusCode::OK);
    assert_eq!((taken.load(Ordering::SeqCst), asked.load(Ordering::SeqCst)), (3, 3));
}

/// With its length told.
struct Sized(Pieces);

impl hyper::body::Body for Sized {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact((PIECES * PIECE) as u64)
    }
}

#[tokio::test]
async fn a_long_body_says_its_length() {
    let doors = over(Counting::new(0, b"{}")).await;
    let call = async |len: usize| {
        let pieces = Pieces(Box::new(std::iter::repeat_n(Bytes::from(vec![b'x'; 1024]), len)));
        let request = Request::post("/v1/accounts/shop/call/cgi-bin/media/upload");
        let request = request.header("authorization", "Bearer K1").body(pieces).expect("a request");
        doors.answer(&HERE, request).await.status().as_u16()
    };
    assert_eq!((call(64).await, call(65).await), (200, 411));
}

#[tokio::test]
async fn a_caller_who_leaves_ends_the_call() {
    // While it still sends, and while it waits for the answer.
    for length in [100_000, 14] {
        let transport = Counting::new(PIECES, b"{}");
        let (taken, dropped) = (transport.taken.clone(), transport.dropped.clone());
        let address = open(over(transport).await).await;
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("open");
        let head = "POST /v1/accounts/shop/call/cgi-bin/media/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer K1";
        let sent = format!("{head}\r\nContent-Length: {length}\r\n\r\nhere it begins");
        tokio::io::AsyncWriteExt::write_all(&mut stream, sent.as_bytes()).await.expect("sent");
        tokio::time::timeout(LIMIT, async {
            while taken.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            drop(stream);
            dropped.notified().await;
        })
        .await
        .expect("the call was ended");
    }
}

#[tokio::test]
async fn so_many_calls_at_a_time_and_no_more() {
    let world = World::new().await;
    let places: Vec<_> = (0..AT_A_TIME).map(|_| world.doors.calls.0.clone().try_acquire_owned()).collect();
    let (status, reply, body) = world.call("GET", IP, "").await;
    assert_eq!((status, &body["type"]), (503, &json!("urn:wxtoken:problem:too-many-calls")));
    assert!(reply.headers().contains_key("retry-after"));
    drop(places);
    assert_eq!(world.call("GET", IP, "").await.0, 200);
    assert_eq!(world.doors.calls.0.available_permits(), AT_A_TIME);
}

/// A platform that says the token back.
struct Echo;

impl Transport for Echo {
    fn exchange<'a>(&'a self, _: wxtoken::Request<'a, 'a>) -> Exchange<'a> {
        Box::pin(async { Ok(crate::Response::new(200, r#"{"access_token":"T1","expires_in":7200}"#)) })
    }

    fn forward(&self, call: hyper::Request<Stream>) -> Forwarding<'_> {
        let told = call.uri().query().unwrap_or("").replace("access_token=", "");
        let text = json!({ "errcode": 48_001, "errmsg": told, "headers": format!("{:?}", call.headers()) }).to_string();
        Box::pin(async move { Ok(Response::new(Stream::new(Full::new(Bytes::from(text))))) })
    }
}

#[tokio::test]
async fn the_token_does_not_reach_the_caller_nor_do_cookies_and_keys_reach_the_platform() {
    let doors = over(Echo).await;
    let (_, _, body) = call(&doors, "GET", "/cgi-bin/x/y?a=T1&access_token=T1", "K1", "").await;
    assert_eq!(body["errmsg"], "a=**&**");
    assert_eq!(body["headers"], concat!("{\"user-agent\": \"wxtoken/", env!("CARGO_PKG_VERSION"), "\"}"));
}
