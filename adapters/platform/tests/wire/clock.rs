//! Calls that are held back, under a clock that is stepped by hand.

use std::io::{Read, Write};
use std::time::Duration;

use wxtoken_platform::{Fault, FaultScope, Running, TimeBase};

use super::client::{ID, START, connect, frozen, get, get_text, is_still_open, parse, raw, token_path};

fn wait_for(platform: &Running, condition: impl Fn(&wxtoken_platform::Counters) -> bool) {
    while !condition(&platform.counters()) {
        std::thread::yield_now();
    }
}

#[test]
fn a_delayed_call_is_executed_although_the_client_has_gone() {
    let platform = frozen();
    platform.fault(Fault::Delayed { ms: 60_000, by: TimeBase::Virtual }, FaultScope::next_call());
    let mut socket = connect(&platform.http_url());
    socket.write_all(get_text(&token_path()).as_bytes()).unwrap();
    wait_for(&platform, |counters| counters.held == 1);
    drop(socket);
    let early = get(&platform.http_url(), &token_path()).token();
    platform.advance(Duration::from_millis(59_999));
    assert_eq!(platform.counters().account(ID).minted, 1);
    platform.advance(Duration::from_millis(1));
    // At once, without waiting for anybody: and the token fetched meanwhile has been superseded.
    assert_eq!((platform.counters().account(ID).minted, platform.counters().held), (2, 0));
    platform.advance(Duration::from_millis(299_999));
    assert!(platform.token_is_valid(ID, &early));
    platform.advance(Duration::from_millis(1));
    assert!(!platform.token_is_valid(ID, &early));
}

#[test]
fn what_is_overdue_is_executed_at_its_own_instant() {
    let platform = frozen();
    platform.fault(Fault::Delayed { ms: 1_000, by: TimeBase::Virtual }, FaultScope::next_call());
    let url = platform.http_url();
    let client = std::thread::spawn(move || get(&url, &token_path()));
    wait_for(&platform, |counters| counters.held == 1);
    platform.advance(Duration::from_secs(7_000));
    let reply = client.join().unwrap();
    assert!(platform.token_is_valid(ID, &reply.token()));
    platform.set_now(START + 7_201_000);
    assert!(!platform.token_is_valid(ID, &reply.token()), "its life began after one second, not after 7000");
}

#[test]
fn a_held_reply_was_executed_at_once() {
    let platform = frozen();
    platform.fault(Fault::Latency { ms: 10_000, by: TimeBase::Virtual }, FaultScope::next_call());
    let mut socket = connect(&platform.http_url());
    socket.write_all(get_text(&token_path()).as_bytes()).unwrap();
    wait_for(&platform, |counters| counters.account(ID).minted == 1);
    // Long enough for the reply to arrive, were it not held.
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(is_still_open(&mut socket));
    platform.advance(Duration::from_millis(9_999));
    assert!(is_still_open(&mut socket));
    platform.advance(Duration::from_millis(1));
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut output = Vec::new();
    socket.read_to_end(&mut output).unwrap();
    assert!(platform.token_is_valid(ID, &parse(&output).token()));
}

#[test]
fn waits_in_real_time_end_by_themselves() {
    let platform = frozen();
    platform.fault(Fault::Latency { ms: 1, by: TimeBase::Real }, FaultScope::next_call());
    platform.fault(Fault::Delayed { ms: 1, by: TimeBase::Real }, FaultScope::next_call());
    for _ in 0..2 {
        assert!(!raw(&platform.http_url(), &get_text(&token_path())).unwrap().is_empty());
    }
    assert_eq!(platform.counters().faults, 2);
}

#[test]
fn a_running_clock_ends_virtual_waits() {
    let platform = frozen();
    platform.fault(Fault::Delayed { ms: 3_600_000, by: TimeBase::Virtual }, FaultScope::next_call());
    let url = platform.http_url();
    let client = std::thread::spawn(move || get(&url, &token_path()));
    wait_for(&platform, |counters| counters.held == 1);
    platform.set_speed(10_000_000.0);
    assert_eq!(client.join().unwrap().status, 200);
    assert!(platform.now_ms() >= START + 3_600_000);
    platform.set_speed(0.0);
    let stopped_at = platform.now_ms();
    assert!(stopped_at >= START + 3_600_000, "changing the speed does not set the clock back");
    assert_eq!(platform.now_ms(), stopped_at);
}

#[test]
fn the_date_header_tells_the_platforms_time() {
    let platform = frozen();
    let reply = get(&platform.http_url(), &token_path());
    assert_eq!(reply.header("date"), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
}
