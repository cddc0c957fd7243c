extern crate std;
use std::{format, string::String, vec, vec::Vec};

use super::*;
use crate::{Endpoint, Param, Product, Repeat};

fn http(account: Account<'_>, fetch: Fetch) -> String {
    let mut out = Vec::new();
    account.request(fetch).write_http(&mut Growing(&mut out), false).expect("a Vec takes all");
    String::from_utf8(out).expect("UTF-8")
}

/// One byte a call: pieces must survive the slowest writer.
struct Growing<'v>(&'v mut Vec<u8>);

impl embedded_io::ErrorType for Growing<'_> {
    type Error = core::convert::Infallible;
}

impl embedded_io::Write for Growing<'_> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        self.0.extend(buf.first());
        Ok(buf.len().min(1))
    }
    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A writer that breaks its contract.
struct Stuck;

impl embedded_io::ErrorType for Stuck {
    type Error = core::convert::Infallible;
}

impl embedded_io::Write for Stuck {
    fn write(&mut self, _: &[u8]) -> Result<usize, Self::Error> {
        Ok(0)
    }
    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[test]
fn a_rotating_fetch_to_the_letter() {
    let account = Account::new(&Endpoint::TOKEN, "wx1", "a b&c+d/é").expect("fine");
    assert_eq!(
        http(account, Fetch::example(false)),
        format!(
            "GET /cgi-bin/token?grant_type=client_credential&appid=wx1&secret=a%20b%26c%2Bd%2F%C3%A9 HTTP/1.1\r\n\
             Host: api.weixin.qq.com\r\nAccept: application/json\r\nUser-Agent: wxtoken/{}\r\n\
             Connection: close\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        )
    );
}

#[test]
fn a_stable_fetch_says_its_length_and_whether_it_is_forced() {
    let account = Account::new(&Endpoint::STABLE_TOKEN, "wx1", "q\"\\\u{e9}")
        .expect("fine")
        .with_base(Base::parse("http://127.0.0.1:8440/p").expect("fine"));
    for force in [false, true] {
        let body =
            format!(r#"{{"grant_type":"client_credential","appid":"wx1","secret":"q\"\\é","force_refresh":{force}}}"#);
        let text = http(account, Fetch::example(force));
        assert!(text.starts_with("POST /p/cgi-bin/stable_token HTTP/1.1\r\nHost: 127.0.0.1:8440\r\n"), "{text}");
        assert!(text.ends_with(&format!("\r\nContent-Length: {}\r\n\r\n{body}", body.len())), "{text}");
        assert_eq!(account.request(Fetch::example(force)).body_len(), body.len());
    }
}

#[test]
fn work_puts_both_in_the_query() {
    let account = Account::new(&Endpoint::WORK, "ww1", "s").expect("fine");
    let mut url = String::new();
    account.request(Fetch::example(false)).write_url(&mut url).expect("a String takes all");
    assert_eq!(url, "https://qyapi.weixin.qq.com/cgi-bin/gettoken?corpid=ww1&corpsecret=s");
    assert_eq!(account.request(Fetch::example(false)).target_len(), url.len() - "https://qyapi.weixin.qq.com".len());
}

#[test]
fn a_credential_to_come_is_data_only() {
    static COMPONENT: Endpoint = Endpoint::custom(
        "authorizer",
        Product::Open,
        Method::Post,
        "/cgi-bin/component/api_authorizer_token",
        &[
            Param::query("component_access_token", Value::Extra(0)),
            Param::body("component_appid", Value::Id),
            Param::body("authorizer_refresh_token", Value::Extra(1)),
            Param::body("missing", Value::Extra(9)),
        ],
        "authorizer_access_token",
        Repeat::Rotates,
    );
    let account = Account::new(&COMPONENT, "wxc", "unused").expect("fine");
    let extras = ["tok&en", "refreshtoken@@@x"];
    let request = account.request_with(Fetch::example(false), &extras);
    let (mut target, mut body) = (String::new(), String::new());
    request.write_target(&mut target).expect("a String takes all");
    request.write_body(&mut body).expect("a String takes all");
    assert_eq!(target, "/cgi-bin/component/api_authorizer_token?component_access_token=tok%26en");
    assert_eq!(body, r#"{"component_appid":"wxc","authorizer_refresh_token":"refreshtoken@@@x","missing":""}"#);
}

#[test]
fn a_writer_that_takes_nothing_does_not_hang() {
    let account = Account::new(&Endpoint::TOKEN, "wx1", "s").expect("fine");
    account.request(Fetch::example(false)).write_http(&mut Stuck, true).expect("it never errs");
}

#[test]
fn a_writer_that_is_full_gets_no_more_and_is_believed() {
    let account = Account::new(&Endpoint::STABLE_TOKEN, "wx1", "s\"cret").expect("fine");
    let whole = http(account, Fetch::example(true));
    for room in 0..=whole.len() {
        let mut buffer = vec![0; room];
        let mut rest = &mut buffer[..];
        let result = account.request(Fetch::example(true)).write_http(&mut rest, false);
        assert_eq!((result.is_ok(), rest.len()), (room == whole.len(), 0));
        assert_eq!(buffer, &whole.as_bytes()[..room]);
    }
}

#[test]
fn debug_carries_no_secret() {
    let account = Account::new(&Endpoint::TOKEN, "wx1", "s3cr3t").expect("fine");
    let extras = vec!["t0k3n"];
    let text = format!("{:?}", account.request_with(Fetch::example(false), &extras));
    assert!(text.contains("/cgi-bin/token") && !text.contains("s3cr3t") && !text.contains("t0k3n"), "{text}");
}

#[cfg(feature = "token-server")]
#[test]
fn a_token_server_is_asked_with_a_key_and_told_of_a_refused_token_in_the_same_exchange() {
    let base = Base::parse("http://127.0.0.1:8440/pre").expect("fine");
    let account = Account::new(&Endpoint::TOKEN_SERVER, "shop/1", "wxtk_key").expect("fine").with_base(base);
    let head = format!(
        "Host: 127.0.0.1:8440\r\nAccept: application/json\r\nUser-Agent: wxtoken/{}\r\nConnection: close\r\n\
         Authorization: Bearer wxtk_key\r\n",
        env!("CARGO_PKG_VERSION")
    );
    let asked = http(account, Fetch::example(false));
    assert_eq!(asked, format!("GET /pre/v1/accounts/shop%2F1/token HTTP/1.1\r\n{head}\r\n"));
    let request = account.request(Fetch::example(true)).reporting(Some(Fingerprint::from_bits(0x0123_4567_89ab_cdef)));
    let mut out = Vec::new();
    request.write_http(&mut Growing(&mut out), false).expect("a Vec takes all");
    let body = r#"{"fingerprint":"0123456789abcdef","errcode":40001,"read":true}"#;
    assert_eq!(
        String::from_utf8(out).expect("UTF-8"),
        format!(
            "POST /pre/v1/accounts/shop%2F1/token/report HTTP/1.1\r\n{head}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    );
    let mut key = String::new();
    request.write_authorization(&mut key).expect("a String takes all");
    assert_eq!((key.as_str(), request.body_len()), ("Bearer wxtk_key", body.len()));
    // The platform takes no reports.
    let account = Account::new(&Endpoint::TOKEN, "wx1", "s").expect("fine");
    let request = account.request(Fetch::example(false)).reporting(Some(Fingerprint::from_bits(1)));
    assert_eq!((request.method(), request.has_authorization()), (Method::Get, false));
}
