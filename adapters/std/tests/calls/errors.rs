//! Calls that are refused on this side, and what each error says.

use wxtoken::{
    BadCall, Base, Call, CallError, CallReason, Client, Endpoint, GaveUp, Request, Response, Transport, TransportError,
};

use crate::{
    script::{Script, ok},
    world::{Answer, ID, SECRET, World, refuse},
};

#[test]
fn a_call_in_the_clear_to_another_host_is_not_sent() {
    let world = World::sleeping();
    let script = Script::new(|_, _| ok());
    let client = script.primed(&world);
    let at = |url| Call::get("/x").expect("fine").with_base(Base::parse(url).expect("fine"));
    let error = client.call(&at("http://192.0.2.1")).expect_err("readable on the way");
    assert!(matches!(error, CallError::Configuration(CallReason::PlainHttp)), "{error}");
    assert!(script.sent().is_empty());
    client.call(&at("http://127.0.0.1:1")).expect("on this machine");
    client.call(&at("https://192.0.2.1")).expect("over TLS");
    let builder = || Client::builder(&Endpoint::TOKEN, ID, SECRET).clock(world.clone()).transport(script.clone());
    assert!(builder().api_base("http://192.0.2.1").build().is_err());
    assert!(builder().api_base("not a URL").build().is_err());
    let allowed = builder().api_base("http://192.0.2.1").allow_plain_http().background(false).build().expect("said so");
    allowed.call(&Call::get("/x").expect("fine")).expect("allowed");
}

#[test]
fn a_transport_that_only_fetches_says_what_it_lacks() {
    struct Fetches;
    impl Transport for Fetches {
        fn exchange(&self, _: &Request<'_, '_>) -> Result<Response, TransportError> {
            crate::world::grant(1)
        }
    }
    let client = Client::builder(&Endpoint::TOKEN, ID, SECRET)
        .transport(Fetches)
        .clock(World::sleeping())
        .background(false)
        .build()
        .expect("fine");
    let error = client.call(&Call::get("/x").expect("fine")).expect_err("no calls");
    assert!(matches!(error, CallError::Caller(_)) && error.to_string().contains("`call`"), "{error}");
}

#[test]
fn every_error_begins_with_who_must_act() {
    let refused_at_the_fetch = |code| move |_: usize| -> Answer { refuse(code, "no") };
    let world = World::sleeping();
    for (error, head) in [
        (CallError::from(BadCall::Path), "the call must be changed: the path"),
        (no_token(&world, refused_at_the_fetch(40_125)), "the configuration must be mended: errcode 40125"),
        (no_token(&world, refused_at_the_fetch(40_164)), "an administrator must act: errcode 40164"),
        (no_token(&world, refused_at_the_fetch(-1)), "no token for now: errcode -1"),
        (failing(&world, TransportError::Certificate), "the configuration must be mended: the server's certificate"),
        (failing(&world, TransportError::NameNotFound), "not executed, call again later: the host's name"),
        (failing(&world, TransportError::Broken), "it may have been executed, look before it is sent again: the conn"),
    ] {
        assert!(error.to_string().starts_with(head), "{error}");
    }
}

fn no_token(world: &World, fetch: impl Fn(usize) -> Answer + Send + Sync + 'static) -> CallError {
    let client = Script::with(fetch, |_, _, _| ok()).client(world);
    client.call(&Call::post("/x", b"{}").expect("fine")).expect_err("no token")
}

fn failing(world: &World, failure: TransportError) -> CallError {
    let client = Script::new(move |_, _| Err(failure)).primed(world);
    let error = client.call(&Call::post("/x", b"{}").expect("fine")).expect_err("no reply");
    let CallReason::GaveUp(given_up) = error.reason() else { panic!("{error:?}") };
    assert!(matches!(given_up.why, GaveUp::NotSent | GaveUp::Unanswered));
    assert_eq!(given_up.transport, Some(failure));
    error
}
