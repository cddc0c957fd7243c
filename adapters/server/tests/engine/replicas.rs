//! Servers that share one store fetch each credential once, and wait for each other where two exchanges would do harm.

use std::time::Duration;

use wxtoken_platform::{Fault, FaultScope, TimeBase};
use wxtoken_server::store::Memory;

use crate::world::{PATIENCE, World, at_rest, until};

#[tokio::test]
async fn two_servers_fetch_once() {
    let world = World::new();
    let store = Memory::new();
    let (one, two) = (store.share(), store.share());
    let one = world.engine(one, &[world.rotating_shop()]).await;
    let two = world.engine(two, &[world.rotating_shop()]).await;
    let (one, two) = (one.find("shop").expect("there").token(), two.find("shop").expect("there").token());
    for generation in 1..=3 {
        let first = until(&one, at_rest(generation)).await;
        // The other takes up what the first fetched; when both are due at once, the store has one of them wait.
        let second = until(&two, at_rest(generation)).await;
        let texts = [first, second].map(|snapshot| snapshot.held_text());
        assert_eq!(texts[0], texts[1]);
        assert_eq!(world.fetches(), u64::from(generation));
        world.advance(5_410);
    }
}

trait HeldText {
    fn held_text(&self) -> Option<String>;
}

impl HeldText for wxtoken_server::Snapshot {
    fn held_text(&self) -> Option<String> {
        // Right after it came, whatever the clock says.
        self.valid(wxtoken::Instant::ZERO).map(|held| held.as_str().to_owned())
    }
}

#[tokio::test]
async fn a_lost_exchange_of_another_is_waited_for() {
    let world = World::new();
    let store = Memory::new();
    let first = world.engine(store.share(), &[world.rotating_shop()]).await;
    let token = first.find("shop").expect("there").token();
    until(&token, at_rest(1)).await;
    // Its refresh is executed, and the reply lost.
    world.platform.fault(Fault::ReplyLost, FaultScope::next(1));
    world.advance(5_410);
    until(&token, |snapshot| snapshot.trouble().is_some()).await;
    assert_eq!(world.fetches(), 2);
    // A second server comes: it must not fetch while that exchange may still be executing.
    let second = world.engine(store.share(), &[world.rotating_shop()]).await;
    let token = second.find("shop").expect("there").token();
    assert!(token.snapshot().valid(second.clock().now()).is_some(), "it serves what is stored");
    until(&token, |snapshot| snapshot.next_fetch_at() > second.clock().now()).await;
    assert_eq!(world.fetches(), 2);
    world.advance(76);
    until(&token, at_rest(2)).await;
    assert_eq!(world.fetches(), 3);
}

#[tokio::test]
async fn a_reader_without_a_token_is_not_kept_waiting_by_a_slow_platform_for_ever() {
    let world = World::new();
    world.platform.fault(Fault::Latency { ms: 50, by: TimeBase::Real }, FaultScope::every_call());
    let engine = world.engine(Memory::new(), &[world.shop()]).await;
    let token = engine.find("shop").expect("there").token();
    assert!(token.wait(PATIENCE).await.is_ok());
    // A platform that refuses is not waited for: the answer is there at once, with what to do.
    world.platform.refuse_with(crate::world::ID, 40164).expect("known");
    world.platform.revoke_all(crate::world::ID).expect("known");
    world.advance(8_000);
    until(&token, |snapshot| snapshot.trouble().is_some()).await;
    let why = token.wait(Duration::from_secs(15)).await.expect_err("refused");
    assert!(why.to_string().contains("40164") && why.next_in > Duration::from_secs(200), "{why}");
}
