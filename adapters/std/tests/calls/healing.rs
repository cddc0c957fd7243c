//! What a call does by itself, and what it costs: time by the clock, and fetches.

use wxtoken::{Call, CallError, Endpoint, GaveUp};
use wxtoken_platform::{Fault, FaultScope, Refusal};

use crate::{
    script::{Script, errcode, reply, tokens},
    time::Time,
    world::{ID, World, refuse},
};

fn get() -> Call<'static> {
    Call::get("/cgi-bin/getcallbackip").expect("fine")
}

fn post() -> Call<'static> {
    Call::post("/x", b"{}").expect("fine")
}

#[test]
fn a_call_without_a_token_fetches_one_first_and_its_reply_has_the_callers_type() {
    #[derive(serde::Deserialize)]
    struct Addresses {
        ip_list: Vec<String>,
    }
    let time = Time::sleeping();
    let client = time.builder(&Endpoint::STABLE_TOKEN).background(false).build().expect("fine");
    let addresses: Addresses = client.call(&get()).expect("accepted").json().expect("as documented");
    assert_eq!((addresses.ip_list.len(), time.fetches()), (2, 1));
}

#[test]
fn what_passes_is_waited_for_a_bounded_time() {
    for (codes, waited_s, ended) in [
        (&[-1, -1, 0][..], 3..=5, Ok(())),
        (&[45_033, 0], 1..=2, Ok(())),
        (&[45_011, 0], 60..=61, Ok(())),
        (&[-1, -1, -1, 0], 3..=5, Err(GaveUp::Busy)),
        // The second minute is beyond the call's time.
        (&[45_011, 45_011, 0], 60..=61, Err(GaveUp::Busy)),
    ] {
        let world = World::sleeping();
        let script = Script::new(|n, _| errcode(codes[n - 1]));
        let client = script.primed(&world);
        let before = wxtoken::Clock::now(&world);
        let result = client.call(&post()).map(drop).map_err(|error| why(&error));
        let waited = wxtoken::Clock::now(&world).saturating_since(before);
        assert_eq!(result, ended, "{codes:?}");
        assert!(waited_s.contains(&waited.as_secs()), "{codes:?} {waited:?}");
        assert_eq!(script.fetches(), 1, "{codes:?}: none of these is a reason to fetch");
    }
}

fn why(error: &CallError) -> GaveUp {
    match error.reason() {
        wxtoken::CallReason::GaveUp(given_up) => given_up.why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_platforms_own_minute_quota_is_outwaited() {
    let time = Time::sleeping();
    time.platform.change_quotas(ID, |quotas| quotas.api("/cgi-bin/getcallbackip").per_minute = 1).expect("known");
    let client = time.builder(&Endpoint::TOKEN).background(false).build().expect("fine");
    for _ in 0..3 {
        client.call(&get()).expect("accepted");
    }
    assert_eq!(time.fetches(), 1);
}

#[test]
fn no_code_outside_the_list_is_a_reason_to_fetch() {
    let world = World::sleeping();
    for code in [48_001, 42_007, 301_002, 40_003, 41_001, 40_013, 45_009, 40_125, 61_007, i32::MAX] {
        let script = Script::new(move |_, _| errcode(code));
        let client = script.primed(&world);
        let error = client.call(&post()).expect_err("refused");
        assert_eq!((error.errcode(), script.sent().len(), script.fetches()), (Some(code), 1, 1), "{error}");
        assert_eq!(
            error.refused().expect("by the platform").body(),
            format!(r#"{{"errcode":{code},"errmsg":"no"}}"#).as_bytes()
        );
    }
}

#[test]
fn what_may_have_been_executed_is_sent_again_only_where_that_does_no_harm() {
    use wxtoken::TransportError::{Broken, ConnectionRefused, Timeout};
    for (failure, call, times, executed) in [
        (Timeout, post(), 1, true),
        (Broken, post(), 1, true),
        (Broken, get(), 3, true),
        (Timeout, post().with_idempotence(true), 3, true),
        (ConnectionRefused, post(), 3, false),
    ] {
        let world = World::sleeping();
        let script = Script::new(move |_, _| Err(failure));
        let error = script.primed(&world).call(&call).expect_err("no reply");
        assert_eq!((script.sent().len(), error.maybe_executed()), (times, executed), "{error}");
        let unanswered = matches!(error, CallError::Unanswered(_));
        assert_eq!(unanswered, executed && !call.is_idempotent(), "{error}");
    }
}

#[test]
fn a_young_token_is_forgiven_once_and_the_next_call_goes_through() {
    let time = Time::sleeping();
    let client = time.builder(&Endpoint::TOKEN).background(false).build().expect("fine");
    time.platform.fault(
        Fault::TokenRefused { errcode: None },
        FaultScope::next(1).on_path("/cgi-bin/getcallbackip").younger_than_ms(30_000),
    );
    let error = client.call(&get()).expect_err("refused once");
    assert_eq!((why(&error), error.errcode()), (GaveUp::NoOtherToken, Some(40_001)));
    client.call(&get()).expect("it is known everywhere by now");
    assert_eq!(time.fetches(), 1);
}

#[test]
fn a_refused_token_whose_successor_is_refused_too_names_what_keeps_the_next_from_coming() {
    let world = World::sleeping();
    let fetch =
        |n| if n == 1 { crate::world::grant(n) } else { refuse(40_164, "invalid ip 1.2.3.4, not in whitelist") };
    let script = Script::with(fetch, |_, _, _| errcode(42_001));
    let error = script.primed(&world).call(&post()).expect_err("no other token");
    assert!(matches!(error, CallError::Person(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("42001") && text.contains("the address to allow is 1.2.3.4"), "{text}");
    assert_eq!((script.sent(), script.fetches()), (tokens(&[1]), 2));
}

#[test]
fn an_alarm_arrives_exactly_once_when_it_was_executed_once() {
    let time = Time::sleeping();
    let client = time.builder(&Endpoint::TOKEN).background(false).build().expect("fine");
    let body = r#"{"touser":"o1","template_id":"t1","data":{"温":{"value":"90"}}}"#;
    let alarm = Call::post("/cgi-bin/message/template/send", body.as_bytes()).expect("fine");
    let path = "/cgi-bin/message/";
    let troubles = [
        (None, true),
        (Some(Fault::TokenRefused { errcode: Some(42_001) }), true),
        (Some(Fault::ReplyLost), false),
        (Some(Fault::Cut { after: 3 }), false),
        (Some(Fault::Html), false),
        (Some(Fault::Status { status: 502 }), false),
        (Some(Fault::Redirect { location: "/elsewhere".to_owned() }), false),
        (Some(Fault::Chunked { chunk: 5, extensions: false, trailers: false, with_length: false }), true),
    ];
    for (fault, accepted) in troubles {
        client.token().expect("a token");
        time.advance_s(60);
        let before = time.platform.messages().len();
        let executed = !matches!(fault, Some(Fault::Html | Fault::Status { .. } | Fault::Redirect { .. }));
        if let Some(fault) = fault.clone() {
            time.platform.fault(fault, FaultScope::next_call().on_path(path));
        }
        let result = client.call(&alarm);
        assert_eq!(result.is_ok(), accepted, "{fault:?} {result:?}");
        assert_eq!(time.platform.messages().len() - before, usize::from(executed), "{fault:?}");
        if let Err(error) = result {
            let redirect = matches!(fault, Some(Fault::Redirect { .. }));
            assert_eq!(error.maybe_executed(), !redirect, "{fault:?} {error}");
        }
    }
    assert!(time.platform.messages().iter().all(|message| message.body["data"]["温"]["value"] == "90"));
}

#[test]
fn refusals_are_as_the_platform_means_them() {
    let time = Time::sleeping();
    let client = time.builder(&Endpoint::TOKEN).background(false).build().expect("fine");
    for (code, act) in [(48_001, "Caller"), (40_003, "Caller"), (50_002, "Person"), (45_009, "Unavailable")] {
        time.platform.refuse(ID, Refusal::using(code).times(1)).expect("known");
        let error = client.call(&post_alarm()).expect_err("refused");
        assert!(format!("{error:?}").starts_with(act), "{code} {error:?}");
        assert_eq!(error.errcode(), Some(code));
    }
}

fn post_alarm() -> Call<'static> {
    Call::post("/cgi-bin/message/template/send", br#"{"touser":"o1","template_id":"t1"}"#).expect("fine")
}

#[test]
fn a_reply_of_the_length_of_a_book_is_read_and_one_without_end_is_not() {
    let world = World::sleeping();
    let script = Script::new(|n, _| match n {
        1 => reply(&format!("{{\"a\":\"{}\"}}", "x".repeat(3 << 20))),
        _ => Ok(wxtoken::CallResponse::new(200, std::io::repeat(b' '))),
    });
    let client = script.primed(&world);
    assert_eq!(client.call(&post()).expect("long").body().len(), (3 << 20) + 8);
    let error = client.call(&post()).expect_err("endless");
    assert!(matches!(error, CallError::Untaken(wxtoken::CallReason::TooLong)), "{error}");
}
