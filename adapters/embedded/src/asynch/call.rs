//! How is an API called with the credential, on an executor? The twin of [`blocking`](crate::blocking)'s.

use core::time::Duration;

use wxtoken_core::{CONNECT_LIMIT_MS, Call, ErrcodeReader, Failure, Todo};

use super::{Client, Connect, Remember, Wiped, race, run_call};
use crate::{CallFailed, CallReply, ConnectError, Exchange, Fault, Timer, errand::Errand};

/// Where the body of a call comes from when it is a stream: a file, a camera. `()` is none; [`ReadAt`](crate::ReadAt)
/// makes one of a closure.
#[allow(async_fn_in_trait, reason = "an executor of a device polls on one thread; a Send bound would exclude most")]
pub trait Source {
    /// Puts the next bytes into `room` and says how many; none means that there is no more, or an error.
    async fn fill(&mut self, room: &mut [u8]) -> usize;

    /// Goes back to the first byte, for another attempt; `false` when that cannot be.
    async fn rewind(&mut self) -> bool;
}

impl Source for () {
    async fn fill(&mut self, _: &mut [u8]) -> usize {
        0
    }

    async fn rewind(&mut self) -> bool {
        true
    }
}

/// Where the reply to a call goes when it may be longer than the buffer. `()` takes none;
/// [`WriteAt`](crate::WriteAt) makes one of a closure.
///
/// A refusal does not reach it: the platform's are shorter than half of any buffer of use, and nothing is given away
/// before half of the buffer is full.
#[allow(async_fn_in_trait, reason = "an executor of a device polls on one thread; a Send bound would exclude most")]
pub trait Sink {
    /// Whether it takes anything at all.
    const TAKES: bool;

    /// Takes the next bytes; `false` when it cannot, which ends the call.
    async fn take(&mut self, piece: &[u8]) -> bool;

    /// Forgets what it has taken, for another attempt; `false` when that cannot be.
    async fn restart(&mut self) -> bool;
}

impl Sink for () {
    const TAKES: bool = false;

    async fn take(&mut self, _: &[u8]) -> bool {
        false
    }

    async fn restart(&mut self) -> bool {
        true
    }
}

/// A sink that sees the errcode go by.
struct Tee<'t, D> {
    reader: &'t mut ErrcodeReader,
    gave: &'t mut bool,
    sink: &'t mut D,
}

impl<D: Sink> Sink for Tee<'_, D> {
    const TAKES: bool = D::TAKES;

    async fn take(&mut self, piece: &[u8]) -> bool {
        self.reader.push(piece);
        *self.gave = true;
        self.sink.take(piece).await
    }

    async fn restart(&mut self) -> bool {
        self.sink.restart().await
    }
}

impl<C: Connect, T: Timer, M: Remember> Client<'_, C, T, M> {
    /// Calls an API with the credential, fetching one first if none is held.
    ///
    /// A token that is refused (40001, 40014, 42001) is reported, and the call made once more with a different one; -1 and
    /// a minute's quota are waited for; see [`Healing`](wxtoken_core::Healing). No attempt begins after `limit`, and none
    /// takes longer than [`EXCHANGE_LIMIT_MS`](wxtoken_core::EXCHANGE_LIMIT_MS). Half a minute lets a second token come,
    /// since two fetches are that far apart.
    ///
    /// Dropping the future ends the call, which may have been executed; the buffer is wiped.
    ///
    /// # Errors
    /// [`CallFailed`]. A refusal that neither waiting nor another token mends is a reply, not an error.
    pub async fn call(&mut self, call: &Call<'_>, limit: Duration) -> Result<CallReply<'_>, CallFailed> {
        self.call_with(call, &mut (), &mut (), limit).await
    }

    /// The same with a body from `source`, or a reply of any length to `sink`. An attempt may then take as long as the call
    /// may.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_with<B: Source, D: Sink>(
        &mut self,
        call: &Call<'_>,
        source: &mut B,
        sink: &mut D,
        limit: Duration,
    ) -> Result<CallReply<'_>, CallFailed> {
        let mut errand = Errand::new(*call, &self.desk, self.timer.now(), limit, D::TAKES);
        let gave_up = loop {
            let now = self.timer.now();
            if let Some(why) = errand.cut_short() {
                break Some(why);
            }
            match errand.healing.poll(now, self.desk.keeper.token(now), self.desk.poll_at()) {
                Todo::Send(_) => self.send(&mut errand, source, sink).await,
                Todo::Report(seen) => {
                    let outcome = self.report_refused(seen).await;
                    errand.reported(&self.desk, outcome);
                }
                Todo::Refresh(until) => {
                    if self.tick().await.is_none() {
                        self.timer.wait_until(until).await;
                    }
                }
                Todo::Wait(until) => self.timer.wait_until(until).await,
                Todo::Done => break None,
                Todo::GiveUp(why) => break Some(why),
            }
        };
        let product = self.desk.account.endpoint().product();
        match errand.close(&self.desk, gave_up) {
            Ok(end) => Ok(CallReply::new(end, product, self.buffer)),
            Err(failed) => Err(failed),
        }
    }

    /// One attempt.
    async fn send<B: Source, D: Sink>(&mut self, errand: &mut Errand<'_>, source: &mut B, sink: &mut D) {
        let Self { desk, connect, timer, buffer, .. } = self;
        let now = timer.now();
        let deadline = errand.begin(now);
        if errand.is_retry() && !(source.rewind().await && sink.restart().await) {
            return errand.cannot_repeat();
        }
        let Some(token) = desk.keeper.token(now) else { return };
        let request = errand.call.request(desk.account.call_base(), token);
        let connect_by = now.saturating_add(Duration::from_millis(CONNECT_LIMIT_MS.into()));
        let connected = race(connect.connect(request.base()), timer.wait_until(connect_by)).await;
        let mut connection = match connected.unwrap_or(Err(ConnectError::TimedOut)) {
            Ok(connection) => connection,
            Err(why) => return errand.failed(timer.now(), Failure::NotSent, Fault::Connect(why)),
        };
        // Only now, so that the token is not in the buffer while names are resolved and hands are shaken.
        let mut exchange = match Exchange::call(&request, buffer, false, D::TAKES) {
            Ok(exchange) => exchange,
            Err(fault) => return errand.failed(timer.now(), Failure::NotSent, fault),
        };
        let mut tee = Tee { reader: &mut errand.reader, gave: &mut errand.gave, sink: &mut *sink };
        let work = run_call(&mut connection, &mut exchange, source, &mut tee);
        if race(work, timer.wait_until(deadline)).await.is_none() {
            exchange.handle_timeout();
        }
        if let Some(len) = errand.ended(timer.now(), exchange).filter(|_| D::TAKES) {
            // The reply is in the buffer now, and must not stay there if this future is dropped.
            let wiped = Wiped(buffer);
            let taken = sink.take(wiped.0.get(..len).unwrap_or(&[])).await;
            errand.gave_the_rest(taken);
        }
    }
}
