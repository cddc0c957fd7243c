//! How is a credential kept valid without an executor, over `embedded_io::{Read, Write}`?

use core::{fmt, time::Duration};

use embedded_io::{Error as _, Read, Write};
use wxtoken_core::{Account, EXCHANGE_LIMIT_MS, Failure, Fetch, Fingerprint, Instant, Keeper, ReportOutcome, Token};

use zeroize::Zeroize;

use crate::{Attempt, Clock, ConnectError, Exchange, Fault, Step, attempt::Desk};

mod call;

pub use call::{Sink, Source};

/// Opens connections: plain TCP, TLS, a modem's AT sockets, a vendor's stack. Its asynchronous twin is
/// [`asynch::Connect`](crate::asynch::Connect).
pub trait Connect {
    /// An open connection, closed when dropped.
    type Connection<'c>: Read + Write
    where
        Self: 'c;

    /// Connects to the host and port of `base`, with TLS and the server's name verified if its scheme says `https`; a
    /// connector without TLS must refuse that with [`ConnectError::NoTls`].
    ///
    /// It gives up after [`CONNECT_LIMIT_MS`](wxtoken_core::CONNECT_LIMIT_MS). Each `read` and `write` of the connection
    /// must come back with an error of kind `TimedOut` before `deadline`: nobody else can end a blocking call.
    /// Between the calls the client looks at its clock itself, so a peer that trickles gains nothing.
    ///
    /// # Errors
    /// The [`ConnectError`] that comes nearest. All of them mean that nothing of the request was sent.
    fn connect(
        &mut self,
        base: wxtoken_core::Base<'_>,
        deadline: Instant,
    ) -> Result<Self::Connection<'_>, ConnectError>;
}

/// What outlives a reboot. `()` remembers nothing; `flash::Memory` (feature `flash`) keeps it in NOR flash. A
/// memory that fails never stops the client, so nothing here returns an error.
///
/// `scratch` is the client's own buffer, unused at that time; it may be left in any state.
pub trait Remember {
    /// At start: gives the keeper what was remembered.
    fn recall(&mut self, keeper: &mut Keeper, now: Instant, scratch: &mut [u8]);

    /// Before a request is sent, with the fetch already in the ledger: whoever reboots now must find it counted.
    fn before_sending(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]);

    /// After an attempt or a report.
    fn settle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]);

    /// About once an hour, when a tick found nothing to do.
    fn idle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]);
}

impl Remember for () {
    fn recall(&mut self, _: &mut Keeper, _: Instant, _: &mut [u8]) {}
    fn before_sending(&mut self, _: &Keeper, _: Instant, _: &mut [u8]) {}
    fn settle(&mut self, _: &Keeper, _: Instant, _: &mut [u8]) {}
    fn idle(&mut self, _: &Keeper, _: Instant, _: &mut [u8]) {}
}

/// A memory that may be missing: a device whose flash does not answer goes on without.
impl<M: Remember> Remember for Option<M> {
    fn recall(&mut self, keeper: &mut Keeper, now: Instant, scratch: &mut [u8]) {
        if let Some(memory) = self {
            memory.recall(keeper, now, scratch);
        }
    }

    fn before_sending(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        if let Some(memory) = self {
            memory.before_sending(keeper, now, scratch);
        }
    }

    fn settle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        if let Some(memory) = self {
            memory.settle(keeper, now, scratch);
        }
    }

    fn idle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        if let Some(memory) = self {
            memory.idle(keeper, now, scratch);
        }
    }
}

/// Runs `exchange` over an open connection until it ends, or until `in_time` says no; that is asked before every read and
/// write. What came of it is the exchange's [`outcome`](Exchange::outcome).
pub fn run<S: Read + Write>(socket: &mut S, exchange: &mut Exchange<'_>, in_time: impl FnMut() -> bool) {
    run_call(socket, exchange, &mut (), &mut (), in_time);
}

/// The same for a call whose body comes from `source` and whose reply, if it is long, goes to `sink`.
pub fn run_call<S: Read + Write, B: Source, D: Sink>(
    socket: &mut S,
    exchange: &mut Exchange<'_>,
    source: &mut B,
    sink: &mut D,
    mut in_time: impl FnMut() -> bool,
) {
    loop {
        if !exchange.is_done() && !in_time() {
            return exchange.handle_timeout();
        }
        let result = match exchange.step() {
            Step::Done => return,
            Step::Fill(room) => {
                let n = source.fill(room);
                exchange.handle_filled(n);
                Ok(())
            }
            Step::Give(bytes) => {
                let taken = sink.take(bytes);
                exchange.handle_given(taken);
                Ok(())
            }
            Step::Read(room) => socket.read(room).map(|n| exchange.handle_read(n)),
            Step::Write(bytes) => socket.write(bytes).and_then(|n| {
                exchange.handle_written(n);
                // TLS and buffered sockets keep what is not flushed.
                if exchange.is_sent() { socket.flush() } else { Ok(()) }
            }),
        };
        if let Err(error) = result {
            exchange.handle_error(error.kind());
        }
    }
}

/// Account, keeper, connector, clock and memory: a credential that is kept valid by calling [`tick`](Self::tick).
///
/// It holds no buffer: it borrows one, whose length is the limit of request and reply
/// ([`DEFAULT_BUFFER_LEN`](crate::DEFAULT_BUFFER_LEN) is enough for the platform), and which is all zeros between two
/// ticks.
pub struct Client<'a, C, K, M = ()> {
    desk: Desk<'a>,
    connect: C,
    clock: K,
    memory: M,
    buffer: &'a mut [u8],
}

impl<'a, C: Connect, K: Clock> Client<'a, C, K> {
    /// A client that holds nothing yet and remembers nothing. `seed` drives all jitter: the device's serial number, so
    /// that ten thousand of them do not come together.
    pub const fn new(account: Account<'a>, seed: u64, connect: C, clock: K, buffer: &'a mut [u8]) -> Self {
        Self { desk: Desk::new(account, seed), connect, clock, memory: (), buffer }
    }

    /// The same with a memory, and what it remembers.
    #[must_use]
    pub fn with_memory<M: Remember>(self, mut memory: M) -> Client<'a, C, K, M> {
        let Self { mut desk, connect, mut clock, buffer, memory: () } = self;
        memory.recall(&mut desk.keeper, clock.now(), buffer);
        buffer.zeroize();
        Client { desk, connect, clock, memory, buffer }
    }
}

impl<C: Connect, K: Clock, M: Remember> Client<'_, C, K, M> {
    /// Puts the first attempt off by [`boot_delay`](crate::boot_delay) of `device_id`, at most `within`: for devices that
    /// boot together after a power failure and cannot reuse a stored token.
    pub fn put_off(&mut self, device_id: u64, within: Duration) {
        self.desk.put_off(self.clock.now(), device_id, within);
    }

    /// Does what is due: at most one exchange, of at most [`EXCHANGE_LIMIT_MS`]. `None` when nothing was due; calling
    /// early or often is harmless.
    pub fn tick(&mut self) -> Option<Attempt> {
        let now = self.clock.now();
        let Some(fetch) = self.desk.begin(now) else {
            if self.desk.is_idle_due(now) {
                self.memory.idle(&self.desk.keeper, now, self.buffer);
                self.buffer.zeroize();
            }
            return None;
        };
        self.memory.before_sending(&self.desk.keeper, now, self.buffer);
        // A memory that tidies up may have moved a token through it.
        self.buffer.zeroize();
        let attempt = self.attempt(fetch, now.saturating_add(Duration::from_millis(EXCHANGE_LIMIT_MS.into())));
        self.settle();
        Some(attempt)
    }

    fn attempt(&mut self, fetch: Fetch, deadline: Instant) -> Attempt {
        let Self { desk, connect, clock, buffer, .. } = self;
        let mut connection = match connect.connect(desk.account.base(), deadline) {
            Ok(connection) => connection,
            Err(why) => return desk.fail(fetch, clock.now(), Failure::NotSent, Fault::Connect(why)),
        };
        // Only now, so that the secret is not in the buffer while names are resolved and hands are shaken.
        let mut exchange = match Exchange::new(&desk.request(fetch), buffer, false) {
            Ok(exchange) => exchange,
            Err(fault) => return desk.fail(fetch, clock.now(), Failure::NotSent, fault),
        };
        run(&mut connection, &mut exchange, || clock.now() < deadline);
        desk.end(fetch, clock.now(), &exchange)
    }

    fn settle(&mut self) {
        self.memory.settle(&self.desk.keeper, self.clock.now(), self.buffer);
        // The token went through it.
        self.buffer.zeroize();
    }

    /// When [`tick`](Self::tick) will do something, unless news comes. It may be slept until then.
    pub fn poll_at(&self) -> Instant {
        self.desk.poll_at()
    }

    /// The credential, if one is valid now. It never waits and never fetches.
    pub fn token(&mut self) -> Option<&Token> {
        self.desk.keeper.token(self.clock.now())
    }

    /// An API call was refused with 40001, 40014 or 42001 while it used `seen`: see
    /// [`Keeper::report_refused`]. Tick, then call once more with a different token.
    pub fn report_refused(&mut self, seen: impl Into<Fingerprint>) -> ReportOutcome {
        let outcome = self.desk.keeper.report_refused(self.clock.now(), seen);
        self.settle();
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
impl<C, K, M> fmt::Debug for Client<'_, C, K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("account", &self.desk.account)
            .field("keeper", &self.desk.keeper)
            .finish_non_exhaustive()
    }
}
