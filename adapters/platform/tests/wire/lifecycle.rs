//! Starting and stopping.

use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener, TcpStream};

use wxtoken_platform::{Account, Platform};

use super::client::{SECRET, connect, frozen, get, is_still_open, post, token_path};

/// An address of loopback that only this test uses, where there are so many: on the usual one another test may be given
/// a port that was just freed.
fn apart() -> IpAddr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    if cfg!(target_os = "linux") { [127, 77, high, low].into() } else { [127, 0, 0, 1].into() }
}

#[test]
fn it_stops_when_dropped_and_frees_its_port() {
    let platform = Platform::builder().ip(apart()).start().unwrap();
    let address = platform.http_addr();
    get(&platform.http_url(), &token_path());
    let idle = connect(&platform.http_url());
    drop(platform);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    drop(idle);
    TcpListener::bind(address).unwrap();
}

#[test]
fn two_accounts_of_one_name_are_refused() {
    let builder = Platform::builder().account(Account::official("wx1", "a")).account(Account::official("wx1", "b"));
    let error = builder.start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_port_in_use_is_reported() {
    let platform = frozen();
    let error = Platform::builder().ports(platform.http_addr().port(), 0, 0).start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn over_the_cap_connections_wait_and_the_control_port_stays_open() {
    let platform = Platform::builder().max_connections(1).start().unwrap();
    let hog = connect(&platform.http_url());
    while platform.counters().connections == 0 {
        std::thread::yield_now();
    }
    let url = platform.http_url();
    let waiting = std::thread::spawn(move || get(&url, "/cgi-bin/getcallbackip").status);
    assert_eq!(get(&platform.control_url(), "/clock").status, 200);
    assert_eq!(platform.counters().connections, 1);
    drop(hog);
    assert_eq!(waiting.join().unwrap(), 200);
}

#[test]
fn an_outage_refuses_connections_and_ends_those_there_are() {
    let platform = Platform::builder().tls(true).start().unwrap();
    let mut there = connect(&platform.http_url());
    while platform.counters().connections == 0 {
        std::thread::yield_now();
    }
    platform.set_listening(false).unwrap();
    assert!(!is_still_open(&mut there));
    for address in [platform.http_addr(), platform.https_addr().unwrap()] {
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
    // The ports are kept, so that no other program is given one; a second order changes nothing.
    platform.set_listening(false).unwrap();
    let other = tokio::net::TcpSocket::new_v4().unwrap();
    assert_eq!(other.bind(platform.https_addr().unwrap()).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(post(&platform.control_url(), "/listening", r#"{"on":true}"#).status, 200);
    assert_eq!(get(&platform.http_url(), "/cgi-bin/getcallbackip").status, 200);
    platform.set_listening(true).unwrap();
    TcpStream::connect(platform.https_addr().unwrap()).unwrap();
}

#[test]
fn debug_shows_no_secret() {
    let builder = Platform::builder().account(Account::official("wx1", SECRET));
    let printed = format!("{builder:?} {:?}", builder.clone().start().unwrap());
    assert!(printed.contains("wx1") && printed.contains("127.0.0.1"));
    assert!(!printed.contains(SECRET));
}

#[test]
fn it_can_be_shared_between_threads_and_dropped_inside_an_async_runtime() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let platform = shared(frozen());
        platform.set_listening(false).unwrap();
        drop(platform);
    });
}
