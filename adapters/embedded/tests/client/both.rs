//! Scenes that both clients must live through alike.

use wxtoken_embedded::{
    ConnectError, Fault,
    core::{Endpoint, Failure, Meaning, Outcome},
};

use crate::world::{Act, SECRET, with_both};

const GRANT: &str =
    "HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n{\"access_token\":\"accesstoken000001\",\"expires_in\":7200}";
const OTHER: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n36\r\n{\"access_token\":\"accesstoken000002\",\"expires_in\":7200}\r\n0\r\n\r\n";
const NOT_ALLOWED: &str = "HTTP/1.1 200 OK\r\n\r\n{\"errcode\":40164,\"errmsg\":\"invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist\"}";
const MOVED: &str = "HTTP/1.1 302 Found\r\nLocation: http://portal/\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_day_costs_twelve_fetches_and_never_lacks_a_token() {
    let script: Vec<_> = [Act::Reply(80, GRANT), Act::Reply(80, OTHER)].repeat(8);
    let fetches = with_both(&Endpoint::STABLE_TOKEN, &script, |client, world| {
        assert_eq!(client.token(), None);
        let first = client.tick().expect("due at once");
        assert_eq!(first.outcome, Outcome::Granted { generation: 1 });
        assert!(client.tick().is_none(), "nothing is due");
        let day = world.now.get() + 86_400_000;
        while client.poll_at().as_millis() < day {
            assert!(client.token().is_some());
            world.now.set(client.poll_at().as_millis() - 1);
            assert!(client.token().is_some() && client.tick().is_none());
            world.now.set(client.poll_at().as_millis());
            assert!(client.tick().is_some_and(|a| a.fault.is_none()));
        }
        world.connections.get()
    });
    assert_eq!(fetches, 13);
}

#[test]
fn every_fault_is_said_and_classified() {
    let sent = |fault| (Outcome::Failed(Failure::MaybeSent), Some(fault));
    let unsent = |fault| (Outcome::Failed(Failure::NotSent), Some(fault));
    let cases = [
        (Act::Refuse(ConnectError::NameNotFound), unsent(Fault::Connect(ConnectError::NameNotFound)), 0),
        (Act::Refuse(ConnectError::Certificate), unsent(Fault::Connect(ConnectError::Certificate)), 0),
        (Act::Hang, unsent(Fault::Connect(ConnectError::TimedOut)), 3_000),
        (Act::BreakAtOnce, unsent(Fault::Broken), 0),
        (Act::BreakAfterOne, sent(Fault::Broken), 0),
        (Act::Silent, sent(Fault::TimedOut), 10_000),
        (Act::Trickle(125, GRANT), sent(Fault::TimedOut), 10_000),
        (Act::Reply(9_999, GRANT), (Outcome::Granted { generation: 1 }, None), 9_999),
        (Act::Reply(10_001, GRANT), sent(Fault::TimedOut), 10_000),
        (Act::Reply(5, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), sent(Fault::Cut), 5),
        (Act::Reply(5, MOVED), sent(Fault::Redirected(302)), 5),
        (Act::Reply(5, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno"), (Outcome::Status(502), None), 5),
    ];
    for (at, (act, want, took)) in cases.into_iter().enumerate() {
        let got = with_both(&Endpoint::TOKEN, &[act], |client, world| {
            let before = world.now.get();
            let attempt = client.tick().expect("due at once");
            let took = world.now.get() - before;
            assert!(client.tick().is_none(), "case {at}: a failure is followed by a wait");
            ((attempt.outcome, attempt.fault), took)
        });
        assert_eq!(got, (want, took), "case {at}");
    }
}

/// A stuck write ends differently by nature: a blocking one comes back and says that nothing was taken, an asynchronous
/// one is dropped and says nothing.
#[test]
fn a_write_that_is_stuck_ends_at_the_deadline() {
    let took = with_both(&Endpoint::TOKEN, &[Act::Stuck], |client, world| {
        let before = world.now.get();
        let attempt = client.tick().expect("due at once");
        assert_eq!(attempt.fault, Some(Fault::TimedOut));
        assert!(matches!(attempt.outcome, Outcome::Failed(_)));
        world.now.get() - before
    });
    assert_eq!(took, 10_000);
}

#[test]
fn a_refusal_names_the_address_and_waits() {
    with_both(&Endpoint::STABLE_TOKEN, &[Act::Reply(80, GRANT), Act::Reply(80, NOT_ALLOWED)], |client, world| {
        assert!(client.tick().is_some());
        world.now.set(client.poll_at().as_millis());
        let attempt = client.tick().expect("due");
        let Outcome::Refused(refusal) = attempt.outcome else { panic!("refused") };
        assert_eq!((refusal.meaning(), refusal.address()), (Meaning::AddressNotAllowed, Some("1.2.3.4")));
        assert!(client.token().is_some(), "what is held stays");
        (client.poll_at().as_millis() - world.now.get()) / 1000
    });
}

#[test]
fn neither_shows_the_secret_or_the_token_and_the_request_carries_it() {
    with_both(&Endpoint::STABLE_TOKEN, &[Act::Reply(80, GRANT)], |client, world| {
        let attempt = client.tick();
        let shown = format!("{} {attempt:?}", client.shown());
        assert!(!shown.contains(SECRET) && !shown.contains("accesstoken000001"), "{shown}");
        let sent = String::from_utf8(world.requests.borrow().clone()).expect("ASCII");
        assert!(sent.starts_with("POST /cgi-bin/stable_token HTTP/1.1\r\nHost: api.weixin.qq.com\r\n"), "{sent}");
        assert!(sent.contains(SECRET) && sent.contains("\r\nConnection: close\r\n"));
        assert_eq!(client.keeper().generation(), 1);
        sent
    });
}
