//! Each fault, as a client sees it, and whether the call was executed.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use wxtoken_platform::{Account, Fault, FaultScope, Platform, Running};

use super::client::{self, ID, Reply, SECRET, connect, errcode, frozen, get, get_text, is_still_open, raw, token_path};

/// Orders `fault` for the next call, makes it, and returns all that comes back.
fn suffer(platform: &Running, fault: Fault) -> std::io::Result<Vec<u8>> {
    platform.fault(fault, FaultScope::next_call());
    let output = raw(&platform.http_url(), &get_text(&token_path()));
    assert_eq!(get(&platform.http_url(), &token_path()).status, 200, "the call after is well");
    output
}

/// How many tokens were minted for the call before the last.
fn minted(platform: &Running) -> u64 {
    platform.counters().account(ID).minted - 1
}

fn body_length(head: &str) -> usize {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-length:")).unwrap();
    line.split_once(':').unwrap().1.trim().parse().unwrap()
}

#[test]
fn a_lost_reply_was_executed() {
    let platform = frozen();
    assert_eq!(suffer(&platform, Fault::ReplyLost).unwrap(), b"");
    assert_eq!(minted(&platform), 1);
    assert_eq!(platform.counters().faults, 1);
}

#[test]
fn a_cut_ends_mid_body_with_a_fin() {
    let platform = frozen();
    let reply = client::parse(&suffer(&platform, Fault::Cut { after: 10 }).unwrap());
    assert_eq!(reply.body.len(), 10);
    assert!(body_length(&reply.head) > 100);
    assert_eq!(minted(&platform), 1);
}

#[test]
fn a_reset_before_the_reply() {
    let platform = frozen();
    let error = suffer(&platform, Fault::ResetBefore).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(minted(&platform), 1);
}

#[test]
fn a_reset_mid_body() {
    let platform = frozen();
    let error = suffer(&platform, Fault::ResetMidBody { after: 10 }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(minted(&platform), 1);
}

#[test]
fn a_trickle_arrives_whole() {
    let platform = frozen();
    let output = suffer(&platform, Fault::Trickle { bytes: 7, every_ms: 0 }).unwrap();
    let reply = client::parse(&output);
    assert!(platform.token_is_valid(ID, &reply.token()));
}

#[test]
fn a_trickle_is_seen_piece_by_piece() {
    let platform = frozen();
    // An hour between the pieces: what arrives before it is one piece exactly.
    platform.fault(Fault::Trickle { bytes: 5, every_ms: 3_600_000 }, FaultScope::next_call());
    let mut socket = connect(&platform.http_url());
    socket.write_all(get_text(&token_path()).as_bytes()).unwrap();
    let mut seen = [0; 64];
    assert_eq!(socket.read(&mut seen).unwrap(), 5);
    assert_eq!(&seen[..5], b"HTTP/");
}

#[test]
fn silence_lasts_until_the_platform_stops() {
    let platform = frozen();
    platform.fault(Fault::Silence, FaultScope::next_call());
    let mut socket = connect(&platform.http_url());
    socket.write_all(get_text(&token_path()).as_bytes()).unwrap();
    while platform.counters().account(ID).minted == 0 {
        std::thread::yield_now();
    }
    // Long enough for an end to arrive, were there one.
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(is_still_open(&mut socket));
    platform.shutdown();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(!is_still_open(&mut socket));
}

#[test]
fn pages_of_others_are_not_executed() {
    for (fault, status, begins) in [
        (Fault::Status { status: 502 }, 502, "<html>"),
        (Fault::Status { status: 7 }, 502, "<html>"),
        (Fault::Html, 200, "<html>"),
        (Fault::Body { bytes: b"{\"access_token\":".to_vec() }, 200, "{\"access_token\":"),
        (Fault::Redirect { location: "http://192.0.2.1/".to_owned() }, 302, "<html>"),
    ] {
        let platform = frozen();
        let reply = client::parse(&suffer(&platform, fault).unwrap());
        assert_eq!(reply.status, status);
        assert!(reply.body.starts_with(begins.as_bytes()));
        assert_eq!(minted(&platform), 0);
        if status == 302 {
            assert_eq!(reply.header("location"), Some("http://192.0.2.1/"));
        }
    }
}

#[test]
fn garbage_is_neither_text_nor_json() {
    let reply = client::parse(&suffer(&frozen(), Fault::Garbage).unwrap());
    assert!(std::str::from_utf8(&reply.body).is_err());
    assert!(serde_json::from_slice::<serde_json::Value>(&reply.body).is_err());
}

#[test]
fn an_oversize_reply_is_well_formed() {
    let reply = client::parse(&suffer(&frozen(), Fault::Oversize { bytes: 1_000_000 }).unwrap());
    assert!(reply.body.len() > 1_000_000);
    assert_eq!(reply.json()["errcode"], -1);
}

#[test]
fn raw_bytes_are_sent_as_they_are() {
    let platform = frozen();
    let bytes = b"HTTP/1.0 999 \xff\0\r\nA:b\n\nc".to_vec();
    assert_eq!(suffer(&platform, Fault::Raw { bytes: bytes.clone() }).unwrap(), bytes);
    assert_eq!(minted(&platform), 0);
}

#[test]
fn whether_it_is_executed_can_be_said() {
    let platform = frozen();
    platform.fault(Fault::Status { status: 503 }, FaultScope::next_call().executed(true));
    platform.fault(Fault::ResetBefore, FaultScope::next_call().executed(false));
    let url = platform.http_url();
    assert_eq!(get(&url, &token_path()).status, 503);
    assert_eq!(platform.counters().account(ID).minted, 1);
    assert!(raw(&url, &get_text(&token_path())).is_err());
    assert_eq!(platform.counters().account(ID).minted, 1);
}

#[test]
fn scopes() {
    let platform = frozen();
    let url = platform.http_url();
    let status = |path: &str| get(&url, path).status;
    platform.fault(Fault::Status { status: 500 }, FaultScope::next(2).on_path("/cgi-bin/token").after(1));
    assert_eq!(status("/cgi-bin/getcallbackip"), 200);
    assert_eq!([(); 4].map(|()| status(&token_path())), [200, 500, 500, 200]);
    platform.fault(Fault::Status { status: 500 }, FaultScope::every_call());
    assert_eq!([(); 3].map(|()| status(&token_path())), [500, 500, 500]);
    platform.clear_faults();
    assert_eq!(status(&token_path()), 200);
}

fn using(platform: &Running, token: &str) -> Reply {
    get(&platform.http_url(), &format!("/cgi-bin/message/custom/send?access_token={token}"))
}

#[test]
fn a_young_token_is_refused_once() {
    let platform = frozen();
    let token = get(&platform.http_url(), &token_path()).token();
    let young = Fault::TokenRefused { errcode: None };
    platform.fault(young.clone(), FaultScope::next_call().younger_than_ms(30_000));
    assert_eq!(errcode(&using(&platform, "made-up")), 40_001, "made up, and no business of the fault");
    assert_eq!(get(&platform.http_url(), &token_path()).status, 200, "nor is a fetch");
    assert_eq!(platform.counters().faults, 0);
    assert_eq!([(); 2].map(|()| errcode(&using(&platform, &token))), [40_001, 43_002]);
    platform.fault(young, FaultScope::next_call().younger_than_ms(30_000));
    platform.advance(Duration::from_secs(30));
    assert_eq!(errcode(&using(&platform, &token)), 43_002, "no longer young");
    let counters = platform.counters().account(ID);
    assert_eq!((counters.calls_refused(40_001), counters.calls_refused(43_002)), (1, 2));
}

#[test]
fn every_token_is_refused_for_a_while() {
    let platform = Platform::builder()
        .account(Account::official(ID, SECRET))
        .account(Account::work("ww1", SECRET))
        .start_at_ms(client::START)
        .speed(0.0)
        .start()
        .unwrap();
    platform.fault(Fault::TokenRefused { errcode: None }, FaultScope::every_call().lasting_ms(60_000));
    let first = get(&platform.http_url(), &token_path()).token();
    assert_eq!(errcode(&using(&platform, &first)), 40_001);
    platform.advance(Duration::from_millis(59_999));
    let second = get(&platform.http_url(), &token_path()).token();
    assert_eq!(errcode(&using(&platform, &second)), 40_001);
    let work = get(&platform.http_url(), &format!("/cgi-bin/gettoken?corpid=ww1&corpsecret={SECRET}")).token();
    let ask = || errcode(&get(&platform.http_url(), &format!("/cgi-bin/getcallbackip?access_token={work}")));
    assert_eq!(ask(), 40_014, "in the words of its product");
    platform.advance(Duration::from_millis(1));
    assert_eq!((errcode(&using(&platform, &second)), ask()), (43_002, 0));
    platform.fault(Fault::TokenRefused { errcode: Some(42_001) }, FaultScope::next_call());
    assert_eq!([ask(), ask()], [42_001, 0]);
}

#[test]
fn any_fault_can_last_a_while() {
    let platform = frozen();
    platform.fault(Fault::Status { status: 502 }, FaultScope::every_call().lasting_ms(1_000));
    assert_eq!(get(&platform.http_url(), &token_path()).status, 502);
    platform.advance(Duration::from_secs(1));
    assert_eq!(get(&platform.http_url(), &token_path()).status, 200);
}

#[test]
fn random_faults_repeat_with_their_seed() {
    let run = |seed, probability| {
        let platform = frozen();
        platform.fault(Fault::Status { status: 500 }, FaultScope::every_call().with_probability(probability, seed));
        (0..40).map(|_| get(&platform.http_url(), "/cgi-bin/getcallbackip").status == 500).collect::<Vec<_>>()
    };
    assert_eq!(run(1, 0.5), run(1, 0.5));
    assert_ne!(run(1, 0.5), run(2, 0.5));
    assert!(run(1, 0.0).iter().all(|hit| !hit) && run(1, 1.0).iter().all(|hit| *hit));
}
