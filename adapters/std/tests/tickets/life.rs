//! How long a ticket is believed, what a day of it costs, and how it outlives a restart.

use std::time::Duration;

use wxtoken::{Client, Endpoint, Source, TicketClient};

use crate::{
    desk::{Desk, text, ticket},
    world::{ID, SECRET, World},
};

#[test]
fn a_repeat_of_the_same_ticket_does_not_extend_its_life() {
    let world = World::still();
    // The platform's way: the same ticket, announced with a full life each time, until it is dead.
    let desk = Desk::new(|n, _| ticket(if n < 3 { 1 } else { 2 }));
    let tickets = desk.tickets(&world);
    tickets.ticket().expect("fetched");
    world.advance_s(3_600);
    assert_eq!(tickets.ticket().expect("the same").as_str(), text(1));
    assert_eq!(desk.carried().len(), 2, "looked at, at half its life");
    assert_eq!(tickets.status().remaining, Some(Duration::from_secs(3_598)));
    world.advance_s(3_597);
    assert_eq!(tickets.ticket().expect("its last second").as_str(), text(1));
    world.advance_s(1);
    assert!(tickets.ticket_within(Duration::ZERO).is_err(), "over is over");
    world.advance_s(3);
    assert_eq!(tickets.ticket().expect("the next").as_str(), text(2));
    assert_eq!((desk.carried().len(), tickets.status().daily_limit), (3, 90));
}

#[test]
fn a_ledger_of_its_own_ends_a_day_of_refused_tickets() {
    let world = World::still();
    let desk = Desk::new(|n, _| ticket(n));
    let tickets = desk.tickets(&world);
    // Somebody's pages are refused for another reason, and the ticket is blamed each time.
    for _ in 0..200 {
        if let Ok(held) = tickets.ticket() {
            tickets.report_refused(&held);
            tickets.report_refused(&held);
        }
        world.advance_s(300);
    }
    let tokens = tickets.tokens().status().ledger.fetches;
    assert!(desk.carried().len() <= 90 && tokens < 20, "{} {tokens}", desk.carried().len());
}

fn cached(world: &World, desk: &Desk, home: &std::path::Path) -> TicketClient {
    let client = Client::builder(&Endpoint::TOKEN, ID, SECRET).cache(home.join("token.json"));
    let client = client.clock(world.clone()).transport(desk.clone()).background(false).build().expect("fine");
    client.ticket(&Endpoint::JSAPI_TICKET).cache(home.join("ticket.json")).build().expect("fine")
}

#[test]
fn a_restart_costs_neither_a_ticket_nor_a_token() {
    let home = tempfile::TempDir::new().expect("a temporary directory");
    let (world, desk) = (World::still(), Desk::new(|n, _| ticket(n)));
    cached(&world, &desk, home.path()).ticket().expect("fetched");
    world.advance_s(600);
    let again = cached(&world, &desk, home.path());
    assert_eq!(again.ticket().expect("from the file").as_str(), text(1));
    assert_eq!(again.status().remaining, Some(Duration::from_secs(6_598)), "and its true life");
    assert_eq!((again.status().source, again.status().ledger.fetches), (Some(Source::Cached), 1));
    assert_eq!((desk.tokens(), desk.carried()), (1, vec![1]));
    let file = std::fs::read_to_string(home.path().join("ticket.json")).expect("written");
    assert!(file.contains(&text(1)) && !file.contains(SECRET));
}
