extern crate std;
use std::{format, string::String, vec::Vec};

use super::*;
use crate::{Account, Action, Failure, Fetch, Instant, Keeper, Meaning, Outcome, Token};

const TICKETS: [&Endpoint; 4] =
    [&Endpoint::JSAPI_TICKET, &Endpoint::WX_CARD_TICKET, &Endpoint::WORK_JSAPI_TICKET, &Endpoint::WORK_AGENT_TICKET];

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// The instants of all exchanges within a day that begins with the first, each ended by `end`, with their number.
fn day(keeper: &mut Keeper, start: u64, mut end: impl FnMut(&mut Keeper, Fetch, u64)) -> Vec<u64> {
    let mut times = Vec::new();
    loop {
        let now = keeper.poll_at().as_millis().max(start);
        if now >= start + 86_400_000 || times.len() > 10_000 {
            return times;
        }
        if let Action::Fetch(fetch) = keeper.poll(at(now)) {
            times.push(now);
            end(keeper, fetch, now);
        }
    }
}

fn grant(keeper: &mut Keeper, fetch: Fetch, now: u64, ticket: &str) -> Outcome {
    let body = format!(r#"{{"errcode":0,"errmsg":"ok","ticket":"{ticket}","expires_in":7200}}"#);
    keeper.handle_response(fetch.ticket(), at(now), 200, body.as_bytes())
}

fn fetch(keeper: &mut Keeper, now: u64) -> Fetch {
    match keeper.poll(at(now)) {
        Action::Fetch(fetch) => fetch,
        Action::Wait(until) => panic!("at {now} told to wait until {}", until.as_millis()),
    }
}

#[test]
fn each_is_asked_for_as_documented_with_the_token_encoded() {
    let token = Token::new("a+b/c=d@e").expect("a token");
    for (endpoint, url) in TICKETS.into_iter().zip([
        "https://api.weixin.qq.com/cgi-bin/ticket/getticket?access_token=a%2Bb%2Fc%3Dd%40e&type=jsapi",
        "https://api.weixin.qq.com/cgi-bin/ticket/getticket?access_token=a%2Bb%2Fc%3Dd%40e&type=wx_card",
        "https://qyapi.weixin.qq.com/cgi-bin/get_jsapi_ticket?access_token=a%2Bb%2Fc%3Dd%40e",
        "https://qyapi.weixin.qq.com/cgi-bin/ticket/get?access_token=a%2Bb%2Fc%3Dd%40e&type=agent_config",
    ]) {
        let account = Account::new(endpoint, "wx1", "s3cr3t").expect("fine");
        let extras = [token.as_str()];
        let request = account.request_with(Fetch::example(false), &extras);
        let mut out = String::new();
        request.write_url(&mut out).expect("a String takes all");
        assert_eq!(out, url);
        assert_eq!((request.method(), request.body_len()), (Method::Get, 0));
        let shown = format!("{request:?}");
        assert!(!shown.contains("a+b") && !shown.contains("a%2B"), "{shown}");
    }
}

#[test]
fn a_ticket_says_that_it_needs_a_token() {
    assert!(TICKETS.into_iter().all(|endpoint| endpoint.extras() == 1));
    let tokens = [&Endpoint::STABLE_TOKEN, &Endpoint::TOKEN, &Endpoint::WORK];
    assert!(tokens.into_iter().all(|endpoint| endpoint.extras() == 0));
    const THREE: Endpoint = Endpoint::custom(
        "x",
        Product::Work,
        Method::Post,
        "/x",
        &[Param::body("b", Value::Extra(2)), Param::query("a", Value::Extra(0))],
        "x",
        Repeat::SameWhileValid,
    );
    assert_eq!(THREE.extras(), 3);
    let names: std::collections::BTreeSet<_> = TICKETS.into_iter().map(Endpoint::name).collect();
    assert_eq!(names.len(), 4, "a cache tells accounts apart by it");
}

#[test]
fn a_repeat_does_not_extend_the_known_life_of_a_ticket() {
    let start = 1_000_000;
    let end = start + 7_198_000;
    let mut keeper = Keeper::new(&Endpoint::JSAPI_TICKET, 3);
    let first = fetch(&mut keeper, start);
    grant(&mut keeper, first, start, "k1");
    // At half its life it is looked at, and announced with a full one.
    let half = keeper.poll_at().as_millis();
    assert_eq!(half, end - 3_600_000);
    let again = fetch(&mut keeper, half);
    assert_eq!(grant(&mut keeper, again, half, "k1"), Outcome::Repeated);
    assert_eq!(keeper.remaining(at(half)).as_secs(), 3_600, "what was known stays");
    assert!(keeper.token(at(end - 1)).is_some() && keeper.token(at(end)).is_none());
    // Nothing is asked before it is certainly dead; then it is another one.
    let dead = keeper.poll_at().as_millis();
    assert_eq!(dead, end + 3_000);
    let last = fetch(&mut keeper, dead);
    assert_eq!(grant(&mut keeper, last, dead, "k2"), Outcome::Granted { generation: 2 });
}

#[test]
fn an_old_ticket_announced_as_a_new_one_is_found_out_at_half_the_life() {
    let mut keeper = Keeper::new(&Endpoint::JSAPI_TICKET, 3);
    // Another program fetched it 7000 s ago, which nothing in the reply tells.
    let first = fetch(&mut keeper, 10_000_000);
    grant(&mut keeper, first, 10_000_000, "k1");
    let half = keeper.poll_at().as_millis();
    assert!(half <= 10_000_000 + 3_600_000);
    let second = fetch(&mut keeper, half);
    assert_eq!(grant(&mut keeper, second, half, "k2"), Outcome::Granted { generation: 2 });
}

#[test]
fn a_day_costs_24_fetches_and_the_worst_no_more_than_the_platform_gives_in_an_hour() {
    for endpoint in TICKETS {
        for seed in 0..20 {
            let mut keeper = Keeper::new(endpoint, seed);
            let (mut born, mut number) = (0, 0);
            let quiet = day(&mut keeper, 1_000, |keeper, fetch, now| {
                if number == 0 || now >= born + 7_200_000 {
                    (born, number) = (now, number + 1);
                }
                grant(keeper, fetch, now, &format!("k{number}"));
            });
            assert_eq!(quiet.len(), 24, "{} {seed}", endpoint.name());

            // Nothing but failures that may have been executed, and, apart, nothing but refusals that are counted.
            for refusal in [None, Some(&br#"{"errcode":-1,"errmsg":"system error"}"#[..])] {
                let mut keeper = Keeper::new(endpoint, seed);
                let worst = day(&mut keeper, 1_000, |keeper, fetch, now| match refusal {
                    Some(body) => drop(keeper.handle_response(fetch.ticket(), at(now), 200, body)),
                    None => drop(keeper.handle_failure(fetch.ticket(), at(now), Failure::MaybeSent)),
                });
                assert!(worst.len() <= 90, "{} {seed}: {} a day", endpoint.name(), worst.len());
                let hour = worst.iter().map(|t| worst.iter().filter(|o| (*t..t + 3_600_000).contains(o)).count()).max();
                assert!(hour <= Some(90), "{hour:?}");
            }

            // Nothing but successes that are dead at once: the floor.
            let mut keeper = Keeper::new(endpoint, seed);
            let mut n = 0;
            let short = day(&mut keeper, 1_000, |keeper, fetch, now| {
                n += 1;
                let body = format!(r#"{{"ticket":"k{n}","expires_in":1}}"#);
                keeper.handle_response(fetch.ticket(), at(now), 200, body.as_bytes());
            });
            assert!(short.windows(2).all(|w| w[1] - w[0] >= 60_000), "{short:?}");
        }
    }
}

#[test]
fn the_hour_around_midnight_stays_within_the_allowance() {
    for seed in 0..50 {
        let mut keeper = Keeper::new(&Endpoint::WORK_AGENT_TICKET, seed);
        // 40 minutes before midnight in Beijing, with an unspent ledger.
        keeper.wall_clock(at(1_000), 16 * 3_600 - 2_400);
        let times = day(&mut keeper, 1_000, |keeper, fetch, now| {
            keeper.handle_failure(fetch.ticket(), at(now), Failure::MaybeSent);
        });
        let hour = times.iter().map(|t| times.iter().filter(|o| (*t..t + 3_600_000).contains(o)).count()).max();
        assert!(hour <= Some(100), "seed {seed}: {hour:?}");
    }
}

#[test]
fn only_the_codes_of_a_refused_token_mean_the_token() {
    let reply = |code: i32| format!(r#"{{"errcode":{code},"errmsg":"x"}}"#);
    for endpoint in TICKETS {
        for code in -1..=61_100 {
            let refused = endpoint.refuses_token(reply(code).as_bytes()).is_some();
            let work = endpoint.product() == Product::Work && matches!(code, 40_082 | 42_009);
            assert_eq!(refused, work || matches!(code, 40_001 | 40_014 | 42_001), "{} {code}", endpoint.name());
        }
        let refusal = endpoint.refuses_token(reply(40_001).as_bytes()).expect("refused");
        assert_eq!(refusal.meaning(), Meaning::TokenRefused, "not a wrong secret");
        for other in ["", "{}", "<html>", r#"{"errcode":0,"ticket":"k","expires_in":7200}"#] {
            assert!(endpoint.refuses_token(other.as_bytes()).is_none(), "{other}");
        }
    }
    // Of a fetch that carries no token, 40001 speaks of the secret.
    assert!(Endpoint::TOKEN.refuses_token(reply(40_001).as_bytes()).is_none());
}
