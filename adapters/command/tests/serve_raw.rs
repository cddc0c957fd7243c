//! Does the token server live through whatever comes over a socket? Requests that no client would send, from a list and from
//! dice: it goes on answering, never panics, never says 5xx that is not described, and takes a bounded amount of memory.
//!
//! `RAW_SEED=N` throws other dice, `RAW_ROUNDS=N` more of them; what was thrown is printed when a test fails.

#![cfg(target_os = "linux")]

#[path = "common/mod.rs"]
mod common;
#[path = "common/process.rs"]
mod process;
#[path = "common/server.rs"]
mod server;

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{CORP, ID, platform};
use server::{Configuration, KEY, Server};
use wxtoken_platform::Running;

/// Bounded, and never reached unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most memory that may ever be resident, in kB: a debug build has about 20 MB at rest.
const MOST_RSS_KB: u64 = 64 * 1024;

fn start(platform: &Running) -> Server {
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID).account(
        "app",
        &format!("kind = \"work\"\nid = \"{CORP}\"\nsecret = {{ env = \"SHOP_SECRET\" }}\ntickets = [\"jsapi\"]\n"),
    );
    configuration.start(&["-v"])
}

/// It answers, and it has neither panicked nor grown.
fn is_well(server: Server, token: &str) {
    assert_eq!(server.token("shop"), token);
    assert_eq!(server.get("/readyz").0, 200);
    let peak = process::peak_rss_kb(server.child.id());
    println!("{} MB resident at most", peak / 1024);
    assert!((1..MOST_RSS_KB).contains(&peak), "{peak} kB");
    server.signal("TERM");
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}

/// How a peer ends what it has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It closes its half, and listens to the end.
    Half,
    /// It listens for a moment.
    Open,
    /// It is gone.
    Gone,
}

/// Sends it in pieces of `piece` bytes; returns what came back until the server closed, or, once there were so many
/// `answers`, said nothing for a moment.
fn talk(address: SocketAddr, bytes: &[u8], piece: usize, ending: Ending, answers: usize) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // A server that has heard enough may close before all is sent: that is its right.
    drop(bytes.chunks(piece.max(1)).try_for_each(|piece| stream.write_all(piece)));
    let mut heard = Vec::new();
    match ending {
        Ending::Gone => return heard,
        Ending::Half => drop(stream.shutdown(Shutdown::Write)),
        Ending::Open => {}
    }
    let mut buffer = [0; 16 * 1024];
    loop {
        let enough = ending == Ending::Open && statuses(&heard).len() >= answers;
        stream.set_read_timeout(Some(if enough { Duration::from_millis(40) } else { PATIENCE })).unwrap();
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return heard,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
        }
    }
}

/// The statuses of all answers. No body of ours has the text of a status line.
fn statuses(heard: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(heard);
    let after = text.match_indices("HTTP/1.").map(|(at, _)| at + "HTTP/1.1 ".len());
    after.filter_map(|at| text.get(at..at + 3)?.parse().ok()).collect()
}

fn contains(heard: &[u8], what: &str) -> bool {
    heard.windows(what.len()).any(|window| window == what.as_bytes())
}

fn get(path: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n{more}\r\n").into_bytes()
}

fn post(path: &str, more: &str, body: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n{more}\r\n{body}").into_bytes()
}

const READ: &str = "/v1/accounts/shop/token";
const REPORT: &str = "/v1/accounts/shop/token/report";

/// A sound report in one chunk.
const REPORTED: &str = "15\r\n{\"access_token\":\"T0\"}\r\n0\r\n\r\n";

#[test]
fn each_trick_gets_its_answer() {
    let platform = platform().start().unwrap();
    let server = start(&platform);
    let token = server.token("shop");
    let mb = "a".repeat(1 << 20);
    let mut many = String::new();
    (0..5_000).for_each(|nth| write!(many, "X-{nth}: y\r\n").unwrap());
    let mut latin = get(READ, "");
    latin.splice(4..4, b"/\xff\xfe\xc3(".iter().copied());
    let mut nul = get(READ, "");
    nul.splice(10..10, [0]);
    let mut strange_key =
        b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\x80\r\n\r\n".to_vec();
    strange_key.extend_from_slice(b"");
    // What is sent, and the statuses that may come back: several, where there may be several answers.
    let tricks: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("a header of 1 MB", get(READ, &format!("X: {mb}\r\n")), &[431]),
        ("a name of 1 MB", get(READ, &format!("{mb}: x\r\n")), &[431]),
        ("a target of 1 MB", get(&format!("/{mb}"), ""), &[414, 431]),
        ("a target of 15 kB", get(&format!("/v1/accounts/{}/token", &mb[..15_000]), ""), &[403]),
        ("a query of 15 kB", get(&format!("{READ}?{}", &mb[..15_000]), ""), &[200]),
        ("five thousand headers", get(READ, &many), &[431]),
        ("a hundred segments", get(&"/v1/accounts/shop/token".repeat(100), ""), &[404]),
        ("a method of 1 kB", [&mb.as_bytes()[..1_000], &get(READ, "")[3..]].concat(), &[400, 405]),
        ("a body of 1 MB", post(REPORT, "Content-Length: 1048576\r\n", &mb), &[413]),
        (
            "a body of 1 MB in chunks",
            post(REPORT, "Transfer-Encoding: chunked\r\n", &format!("100000\r\n{mb}\r\n0\r\n\r\n")),
            &[413],
        ),
        ("a length that is none", post(REPORT, "Content-Length: many\r\n", ""), &[400]),
        ("a negative length", post(REPORT, "Content-Length: -1\r\n", ""), &[400]),
        ("a length with a sign", post(REPORT, "Content-Length: +2\r\n", "{}"), &[400]),
        ("a length beyond all", post(REPORT, "Content-Length: 99999999999999999999999\r\n", "{}"), &[400]),
        ("two lengths", post(REPORT, "Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), &[400]),
        // Chunks count, and nothing that follows is taken for a request: somebody before us may see it as a body's rest.
        (
            "a length and chunks",
            [post(REPORT, "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", REPORTED), get("/healthz", "")]
                .concat(),
            &[200],
        ),
        (
            "chunks and a length",
            [post(REPORT, "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n", REPORTED), get("/healthz", "")]
                .concat(),
            &[200],
        ),
        (
            "chunks that are none and a length",
            post(REPORT, "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "{}"),
            &[400],
        ),
        ("chunks that are none", post(REPORT, "Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), &[400]),
        ("a chunk beyond all", post(REPORT, "Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n{}"), &[400]),
        ("a chunk longer than said", post(REPORT, "Transfer-Encoding: chunked\r\n", "1\r\n{}\r\n0\r\n\r\n"), &[400]),
        (
            "a chunk's extension of 1 MB",
            post(REPORT, "Transfer-Encoding: chunked\r\n", &format!("2;{mb}\r\n{{}}\r\n0\r\n\r\n")),
            &[400, 413],
        ),
        (
            "trailers of 1 MB",
            post(REPORT, "Transfer-Encoding: chunked\r\n", &format!("2\r\n{{}}\r\n0\r\nX: {mb}\r\n\r\n")),
            &[400, 413],
        ),
        ("another coding", post(REPORT, "Transfer-Encoding: gzip\r\n", "{}"), &[400]),
        ("chunks twice", post(REPORT, "Transfer-Encoding: chunked, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"), &[400]),
        ("no UTF-8 in the target", latin, &[400, 404]),
        ("a NUL in the target", nul, &[400]),
        ("a NUL in a header", get(READ, "X: \0\r\n"), &[400]),
        ("a line folded", get(READ, "X: a\r\n b\r\n"), &[400]),
        ("a space before the colon", get(READ, "X : a\r\n"), &[400]),
        ("a bare line feed", get(READ, "").iter().copied().filter(|byte| *byte != b'\r').collect(), &[200, 400]),
        ("no UTF-8 in the key", strange_key, &[401]),
        ("no UTF-8 in the body", post(REPORT, "Content-Length: 3\r\n", "\u{fffd}"), &[400]),
        ("dots", get("/v1/accounts/../accounts/shop/token", ""), &[404]),
        ("dots behind", get("/v1/accounts/shop/token/..", ""), &[404]),
        ("dots in percents", get("/v1/accounts/%2e%2e/accounts/shop/token", ""), &[404]),
        ("a slash in percents", get("/v1/accounts/shop%2ftoken", ""), &[404]),
        ("a NUL in percents", get("/v1/accounts/shop%00/token", ""), &[403]),
        ("a half percent", get("/v1/accounts/%/token", ""), &[403]),
        ("two slashes", get("//v1/accounts/shop/token", ""), &[404]),
        ("two slashes inside", get("/v1//accounts/shop/token", ""), &[404]),
        ("a slash behind", get("/v1/accounts/shop/token/", ""), &[404]),
        ("another's name", get("/v1/accounts/SHOP/token", ""), &[403]),
        ("a whole address", get("http://elsewhere/v1/accounts/shop/token", ""), &[200]),
        ("no path", get("*", ""), &[400, 404]),
        ("a tunnel", b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), &[400, 401, 404, 405]),
        // To hyper this is a client of HTTP/2, which is not spoken here: it is cut off, or refused when it comes in pieces.
        ("another protocol", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), &[400]),
        ("an older protocol", b"GET /healthz HTTP/1.0\r\n\r\n".to_vec(), &[200]),
        ("the oldest protocol", b"GET /healthz\r\n\r\n".to_vec(), &[400]),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), &[400]),
        ("an upgrade", get(READ, "Connection: Upgrade\r\nUpgrade: websocket\r\n"), &[200]),
        ("a promise of a body", post(REPORT, "Expect: 100-continue\r\nContent-Length: 2\r\n", "{}"), &[100, 400]),
        ("pipelined", [get(READ, ""), get("/healthz", ""), get("/nothing", "")].concat(), &[200, 200, 404]),
        (
            "a body where none belongs",
            [get(READ, "Content-Length: 2\r\n"), b"{}".to_vec(), get("/healthz", "")].concat(),
            &[200, 200],
        ),
        ("two keys", get("/v1/accounts", "Authorization: Bearer other\r\n"), &[200, 401]),
        ("ranges", get(READ, "Range: bytes=0-1\r\n"), &[200]),
        ("conditions without end", get(READ, &format!("If-None-Match: {}\r\n", "\"a\",".repeat(3_000))), &[200]),
        ("waiting without end", get(&format!("{READ}?wait={}", "9".repeat(1_000)), ""), &[200]),
        ("waiting a thousand times", get(&format!("{READ}?{}", "wait=1&".repeat(1_000)), ""), &[400]),
    ];
    let several = ["a promise of a body", "pipelined", "a body where none belongs"];
    let mut wrong = Vec::new();
    for (name, bytes, wanted) in &tricks {
        for (piece, ending) in
            [(usize::MAX, Ending::Half), (usize::MAX, Ending::Open), (7, Ending::Open), (1, Ending::Gone)]
        {
            // Byte by byte takes a million calls.
            if piece < 1_000 && bytes.len() > 100_000 {
                continue;
            }
            let answers = if several.contains(name) { wanted.len() } else { 1 };
            let heard = talk(server.address, bytes, piece, ending, answers);
            let got = statuses(&heard);
            let right = if several.contains(name) {
                got == *wanted
            } else {
                got.len() == 1 && wanted.contains(&got[0]) || got.is_empty() && *name == "another protocol"
            };
            // Who closes its half may be taken for gone, and who still speaks when it is refused may not hear why.
            let unheard = got.is_empty() && (ending != Ending::Open || bytes.len() > 100_000);
            let cut = ending == Ending::Half && wanted.starts_with(&got);
            if !right && !unheard && !cut {
                wrong.push(format!("{name} ({ending:?}): {got:?}, not {wanted:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    is_well(server, &token);
}

/// The same dice for the same seed.
struct Dice(u64);

impl Dice {
    /// A number below `end`.
    fn roll(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ (x >> 31)) >> 1).unwrap() % end.max(1)
    }

    fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }

    /// A request that is sound, or was.
    fn request(&mut self, key: &str) -> Vec<u8> {
        let method = *self.one_of(&["GET", "GET", "HEAD", "POST", "POST", "PUT", "OPTIONS", "TRACE", "X"]);
        let path = *self.one_of(&[
            READ,
            REPORT,
            "/v1/accounts",
            "/v1/accounts/app/tickets/jsapi",
            "/v1/accounts/app/tickets/jsapi/report",
            "/v1/accounts/nobody/token",
            "/v1/accounts/shop/call/cgi-bin/user/info?openid=o",
            "/v1/status",
            "/metrics",
            "/healthz",
            "/readyz",
            "/openapi.json",
            "/",
            "/cgi-bin/token?grant_type=client_credential&appid=wx&secret=x",
            "/cgi-bin/stable_token",
            "/cgi-bin/ticket/getticket?access_token=x&type=jsapi",
        ]);
        let body = *self.one_of(&[
            "",
            "{}",
            "{\"access_token\":\"T\"}",
            "{\"sha256\":\"00\"}",
            "grant_type=x&appid=y",
            "[[[[",
        ]);
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n");
        for _ in 0..self.roll(4) {
            let more: &&str = self.one_of(&[
                "If-None-Match: *\r\n",
                "Content-Type: application/json\r\n",
                "Connection: keep-alive\r\n",
                "Connection: close\r\n",
                "Expect: 100-continue\r\n",
                "Last-Event-ID: token=1\r\n",
                "Range: bytes=0-\r\n",
            ]);
            text.push_str(more);
        }
        if self.roll(4) == 0 {
            write!(text, "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).unwrap();
        } else {
            write!(text, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
        text.into_bytes()
    }

    /// Breaks it somewhere.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        let (from, length) = (self.roll(bytes.len()), self.roll(40));
        let to = (from + length).min(bytes.len());
        match self.roll(7) {
            0 => bytes[from] ^= 1 << self.roll(8),
            1 => drop(bytes.drain(from..to)),
            2 => drop(bytes.splice(from..from, (0..length).map(|_| self.roll(256) as u8).collect::<Vec<_>>())),
            3 => {
                let again = bytes[from..to].to_vec();
                drop(bytes.splice(to..to, again));
            }
            4 => bytes.truncate(from),
            5 => {
                let piece = *self.one_of(&[
                    &b"\r\n"[..],
                    b"\0",
                    b"\r\n\r\n",
                    b"%2e%2e/",
                    b"//",
                    b"\xff\xfe",
                    b": ",
                    b"\x80",
                    b"99999999999999999999",
                ]);
                drop(bytes.splice(from..from, piece.iter().copied()));
            }
            _ => drop(bytes.splice(from..to, std::iter::repeat_n(b'A', self.roll(30_000)))),
        }
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn whatever_dice_send_is_lived_through() {
    let platform = platform().start().unwrap();
    let server = start(&platform);
    let token = server.token("shop");
    let (seed, rounds) = (number("RAW_SEED", 20_260_101), number("RAW_ROUNDS", 2_000));
    let (address, mut answers) = (server.address, std::collections::BTreeMap::new());
    let token = token.as_str();
    let threads: Vec<_> = std::thread::scope(|scope| {
        let throw = |thread: u64| {
            move || {
                let mut statuses_seen = Vec::new();
                for round in (0..rounds).filter(|round| round % 8 == thread) {
                    let mut dice = Dice(seed.wrapping_mul(0x1_0000_0001).wrapping_add(round));
                    let known = dice.roll(2) == 0;
                    let mut bytes = Vec::new();
                    for _ in 0..=dice.roll(3) {
                        bytes.extend(dice.request(if known { KEY } else { "wxtk_of-nobody" }));
                    }
                    if dice.roll(20) == 0 {
                        bytes = (0..dice.roll(5_000)).map(|_| dice.roll(256) as u8).collect();
                    }
                    for _ in 0..dice.roll(6) {
                        if !bytes.is_empty() {
                            dice.spoil(&mut bytes);
                        }
                    }
                    let piece = *dice.one_of(&[usize::MAX, usize::MAX, 1_000, 50]);
                    let ending = *dice.one_of(&[Ending::Half, Ending::Open, Ending::Open, Ending::Gone]);
                    let heard = talk(address, &bytes, piece, ending, 0);
                    let got = statuses(&heard);
                    let shown =
                        || format!("round {round} of seed {seed}: {:?} -> {got:?}", String::from_utf8_lossy(&bytes));
                    assert!(got.iter().all(|status| *status < 500), "{}", shown());
                    assert!(known || !contains(&heard, token), "without a key: {}", shown());
                    statuses_seen.extend(got);
                }
                statuses_seen
            }
        };
        let threads: Vec<_> = (0..8).map(|thread| scope.spawn(throw(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for status in threads.into_iter().flatten() {
        *answers.entry(status).or_insert(0) += 1;
    }
    println!("{rounds} rounds of seed {seed}: answers by status {answers:?}");
    // The dice are not so bad that nothing sound comes through.
    assert!([200, 400, 401, 403, 404, 405].iter().all(|status| answers.contains_key(status)), "{answers:?}");
    is_well(server, token);
}

#[test]
fn connections_that_say_nothing_or_little_are_let_go() {
    let platform = platform().start().unwrap();
    let server = start(&platform);
    let token = server.token("shop");
    let open = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let mut silent: Vec<_> = (0..300).map(|_| open(b"")).collect();
    let mut slow: Vec<_> = (0..100).map(|_| open(b"GET /healthz HTTP/1.1\r\nX: ")).collect();
    let mut kept: Vec<_> = (0..100).map(|_| open(&get("/healthz", ""))).collect();
    let promised = post(REPORT, "Content-Length: 4000\r\n", "{");
    let mut bodies: Vec<_> = (0..100).map(|_| open(&promised)).collect();
    // Each of them says a byte now and then: that does not buy it time.
    let (mut open_still, mut rounds) = (true, 0);
    while open_still {
        rounds += 1;
        assert!(rounds < 140, "they are not let go");
        assert_eq!(server.token("shop"), token);
        std::thread::sleep(Duration::from_millis(500));
        slow.iter_mut().chain(&mut bodies).for_each(|stream| drop(stream.write_all(b"a")));
        open_still = silent.iter_mut().chain(&mut slow).chain(&mut bodies).any(is_open);
    }
    let said = |stream: &mut TcpStream| {
        let mut heard = Vec::new();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        drop(stream.read_to_end(&mut heard));
        statuses(&heard)
    };
    println!("let go after {rounds} rounds of half a second");
    for stream in &mut kept {
        assert_eq!(said(stream), [200], "a connection that is kept and not used");
    }
    is_well(server, &token);
}

/// Whether the server has not closed it. What it said is thrown away.
fn is_open(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    let read = loop {
        match stream.read(&mut buffer) {
            Ok(1..) => {}
            other => break other,
        }
    };
    stream.set_nonblocking(false).unwrap();
    matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[test]
fn a_flood_of_connections_passes() {
    let platform = platform().start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID);
    configuration.write();
    // So few sockets that a flood takes all of them; and so small a flood that the system's queue takes the rest.
    let serve = configuration.command(&["-v"]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 100; exec \"$0\" \"$@\""]).arg(serve.get_program()).args(serve.get_args());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let server = Server::start(command);
    let token = server.token("shop");
    for _ in 0..3 {
        let flood: Vec<_> = (0..180).filter_map(|_| TcpStream::connect(server.address).ok()).collect();
        assert!(flood.len() > 100);
        drop(flood);
        assert_eq!(server.token("shop"), token);
    }
    server.signal("TERM");
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    // It says so, and not a thousand times.
    let told = log.matches("a connection could not be accepted").count();
    assert!((1..10).contains(&told), "{told} times: {log}");
}
