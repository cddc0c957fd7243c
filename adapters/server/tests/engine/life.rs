//! A credential's life: fetched, refreshed ahead of its end, served while the platform is away.

use std::time::Duration;

use wxtoken_platform::Account;
use wxtoken_server::{AccountKind, AccountSpec, Kind, store::Memory};

use crate::world::{PATIENCE, SECRET, World, at_rest, until};

#[tokio::test]
async fn one_account_is_fetched_and_read() {
    let world = World::new();
    let engine = world.engine(Memory::new(), &[world.shop()]).await;
    let shop = engine.find("shop").expect("it is there");
    let snapshot = shop.token().wait(PATIENCE).await.expect("a token");
    let held = snapshot.valid(engine.clock().now()).expect("valid");
    assert!(world.platform.token_is_valid(shop.id(), held.as_str()));
    assert_eq!((held.generation(), snapshot.remaining(engine.clock().now())), (1, Duration::from_secs(7198)));
    assert_eq!(world.fetches(), 1);
    assert!(engine.find("stop").is_none() && shop.credential(Kind::Jsapi).is_none());
    assert_eq!(engine.with_id(shop.id()).len(), 1);
}

#[tokio::test]
async fn it_is_refreshed_ahead_of_its_end_and_once() {
    let world = World::new();
    let engine = world.engine(Memory::new(), &[world.shop()]).await;
    let token = engine.find("shop").expect("there").token();
    let first = until(&token, at_rest(1)).await;
    // The stable endpoint is asked in the last 295 s, less up to 10 s of jitter.
    let due_in = first.next_fetch_at().saturating_since(engine.clock().now()).as_secs();
    assert!((6900..=6915).contains(&due_in), "{due_in}");
    world.advance(due_in - 1);
    assert_eq!((token.snapshot().generation(), world.fetches()), (1, 1));
    world.advance(2);
    let second = until(&token, at_rest(2)).await;
    assert_eq!(world.fetches(), 2);
    assert!(second.remaining(engine.clock().now()) > Duration::from_secs(7000));
}

#[tokio::test]
async fn a_dead_platform_does_not_end_a_valid_token() {
    let world = World::new();
    let engine = world.engine(Memory::new(), &[world.shop()]).await;
    let token = engine.find("shop").expect("there").token();
    until(&token, at_rest(1)).await;
    world.platform.set_listening(false).expect("an outage");
    world.advance(6920);
    let snapshot = until(&token, |snapshot| snapshot.trouble().is_some()).await;
    assert!(snapshot.valid(engine.clock().now()).is_some(), "still served");
    // It is over at its own end, and not before. The next try is then due, or nearly.
    world.advance(277);
    assert!(token.snapshot().valid(engine.clock().now()).is_some());
    world.advance(1);
    assert!(token.snapshot().valid(engine.clock().now()).is_none());
    world.platform.set_listening(true).expect("the end of it");
    world.advance(61);
    let snapshot = until(&token, at_rest(2)).await;
    assert!(snapshot.trouble().is_none());
}

#[tokio::test]
async fn who_comes_between_two_tokens_of_wecom_waits_for_the_next() {
    const CORP: &str = "ww0123456789abcdef";
    let world = World::with(vec![Account::work(CORP, SECRET)]);
    let mut app = AccountSpec::new("app", AccountKind::Work, CORP, SECRET);
    app.base = Some(world.platform.http_url());
    let engine = world.engine(Memory::new(), &[app]).await;
    let token = engine.find("app").expect("there").token();
    until(&token, at_rest(1)).await;
    // In the last minute the platform repeats it. Then it is over, and the next one is some seconds away.
    let left = token.snapshot().remaining(engine.clock().now()).as_secs();
    for step in [left - 50, 50] {
        world.advance(step);
        engine.settle().await;
    }
    assert!(token.snapshot().valid(engine.clock().now()).is_none());
    let reader = tokio::spawn({
        let token = token.clone();
        async move { token.wait(Duration::from_secs(15)).await.map(|snapshot| snapshot.generation()) }
    });
    for _ in 0..10 {
        tokio::task::yield_now().await;
        world.advance(1);
        engine.settle().await;
    }
    let read = tokio::time::timeout(PATIENCE, reader).await.expect("it ends").expect("no panic");
    assert_eq!(read.expect("the next one"), 2);
}
