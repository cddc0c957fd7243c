//! Reports of refused tokens: from one caller or thousands, one fetch at most.

use wxtoken_server::{ReportOutcome, Seen, store::Memory};

use crate::world::{ID, World, at_rest, until};

#[tokio::test]
async fn a_thousand_reports_of_one_refused_token_are_one_fetch() {
    let world = World::new();
    let engine = world.engine(Memory::new(), &[world.rotating_shop()]).await;
    let token = engine.find("shop").expect("there").token();
    let first = until(&token, at_rest(1)).await;
    let seen = Seen::text(first.valid(engine.clock().now()).expect("valid").as_str());
    world.advance(60);
    world.platform.revoke_all(ID).expect("known");
    let mut outcomes = Vec::new();
    for _ in 0..1000 {
        outcomes.push(token.report(seen).outcome);
    }
    assert_eq!(outcomes[0], ReportOutcome::Refreshing);
    until(&token, at_rest(2)).await;
    assert_eq!(token.report(seen).outcome, ReportOutcome::Replaced);
    assert_eq!(world.fetches(), 2);
}
