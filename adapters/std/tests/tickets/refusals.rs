//! A refused token heals below a ticket; a refused ticket says who must act.

use std::time::Duration;

use wxtoken::{Act, Client, Endpoint, Error, Reason, Refusal, TicketClient};

use crate::{
    desk::{Desk, text, ticket},
    world::{ID, SECRET, World, grant, refuse, token},
};

const ONCE: Duration = Duration::from_millis(1);

/// A client for tickets whose token is no longer young.
fn settled(world: &World, desk: &Desk) -> TicketClient {
    let tickets = desk.tickets(world);
    tickets.tokens().token().expect("fetched");
    world.advance_s(60);
    tickets
}

#[test]
fn museum_24_a_refused_token_heals_with_one_fetch_of_each_and_without_a_wait() {
    for code in [40001, 40014, 42001] {
        let world = World::still();
        let desk = Desk::new(
            move |n, carried| {
                if carried == token(1) { refuse(code, "rotated elsewhere") } else { ticket(n) }
            },
        );
        let tickets = settled(&world, &desk);
        // One try, on a clock that stands still: there is no time to wait.
        assert_eq!(tickets.ticket_within(ONCE).expect("healed").as_str(), text(2), "{code}");
        assert_eq!((desk.tokens(), desk.carried()), (2, vec![1, 2]), "{code}: never the same token again");
        assert_eq!(world.waits(), 0, "{code}");
        assert_eq!((tickets.status().ledger.fetches, tickets.tokens().status().generation), (1, 2));
    }
}

#[test]
fn a_token_that_others_have_replaced_meanwhile_costs_no_fetch() {
    let world = World::still();
    let desk = Desk::new(|n, carried| if carried == token(1) { refuse(40001, "old") } else { ticket(n) });
    let tickets = settled(&world, &desk);
    let old = tickets.tokens().token().expect("held");
    tickets.tokens().report_refused(&old);
    tickets.tokens().token().expect("another");
    assert_eq!(tickets.ticket_within(ONCE).expect("at once").as_str(), text(1));
    assert_eq!((desk.tokens(), desk.carried()), (2, vec![2]));
}

#[test]
fn a_platform_that_refuses_every_token_costs_two_and_all_callers_get_the_reason() {
    let world = World::still();
    let desk = Desk::new(|_, _| refuse(40001, "invalid credential"));
    let tickets = settled(&world, &desk);
    for _ in 0..64 {
        let error = tickets.ticket_within(ONCE).expect_err("refused");
        assert_eq!(error.refusal().map(Refusal::errcode), Some(40001), "{error}");
        assert!(matches!(&error, Error::Unavailable { .. }), "nothing of the configuration is wrong: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert_eq!((desk.tokens(), desk.carried()), (2, vec![1, 2]));
}

#[test]
fn the_same_token_is_not_sent_again_after_it_was_refused() {
    // The issuer stands by its token.
    let world = World::still();
    let desk = Desk::with(|_| grant(1), |n, _| if n == 1 { refuse(40014, "invalid") } else { ticket(n) });
    let client = Client::builder(&Endpoint::TOKEN, ID, SECRET).clock(world.clone()).transport(desk.clone());
    let tickets =
        client.background(false).build().expect("fine").ticket(&Endpoint::JSAPI_TICKET).build().expect("fine");
    tickets.tokens().token().expect("fetched");
    world.advance_s(60);
    let error = tickets.ticket_within(ONCE).expect_err("refused");
    assert_eq!(error.refusal().map(Refusal::errcode), Some(40014), "{error}");
    assert_eq!((desk.tokens(), desk.carried()), (2, vec![1]));
}

#[test]
fn a_young_token_that_is_not_known_everywhere_yet_is_given_a_moment() {
    let world = World::sleeping();
    let desk = Desk::new(|n, _| if n == 1 { refuse(40001, "not yet") } else { ticket(n) });
    let tickets = desk.tickets(&world);
    assert_eq!(tickets.ticket().expect("within the wait").as_str(), text(2));
    assert_eq!((desk.tokens(), desk.carried()), (1, vec![1, 1]), "no fetch for it");
}

#[test]
fn a_refused_fetch_of_a_ticket_costs_no_token() {
    for (code, act) in [(48001, Act::Never), (45009, Act::WaitUntil), (-1, Act::Retry), (45011, Act::WaitUntil)] {
        let world = World::still();
        let desk = Desk::new(move |_, _| refuse(code, "no"));
        let tickets = settled(&world, &desk);
        let error = tickets.ticket_within(ONCE).expect_err("refused");
        assert!(matches!(error.reason(), Some(Reason::Refused(refusal)) if refusal.act() == act), "{code} {error}");
        assert_eq!((desk.tokens(), desk.carried()), (1, vec![1]), "{code}");
        assert!(tickets.tokens().token_within(Duration::ZERO).is_ok(), "the token is as good as before");
    }
}
