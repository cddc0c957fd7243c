//! A scripted far side and a clock that only the script moves. Both clients are driven by the same script.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, pending, poll_fn},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use embedded_io::ErrorKind;
use wxtoken_embedded::{
    Attempt, CallFailed, CallReply, Clock, ConnectError, ReadAt, Timer, WriteAt, asynch, blocking,
    core::{Account, Base, Call, Endpoint, Instant, Keeper},
};

pub(crate) const SECRET: &str = "ThisIsTheSecretThatNobodyMaySee";

/// What the far side does with one connection.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// There is none.
    Refuse(ConnectError),
    /// Connecting never ends.
    Hang,
    /// It takes the request and answers so many milliseconds later.
    Reply(u64, &'static str),
    /// It answers a byte every so many milliseconds.
    Trickle(u64, &'static str),
    /// It breaks at the first write.
    BreakAtOnce,
    /// It takes one byte and breaks.
    BreakAfterOne,
    /// It never takes a byte.
    Stuck,
    /// It takes the request and says nothing.
    Silent,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) now: Cell<u64>,
    /// The next instant at which something pending becomes ready.
    wake: Cell<u64>,
    pub(crate) script: RefCell<VecDeque<Act>>,
    pub(crate) connections: Cell<u32>,
    pub(crate) open: Cell<u32>,
    pub(crate) requests: RefCell<Vec<u8>>,
}

pub(crate) type Shared = Rc<World>;

pub(crate) fn world(script: &[Act]) -> Shared {
    let world = World { script: RefCell::new(script.iter().copied().collect()), ..World::default() };
    world.now.set(1_000);
    Rc::new(world)
}

pub(crate) fn account(endpoint: &'static Endpoint) -> Account<'static> {
    Account::new(endpoint, "wx0123456789abcdef", SECRET).expect("fine")
}

impl World {
    pub(crate) fn instant(&self) -> Instant {
        Instant::from_millis(self.now.get())
    }

    /// Ready at `at`, as a future.
    async fn until(&self, at: u64) {
        poll_fn(|_| {
            if self.now.get() >= at {
                return Poll::Ready(());
            }
            self.wake.set(self.wake.get().min(at));
            Poll::Pending
        })
        .await;
    }

    /// Runs a future, moving the clock to whatever it waits for; at most to `limit`, where `None` comes back.
    pub(crate) fn block_on<T>(&self, limit: u64, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            self.wake.set(u64::MAX);
            if let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Some(value);
            }
            if self.wake.get() > limit {
                self.now.set(limit.max(self.now.get()));
                return None;
            }
            self.now.set(self.wake.get());
        }
    }
}

#[derive(Clone)]
pub(crate) struct Watch(pub(crate) Shared);

impl Clock for Watch {
    fn now(&mut self) -> Instant {
        self.0.instant()
    }
}

impl Timer for Watch {
    async fn wait_until(&mut self, at: Instant) {
        self.0.until(at.as_millis()).await;
    }
}

pub(crate) struct Dialer(pub(crate) Shared);

pub(crate) struct Line {
    world: Shared,
    act: Act,
    taken: usize,
    given: usize,
    ready_at: u64,
    /// Where a blocking call gives up.
    deadline: u64,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.world.open.set(self.world.open.get() - 1);
    }
}

impl Dialer {
    fn line(&self, act: Act, deadline: u64) -> Line {
        self.0.open.set(self.0.open.get() + 1);
        Line { world: self.0.clone(), act, taken: 0, given: 0, ready_at: 0, deadline }
    }

    fn next(&self) -> Act {
        self.0.connections.set(self.0.connections.get() + 1);
        self.0.script.borrow_mut().pop_front().expect("the script goes on")
    }
}

impl blocking::Connect for Dialer {
    type Connection<'c> = Line;

    fn connect(&mut self, _: Base<'_>, deadline: Instant) -> Result<Line, ConnectError> {
        match self.next() {
            Act::Refuse(why) => Err(why),
            Act::Hang => {
                self.0.now.set(self.0.now.get() + 3_000);
                Err(ConnectError::TimedOut)
            }
            act => Ok(self.line(act, deadline.as_millis())),
        }
    }
}

impl asynch::Connect for Dialer {
    type Connection<'c> = Line;

    async fn connect(&mut self, _: Base<'_>) -> Result<Line, ConnectError> {
        match self.next() {
            Act::Refuse(why) => Err(why),
            Act::Hang => pending().await,
            act => Ok(self.line(act, u64::MAX)),
        }
    }
}

impl Line {
    /// When the next call may go on, from now.
    fn delay(&mut self) -> Option<u64> {
        match self.act {
            Act::Reply(ms, _) if self.given == 0 => Some(ms),
            Act::Reply(..) => Some(0),
            Act::Trickle(ms, _) => Some(ms),
            _ => None,
        }
    }

    fn give(&mut self, room: &mut [u8]) -> usize {
        let (Act::Reply(_, text) | Act::Trickle(_, text)) = self.act else { return 0 };
        let most = if matches!(self.act, Act::Trickle(..)) { 1 } else { usize::MAX };
        let left = &text.as_bytes()[self.given..];
        let n = left.len().min(room.len()).min(most);
        room[..n].copy_from_slice(&left[..n]);
        self.given += n;
        n
    }

    fn accept(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let n = match self.act {
            Act::BreakAtOnce => return Err(ErrorKind::ConnectionReset),
            Act::BreakAfterOne if self.taken > 0 => return Err(ErrorKind::ConnectionReset),
            Act::BreakAfterOne => 1,
            // In pieces, as a modem takes them.
            _ => bytes.len().min(64),
        };
        self.taken += n;
        self.world.requests.borrow_mut().extend_from_slice(&bytes[..n]);
        Ok(n)
    }
}

impl embedded_io::ErrorType for Line {
    type Error = ErrorKind;
}

impl embedded_io::Read for Line {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        if let Act::Trickle(ms, _) = self.act {
            // Each call comes back in time, and the line has no eye on their sum.
            self.world.now.set(self.world.now.get() + ms);
            return Ok(self.give(room));
        }
        let at = self.delay().map_or(u64::MAX, |ms| self.world.now.get() + ms);
        self.world.now.set(at.min(self.deadline));
        if at > self.deadline { Err(ErrorKind::TimedOut) } else { Ok(self.give(room)) }
    }
}

impl embedded_io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        if matches!(self.act, Act::Stuck) {
            self.world.now.set(self.deadline);
            return Err(ErrorKind::TimedOut);
        }
        self.accept(bytes)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl embedded_io_async::Read for Line {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        match self.delay() {
            Some(ms) => {
                self.ready_at = self.world.now.get() + ms;
                self.world.until(self.ready_at).await;
                Ok(self.give(room))
            }
            None => pending().await,
        }
    }
}

impl embedded_io_async::Write for Line {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        if matches!(self.act, Act::Stuck) {
            return pending().await;
        }
        self.accept(bytes)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// One of the two clients, whichever.
pub(crate) trait Drive {
    fn tick(&mut self) -> Option<Attempt>;
    fn keeper(&self) -> &Keeper;
    fn poll_at(&self) -> Instant;
    fn token(&mut self) -> Option<String>;
    fn shown(&self) -> String;
    fn call(&mut self, call: &Call<'_>, limit_s: u64) -> Ended;
    /// Calls with `body` as a stream and a sink for the reply; also what the sink has at the end.
    fn stream(&mut self, call: &Call<'_>, body: &[u8], limit_s: u64) -> (Ended, Vec<u8>);
}

/// Status, errcode and body of a reply, or why there is none.
pub(crate) type Ended = Result<(u16, i32, Vec<u8>), CallFailed>;

fn ended(result: Result<CallReply<'_>, CallFailed>) -> Ended {
    result.map(|reply| {
        let shown = format!("{reply:?}");
        assert!(!shown.contains("errmsg"), "{shown}");
        (reply.status(), reply.errcode(), reply.body().to_vec())
    })
}

fn read_at(body: &[u8]) -> impl FnMut(u64, &mut [u8]) -> usize {
    |at, room| {
        let left = &body[at as usize..];
        // Fewer than there is room for, as a camera gives them.
        let n = left.len().min(room.len()).min(100);
        room[..n].copy_from_slice(&left[..n]);
        n
    }
}

fn write_at(file: &RefCell<Vec<u8>>) -> impl FnMut(u64, &[u8]) -> bool {
    |at, piece| {
        let mut file = file.borrow_mut();
        file.truncate(at as usize);
        file.extend_from_slice(piece);
        true
    }
}

pub(crate) struct Blocking<'a>(pub(crate) blocking::Client<'a, Dialer, Watch>);
pub(crate) struct Asynch<'a>(pub(crate) asynch::Client<'a, Dialer, Watch>, pub(crate) Shared);

impl Drive for Blocking<'_> {
    fn tick(&mut self) -> Option<Attempt> {
        self.0.tick()
    }
    fn keeper(&self) -> &Keeper {
        self.0.keeper()
    }
    fn poll_at(&self) -> Instant {
        self.0.poll_at()
    }
    fn token(&mut self) -> Option<String> {
        self.0.token().map(|t| t.as_str().to_owned())
    }
    fn shown(&self) -> String {
        format!("{:?}", self.0)
    }
    fn call(&mut self, call: &Call<'_>, limit_s: u64) -> Ended {
        ended(self.0.call(call, Duration::from_secs(limit_s), nap))
    }
    fn stream(&mut self, call: &Call<'_>, body: &[u8], limit_s: u64) -> (Ended, Vec<u8>) {
        let file = RefCell::new(Vec::new());
        let (mut source, mut sink) = (ReadAt::new(read_at(body)), WriteAt::new(write_at(&file)));
        let limit = Duration::from_secs(limit_s);
        let ended = ended(self.0.call_with(call, &mut source, &mut sink, limit, nap));
        let file = file.borrow().clone();
        (ended, file)
    }
}

/// How the blocking client passes the time: a millisecond.
fn nap(dialer: &mut Dialer) {
    dialer.0.now.set(dialer.0.now.get() + 1);
}

impl Drive for Asynch<'_> {
    fn tick(&mut self) -> Option<Attempt> {
        let world = self.1.clone();
        world.block_on(u64::MAX - 1, self.0.tick()).expect("it has a deadline")
    }
    fn keeper(&self) -> &Keeper {
        self.0.keeper()
    }
    fn poll_at(&self) -> Instant {
        self.0.poll_at()
    }
    fn token(&mut self) -> Option<String> {
        self.0.token().map(|t| t.as_str().to_owned())
    }
    fn shown(&self) -> String {
        format!("{:?}", self.0)
    }
    fn call(&mut self, call: &Call<'_>, limit_s: u64) -> Ended {
        let world = self.1.clone();
        let work = async { ended(self.0.call(call, Duration::from_secs(limit_s)).await) };
        world.block_on(u64::MAX - 1, work).expect("it has an end")
    }
    fn stream(&mut self, call: &Call<'_>, body: &[u8], limit_s: u64) -> (Ended, Vec<u8>) {
        let world = self.1.clone();
        let file = RefCell::new(Vec::new());
        let (mut source, mut sink) = (ReadAt::new(read_at(body)), WriteAt::new(write_at(&file)));
        let limit = Duration::from_secs(limit_s);
        let work = async { ended(self.0.call_with(call, &mut source, &mut sink, limit).await) };
        let ended = world.block_on(u64::MAX - 1, work).expect("it has an end");
        let file = file.borrow().clone();
        (ended, file)
    }
}

/// Runs `scene` with either client over the same script; gives back what both saw.
pub(crate) fn with_both<T: PartialEq + std::fmt::Debug>(
    endpoint: &'static Endpoint,
    script: &[Act],
    scene: impl Fn(&mut dyn Drive, &World) -> T,
) -> T {
    let run = |asynchronous: bool| {
        let world = world(script);
        let mut buffer = [0; 1024];
        let (dialer, watch) = (Dialer(world.clone()), Watch(world.clone()));
        let saw = if asynchronous {
            let client = asynch::Client::new(account(endpoint), 7, dialer, watch, &mut buffer);
            scene(&mut Asynch(client, world.clone()), &world)
        } else {
            let client = blocking::Client::new(account(endpoint), 7, dialer, watch, &mut buffer);
            scene(&mut Blocking(client), &world)
        };
        assert!(buffer.iter().all(|&b| b == 0), "the buffer is wiped");
        assert_eq!(world.open.get(), 0, "every connection is closed");
        saw
    };
    let (blocking, asynchronous) = (run(false), run(true));
    assert_eq!(blocking, asynchronous, "the twins agree");
    blocking
}
