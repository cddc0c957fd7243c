//! What the tests of this directory share: a request, a scripted socket, an executor of ten lines.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, Waker},
};

use wxtoken_embedded::{
    Exchange, Fault, Step,
    core::{Account, Action, Endpoint, Fetch, Instant, Keeper, Request},
};

pub(crate) const SECRET: &str = "ThisIsTheSecretThatNobodyMaySee";

pub(crate) fn account() -> Account<'static> {
    Account::new(&Endpoint::STABLE_TOKEN, "wx0123456789abcdef", SECRET).expect("fine")
}

pub(crate) fn fetch() -> Fetch {
    match Keeper::new(&Endpoint::STABLE_TOKEN, 0).poll(Instant::ZERO) {
        Action::Fetch(fetch) => fetch,
        Action::Wait(_) => unreachable!("it holds nothing"),
    }
}

pub(crate) fn request() -> Request<'static, 'static> {
    account().request(fetch())
}

/// What an exchange came to, owned.
pub(crate) type Verdict = (Result<(u16, Vec<u8>), Fault>, bool);

pub(crate) fn verdict(exchange: &Exchange<'_>) -> Verdict {
    (exchange.outcome().map(|r| (r.status(), r.body().to_vec())), exchange.can_reuse())
}

/// Sends the request and hands the pieces in, one by one; then the peer closes.
pub(crate) fn by_hand(room: usize, keep_alive: bool, pieces: &[&[u8]]) -> Verdict {
    let mut buffer = vec![0xee; room];
    let mut exchange = Exchange::new(&request(), &mut buffer, keep_alive).expect("the request fits");
    while let Step::Write(bytes) = exchange.step() {
        let n = bytes.len();
        exchange.handle_written(n);
    }
    for piece in pieces {
        let mut left = *piece;
        while !left.is_empty() {
            let Step::Read(room) = exchange.step() else { break };
            assert!(!room.is_empty(), "nowhere to read to, which would look like the end of the stream");
            let n = room.len().min(left.len());
            room[..n].copy_from_slice(&left[..n]);
            exchange.handle_read(n);
            left = &left[n..];
        }
    }
    if !exchange.is_done() {
        exchange.handle_read(0);
    }
    assert!(exchange.is_done(), "the end of the stream ends every exchange");
    verdict(&exchange)
}

/// A socket that takes and gives so many bytes a call, and then ends.
pub(crate) struct Script<'r> {
    pub(crate) reply: &'r [u8],
    pub(crate) at_most: usize,
    pub(crate) written: Vec<u8>,
    pub(crate) flushed: usize,
}

impl<'r> Script<'r> {
    pub(crate) fn new(reply: &'r [u8], at_most: usize) -> Self {
        Self { reply, at_most, written: Vec::new(), flushed: 0 }
    }

    fn take(&mut self, room: &mut [u8]) -> usize {
        let n = room.len().min(self.at_most).min(self.reply.len());
        let (now, later) = self.reply.split_at(n);
        room[..n].copy_from_slice(now);
        self.reply = later;
        n
    }

    fn give(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.at_most);
        self.written.extend_from_slice(&bytes[..n]);
        n
    }
}

impl embedded_io::ErrorType for Script<'_> {
    type Error = Infallible;
}

impl embedded_io::Read for Script<'_> {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        Ok(self.take(room))
    }
}

impl embedded_io::Write for Script<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(self.give(bytes))
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.flushed = self.written.len();
        Ok(())
    }
}

impl embedded_io_async::Read for Script<'_> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        pause().await;
        Ok(self.take(room))
    }
}

impl embedded_io_async::Write for Script<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        pause().await;
        Ok(self.give(bytes))
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        pause().await;
        self.flushed = self.written.len();
        Ok(())
    }
}

/// Is pending once.
async fn pause() {
    let mut asked = false;
    poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}
