//! Do both clients ask the memory at the right moments?

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::Future,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use wxtoken_embedded::{
    Clock, ConnectError, Timer, asynch, blocking,
    core::{Base, Instant, Keeper, Ledger},
};

use crate::world::{ROTATING, account};

const GRANT: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"accesstoken000001\",\"expires_in\":7200}";

/// What happened, in order.
type Diary = Rc<RefCell<Vec<String>>>;

/// A memory that keeps a diary and spoils its scratch.
struct Memory(Diary);

impl Memory {
    fn note(&self, what: &str, ledger: Ledger, scratch: &mut [u8]) {
        assert!(scratch.len() == 1024 && scratch.iter().all(|&b| b == 0), "the buffer is whole and wiped");
        scratch.fill(0xee);
        self.0.borrow_mut().push(format!("{what} {}", ledger.fetches));
    }
}

impl blocking::Remember for Memory {
    fn recall(&mut self, keeper: &mut Keeper, now: Instant, scratch: &mut [u8]) {
        self.note("recall", keeper.ledger(now), scratch);
    }
    fn before_sending(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        self.note("before", keeper.ledger(now), scratch);
    }
    fn settle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        self.note("settle", keeper.ledger(now), scratch);
    }
    fn idle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        self.note("idle", keeper.ledger(now), scratch);
    }
}

impl asynch::Remember for Memory {
    async fn recall(&mut self, keeper: &mut Keeper, now: Instant, scratch: &mut [u8]) {
        self.note("recall", keeper.ledger(now), scratch);
    }
    async fn before_sending(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        self.note("before", keeper.ledger(now), scratch);
    }
    async fn settle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        self.note("settle", keeper.ledger(now), scratch);
    }
    async fn idle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        self.note("idle", keeper.ledger(now), scratch);
    }
}

struct Dialer(Diary, Result<(), ConnectError>);

impl blocking::Connect for Dialer {
    type Connection<'c> = Line;
    fn connect(&mut self, _: Base<'_>, _: Instant) -> Result<Line, ConnectError> {
        self.0.borrow_mut().push("connect".to_owned());
        self.1.map(|()| Line(GRANT))
    }
}

impl asynch::Connect for Dialer {
    type Connection<'c> = Line;
    async fn connect(&mut self, _: Base<'_>) -> Result<Line, ConnectError> {
        self.0.borrow_mut().push("connect".to_owned());
        self.1.map(|()| Line(GRANT))
    }
}

struct Line(&'static [u8]);

impl embedded_io::ErrorType for Line {
    type Error = Infallible;
}

impl embedded_io::Read for Line {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        embedded_io::Read::read(&mut self.0, room)
    }
}

impl embedded_io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io_async::Read for Line {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        embedded_io::Read::read(&mut self.0, room)
    }
}

impl embedded_io_async::Write for Line {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(bytes.len())
    }
    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Stands still, so that no deadline comes, unless moved.
#[derive(Clone, Default)]
struct Still(Rc<Cell<u64>>);

impl Clock for Still {
    fn now(&mut self) -> Instant {
        Instant::from_millis(self.0.get())
    }
}

impl Timer for Still {
    async fn wait_until(&mut self, _: Instant) {
        std::future::pending().await
    }
}

fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

const ORDER: [&str; 6] = ["recall 0", "before 1", "connect", "settle 1", "idle 1", "settle 1"];

#[test]
fn the_blocking_client_counts_before_it_connects_and_wipes_after_the_memory() {
    let diary = Diary::default();
    let clock = Still::default();
    let mut buffer = [0; 1024];
    let client =
        blocking::Client::new(account(&ROTATING), 7, Dialer(diary.clone(), Ok(())), clock.clone(), &mut buffer);
    let mut client = client.with_memory(Some(Memory(diary.clone())));
    assert!(client.tick().is_some());
    assert!(client.tick().is_none() && client.tick().is_none());
    for after in [3_599_999, 3_600_000, 3_600_001] {
        clock.0.set(after);
        assert!(client.tick().is_none());
    }
    let seen = client.token().expect("held").fingerprint();
    client.report_refused(seen);
    assert_eq!(*diary.borrow(), ORDER);
    std::mem::forget(client);
    assert!(buffer.iter().all(|&b| b == 0));
}

#[test]
fn the_asynchronous_client_does_the_same() {
    let diary = Diary::default();
    let clock = Still::default();
    let mut buffer = [0; 1024];
    let client = asynch::Client::new(account(&ROTATING), 7, Dialer(diary.clone(), Ok(())), clock.clone(), &mut buffer);
    let mut client = now(client.with_memory(Some(Memory(diary.clone()))));
    assert!(now(client.tick()).is_some());
    assert!(now(client.tick()).is_none() && now(client.tick()).is_none());
    for after in [3_599_999, 3_600_000, 3_600_001] {
        clock.0.set(after);
        assert!(now(client.tick()).is_none());
    }
    let seen = client.token().expect("held").fingerprint();
    now(client.report_refused(seen));
    assert_eq!(*diary.borrow(), ORDER);
    std::mem::forget(client);
    assert!(buffer.iter().all(|&b| b == 0));
}

#[test]
fn nothing_of_the_memory_is_left_while_connecting() {
    // Were it left, `settle` would find it after a connection that was refused.
    let refuse = || Dialer(Diary::default(), Err(ConnectError::Refused));
    let mut buffer = [0; 1024];
    let client = blocking::Client::new(account(&ROTATING), 7, refuse(), Still::default(), &mut buffer);
    assert!(client.with_memory(Some(Memory(Diary::default()))).tick().is_some_and(|a| a.fault.is_some()));
    let client = asynch::Client::new(account(&ROTATING), 7, refuse(), Still::default(), &mut buffer);
    let mut client = now(client.with_memory(Some(Memory(Diary::default()))));
    assert!(now(client.tick()).is_some_and(|a| a.fault.is_some()));
}
