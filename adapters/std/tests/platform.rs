//! Against the stand-in for the platform, over real sockets: does all of it work together?
#![cfg(not(shuttle))]

use std::time::Duration;

use wxtoken::{Builder, Client, Clock, Endpoint, Error, Instant, Reason, Reported, Source, TransportError};
use wxtoken_platform::{Account, Fault, FaultScope, Leaf, Platform, Running};

const ID: &str = "wx0123456789abcdef";
const SECRET: &str = "0123456789secret0123456789secret";

fn platform() -> Running {
    Platform::builder()
        .account(Account::official(ID, SECRET))
        .account(Account::work("ww0123456789abcdef", SECRET))
        .tls(true)
        .speed(0.0)
        .start()
        .expect("ports")
}

/// Stands still: one attempt is made, and no second one however short the backoff.
struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::from_millis(1_000_000)
    }

    fn unix_time(&self) -> Option<Duration> {
        None
    }
}

fn at(platform: &Running, endpoint: &'static Endpoint) -> Builder {
    Client::builder(endpoint, ID, SECRET).base(platform.http_url()).clock(Still).background(false)
}

fn once(client: &Client) -> Result<wxtoken::TokenRef, Error> {
    client.token_within(Duration::from_millis(1))
}

#[test]
fn every_kind_of_account_gets_a_token_that_works() {
    let platform = platform();
    for (endpoint, id) in
        [(&Endpoint::TOKEN, ID), (&Endpoint::STABLE_TOKEN, ID), (&Endpoint::WORK, "ww0123456789abcdef")]
    {
        for url in [platform.http_url(), platform.https_url().expect("TLS")] {
            let client = Client::builder(endpoint, id, SECRET)
                .base(url)
                .root_certificates(platform.ca_pem().expect("TLS"))
                .build()
                .expect("fine");
            let token = client.token().expect("a token");
            assert!(platform.token_is_valid(id, token.as_str()), "{}", endpoint.name());
            assert_eq!(client.status().source, Some(Source::Fetched));
        }
    }
}

#[test]
fn a_certificate_that_is_not_right_stops_everything_before_the_secret_is_sent() {
    let platform = platform();
    for leaf in [Leaf::Expired, Leaf::NotYetValid, Leaf::WrongHost, Leaf::SelfSigned, Leaf::ForeignAuthority] {
        platform.set_leaf(leaf).expect("made");
        let client = at(&platform, &Endpoint::TOKEN)
            .base(platform.https_url().expect("TLS"))
            .root_certificates(platform.ca_pem().expect("TLS"));
        let client = client.build().expect("fine");
        let error = once(&client).expect_err("not trusted");
        assert_eq!(error.reason(), Some(&Reason::Transport(TransportError::Certificate)), "{leaf:?} {error}");
        assert!(matches!(error, Error::Configuration { .. }), "{error}");
        assert_eq!(client.status().ledger.fetches, 0, "certainly not sent");
    }
    // Mozilla's list does not know the platform's authority.
    platform.set_leaf(Leaf::Good).expect("made");
    let client = at(&platform, &Endpoint::TOKEN).base(platform.https_url().expect("TLS")).build().expect("fine");
    assert_eq!(once(&client).expect_err("unknown").reason(), Some(&Reason::Transport(TransportError::Certificate)));
    assert_eq!(platform.counters().account(ID).minted, 0);
}

#[test]
fn a_token_rotated_elsewhere_is_reported_and_replaced() {
    let platform = platform();
    let client = at(&platform, &Endpoint::TOKEN).build().expect("fine");
    let first = once(&client).expect("a token");
    platform.rotate_elsewhere(ID).expect("known");
    platform.advance(Duration::from_secs(301));
    assert!(!platform.token_is_valid(ID, first.as_str()));
    // For the client, on its own clock, the token is young: the first report changes nothing, the second is believed.
    assert_eq!(client.report_refused(&first), Reported::Kept);
    assert!(matches!(client.report_refused(&first), Reported::HeldOff(_)));
}

#[test]
fn faults_on_the_wire_are_told_apart() {
    let table = [
        (Fault::Silence, Reason::Transport(TransportError::Timeout)),
        (Fault::Trickle { bytes: 1, every_ms: 20 }, Reason::Transport(TransportError::Timeout)),
        (Fault::ReplyLost, Reason::Transport(TransportError::Broken)),
        (Fault::ResetBefore, Reason::Transport(TransportError::Broken)),
        (Fault::Cut { after: 5 }, Reason::Transport(TransportError::Broken)),
        (Fault::ResetMidBody { after: 5 }, Reason::Transport(TransportError::Broken)),
        (Fault::Status { status: 502 }, Reason::Status(502)),
        (Fault::Html, Reason::Malformed(wxtoken::Malformed::NotJson)),
        (Fault::Garbage, Reason::Malformed(wxtoken::Malformed::NotJson)),
        (Fault::Oversize { bytes: 1_000_000 }, Reason::Malformed(wxtoken::Malformed::TooLong)),
        (Fault::Redirect { location: "/".to_owned() }, Reason::Status(302)),
    ];
    for (fault, reason) in table {
        let platform = platform();
        let shown = format!("{fault:?}");
        platform.fault(fault, FaultScope::every_call());
        let (client, error) = suffer(&platform, reason == Reason::Transport(TransportError::Timeout));
        assert_eq!(error.reason(), Some(&reason), "{shown}");
        assert!(matches!(error, Error::Unavailable { .. }), "{shown} {error}");
        assert_eq!(client.status().ledger.fetches, 1, "{shown}: it may have been executed");
    }
}

/// A client that has met a fault of the platform. One that has to run into its limit gets a short one; where the machine
/// stalls before the connection stands, that one is used up too soon, and another client tries.
fn suffer(platform: &Running, impatient: bool) -> (Client, Error) {
    for _ in 0..50 {
        let mut client = at(platform, &Endpoint::STABLE_TOKEN);
        if impatient {
            client = client.exchange_limit(Duration::from_millis(280));
        }
        let client = client.build().expect("fine");
        let error = once(&client).expect_err("no token");
        let too_soon = [TransportError::ConnectTimeout, TransportError::NameNotFound].map(Reason::Transport);
        if !(impatient && too_soon.iter().any(|reason| error.reason() == Some(reason))) {
            return (client, error);
        }
    }
    panic!("no connection in fifty tries");
}

#[test]
fn refusals_say_who_must_act() {
    let platform = platform();
    platform.deny_address(ID, [127, 0, 0, 1].into()).expect("known");
    let error = once(&at(&platform, &Endpoint::TOKEN).build().expect("fine")).expect_err("refused");
    assert!(matches!(error, Error::Person { .. }), "{error}");
    assert!(error.to_string().contains("the address to allow is 127.0.0.1"), "{error}");
    let wrong = Client::builder(&Endpoint::WORK, "ww0123456789abcdef", "a wrong secret").base(platform.http_url());
    let error = once(&wrong.clock(Still).build().expect("fine")).expect_err("refused");
    assert!(matches!(error, Error::Configuration { .. }), "{error}");
}
