extern crate std;
use std::{format, string::String, string::ToString};

use super::*;

fn refusal(product: Product, phase: Phase, code: i32) -> Meaning {
    Refusal::new(product, phase, code, "").meaning()
}

#[test]
fn one_number_means_different_things() {
    use Meaning as M;
    use Phase::{Fetching as F, Using as U};
    use Product::{Open, Platform, Work};
    for (product, phase, code, want) in [
        (Platform, F, 40001, M::SecretWrong),
        (Platform, U, 40001, M::TokenRefused),
        (Work, F, 40091, M::SecretWrong),
        (Open, F, 40091, M::PushedTicketInvalid),
        (Platform, F, 40125, M::SecretWrong),
        (Work, U, 40125, M::OpenUserIdInvalid),
        (Platform, U, 42007, M::UserAuthorisationVoid),
        (Work, U, 42007, M::PreAuthCodeExpired),
        (Platform, F, 45009, M::DailyQuota),
        (Work, F, 45009, M::FrequencyLimit),
        (Work, U, 50002, M::MemberOutOfScope),
        (Work, F, 50002, M::AccountLimited),
        (Platform, U, 50002, M::AccountLimited),
        (Work, U, 42009, M::SuiteTokenRefused),
        (Platform, U, 42009, M::Unknown),
        (Platform, F, 123_456, M::Unknown),
    ] {
        assert_eq!(refusal(product, phase, code), want, "{product:?} {phase:?} {code}");
    }
}

#[test]
fn only_a_refused_token_asks_for_another() {
    // The list every SDK gets wrong somewhere: nothing outside it may cause a fetch.
    for product in [Product::Platform, Product::Work, Product::Open] {
        for code in -1..=400_000 {
            let refresh = Refusal::new(product, Phase::Using, code, "").act() == Act::Refresh;
            let listed =
                matches!(code, 40001 | 40014 | 42001) || (product == Product::Work && matches!(code, 40082 | 42009));
            assert_eq!(refresh, listed, "{product:?} {code}");
        }
    }
}

#[test]
fn every_meaning_is_told_in_both_languages() {
    for &meaning in Meaning::ALL {
        let (en, zh) = (meaning.text(Lang::En), meaning.text(Lang::Zh));
        assert!(en.is_ascii() && en.len() > 15, "{meaning:?}");
        assert!(zh.chars().any(|c| c > '\u{3000}'), "{meaning:?}");
    }
}

#[test]
fn the_address_and_the_trace_are_found_in_every_shape_seen() {
    const RID: &str = "64d5b3f0-1a2b3c4d-5e6f7a8b";
    for (errmsg, address, trace) in [
        (format!("invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: {RID}"), "203.0.113.7", RID),
        ("invalid ip 203.0.113.7, not in whitelist hint: [..]".into(), "203.0.113.7", ""),
        (format!("access clientip is not registered requestIP: 203.0.113.7 rid: {RID}"), "203.0.113.7", RID),
        ("requestIP:203.0.113.7".into(), "203.0.113.7", ""),
        (format!("invalid ip 2001:db8::7 ipv6 2001:db8::7, not in whitelist, rid: {RID}"), "2001:db8::7", RID),
        (
            "not allow to access from your ip, hint: [1691740144216840123456789], from ip: 203.0.113.7, more info at \
             https:\\/\\/open.work.weixin.qq.com\\/devtool\\/query?e=60020"
                .into(),
            "203.0.113.7",
            "1691740144216840123456789",
        ),
        (
            "x, hint: [1691740144_12_0123456789abcdef0123456789abcdef], from ip: 203.0.113.7".into(),
            "203.0.113.7",
            "1691740144_12_0123456789abcdef0123456789abcdef",
        ),
        (String::new(), "", ""),
        ("rid: ".into(), "", ""),
        ("ip 999.1.1.1 rid: 64d5b3f0-1a2b3c4d-5e6f7a8".into(), "", ""),
    ] {
        let r = Refusal::new(Product::Platform, Phase::Fetching, 40164, &errmsg);
        assert_eq!(r.address().unwrap_or(""), address, "{errmsg}");
        assert_eq!(r.trace().unwrap_or(""), trace, "{errmsg}");
    }
}

#[test]
fn an_echoed_secret_is_not_repeated() {
    for errmsg in [
        "bad secret s3cr3ts3cr3t",
        "rid: s3cr3ts3-cr3ts3cr-3ts3cr3t",
        "hint: [s3cr3ts3cr3t]",
        "hint: [1691740144_s3cr3t]",
        "invalid ip s3cr3t",
    ] {
        let r = Refusal::new(Product::Platform, Phase::Fetching, 40164, errmsg);
        let shown = format!("{r} {r:?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
}

#[test]
fn an_explanation_names_the_address_only_where_that_helps() {
    let of = |code| Refusal::new(Product::Work, Phase::Fetching, code, "x, from ip: 203.0.113.7, more").to_string();
    assert!(of(60020).contains("the address to allow is 203.0.113.7"));
    assert!(!of(40013).contains("203.0.113.7"));
    let mut zh = String::new();
    Refusal::new(Product::Platform, Phase::Fetching, 40013, "").explain(Lang::Zh, &mut zh).expect("a String takes all");
    assert_eq!(zh, "errcode 40013：AppID / CorpID 不合法；请重新复制，注意大小写");
}
