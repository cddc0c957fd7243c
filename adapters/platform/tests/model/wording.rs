//! The words of the refusals, and the oddities of the bodies.

use wxtoken_platform::model::{Model, Request};
use wxtoken_platform::{Quirks, Refusal};

use crate::bench::{CORP, ID, T, fetch, gettoken, model, official, work};

fn errmsg(model: &mut Model, code: i32) -> String {
    model.refuse(T, ID, Refusal::fetching(code).times(1)).unwrap();
    fetch(model, T).json()["errmsg"].as_str().unwrap().to_owned()
}

/// Three groups of eight hex digits, the first of which is the time.
fn is_rid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 3
        && groups.iter().all(|group| group.len() == 8 && group.bytes().all(|b| b"0123456789abcdef".contains(&b)))
        && u64::from_str_radix(groups[0], 16).unwrap() == T / 1_000
}

#[test]
fn messages_of_public_accounts_end_in_a_rid() {
    let mut model = model(official());
    let hint = ", could get access_token by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r";
    for (code, words, length) in [
        (40_001, format!("invalid credential, access_token is invalid or not latest{hint}"), 186),
        (40_013, "invalid appid".to_owned(), 45),
        (40_164, "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist".to_owned(), 92),
        (45_009, format!("reach max api daily quota limit{hint}"), 160),
        (45_011, "api minute-quota reach limit, must slower, retry next minute".to_owned(), 92),
        (42_001, "access_token expired".to_owned(), 52),
        (50_004, "user not allow to use accesstoken, maybe for punishment".to_owned(), 87),
        (61_004, "access clientip is not registered requestIP: 127.0.0.1".to_owned(), 86),
        (-1, "system error".to_owned(), 44),
    ] {
        let message = errmsg(&mut model, code);
        let (text, rid) = message.split_once(" rid: ").unwrap();
        assert_eq!(text, words);
        assert!(is_rid(rid), "{rid}");
        assert_eq!(message.len(), length, "{code}");
    }
    assert_ne!(errmsg(&mut model, -1), errmsg(&mut model, -1), "each rid is new");
}

#[test]
fn the_administrator_story_is_told_in_chinese() {
    let mut model = model(official());
    for code in [89_501, 89_503, 89_506, 89_507] {
        let message = errmsg(&mut model, code);
        assert!(message.contains("管理员") && message.contains(" rid: "), "{message}");
    }
}

#[test]
fn an_ipv6_address_is_named() {
    let mut model = model(official().allow_only([]));
    let request = crate::bench::token_request().from_ip("2001:db8::1".parse().unwrap());
    assert!(model.handle(T, &request).text().contains("invalid ip 2001:db8::1 "));
}

#[test]
fn wecom_messages_end_in_a_hint_and_a_link() {
    let mut model = model(work());
    model.refuse(T, CORP, Refusal::fetching(40_091)).unwrap();
    let reply = gettoken(&mut model, T);
    let message = reply.json()["errmsg"].as_str().unwrap().to_owned();
    let rest = message.strip_prefix("secret is invalid, hint: [").unwrap();
    let (hint, rest) = rest.split_once(']').unwrap();
    assert_eq!(hint.len(), 25);
    assert_eq!(hint[..10].parse::<u64>().unwrap(), T / 1_000);
    assert!(hint.bytes().all(|b| b.is_ascii_digit()));
    assert_eq!(rest, ", from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e=40091");
    assert!(reply.headers.contains(&("error-code", "40091".to_owned())));
    assert!(reply.headers.contains(&("error-msg", message)));
}

#[test]
fn refusals_come_with_status_200_and_the_odd_content_type() {
    let reply = Model::new(0).handle(T, &Request::get("/cgi-bin/token?appid=wx1"));
    assert_eq!((reply.status, reply.errcode()), (200, 40_013));
    assert!(reply.headers.contains(&("content-type", "application/json; encoding=utf-8".to_owned())));
    assert!(reply.headers.contains(&("date", "Wed, 15 Nov 2023 04:00:00 GMT".to_owned())));
}

#[test]
fn oddities_on_request() {
    let with = |change: fn(&mut Quirks)| {
        let mut model = model(official());
        let mut quirks = Quirks::default();
        change(&mut quirks);
        model.set_quirks(quirks);
        model
    };
    let mut slashes = with(|quirks| quirks.escape_slashes = true);
    assert!(errmsg(&mut slashes, 40_001).contains("https://mmbizurl.cn/s/"));
    slashes.refuse(T, ID, Refusal::fetching(40_001)).unwrap();
    assert!(fetch(&mut slashes, T).text().contains(r"https:\/\/mmbizurl.cn\/s\/"));

    let unknown = fetch(&mut with(|quirks| quirks.unknown_fields = true), T);
    assert!(unknown.token().is_some() && unknown.json()["ext_info"]["list"][1]["depth"].is_array());

    let strings = fetch(&mut with(|quirks| quirks.expires_in_as_string = true), T);
    assert_eq!(strings.json()["expires_in"], "7200");
    let mut code = with(|quirks| quirks.errcode_as_string = true);
    code.refuse(T, ID, Refusal::fetching(-1)).unwrap();
    assert_eq!(fetch(&mut code, T).json()["errcode"], "-1");

    let pretty = fetch(&mut with(|quirks| quirks.pretty = true), T);
    assert!(pretty.text().starts_with("{\n    \"access_token\": \"") && pretty.token().is_some());
}

#[test]
fn a_token_of_chosen_length() {
    for length in [16, 512, 513] {
        assert_eq!(fetch(&mut model(official().token_length(length)), T).token().unwrap().len(), length);
    }
}
