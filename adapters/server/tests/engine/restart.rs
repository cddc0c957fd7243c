//! A restart costs no fetch: what was held is held again.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use wxtoken_server::{
    Clock as _, ReportOutcome,
    store::{Answer, Attempt, Claim, Claimed, Coordinator, Key, Memory, Opened, Record, Redb, StoredLedger},
};

use crate::world::{PATIENCE, World, at_rest, until};

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

/// Held by a first engine and stored; the second one's accounts, clock and store are the caller's.
async fn held_at_first(world: &World, path: &std::path::Path) -> String {
    let (store, _) = Redb::open(path).expect("a store");
    let engine = world.engine(store, &[world.shop()]).await;
    let snapshot = engine.find("shop").expect("there").token().wait(PATIENCE).await.expect("a token");
    engine.stop().await.expect("stored");
    snapshot.valid(engine.clock().now()).expect("valid").as_str().to_owned()
}

#[tokio::test]
async fn a_changed_secret_does_not_take_the_old_token() {
    let world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wxtoken.redb");
    held_at_first(&world, &path).await;
    let mut changed = world.shop();
    changed.secret = "another secret altogether".to_owned().into();
    let (store, _) = Redb::open(&path).expect("a store");
    let engine = world.engine(store, &[changed]).await;
    let token = engine.find("shop").expect("there").token();
    assert!(token.snapshot().valid(engine.clock().now()).is_none());
    until(&token, |snapshot| snapshot.trouble().is_some()).await;
}

#[tokio::test]
async fn after_a_long_sleep_one_fetch_brings_the_next_generation() {
    let world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wxtoken.redb");
    held_at_first(&world, &path).await;
    world.advance(10_000);
    for _ in 0..2 {
        // The second time it comes from the store.
        let (store, _) = Redb::open(&path).expect("a store");
        let engine = world.engine(store, &[world.shop()]).await;
        let token = engine.find("shop").expect("there").token();
        let snapshot = token.wait(PATIENCE).await.expect("a token");
        assert_eq!((snapshot.generation(), world.fetches()), (2, 2));
        engine.stop().await.expect("stored");
    }
}

#[tokio::test]
async fn what_was_fetched_while_the_store_failed_outranks_what_it_holds() {
    let world = World::new();
    let (store, fail) = Failing::new();
    let memory = store.inner.share();
    // The store holds the third; a server that cannot read it begins anew.
    let first = world.engine(memory.share(), &[world.rotating_shop()]).await;
    let token = first.find("shop").expect("there").token();
    for generation in 1..=3 {
        until(&token, at_rest(generation)).await;
        world.advance(if generation < 3 { 5_410 } else { 60 });
    }
    first.stop().await.expect("stored");
    fail.store(true, Ordering::Relaxed);
    let second = world.engine(store, &[world.rotating_shop()]).await;
    let token = second.find("shop").expect("there").token();
    let text = until(&token, at_rest(1)).await.valid(second.clock().now()).expect("valid").as_str().to_owned();
    fail.store(false, Ordering::Relaxed);
    let mut tries = 0;
    while second.store_trouble().is_some() {
        world.advance(10);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        tries += 1;
        assert!(tries < 2_000, "it is saved in the end");
    }
    let third = world.engine(memory, &[world.rotating_shop()]).await;
    let snapshot = third.find("shop").expect("there").token().snapshot();
    assert_eq!(snapshot.valid(third.clock().now()).map(|held| held.as_str()), Some(text.as_str()));
    assert_eq!((snapshot.generation(), world.fetches()), (4, 4));
}

#[tokio::test]
async fn a_clock_that_was_set_wrong_makes_no_dead_token_live() {
    let world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wxtoken.redb");
    held_at_first(&world, &path).await;
    world.advance(7_300);
    // The machine was started anew, and its clock shows the time of two hours ago.
    let back = world.clock.rebooted("another run");
    back.set_unix_time(back.unix_time().map(|unix| unix - std::time::Duration::from_secs(7_310)));
    let (store, _) = Redb::open(&path).expect("a store");
    world.platform.set_listening(false).expect("an outage");
    let engine = world.engine_at(&back, store, &[world.shop()]).await;
    assert!(engine.find("shop").expect("there").token().snapshot().valid(engine.clock().now()).is_none());
}

#[tokio::test]
async fn a_refused_token_stays_refused_over_a_restart() {
    let world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wxtoken.redb");
    let (store, _) = Redb::open(&path).expect("a store");
    let engine = world.engine(store, &[world.shop()]).await;
    let token = engine.find("shop").expect("there").token();
    let held = until(&token, at_rest(1)).await.valid(engine.clock().now()).expect("valid").fingerprint();
    world.advance(60);
    world.platform.set_listening(false).expect("an outage");
    assert_eq!(token.report(held).outcome, ReportOutcome::Refreshing);
    until(&token, |snapshot| snapshot.trouble().is_some()).await;
    engine.stop().await.expect("stored");
    let (store, _) = Redb::open(&path).expect("a store");
    let engine = world.engine(store, &[world.shop()]).await;
    assert!(engine.find("shop").expect("there").token().snapshot().valid(engine.clock().now()).is_none());
}

#[tokio::test]
async fn a_store_that_fails_stops_nothing_and_is_caught_up_with() {
    let world = World::new();
    let (store, fail) = Failing::new();
    let memory = store.inner.share();
    fail.store(true, Ordering::Relaxed);
    let engine = world.engine(store, &[world.shop()]).await;
    let token = engine.find("shop").expect("there").token();
    until(&token, at_rest(1)).await;
    assert_eq!(engine.store_trouble(), Some(wxtoken_server::store::Failing::Full));
    assert_eq!(world.fetches(), 1, "a failing store costs no fetch");
    fail.store(false, Ordering::Relaxed);
    let mut tries = 0;
    while engine.store_trouble().is_some() {
        world.advance(10);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        tries += 1;
        assert!(tries < 2_000, "it is saved in the end");
    }
    // Another server finds it there.
    let other = world.engine(memory, &[world.shop()]).await;
    assert_eq!(other.find("shop").expect("there").token().snapshot().generation(), 1);
    assert_eq!(world.fetches(), 1);
}

/// A store whose disk can be filled.
struct Failing {
    inner: Memory,
    fail: Arc<AtomicBool>,
}

impl Failing {
    fn new() -> (Self, Arc<AtomicBool>) {
        let fail = Arc::new(AtomicBool::new(false));
        (Self { inner: Memory::new(), fail: fail.clone() }, fail)
    }

    fn full<T: Send + 'static>(&self) -> Option<Answer<'_, T>> {
        let full = self.fail.load(Ordering::Relaxed);
        full.then(|| Box::pin(std::future::ready(Err(wxtoken_server::store::Failing::Full))) as Answer<'_, T>)
    }
}

impl Coordinator for Failing {
    fn read(&self, keys: Vec<Key>) -> Answer<'_, Vec<Option<Record>>> {
        self.full().unwrap_or_else(|| self.inner.read(keys))
    }

    fn claim(&self, claim: Claim) -> Answer<'_, Claimed> {
        self.full().unwrap_or_else(|| self.inner.claim(claim))
    }

    fn commit(&self, attempt: Attempt, record: Record) -> Answer<'_, Option<Record>> {
        self.full().unwrap_or_else(|| self.inner.commit(attempt, record))
    }

    fn fail(&self, attempt: Attempt, ledger: StoredLedger, lease_until_ms: u64) -> Answer<'_, ()> {
        self.full().unwrap_or_else(|| self.inner.fail(attempt, ledger, lease_until_ms))
    }

    fn watch(&self) -> tokio::sync::broadcast::Receiver<Key> {
        self.inner.watch()
    }

    fn close(&self) -> Answer<'_, ()> {
        self.inner.close()
    }
}
