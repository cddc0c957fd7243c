use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use ureq::tls::RootCerts;
use wxtoken_core::{Account, Action, Base, Endpoint, Failure, Instant, Keeper};

use super::*;

/// For a test that must run out of the whole. Connecting may take longer, so that a machine that stalls meanwhile runs
/// out of the same.
const SHORT_EXCHANGE: Limits = Limits { connect: Duration::from_secs(60), exchange: Duration::from_millis(280) };
/// For one that must not get as far as sending; the other way round for the same reason.
const SHORT_CONNECT: Limits = Limits { connect: Duration::from_millis(90), exchange: Duration::from_secs(60) };

/// Answers one connection as told, after it has read the head of the request.
fn server(answer: impl FnOnce(TcpStream) + Send + 'static) -> (SocketAddr, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let mut heard = Vec::new();
        let mut byte = [0];
        while !heard.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
            heard.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&heard).to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        if stream.read_exact(&mut body).is_ok() {
            heard.extend(body);
        }
        answer(stream);
        heard
    });
    (address, served)
}

fn ask(endpoint: &'static Endpoint, base: &str) -> Result<Response, TransportError> {
    ask_within(Limits::default(), endpoint, base)
}

fn ask_within(limits: Limits, endpoint: &'static Endpoint, base: &str) -> Result<Response, TransportError> {
    let base = Base::parse(base).expect("a base");
    let account = Account::new(endpoint, "wx1", "s3cr3t&=").expect("fine").with_base(base);
    let Action::Fetch(fetch) = Keeper::new(endpoint, 0).poll(Instant::ZERO) else { panic!("cold") };
    Https::new(base.scheme(), RootCerts::WebPki, None, limits).exchange(&account.request(fetch))
}

fn answered(answer: impl FnOnce(TcpStream) + Send + 'static) -> Result<Response, TransportError> {
    answered_within(Limits::default(), answer)
}

fn answered_within(
    limits: Limits,
    answer: impl FnOnce(TcpStream) + Send + 'static,
) -> Result<Response, TransportError> {
    let (address, served) = server(answer);
    let reply = ask_within(limits, &Endpoint::TOKEN, &format!("http://{address}"));
    served.join().expect("no panic");
    reply
}

fn says(text: &'static str) -> impl FnOnce(TcpStream) + Send {
    move |mut stream| {
        let _ = stream.write_all(text.as_bytes());
    }
}

#[test]
fn a_closed_port_was_not_sent() {
    // Closed, and still taken: a port that were free another test might be given.
    let platform = wxtoken_platform::Platform::builder().start().expect("ports");
    platform.set_listening(false).expect("closed");
    let error = ask(&Endpoint::TOKEN, &platform.http_url()).expect_err("closed");
    assert_eq!((error, error.failure()), (TransportError::ConnectionRefused, Failure::NotSent));
}

#[test]
fn a_name_that_is_none_was_not_sent() {
    // RFC 6761: never resolves.
    let error = ask(&Endpoint::TOKEN, "http://wxtoken.invalid").expect_err("no such name");
    assert_eq!((error, error.failure()), (TransportError::NameNotFound, Failure::NotSent));
}

#[test]
fn plain_http_where_tls_is_spoken_and_the_other_way_round() {
    let (address, served) = server(says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    let error = ask_within(SHORT_CONNECT, &Endpoint::TOKEN, &format!("https://{address}")).expect_err("not TLS");
    assert_eq!(error.failure(), Failure::NotSent, "{error}");
    drop(served);
}

#[test]
fn silence_may_have_been_executed() {
    let error = answered_within(SHORT_EXCHANGE, |mut stream| {
        // Until the caller has gone.
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(error.map_err(|e| (e, e.failure())).err(), Some((TransportError::Timeout, Failure::MaybeSent)));
}

#[test]
fn a_reply_that_is_cut_or_reset_may_have_been_executed() {
    for text in
        ["", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"access_token\":\"acc"]
    {
        let error = answered(says(text)).expect_err("cut");
        assert_eq!((error, error.failure()), (TransportError::Broken, Failure::MaybeSent), "{text:?}");
    }
}

#[test]
fn a_reply_that_trickles_runs_into_the_limit() {
    let error = answered_within(SHORT_EXCHANGE, |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            thread::park_timeout(Duration::from_millis(20));
        }
    });
    assert_eq!(error.map(|_| ()), Err(TransportError::Timeout));
}

#[test]
fn what_is_not_http_is_named_so() {
    let error = answered(says("SSH-2.0-OpenSSH_9.9\r\n\r\n")).expect_err("not HTTP");
    assert_eq!((error, error.failure()), (TransportError::NotHttp, Failure::MaybeSent));
}

#[test]
fn a_redirect_is_neither_followed_nor_read() {
    let (elsewhere, other) = server(says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let (address, served) = server(move |mut stream| {
        let body = r#"{"access_token":"evil","expires_in":7200}"#;
        let head =
            format!("HTTP/1.1 302 Found\r\nLocation: http://{elsewhere}/\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = stream.write_all((head + body).as_bytes());
    });
    let reply = ask(&Endpoint::TOKEN, &format!("http://{address}")).expect("a reply");
    served.join().expect("no panic");
    assert_eq!((reply.status(), reply.body()), (302, &b""[..]));
    assert!(!other.is_finished(), "nobody came");
}

#[test]
fn a_body_is_read_to_one_byte_beyond_the_cap() {
    for (sent, read) in [(4096, 4096), (4097, 4097), (1_000_000, 4097)] {
        let reply = answered(move |mut stream| {
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {sent}\r\n\r\n").as_bytes());
            let _ = stream.write_all(&vec![b'x'; sent]);
        });
        assert_eq!(reply.expect("a reply").body().len(), read);
    }
}

#[test]
fn the_request_is_what_core_wrote() {
    let ok = || says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let (address, served) = server(ok());
    assert_eq!(ask(&Endpoint::TOKEN, &format!("http://{address}/prefix")).expect("a reply").body(), b"{}");
    let heard = String::from_utf8(served.join().expect("no panic")).expect("text");
    let line = "GET /prefix/cgi-bin/token?grant_type=client_credential&appid=wx1&secret=s3cr3t%26%3D HTTP/1.1\r\n";
    assert!(heard.starts_with(line), "{heard}");

    let (address, served) = server(ok());
    ask(&Endpoint::STABLE_TOKEN, &format!("http://{address}")).expect("a reply");
    let heard = String::from_utf8(served.join().expect("no panic")).expect("text");
    let body = r#"{"grant_type":"client_credential","appid":"wx1","secret":"s3cr3t&=","force_refresh":false}"#;
    assert!(heard.starts_with("POST /cgi-bin/stable_token HTTP/1.1\r\n") && heard.ends_with(body), "{heard}");
    let lower = heard.to_lowercase();
    assert!(lower.contains(&format!("content-length: {}\r\n", body.len())), "412 to a chunked POST: {heard}");
    assert!(lower.contains("content-type: application/json\r\n") && !lower.contains("transfer-encoding"), "{heard}");
    assert!(!lower.contains("accept-encoding") || lower.contains("identity"), "{heard}");
}

#[test]
fn errors_that_print_the_url_are_never_printed() {
    let url = "http://h/cgi-bin/token?secret=s3cr3t".to_owned();
    for error in [ureq::Error::BadUri(url.clone()), ureq::Error::RequireHttpsOnly(url.clone())] {
        assert!(error.to_string().contains("s3cr3t"), "this is why");
        let mapped = classify(&error);
        assert!(!format!("{mapped} {mapped:?}").contains("s3cr3t"));
    }
}

#[test]
fn limits_leave_time_for_the_exchange_after_connecting() {
    for limit in [Duration::ZERO, Duration::from_millis(100), Duration::from_secs(3), Duration::from_secs(60)] {
        let limits = Limits::within(limit);
        // Resolving and connecting have the same limit each.
        assert!(limits.connect * 2 < limits.exchange && !limits.exchange.is_zero());
        assert!(limits.exchange <= Limits::default().exchange);
    }
}
