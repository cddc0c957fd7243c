extern crate std;
use core::time::Duration;
use std::{format, string::String, vec::Vec};

use super::*;
use crate::{Endpoint, Failure, Fingerprint, Instant, Keeper, Product};

mod errcode;
mod healing;

/// One byte a call: pieces must survive the slowest writer.
struct Slow(Vec<u8>);

impl embedded_io::ErrorType for Slow {
    type Error = core::convert::Infallible;
}

impl embedded_io::Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        self.0.extend(bytes.first());
        Ok(bytes.len().min(1))
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn token(text: &str) -> Token {
    Token::new(text).expect("fine")
}

fn head(request: &CallRequest<'_, '_>) -> String {
    let mut out = Slow(Vec::new());
    request.write_head(&mut out, false).expect("a Vec takes all");
    String::from_utf8(out.0).expect("ASCII")
}

#[test]
fn a_post_has_its_credential_in_the_query_and_its_length_in_the_head() {
    let call = Call::post("/cgi-bin/message/send", "{\"温\":1}".as_bytes()).expect("fine");
    let head = head(&call.request(Base::WORK, &token("t@1")));
    let wanted = concat!(
        "POST /cgi-bin/message/send?access_token=t%401 HTTP/1.1\r\nHost: qyapi.weixin.qq.com\r\nAccept: */*\r\n",
        "User-Agent: wxtoken/",
        env!("CARGO_PKG_VERSION"),
        "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    );
    assert_eq!(head, wanted);
}

#[test]
fn a_get_has_neither_length_nor_type() {
    let call = Call::get("/cgi-bin/getcallbackip").expect("fine");
    let head = head(&call.request(Base::API, &token("t1")));
    assert!(head.starts_with("GET /cgi-bin/getcallbackip?access_token=t1 HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("Content-"), "{head}");
}

#[test]
fn each_attempt_is_written_anew_with_the_token_of_then() {
    let call = Call::get("/x").expect("fine");
    let target = |token: &Token| {
        let mut out = String::new();
        let request = call.request(Base::API, token);
        request.write_target(&mut out).expect("a String takes all");
        assert_eq!(out.len(), request.target_len());
        out
    };
    assert_eq!(target(&token("old")), "/x?access_token=old");
    assert_eq!(target(&token("new")), "/x?access_token=new");
}

#[test]
fn the_query_is_encoded_and_the_credential_is_data() {
    let query = [("type", "image/灯"), ("a b", "c&d=e\r\n")];
    let call = Call::stream("/up", "multipart/form-data; boundary=b", 5_000_000_000)
        .and_then(|call| call.with_query(&query))
        .and_then(|call| call.with_credential("component_access_token"))
        .expect("fine");
    let base = Base::parse("http://127.0.0.1:8440/proxy").expect("fine");
    let token = token("t1");
    assert_eq!(call.request(Base::API, &token).base(), Base::API);
    let request = call.with_base(base).request(Base::API, &token);
    let mut url = String::new();
    request.write_url(&mut url).expect("a String takes all");
    assert_eq!(
        url,
        "http://127.0.0.1:8440/proxy/up?component_access_token=t1&type=image%2F%E7%81%AF&a%20b=c%26d%3De%0D%0A"
    );
    assert!(head(&request).contains("\r\nContent-Length: 5000000000\r\n"));
}

#[test]
fn what_would_break_a_request_is_not_a_call() {
    for path in ["", "x", "/a b", "/a\r\nHost: evil", "/a?b", "/a#b", "/ä"] {
        assert_eq!(Call::get(path).map(|_| ()), Err(BadCall::Path), "{path:?}");
    }
    assert_eq!(Call::stream("/a", "text/plain\r\nX: y", 1).map(|_| ()), Err(BadCall::ContentType));
    let call = Call::get("/a").expect("fine");
    let own = [("access_token", "mine")];
    assert_eq!(call.with_query(&own).map(|_| ()), Err(BadCall::Credential));
    assert_eq!(call.with_credential("").map(|_| ()), Err(BadCall::Credential));
    let suite = call.with_credential("suite_access_token").expect("fine");
    assert!(suite.with_query(&own).is_ok(), "another parameter then");
}

#[test]
fn debug_shows_neither_token_nor_query_nor_body() {
    let query = [("openid", "0p3n1d")];
    let call = Call::post("/x", b"b0dyb0dy").and_then(|call| call.with_query(&query)).expect("fine");
    let token = token("t0k3nt0k3n");
    let mut healing = Healing::new(&call, Product::Platform, 1, Instant::ZERO, Duration::from_secs(1));
    let todo = healing.poll(Instant::ZERO, Some(&token), Instant::ZERO);
    let shown = format!("{call:?} {:?} {todo:?} {healing:?}", call.request(Base::API, &token));
    assert!(shown.contains("/x") && shown.contains("Bytes(8)"), "{shown}");
    for hidden in ["t0k3n", "0p3n1d", "b0dy"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn a_call_says_what_it_is() {
    let call = Call::stream("/up", "image/png", 7).expect("fine");
    assert_eq!((call.method(), call.path(), call.base()), (Method::Post, "/up", None));
    assert!(call.body() == Body::Stream { len: 7, replayable: true });
    assert!(!call.is_idempotent() && !call.takes_any_reply());
    let call = Call::get("/down").expect("fine").with_any_reply().with_base(Base::WORK).sent_once();
    assert_eq!((call.method(), call.path(), call.base()), (Method::Get, "/down", Some(Base::WORK)));
    assert!(call.body() == Body::None && call.is_idempotent() && call.takes_any_reply());
    assert_eq!((call.body().len(), Call::post("/x", b"").expect("fine").body().len()), (0, 0));
    let token = token("t1");
    assert_eq!(call.request(Base::API, &token).call().path(), "/down");
    let once = Call::stream("/up", "image/png", 7).expect("fine").sent_once();
    assert!(once.body() == Body::Stream { len: 7, replayable: false });
}

#[test]
fn each_mistake_in_a_call_says_what_to_do() {
    let all = [BadCall::Path, BadCall::ContentType, BadCall::Credential].map(|why| format!("{why}"));
    for (n, text) in all.iter().enumerate() {
        assert!(text.len() > 25 && !all[n + 1..].contains(text), "{text}");
    }
}
