//! How is a credential kept valid on an executor, over `embedded_io_async::{Read, Write}`?
//!
//! The twin of [`blocking`](crate::blocking): the same machine, keeper and memory, with `.await` where that one blocks
//! and a [`Timer`] where that one relies on its connector.

use core::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use embedded_io_async::{Error as _, Read, Write};
use wxtoken_core::{
    Account, Base, CONNECT_LIMIT_MS, EXCHANGE_LIMIT_MS, Failure, Fetch, Fingerprint, Instant, Keeper, ReportOutcome,
    Token,
};

use crate::{
    Attempt, ConnectError, Exchange, Fault, Step, Timer,
    attempt::{Desk, IDLE_EVERY},
};

mod call;

pub use call::{Sink, Source};

/// Opens connections: plain TCP, TLS, a modem's AT sockets, a vendor's stack. Its blocking twin is
/// [`blocking::Connect`](crate::blocking::Connect).
#[allow(async_fn_in_trait, reason = "an executor of a device polls on one thread; a Send bound would exclude most")]
pub trait Connect {
    /// An open connection, closed when dropped, at any point of a read or write.
    type Connection<'c>: Read + Write
    where
        Self: 'c;

    /// Connects to the host and port of `base`, with TLS and the server's name verified if its scheme says `https`; a
    /// connector without TLS must refuse that with [`ConnectError::NoTls`].
    ///
    /// It needs no timeout: the client drops the future after [`CONNECT_LIMIT_MS`].
    ///
    /// # Errors
    /// The [`ConnectError`] that comes nearest. All of them mean that nothing of the request was sent.
    async fn connect(&mut self, base: Base<'_>) -> Result<Self::Connection<'_>, ConnectError>;
}

/// What outlives a reboot, as [`blocking::Remember`](crate::blocking::Remember).
#[allow(async_fn_in_trait, reason = "an executor of a device polls on one thread; a Send bound would exclude most")]
pub trait Remember {
    /// At start: gives the keeper what was remembered.
    async fn recall(&mut self, keeper: &mut Keeper, now: Instant, scratch: &mut [u8]);

    /// Before a request is sent, with the fetch already in the ledger: whoever reboots now must find it counted.
    async fn before_sending(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]);

    /// After an attempt or a report. Dropping the future may lose what was to be written, never what was.
    async fn settle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]);

    /// About once an hour, when a tick found nothing to do.
    async fn idle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]);
}

impl Remember for () {
    async fn recall(&mut self, _: &mut Keeper, _: Instant, _: &mut [u8]) {}
    async fn before_sending(&mut self, _: &Keeper, _: Instant, _: &mut [u8]) {}
    async fn settle(&mut self, _: &Keeper, _: Instant, _: &mut [u8]) {}
    async fn idle(&mut self, _: &Keeper, _: Instant, _: &mut [u8]) {}
}

/// A memory that may be missing: a device whose flash does not answer goes on without.
impl<M: Remember> Remember for Option<M> {
    async fn recall(&mut self, keeper: &mut Keeper, now: Instant, scratch: &mut [u8]) {
        if let Some(memory) = self {
            memory.recall(keeper, now, scratch).await;
        }
    }

    async fn before_sending(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        if let Some(memory) = self {
            memory.before_sending(keeper, now, scratch).await;
        }
    }

    async fn settle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        if let Some(memory) = self {
            memory.settle(keeper, now, scratch).await;
        }
    }

    async fn idle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        if let Some(memory) = self {
            memory.idle(keeper, now, scratch).await;
        }
    }
}

/// Runs `exchange` over an open connection until it ends. What came of it is the exchange's
/// [`outcome`](Exchange::outcome). Enforce a deadline by dropping the future, then tell the exchange by
/// [`handle_timeout`](Exchange::handle_timeout).
pub async fn run<S: Read + Write>(socket: &mut S, exchange: &mut Exchange<'_>) {
    run_call(socket, exchange, &mut (), &mut ()).await;
}

/// The same for a call whose body comes from `source` and whose reply, if it is long, goes to `sink`.
pub async fn run_call<S: Read + Write, B: Source, D: Sink>(
    socket: &mut S,
    exchange: &mut Exchange<'_>,
    source: &mut B,
    sink: &mut D,
) {
    loop {
        let result = match exchange.step() {
            Step::Done => return,
            Step::Fill(room) => {
                let n = source.fill(room).await;
                exchange.handle_filled(n);
                Ok(())
            }
            Step::Give(bytes) => {
                let taken = sink.take(bytes).await;
                exchange.handle_given(taken);
                Ok(())
            }
            Step::Read(room) => socket.read(room).await.map(|n| exchange.handle_read(n)),
            Step::Write(bytes) => match socket.write(bytes).await {
                Ok(n) => {
                    exchange.handle_written(n);
                    // TLS and buffered sockets keep what is not flushed.
                    if exchange.is_sent() { socket.flush().await } else { Ok(()) }
                }
                Err(error) => Err(error),
            },
        };
        if let Err(error) = result {
            exchange.handle_error(error.kind());
        }
    }
}

/// Account, keeper, connector, timer and memory: a credential that is kept valid by calling [`next`](Self::next) again
/// and again, or [`tick`](Self::tick) at will.
///
/// **Cancel-safe**: a dropped future costs nothing but its ticket. The keeper counts that exchange as lost after 15 s,
/// and fetches again; until then a tick does nothing. The connection is closed and the buffer wiped by the drop.
///
/// It borrows its buffer, whose length is the limit of request and reply
/// ([`DEFAULT_BUFFER_LEN`](crate::DEFAULT_BUFFER_LEN) is enough for the platform), and which is all zeros between two
/// ticks.
pub struct Client<'a, C, T, M = ()> {
    desk: Desk<'a>,
    connect: C,
    timer: T,
    memory: M,
    buffer: &'a mut [u8],
}

impl<'a, C: Connect, T: Timer> Client<'a, C, T> {
    /// A client that holds nothing yet and remembers nothing. `seed` drives all jitter: the device's serial number, so
    /// that ten thousand of them do not come together.
    pub const fn new(account: Account<'a>, seed: u64, connect: C, timer: T, buffer: &'a mut [u8]) -> Self {
        Self { desk: Desk::new(account, seed), connect, timer, memory: (), buffer }
    }

    /// The same with a memory, and what it remembers.
    pub async fn with_memory<M: Remember>(self, mut memory: M) -> Client<'a, C, T, M> {
        let Self { mut desk, connect, mut timer, buffer, memory: () } = self;
        {
            let wiped = Wiped(buffer);
            memory.recall(&mut desk.keeper, timer.now(), wiped.0).await;
        }
        Client { desk, connect, timer, memory, buffer }
    }
}

impl<C: Connect, T: Timer, M: Remember> Client<'_, C, T, M> {
    /// Puts the first attempt off by [`boot_delay`](crate::boot_delay) of `device_id`, at most `within`: for devices that
    /// boot together after a power failure and cannot reuse a stored token.
    pub fn put_off(&mut self, device_id: u64, within: Duration) {
        self.desk.put_off(self.timer.now(), device_id, within);
    }

    /// Waits until something is due and does it. For the task that does nothing else; drop it and call it again after
    /// news such as [`report_refused`](Self::report_refused).
    pub async fn next(&mut self) -> Attempt {
        loop {
            if let Some(attempt) = self.tick().await {
                return attempt;
            }
            // A memory may have something to note down although nothing is due.
            let hour = self.timer.now().saturating_add(IDLE_EVERY);
            self.timer.wait_until(self.desk.poll_at().min(hour)).await;
        }
    }

    /// Does what is due: at most one exchange, of at most [`EXCHANGE_LIMIT_MS`]. `None` when nothing was due; calling
    /// early or often is harmless.
    pub async fn tick(&mut self) -> Option<Attempt> {
        let now = self.timer.now();
        let Some(fetch) = self.desk.begin(now) else {
            if self.desk.is_idle_due(now) {
                let wiped = Wiped(self.buffer);
                self.memory.idle(&self.desk.keeper, now, wiped.0).await;
            }
            return None;
        };
        {
            // A memory that tidies up may move a token through it.
            let wiped = Wiped(self.buffer);
            self.memory.before_sending(&self.desk.keeper, now, wiped.0).await;
        }
        let attempt = self.attempt(fetch, now).await;
        self.settle().await;
        Some(attempt)
    }

    async fn attempt(&mut self, fetch: Fetch, sent_at: Instant) -> Attempt {
        let Self { desk, connect, timer, buffer, .. } = self;
        let connect_by = sent_at.saturating_add(Duration::from_millis(CONNECT_LIMIT_MS.into()));
        let deadline = sent_at.saturating_add(Duration::from_millis(EXCHANGE_LIMIT_MS.into()));
        let connected = race(connect.connect(desk.account.base()), timer.wait_until(connect_by)).await;
        let mut connection = match connected.unwrap_or(Err(ConnectError::TimedOut)) {
            Ok(connection) => connection,
            Err(why) => return desk.fail(fetch, timer.now(), Failure::NotSent, Fault::Connect(why)),
        };
        // Only now, so that the secret is not in the buffer while names are resolved and hands are shaken.
        let mut exchange = match Exchange::new(&desk.request(fetch), buffer, false) {
            Ok(exchange) => exchange,
            Err(fault) => return desk.fail(fetch, timer.now(), Failure::NotSent, fault),
        };
        if race(run(&mut connection, &mut exchange), timer.wait_until(deadline)).await.is_none() {
            exchange.handle_timeout();
        }
        desk.end(fetch, timer.now(), &exchange)
    }

    async fn settle(&mut self) {
        let wiped = Wiped(self.buffer);
        self.memory.settle(&self.desk.keeper, self.timer.now(), wiped.0).await;
    }

    /// When [`tick`](Self::tick) will do something, unless news comes.
    pub fn poll_at(&self) -> Instant {
        self.desk.poll_at()
    }

    /// The credential, if one is valid now. It never waits and never fetches.
    pub fn token(&mut self) -> Option<&Token> {
        self.desk.keeper.token(self.timer.now())
    }

    /// An API call was refused with 40001, 40014 or 42001 while it used `seen`: see
    /// [`Keeper::report_refused`]. Tick, then call once more with a different token.
    pub async fn report_refused(&mut self, seen: impl Into<Fingerprint>) -> ReportOutcome {
        let outcome = self.desk.keeper.report_refused(self.timer.now(), seen);
        self.settle().await;
        outcome
    }

    /// The keeper, for its getters.
    pub const fn keeper(&self) -> &Keeper {
        &self.desk.keeper
    }

    /// The keeper, for the rest of its news: the time of day, a changed configuration, a wish to rotate.
    pub const fn keeper_mut(&mut self) -> &mut Keeper {
        &mut self.desk.keeper
    }

    /// The connector.
    pub const fn connector(&mut self) -> &mut C {
        &mut self.connect
    }
}

/// Shows the account and the keeper, never a secret, and nothing of the connector.
impl<C, T, M> fmt::Debug for Client<'_, C, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("account", &self.desk.account)
            .field("keeper", &self.desk.keeper)
            .finish_non_exhaustive()
    }
}

/// What `work` brings, or `None` when `limit` ends first. Both are dropped where they stand.
async fn race<F: Future>(work: F, limit: impl Future<Output = ()>) -> Option<F::Output> {
    let (mut work, mut limit) = (pin!(work), pin!(limit));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The buffer while a token may go through it: wiped when the work ends, or when its future is dropped.
struct Wiped<'a>(&'a mut [u8]);

impl Drop for Wiped<'_> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(self.0);
    }
}
