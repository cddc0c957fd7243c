//! Tickets: fetched with a token, healed when that one was refused, and no burden where nobody asked for them.

use wxtoken_platform::Account;
use wxtoken_server::{AccountKind, AccountSpec, Kind, store::Memory};

use crate::world::{ID, SECRET, World, at_rest, until};

#[tokio::test]
async fn a_ticket_comes_after_its_token() {
    let world = World::new();
    let shop = AccountSpec { tickets: vec![Kind::Jsapi, Kind::WxCard], ..world.shop() };
    let engine = world.engine(Memory::new(), &[shop]).await;
    let shop = engine.find("shop").expect("there");
    for kind in [Kind::Jsapi, Kind::WxCard] {
        let ticket = until(&shop.credential(kind).expect("kept"), at_rest(1)).await;
        let held = ticket.valid(engine.clock().now()).expect("valid");
        assert!(world.platform.ticket_is_valid(ID, held.as_str()));
    }
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn a_refused_token_is_reported_and_the_ticket_fetched_with_the_next() {
    let world = World::new();
    let shop = AccountSpec { tickets: vec![Kind::Jsapi], ..world.rotating_shop() };
    let engine = world.engine(Memory::new(), &[shop]).await;
    let shop = engine.find("shop").expect("there");
    let ticket = shop.credential(Kind::Jsapi).expect("kept");
    until(&ticket, at_rest(1)).await;
    world.advance(60);
    world.platform.revoke_all(ID).expect("known");
    ticket.rotate();
    until(&shop.token(), at_rest(2)).await;
    // The platform repeats a ticket while it lives: what counts is that it was asked with the new token.
    until(&ticket, |snapshot| snapshot.trouble().is_none() && !snapshot.is_fetching()).await;
    assert_eq!(world.fetches(), 2);
}

#[tokio::test]
async fn two_applications_of_one_corporation_are_two_accounts() {
    let world =
        World::with(vec![Account::work("ww1", SECRET).agent(1), Account::work("ww1", "another-secret").agent(2)]);
    let spec = |name: &str, secret: &str| {
        let mut spec = AccountSpec::new(name, AccountKind::Work, "ww1", secret);
        spec.base = Some(world.platform.http_url());
        spec
    };
    let engine = world.engine(Memory::new(), &[spec("one", SECRET), spec("two", "another-secret")]).await;
    let mut texts = Vec::new();
    for account in engine.with_id("ww1") {
        let snapshot = until(&account.token(), at_rest(1)).await;
        texts.push(snapshot.valid(engine.clock().now()).expect("valid").as_str().to_owned());
    }
    assert_eq!(texts.len(), 2);
    assert_ne!(texts[0], texts[1]);
}
