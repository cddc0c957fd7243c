//! Tickets: the same one for its life, its own allowance, and a token needed only to fetch it.

use wxtoken_platform::model::{Model, Reply, Request};
use wxtoken_platform::{Account, TicketRepeat};

use crate::bench::{CORP, ID, SECRET, T, fetch, gettoken, model, official, token, work};

const LIFE_MS: u64 = 7_200_000;

fn ask(model: &mut Model, now: u64, path_and_type: &str, token: &str) -> Reply {
    let join = if path_and_type.contains('?') { '&' } else { '?' };
    model.handle(now, &Request::get(&format!("/cgi-bin/{path_and_type}{join}access_token={token}")))
}

fn ticket(reply: &Reply) -> String {
    assert_eq!((&reply.json()["errcode"], &reply.json()["errmsg"]), (&0.into(), &"ok".into()));
    reply.json()["ticket"].as_str().unwrap().to_owned()
}

/// Short tokens would end the test before the ticket.
fn long_lived(account: Account) -> Account {
    account.life_s(86_400)
}

#[test]
fn a_public_ticket_is_the_same_for_7200_s_and_says_so_each_time() {
    let mut model = model(long_lived(official()));
    let a = token(&fetch(&mut model, T));
    let first = ask(&mut model, T, "ticket/getticket?type=jsapi", &a);
    assert_eq!((ticket(&first).len(), first.expires_in()), (86, Some(7_200)));
    let last = ask(&mut model, T + LIFE_MS - 1, "ticket/getticket?type=jsapi", &a);
    assert_eq!((ticket(&last), last.expires_in()), (ticket(&first), Some(7_200)), "although 1 ms is left");
    let next = ask(&mut model, T + LIFE_MS, "ticket/getticket?type=jsapi", &a);
    assert_ne!(ticket(&next), ticket(&first));
    assert_eq!(model.counters(T).account(ID).tickets_minted, 2);
    assert_eq!(model.counters(T).account(ID).calls["/cgi-bin/ticket/getticket"].accepted, 3);
}

#[test]
fn a_repeated_ticket_counts_down_where_asked_and_for_wecom() {
    let of_public = (long_lived(official().ticket_repeat(TicketRepeat::Remaining)), "ticket/getticket?type=jsapi");
    for (account, path) in [of_public, (long_lived(work()), "get_jsapi_ticket")] {
        let mut model = model(account);
        let a = if path == "get_jsapi_ticket" { gettoken(&mut model, T) } else { fetch(&mut model, T) };
        let a = token(&a);
        let first = ask(&mut model, T, path, &a);
        let later = ask(&mut model, T + 7_000_000, path, &a);
        assert_eq!((ticket(&later), later.expires_in()), (ticket(&first), Some(200)));
    }
}

#[test]
fn each_kind_is_a_ticket_of_its_own() {
    let mut public = model(official());
    let a = token(&fetch(&mut public, T));
    let jsapi = ticket(&ask(&mut public, T, "ticket/getticket?type=jsapi", &a));
    let card = ticket(&ask(&mut public, T, "ticket/getticket?type=wx_card", &a));
    assert_ne!(jsapi, card);
    assert!(public.ticket_is_valid(T, ID, &jsapi) && public.ticket_is_valid(T, ID, &card));
    assert!(!public.ticket_is_valid(T + LIFE_MS, ID, &jsapi) && !public.ticket_is_valid(T, ID, "made-up"));
    for wrong in ["ticket/getticket", "ticket/getticket?type=agent_config"] {
        assert_eq!(ask(&mut public, T, wrong, &a).errcode(), 40_097);
    }

    let mut corporate = model(work());
    let a = token(&gettoken(&mut corporate, T));
    let of_corp = ticket(&ask(&mut corporate, T, "get_jsapi_ticket", &a));
    let of_agent = ticket(&ask(&mut corporate, T, "ticket/get?type=agent_config", &a));
    assert_ne!(of_corp, of_agent);
    assert_eq!(ask(&mut corporate, T, "ticket/get?type=jsapi", &a).errcode(), 40_058);
    assert_eq!(ask(&mut corporate, T, "ticket/getticket?type=jsapi", &a).errcode(), 40_014, "the other host's");
}

#[test]
fn a_ticket_needs_a_valid_token_and_outlives_it() {
    let mut model = model(official());
    let asked = |model: &mut Model, now, token: &str| ask(model, now, "ticket/getticket?type=jsapi", token);
    assert_eq!(asked(&mut model, T, "").errcode(), 41_001);
    assert_eq!(asked(&mut model, T, "made-up").errcode(), 40_001);
    let a = token(&fetch(&mut model, T));
    let first = ticket(&asked(&mut model, T, &a));
    model.revoke_all(T + 1, ID).unwrap();
    assert_eq!(asked(&mut model, T + 1, &a).errcode(), 40_001);
    assert!(model.ticket_is_valid(T + 1, ID, &first));
    let b = token(&fetch(&mut model, T + 2));
    assert_eq!(ticket(&asked(&mut model, T + 2, &b)), first);
    assert_eq!(asked(&mut model, T + 2 + LIFE_MS, &b).errcode(), 42_001);

    let mut corporate = self::model(work());
    assert_eq!(ask(&mut corporate, T, "get_jsapi_ticket", "made-up").errcode(), 40_014);
}

#[test]
fn a_mini_program_has_none() {
    let mut model = model(Account::mini_program(ID, SECRET));
    let a = token(&fetch(&mut model, T));
    assert_eq!(ask(&mut model, T, "ticket/getticket?type=jsapi", &a).errcode(), 48_001);
}

#[test]
fn wecom_gives_an_application_100_an_hour_and_blocks_for_one() {
    let mut model = model(long_lived(work()));
    let a = token(&gettoken(&mut model, T));
    for path in ["get_jsapi_ticket", "ticket/get?type=agent_config"] {
        for _ in 0..100 {
            assert_eq!(ask(&mut model, T, path, &a).errcode(), 0);
        }
        assert_eq!(ask(&mut model, T + 1, path, &a).errcode(), 45_009);
        assert_eq!(ask(&mut model, T + 3_600_000, path, &a).errcode(), 45_009, "1 ms of the penalty is left");
        assert_eq!(ask(&mut model, T + 3_600_001, path, &a).errcode(), 0);
    }
    assert_eq!(model.counters(T).account(CORP).calls_refused(45_009), 4);
}

#[test]
fn a_corporation_shares_400_an_hour_and_one_ticket() {
    let mut model = Model::new(7);
    let mut tokens = Vec::new();
    for agent in 0..5 {
        let secret = format!("{SECRET}{agent}");
        model.add(long_lived(Account::work(CORP, &secret).agent(agent))).unwrap();
        let target = format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret={secret}");
        tokens.push(token(&model.handle(T, &Request::get(&target))));
    }
    let mut seen = std::collections::BTreeSet::new();
    for token in &tokens[..4] {
        for _ in 0..100 {
            seen.insert(ticket(&ask(&mut model, T, "get_jsapi_ticket", token)));
        }
    }
    assert_eq!(seen.len(), 1);
    assert_eq!(ask(&mut model, T, "get_jsapi_ticket", &tokens[4]).errcode(), 45_009, "an application that never asked");
    assert_eq!(ask(&mut model, T, "ticket/get?type=agent_config", &tokens[4]).errcode(), 0, "the other API");
}

#[test]
fn a_public_account_has_10_000_a_day() {
    let mut model = model(long_lived(official()));
    let a = token(&fetch(&mut model, T));
    for _ in 0..10_000 {
        assert_eq!(ask(&mut model, T, "ticket/getticket?type=jsapi", &a).errcode(), 0);
    }
    assert_eq!(ask(&mut model, T, "ticket/getticket?type=wx_card", &a).errcode(), 45_009);
}
