//! A restart costs no fetch: what was held is held again.

use wxtoken_server::store::{Opened, Redb};

use crate::world::{PATIENCE, World};

#[tokio::test]
async fn a_restart_fetches_nothing() {
    let world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wxtoken.redb");
    let text = {
        let (store, opened) = Redb::open(&path).expect("a store");
        assert_eq!(opened, Opened::New);
        let engine = world.engine(store, &[world.shop()]).await;
        let snapshot = engine.find("shop").expect("there").token().wait(PATIENCE).await.expect("a token");
        engine.stop().await.expect("stored");
        snapshot.valid(engine.clock().now()).expect("valid").as_str().to_owned()
    };
    world.advance(100);
    let (store, opened) = Redb::open(&path).expect("a store");
    assert_eq!(opened, Opened::Existing);
    let engine = world.engine(store, &[world.shop()]).await;
    // At once, without waiting for anything.
    let snapshot = engine.find("shop").expect("there").token().snapshot();
    let now = engine.clock().now();
    assert_eq!(snapshot.valid(now).map(|held| held.as_str()), Some(text.as_str()));
    assert_eq!(snapshot.remaining(now).as_secs(), 7098);
    assert_eq!((snapshot.generation(), world.fetches()), (1, 1));
}
