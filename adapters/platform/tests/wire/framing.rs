//! Oddities of the framing, byte by byte.

use wxtoken_platform::{Fault, FaultScope};

use super::client::{self, ID, frozen, get_text, parse, raw, token_path};

fn suffer(fault: Fault) -> client::Reply {
    let platform = frozen();
    platform.fault(fault, FaultScope::next_call());
    let reply = parse(&raw(&platform.http_url(), &get_text(&token_path())).unwrap());
    assert_eq!(platform.counters().account(ID).minted, 1, "each of these is executed");
    reply
}

fn lengths(reply: &client::Reply) -> Vec<usize> {
    let lines = reply.head.lines().filter_map(|line| line.strip_prefix("content-length: "));
    lines.map(|value| value.parse().unwrap()).collect()
}

#[test]
fn gzip_is_claimed_and_not_done() {
    let reply = suffer(Fault::GzipClaimed);
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!(reply.body[0], b'{');
}

#[test]
fn the_body_is_longer_than_announced() {
    let reply = suffer(Fault::LongerBody { extra: 3 });
    assert_eq!(reply.body.len(), lengths(&reply)[0] + 3);
}

#[test]
fn two_lengths_agree_or_differ() {
    for differing_by in [0, 4] {
        let reply = suffer(Fault::DuplicateLength { differing_by });
        let body = reply.body.len();
        assert_eq!(lengths(&reply), [body, body + differing_by]);
    }
}

#[test]
fn chunks_with_and_without_trimmings() {
    let reply = suffer(Fault::Chunked { chunk: 100, extensions: false, trailers: false, with_length: false });
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    assert!(lengths(&reply).is_empty());
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.starts_with("64\r\n{\"access_token\"") && text.ends_with("}\r\n0\r\n\r\n"));

    let reply = suffer(Fault::Chunked { chunk: 1_000, extensions: true, trailers: true, with_length: true });
    assert_eq!(lengths(&reply).len(), 1);
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.contains(";name=\"value; quoted\"\r\n{") && text.ends_with("\r\n0\r\nx-trailer: value\r\n\r\n"));
}

#[test]
fn hints_precede_the_reply() {
    let platform = frozen();
    platform.fault(Fault::Informational { count: 3 }, FaultScope::next_call());
    let output = String::from_utf8(raw(&platform.http_url(), &get_text(&token_path())).unwrap()).unwrap();
    assert_eq!(output.matches("HTTP/1.1 103 Early Hints\r\n").count(), 3);
    assert!(output.contains("\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    let reply = suffer(Fault::UntilClose);
    assert!(lengths(&reply).is_empty() && reply.header("transfer-encoding").is_none());
    assert_eq!(reply.json()["expires_in"], 7_200);
}

#[test]
fn a_chunked_post_gets_412_and_an_empty_body() {
    let platform = frozen();
    let request = "POST /cgi-bin/stable_token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let reply = parse(&raw(&platform.http_url(), request).unwrap());
    assert_eq!((reply.status, reply.body.len()), (412, 0));
    let bodyless = "POST /cgi-bin/stable_token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(parse(&raw(&platform.http_url(), bodyless).unwrap()).status, 412);
    assert_eq!(platform.counters().length_required, 2);
}

#[test]
fn a_request_over_the_cap_is_refused() {
    let platform = wxtoken_platform::Platform::builder().max_body(10).start().unwrap();
    let reply = client::post(&platform.http_url(), "/cgi-bin/stable_token", &"x".repeat(11));
    assert_eq!(reply.status, 413);
    assert_eq!(client::post(&platform.http_url(), "/cgi-bin/stable_token", &"x".repeat(10)).status, 200);
}

#[test]
fn a_connection_serves_many_calls() {
    let platform = frozen();
    let one = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", token_path());
    let output = raw(&platform.http_url(), &format!("{one}{one}{}", get_text(&token_path()))).unwrap();
    assert_eq!(String::from_utf8(output).unwrap().matches("HTTP/1.1 200 OK").count(), 3);
    assert_eq!(platform.counters().connections, 1);
}
