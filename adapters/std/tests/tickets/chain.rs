//! One fetch of the token and one of the ticket for all callers; and nobody is stranded.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use wxtoken::{Client, ConfigError, Endpoint, Error, Reason, TicketClient, TransportError};

use crate::{
    desk::{Desk, text, ticket},
    world::{Gate, ID, SECRET, World, all_at_once, grant, refuse, until},
};

#[test]
fn museum_11_64_cold_callers_cost_one_token_and_one_ticket() {
    for background in [false, true] {
        let (world, gate) = (World::still(), Gate::default());
        let door = gate.clone();
        let desk = Desk::with(
            move |n| {
                door.pass();
                grant(n)
            },
            |n, _| ticket(n),
        );
        let tickets = desk.client(&world, background).ticket(&Endpoint::JSAPI_TICKET).build().expect("fine");
        for ticket in all_at_once(&world, &gate, || tickets.clone().ticket().map(|ticket| ticket.as_str().to_owned())) {
            assert_eq!(ticket.expect("a ticket"), text(1));
        }
        assert_eq!((desk.tokens(), desk.carried()), (1, vec![1]), "background {background}");
        assert_eq!((tickets.status().ledger.fetches, tickets.tokens().status().ledger.fetches), (1, 1));
    }
}

#[test]
fn the_last_client_gone_lets_go_of_both_refreshers() {
    let (world, desk) = (World::still(), Desk::new(|n, _| ticket(n)));
    let client = desk.client(&world, true);
    let tickets = client.ticket(&Endpoint::JSAPI_TICKET).build().expect("fine");
    drop(client);
    let clone = tickets.clone();
    tickets.ticket().expect("fetched");
    drop(tickets);
    assert_eq!(clone.ticket().expect("held").as_str(), text(1));
    drop(clone);
    until(|| desk.is_unused());
}

#[test]
fn a_slow_platform_costs_patience_and_no_ticket() {
    // Nine seconds for each exchange; with a token that is refused, four of them lie between question and answer.
    let world = World::still();
    let (slow, slower) = (world.clone(), world.clone());
    let watched: Arc<(OnceLock<TicketClient>, AtomicBool)> = Arc::default();
    let watcher = Arc::clone(&watched);
    let desk = Desk::with(
        move |n| {
            slow.advance_s(9);
            grant(n)
        },
        move |n, _| {
            slower.advance_s(9);
            let next_in = watcher.0.get().expect("it asks").status().next_in;
            watcher.1.fetch_or(next_in.is_zero(), Ordering::SeqCst);
            if n == 1 { refuse(42001, "access_token expired") } else { ticket(n) }
        },
    );
    let tickets = desk.tickets(&world);
    watched.0.set(tickets.clone()).expect("once");
    tickets.tokens().token().expect("fetched");
    world.advance_s(60);
    assert_eq!(tickets.ticket().expect("healed").as_str(), text(2));
    assert_eq!((desk.tokens(), desk.carried()), (2, vec![1, 2]));
    assert_eq!(tickets.status().trouble, None, "none of them counted as lost");
    assert!(!watched.1.load(Ordering::SeqCst), "another caller would have taken it for lost and begun anew");
}

#[test]
fn without_a_token_it_is_said_who_must_act_and_no_ticket_is_spent() {
    let world = World::still();
    let desk = Desk::with(|_| refuse(40164, "invalid ip 203.0.113.7, not in whitelist"), |n, _| ticket(n));
    let tickets = desk.tickets(&world);
    let error = tickets.ticket_within(Duration::from_millis(1)).expect_err("no token");
    assert!(matches!(&error, Error::Person { reason: Reason::Token(_), .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("no token to fetch the ticket with") && text.contains("203.0.113.7"), "{text}");
    assert_eq!((desk.carried(), tickets.status().ledger.fetches), (vec![], 0));
    for answer in [Err(TransportError::Certificate), refuse(40125, "invalid appsecret")] {
        let desk = Desk::with(move |_| answer.clone(), |n, _| ticket(n));
        let error = desk.tickets(&world).ticket_within(Duration::from_millis(1)).expect_err("no token");
        assert!(matches!(error, Error::Configuration { .. }), "{error}");
    }
}

#[test]
fn a_token_that_has_come_meanwhile_ends_the_wait_for_one() {
    let world = World::still();
    let desk = Desk::with(|n| if n == 1 { refuse(40125, "invalid appsecret") } else { grant(n) }, |n, _| ticket(n));
    let tickets = desk.tickets(&world);
    let once = Duration::from_millis(1);
    assert!(tickets.ticket_within(once).is_err());
    assert!(tickets.ticket_within(once).is_err(), "both wait");
    assert_eq!(desk.tokens(), 1);
    // Somebody mended the secret, and the token's client was told, and only that.
    tickets.tokens().configuration_changed();
    tickets.tokens().token().expect("fetched");
    assert_eq!(tickets.ticket_within(once).expect("at once").as_str(), text(1));
}

#[test]
fn a_panicking_transport_strands_nobody() {
    let world = World::sleeping();
    let desk = Desk::new(|n, _| if n == 1 { panic!("a transport with a mistake, on purpose") } else { ticket(n) });
    assert_eq!(desk.tickets(&world).ticket().expect("second try").as_str(), text(2));
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let world = World::still();
    let desk = Desk::new(|n, _| ticket(n));
    let client = desk.client(&world, false);
    let refused = |endpoint| client.ticket(endpoint).build().map(|_| ()).expect_err("refused");
    for endpoint in [&Endpoint::WORK_JSAPI_TICKET, &Endpoint::WORK_AGENT_TICKET, &Endpoint::TOKEN] {
        assert_eq!(refused(endpoint), ConfigError::NotItsTicket);
    }
    let alone = Client::builder(&Endpoint::JSAPI_TICKET, ID, SECRET).build().map(|_| ());
    assert_eq!(alone.expect_err("refused"), ConfigError::NeedsToken);
    let elsewhere = desk.builder(&world).base("http://api.example.com").build().map(|_| ());
    assert_eq!(elsewhere.expect_err("refused"), ConfigError::PlainHttp);
    let home = tempfile::TempDir::new().expect("a temporary directory");
    let file = home.path().join("token.json");
    let client = Client::builder(&Endpoint::TOKEN, ID, SECRET).cache(&file).build().expect("fine");
    let same = client.ticket(&Endpoint::JSAPI_TICKET).cache(&file).build().map(|_| ());
    assert_eq!(same.expect_err("refused"), ConfigError::CacheTaken);
    assert_eq!((desk.tokens(), desk.carried()), (0, vec![]));
}
