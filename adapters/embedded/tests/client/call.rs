//! API calls: one table for both clients. Each script begins with the fetch of the first token.

use wxtoken_embedded::{
    CallFailed, ConnectError, Fault,
    core::{Call, Endpoint, GaveUp},
};

use crate::world::{Act, Drive, Ended, SECRET, World, with_both};

const GRANT: &str = "HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"accesstoken000001\",\"expires_in\":7200}";
const OTHER: &str = "HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"accesstoken000002\",\"expires_in\":7200}";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"errcode\":0,\"errmsg\":\"ok\"}";
const REFUSED: &str = "HTTP/1.1 200 OK\r\n\r\n{\"errcode\":40001,\"errmsg\":\"invalid credential\"}";
const EXPIRED: &str = "HTTP/1.1 200 OK\r\n\r\n{\"errcode\":42001,\"errmsg\":\"access_token expired\"}";
const NOT_GRANTED: &str = "HTTP/1.1 200 OK\r\n\r\n{\"errcode\":48001,\"errmsg\":\"api unauthorized\"}";
const WRONG_AGENT: &str = "HTTP/1.1 200 OK\r\n\r\n{\"errcode\":301002,\"errmsg\":\"not allow\"}";
const BUSY: &str = "HTTP/1.1 200 OK\r\n\r\n{\"errcode\":-1,\"errmsg\":\"system error\"}";
const SLOWER: &str = "HTTP/1.1 200 OK\r\n\r\n{\"errcode\":45011,\"errmsg\":\"api minute-quota reach limit\"}";
const WRONG_SECRET: &str = "HTTP/1.1 200 OK\r\n\r\n{\"errcode\":40125,\"errmsg\":\"invalid appsecret\"}";
const PORTAL: &str = "HTTP/1.1 200 OK\r\n\r\n<html>please log in</html>";
const BAD_GATEWAY: &str = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
const LONG: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{";

const BODY: &[u8] = r#"{"touser":"o1","template_id":"t1","data":{"温":{"value":"90"}}}"#.as_bytes();

fn post() -> Call<'static> {
    Call::post("/cgi-bin/message/template/send", BODY).expect("fine")
}

fn get() -> Call<'static> {
    Call::get("/cgi-bin/getcallbackip").expect("fine")
}

/// A minute after the first token came, `call` is made.
fn minute_later(client: &mut dyn Drive, world: &World, call: &Call<'_>, limit_s: u64) -> Ended {
    assert!(client.tick().is_some());
    world.now.set(world.now.get() + 60_000);
    client.call(call, limit_s)
}

fn code(ended: Ended) -> Result<i32, (GaveUp, Option<i32>, Option<Fault>)> {
    ended.map(|(_, code, _)| code).map_err(|CallFailed { why, errcode, fault, .. }| (why, errcode, fault))
}

/// With which tokens the call was sent.
fn sent_with(world: &World) -> Vec<String> {
    let sent = String::from_utf8(world.requests.borrow().clone()).expect("UTF-8");
    sent.split("?access_token=").skip(1).map(|rest| rest.split(' ').next().unwrap_or("").to_owned()).collect()
}

#[test]
fn every_end_of_a_call_is_the_same_for_both() {
    let first = Act::Reply(80, GRANT);
    let reply = |text| Act::Reply(40, text);
    let (t1, t2) = ("accesstoken000001", "accesstoken000002");
    let gave_up = |why, errcode, fault| Err((why, errcode, fault));
    let cases = [
        ("accepted", post(), vec![reply(OK)], Ok(0), vec![t1]),
        ("healed", post(), vec![reply(REFUSED), reply(OTHER), reply(OK)], Ok(0), vec![t1, t2]),
        ("healed, expired", get(), vec![reply(EXPIRED), reply(OTHER), reply(OK)], Ok(0), vec![t1, t2]),
        (
            "healed although the fetch failed once",
            post(),
            vec![reply(REFUSED), Act::Refuse(ConnectError::Refused), reply(OTHER), reply(OK)],
            Ok(0),
            vec![t1, t2],
        ),
        (
            "refused twice",
            post(),
            vec![reply(REFUSED), reply(OTHER), reply(REFUSED)],
            gave_up(GaveUp::RefusedAgain, Some(40001), None),
            vec![t1, t2],
        ),
        (
            "refused, and fetching is refused",
            post(),
            vec![reply(REFUSED), reply(WRONG_SECRET)],
            gave_up(GaveUp::NoOtherToken, Some(40001), None),
            vec![t1],
        ),
        ("not granted: no fetch", post(), vec![reply(NOT_GRANTED)], Ok(48001), vec![t1]),
        ("another agent: no fetch", post(), vec![reply(WRONG_AGENT)], Ok(301_002), vec![t1]),
        ("busy twice", post(), vec![reply(BUSY), reply(BUSY), reply(OK)], Ok(0), vec![t1; 3]),
        ("busy", post(), vec![reply(BUSY); 3], gave_up(GaveUp::Busy, Some(-1), None), vec![t1; 3]),
        ("a minute's quota", post(), vec![reply(SLOWER), reply(OK)], Ok(0), vec![t1; 2]),
        (
            "no connection once",
            post(),
            vec![Act::Refuse(ConnectError::NoNetwork), Act::BreakAtOnce, reply(OK)],
            Ok(0),
            // The attempt that broke was written, and not taken.
            vec![t1],
        ),
        (
            "no connection",
            post(),
            vec![Act::Hang; 3],
            gave_up(GaveUp::NotSent, None, Some(Fault::Connect(ConnectError::TimedOut))),
            vec![],
        ),
        ("no answer", post(), vec![Act::Silent], gave_up(GaveUp::Unanswered, None, Some(Fault::TimedOut)), vec![t1]),
        ("no answer, and no harm", get(), vec![Act::Silent, reply(OK)], Ok(0), vec![t1; 2]),
        (
            "a trickle",
            post(),
            vec![Act::Trickle(500, OK)],
            gave_up(GaveUp::Unanswered, None, Some(Fault::TimedOut)),
            vec![t1],
        ),
        ("a captive portal", post(), vec![reply(PORTAL)], gave_up(GaveUp::Unanswered, None, None), vec![t1]),
        ("a bad gateway", post(), vec![reply(BAD_GATEWAY)], gave_up(GaveUp::Status(502), None, None), vec![t1]),
        (
            "longer than the buffer",
            get(),
            vec![reply(LONG)],
            gave_up(GaveUp::Unanswered, None, Some(Fault::BodyTooLong)),
            vec![t1],
        ),
    ];
    for (name, call, acts, wanted, tokens) in cases {
        let script: Vec<_> = std::iter::once(first).chain(acts).collect();
        let (ended, sent, _) = with_both(&Endpoint::TOKEN, &script, |client, world| {
            let ended = minute_later(client, world, &call, 120);
            assert!(world.script.borrow().is_empty(), "{name}: the whole script was played");
            (code(ended), sent_with(world), world.now.get())
        });
        assert_eq!((ended, sent.as_slice()), (wanted, &tokens.map_to_owned()[..]), "{name}");
    }
}

trait MapToOwned {
    fn map_to_owned(&self) -> Vec<String>;
}

impl MapToOwned for Vec<&str> {
    fn map_to_owned(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

#[test]
fn a_call_without_a_token_fetches_one_first() {
    with_both(&Endpoint::STABLE_TOKEN, &[Act::Reply(80, GRANT), Act::Reply(80, OK)], |client, _| {
        assert_eq!(code(client.call(&get(), 30)), Ok(0));
    });
    with_both(&Endpoint::STABLE_TOKEN, &[Act::Reply(80, WRONG_SECRET)], |client, world| {
        let before = world.now.get();
        assert_eq!(code(client.call(&get(), 30)), Err((GaveUp::NoToken, None, None)));
        assert_eq!(world.now.get() - before, 80, "it is not waited for");
    });
}

#[test]
fn a_young_token_is_given_another_chance_by_another_call() {
    let script = [Act::Reply(80, GRANT), Act::Reply(40, REFUSED), Act::Reply(40, OK)];
    with_both(&Endpoint::TOKEN, &script, |client, _| {
        assert!(client.tick().is_some());
        assert_eq!(
            code(client.call(&post(), 30)),
            Err((GaveUp::NoOtherToken, Some(40001), None)),
            "never the same one"
        );
        assert_eq!(code(client.call(&post(), 30)), Ok(0));
    });
}

#[test]
fn a_call_is_not_held_longer_than_it_may_be() {
    let script = [Act::Reply(80, GRANT), Act::Reply(40, SLOWER)];
    with_both(&Endpoint::TOKEN, &script, |client, world| {
        assert_eq!(code(minute_later(client, world, &post(), 30)), Err((GaveUp::Busy, Some(45011), None)));
    });
}

#[test]
fn the_reply_is_the_callers_and_then_wiped() {
    // That the buffer is all zeros afterwards is asserted for every scene.
    let body = with_both(&Endpoint::TOKEN, &[Act::Reply(80, GRANT), Act::Reply(40, NOT_GRANTED)], |client, world| {
        minute_later(client, world, &post(), 30)
    });
    assert_eq!(body, Ok((200, 48001, br#"{"errcode":48001,"errmsg":"api unauthorized"}"#.to_vec())));
}

#[test]
fn bodies_of_every_length_arrive_whole() {
    for len in [0, 1, 700, 800, 900, 1023, 1024, 1025, 5_000] {
        let body: Vec<u8> = (0..len).map(|n| b'a' + (n % 23) as u8).collect();
        for streamed in [false, true] {
            let script = [Act::Reply(80, GRANT), Act::Reply(40, REFUSED), Act::Reply(40, OTHER), Act::Reply(40, OK)];
            with_both(&Endpoint::TOKEN, &script, |client, world| {
                assert!(client.tick().is_some());
                world.now.set(world.now.get() + 60_000);
                world.requests.borrow_mut().clear();
                if streamed {
                    let call = Call::stream("/cgi-bin/media/upload", "image/png", len as u64).expect("fine");
                    let (ended, file) = client.stream(&call, &body, 120);
                    assert_eq!((code(ended), file), (Ok(0), br#"{"errcode":0,"errmsg":"ok"}"#.to_vec()));
                } else {
                    let call = Call::post("/x", &body).expect("fine");
                    assert_eq!(code(client.call(&call, 120)), Ok(0));
                }
                let sent = world.requests.borrow();
                let whole: Vec<u8> = [&b"\r\n\r\n"[..], &body].concat();
                let times = sent.windows(whole.len()).filter(|window| *window == whole).count();
                // The fetch between the two has a head, too.
                assert_eq!(times, if len == 0 { 3 } else { 2 }, "{len} {streamed}");
                let announced = format!("Content-Length: {len}\r\n");
                assert_eq!(String::from_utf8_lossy(&sent).matches(&announced).count(), 2);
            });
        }
    }
}

#[test]
fn a_source_that_ends_early_ends_the_call() {
    with_both(&Endpoint::TOKEN, &[Act::Reply(80, GRANT), Act::Reply(40, OK)], |client, _| {
        assert!(client.tick().is_some());
        let call = Call::stream("/cgi-bin/media/upload", "image/png", 300).expect("fine").with_idempotence(true);
        let (ended, _) = client.stream(&call, &[7; 299], 60);
        assert_eq!(
            code(ended),
            Err((GaveUp::Unanswered, None, Some(Fault::Source))),
            "the same again would be the same"
        );
    });
}

#[test]
fn a_long_reply_goes_to_the_sink_and_a_refusal_does_not() {
    let photo: String = (0..5_000).map(|n| char::from(b'a' + (n % 23) as u8)).collect();
    let whole: &'static str = format!("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{photo}").leak();
    let cut: &'static str = whole[..3_000].to_owned().leak();
    let script = [
        Act::Reply(80, GRANT),
        Act::Reply(40, REFUSED),
        Act::Reply(40, OTHER),
        Act::Reply(40, cut),
        Act::Reply(40, whole),
    ];
    with_both(&Endpoint::TOKEN, &script, |client, world| {
        assert!(client.tick().is_some());
        world.now.set(world.now.get() + 60_000);
        let call = Call::get("/cgi-bin/media/get").expect("fine").with_any_reply();
        let (ended, file) = client.stream(&call, b"", 120);
        assert_eq!(ended, Ok((200, 0, vec![])));
        assert_eq!(String::from_utf8(file).expect("ASCII"), photo, "once, and from its beginning");
    });
    let script = [Act::Reply(80, GRANT), Act::Reply(40, NOT_GRANTED)];
    with_both(&Endpoint::TOKEN, &script, |client, _| {
        assert!(client.tick().is_some());
        let (ended, file) = client.stream(&get().with_any_reply(), b"", 60);
        assert_eq!((code(ended), file), (Ok(48001), vec![]));
    });
}

#[test]
fn nothing_shows_the_token() {
    let script = [Act::Reply(80, GRANT), Act::Reply(40, REFUSED), Act::Reply(40, OTHER), Act::Reply(40, REFUSED)];
    with_both(&Endpoint::TOKEN, &script, |client, world| {
        let ended = minute_later(client, world, &post(), 120);
        let shown = format!("{} {ended:?} {}", client.shown(), ended.as_ref().expect_err("refused twice"));
        assert!(!shown.contains(SECRET) && !shown.contains("accesstoken"), "{shown}");
    });
}
