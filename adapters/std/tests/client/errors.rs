//! Who must act, and is it said?

use std::time::Duration;

use wxtoken::{Act, BadAccount, BadBase, Client, ConfigError, Endpoint, Error, Reason, Response, TransportError};

use crate::world::{Answer, Script, World, builder, refuse};

fn error_of(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Error {
    let (world, script) = (World::still(), Script::new(move |_| answer()));
    let client = builder(&world, &script).build().expect("fine");
    client.token_within(Duration::from_millis(1)).expect_err("no token")
}

#[test]
fn each_failure_names_who_must_act_and_the_remedy() {
    let table: [(Answer, Act, &str); 11] = [
        (refuse(40125, "invalid appsecret"), Act::Configuration, "copy it again"),
        (
            refuse(
                40164,
                "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 61725984-6126f6f9-040f19c4",
            ),
            Act::Person,
            "203.0.113.7",
        ),
        (refuse(45011, "api minute-quota reach limit"), Act::WaitUntil, "next try in 1 min 0 s"),
        (refuse(-1, "system error"), Act::Retry, "busy"),
        (Err(TransportError::NameNotFound), Act::Retry, "not resolved"),
        (Err(TransportError::Certificate), Act::Configuration, "private CA"),
        (Err(TransportError::Timeout), Act::Retry, "in time"),
        (Ok(Response::new(302, "")), Act::Retry, "redirect"),
        (Ok(Response::new(502, "<html>")), Act::Retry, "502"),
        (Ok(Response::new(200, "<html>")), Act::Retry, "proxy"),
        (Ok(Response::new(200, "x".repeat(4097))), Act::Retry, "4096"),
    ];
    for (answer, act, remedy) in table {
        let error = error_of(move || answer.clone());
        assert_eq!(error.act(), act, "{error}");
        assert!(error.to_string().contains(remedy), "{error}");
        assert!(error.to_string().contains("next try in") && !error.to_string().contains('\n'), "{error}");
        let by_variant = match error {
            Error::Configuration { .. } => Act::Configuration,
            Error::Person { .. } => Act::Person,
            _ => act,
        };
        assert_eq!(by_variant, act);
    }
}

#[test]
fn a_peer_that_echoes_the_secret_is_not_repeated() {
    let secret = crate::world::SECRET;
    let error = error_of(move || refuse(40013, &format!("invalid appid, secret={secret}")));
    assert!(!error.to_string().contains(secret) && !format!("{error:?}").contains(secret));
}

#[test]
fn the_daily_limit_is_named_as_such() {
    let (world, script) = (World::still(), Script::tokens());
    let policy = Endpoint::TOKEN.policy().with_daily_limit(2, 0);
    let client = builder(&world, &script).policy(policy).build().expect("fine");
    for _ in 0..2 {
        let token = client.token().expect("fetched");
        world.advance_s(600);
        client.report_refused(&token);
    }
    let error = client.token().expect_err("spent");
    assert!(matches!(&error, Error::Unavailable { reason: Reason::DailyLimit, .. }), "{error}");
    assert_eq!(error.act(), Act::WaitUntil);
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let of = |base: &str| Client::builder(&Endpoint::TOKEN, "wx1", "s").base(base).build().map(|_| ());
    assert_eq!(of("http://api.example.com"), Err(ConfigError::PlainHttp));
    assert_eq!(of("http://127.0.0.1:8440"), Ok(()));
    assert_eq!(of("http://[::1]:8440/wechat"), Ok(()));
    assert_eq!(of("ftp://h"), Err(ConfigError::Base(BadBase::Scheme)));
    let builder = || Client::builder(&Endpoint::TOKEN, "wx1", "s");
    let refused = |builder: wxtoken::Builder| builder.build().map(|_| ()).expect_err("refused");
    assert!(builder().base("http://api.example.com").allow_plain_http().build().is_ok());
    assert_eq!(refused(builder().root_certificates("no PEM at all")), ConfigError::RootCertificates);
    assert_eq!(refused(builder().proxy("::::")), ConfigError::Proxy);
    assert_eq!(refused(builder().cache("/")), ConfigError::CachePath);
    assert!(matches!(Client::official("wx1", "s\n").map(|_| ()), Err(ConfigError::Account(BadAccount::Secret(_)))));
}

#[test]
fn a_client_can_be_shared_and_shown() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let client = Client::official("wx1", "the-secret").expect("fine");
    shared(&client);
    let shown = format!("{client:?} {:?} {}", client.status(), client.status());
    assert!(shown.contains("wx1") && !shown.contains("the-secret"), "{shown}");
    let builder = Client::builder(&Endpoint::TOKEN, "wx1", "the-secret").proxy("http://u:proxy-pw@h:1");
    let shown = format!("{builder:?}");
    assert!(!shown.contains("the-secret") && !shown.contains("proxy-pw"), "{shown}");
}
