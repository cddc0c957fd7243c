//! What carried the secret or the token is wiped, and nothing shows either.

use wxtoken_embedded::{Exchange, Fault, Step};

use crate::support::{SECRET, request};

const REPLY: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n{\"access_token\":\"accesstoken000001\",\"expires_in\":7200}";

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|w| w == what)
}

#[test]
fn the_secret_is_gone_when_the_request_is_sent() {
    let mut buffer = [0xee; 1024];
    let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
    let Step::Write(bytes) = exchange.step() else { panic!("a request comes first") };
    assert!(holds(bytes, SECRET.as_bytes()), "or this test sees nothing");
    let n = bytes.len();
    exchange.handle_written(n - 1);
    exchange.handle_written(1);
    let Step::Read(room) = exchange.step() else { panic!("a reply comes next") };
    assert_eq!(room.len(), 1024);
    assert!(room.iter().all(|&b| b == 0), "wiped before the reply comes");
}

#[test]
fn a_failed_exchange_is_wiped_at_once_and_a_dropped_one_when_dropped() {
    for sent in [false, true] {
        let mut buffer = [0xee; 1024];
        let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
        if sent {
            exchange.handle_written(usize::MAX);
            let Step::Read(room) = exchange.step() else { panic!("a reply comes next") };
            room[..60].copy_from_slice(&REPLY[..60]);
            exchange.handle_read(60);
        }
        exchange.handle_timeout();
        // Whatever the drop does, the fault has done already: a static exchange is never dropped.
        std::mem::forget(exchange);
        assert!(buffer.iter().all(|&b| b == 0), "sent: {sent}");
    }
    let mut buffer = [0xee; 1024];
    let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
    exchange.handle_written(usize::MAX);
    let Step::Read(room) = exchange.step() else { panic!("a reply comes next") };
    room[..REPLY.len()].copy_from_slice(REPLY);
    exchange.handle_read(REPLY.len());
    assert!(exchange.outcome().is_ok_and(|r| holds(r.body(), b"accesstoken000001")));
    drop(exchange);
    assert!(buffer.iter().all(|&b| b == 0));
    let mut buffer = [0xee; 1024];
    drop(Exchange::new(&request(), &mut buffer, false).expect("fits"));
    assert!(buffer.iter().all(|&b| b == 0), "dropped before it began");
}

#[test]
fn a_request_that_does_not_fit_is_wiped_and_said() {
    let mut buffer = [0xee; 1024];
    let mut whole = buffer.as_mut_slice();
    request().write_http(&mut whole, false).expect("fits");
    let needed = 1024 - whole.len();
    assert!(Exchange::new(&request(), &mut buffer[..needed], false).is_ok());
    for len in 0..needed {
        let room = &mut buffer[..len];
        room.fill(0xee);
        let result = Exchange::new(&request(), room, false).map(|_| ());
        assert_eq!(result, Err(Fault::RequestTooLong), "{len}");
        assert!(buffer[..len].iter().all(|&b| b == 0), "{len}");
    }
}

#[test]
fn nothing_shows_the_secret_or_the_token() {
    let mut buffer = [0; 1024];
    let mut shown = String::new();
    let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
    shown += &format!("{exchange:?}");
    shown += &format!("{:?}", exchange.step());
    exchange.handle_written(usize::MAX);
    let Step::Read(room) = exchange.step() else { panic!("a reply comes next") };
    room[..REPLY.len()].copy_from_slice(REPLY);
    shown += &format!("{:?}", Step::Read(room));
    exchange.handle_read(REPLY.len());
    shown += &format!("{exchange:?} {:?}", exchange.outcome());
    shown += &format!("{:?}", exchange.step());
    assert!(shown.contains("Response(200, 54 bytes)"), "{shown}");
    assert!(!shown.contains(SECRET) && !shown.contains("accesstoken000001"), "{shown}");
}
