//! How is an API called with the credential, without an executor? The twin of [`asynch`](crate::asynch)'s.

use core::time::Duration;

use wxtoken_core::{Call, ErrcodeReader, Failure, Todo};
use zeroize::Zeroize;

use super::{Client, Connect, Remember, run_call};
use crate::{CallFailed, CallReply, Clock, Exchange, Fault, errand::Errand};

/// Where the body of a call comes from when it is a stream: a file, a camera. `()` is none; [`ReadAt`](crate::ReadAt)
/// makes one of a closure.
pub trait Source {
    /// Puts the next bytes into `room` and says how many; none means that there is no more, or an error.
    fn fill(&mut self, room: &mut [u8]) -> usize;

    /// Goes back to the first byte, for another attempt; `false` when that cannot be.
    fn rewind(&mut self) -> bool;
}

impl Source for () {
    fn fill(&mut self, _: &mut [u8]) -> usize {
        0
    }

    fn rewind(&mut self) -> bool {
        true
    }
}

/// Where the reply to a call goes when it may be longer than the buffer. `()` takes none;
/// [`WriteAt`](crate::WriteAt) makes one of a closure.
///
/// A refusal does not reach it: the platform's are shorter than half of any buffer of use, and nothing is given away
/// before half of the buffer is full.
pub trait Sink {
    /// Whether it takes anything at all.
    const TAKES: bool;

    /// Takes the next bytes; `false` when it cannot, which ends the call.
    fn take(&mut self, piece: &[u8]) -> bool;

    /// Forgets what it has taken, for another attempt; `false` when that cannot be.
    fn restart(&mut self) -> bool;
}

impl Sink for () {
    const TAKES: bool = false;

    fn take(&mut self, _: &[u8]) -> bool {
        false
    }

    fn restart(&mut self) -> bool {
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

    fn take(&mut self, piece: &[u8]) -> bool {
        self.reader.push(piece);
        *self.gave = true;
        self.sink.take(piece)
    }

    fn restart(&mut self) -> bool {
        self.sink.restart()
    }
}

impl<C: Connect, K: Clock, M: Remember> Client<'_, C, K, M> {
    /// Calls an API with the credential, fetching one first if none is held.
    ///
    /// A token that is refused (40001, 40014, 42001) is reported, and the call made once more with a different one; -1 and
    /// a minute's quota are waited for; see [`Healing`](wxtoken_core::Healing). No attempt begins after `limit`, and none
    /// takes longer than [`EXCHANGE_LIMIT_MS`](wxtoken_core::EXCHANGE_LIMIT_MS). Half a minute lets a second token come,
    /// since two fetches are that far apart.
    ///
    /// `rest` passes some of the time in which there is nothing to do, and may come back at any time; it gets the
    /// connector, whose stack may want to be polled.
    ///
    /// # Errors
    /// [`CallFailed`]. A refusal that neither waiting nor another token mends is a reply, not an error.
    pub fn call(
        &mut self,
        call: &Call<'_>,
        limit: Duration,
        rest: impl FnMut(&mut C),
    ) -> Result<CallReply<'_>, CallFailed> {
        self.call_with(call, &mut (), &mut (), limit, rest)
    }

    /// The same with a body from `source`, or a reply of any length to `sink`. An attempt may then take as long as the call
    /// may.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_with<B: Source, D: Sink>(
        &mut self,
        call: &Call<'_>,
        source: &mut B,
        sink: &mut D,
        limit: Duration,
        mut rest: impl FnMut(&mut C),
    ) -> Result<CallReply<'_>, CallFailed> {
        let mut errand = Errand::new(*call, &self.desk, self.clock.now(), limit, D::TAKES);
        let gave_up = loop {
            let now = self.clock.now();
            if let Some(why) = errand.cut_short() {
                break Some(why);
            }
            match errand.healing.poll(now, self.desk.keeper.token(now), self.desk.poll_at()) {
                Todo::Send(_) => self.send(&mut errand, source, sink),
                Todo::Report(seen) => {
                    let outcome = self.report_refused(seen);
                    errand.reported(&self.desk, outcome);
                }
                Todo::Refresh(_) => {
                    if self.tick().is_none() {
                        rest(&mut self.connect);
                    }
                }
                Todo::Wait(_) => rest(&mut self.connect),
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
    fn send<B: Source, D: Sink>(&mut self, errand: &mut Errand<'_>, source: &mut B, sink: &mut D) {
        let Self { desk, connect, clock, buffer, .. } = self;
        let now = clock.now();
        let deadline = errand.begin(now);
        if errand.is_retry() && !(source.rewind() && sink.restart()) {
            return errand.cannot_repeat();
        }
        let Some(token) = desk.keeper.token(now) else { return };
        let request = errand.call.request(desk.account.call_base(), token);
        let mut connection = match connect.connect(request.base(), deadline) {
            Ok(connection) => connection,
            Err(why) => return errand.failed(clock.now(), Failure::NotSent, Fault::Connect(why)),
        };
        // Only now, so that the token is not in the buffer while names are resolved and hands are shaken.
        let mut exchange = match Exchange::call(&request, buffer, false, D::TAKES) {
            Ok(exchange) => exchange,
            Err(fault) => return errand.failed(clock.now(), Failure::NotSent, fault),
        };
        let mut tee = Tee { reader: &mut errand.reader, gave: &mut errand.gave, sink: &mut *sink };
        run_call(&mut connection, &mut exchange, source, &mut tee, || clock.now() < deadline);
        if let Some(len) = errand.ended(clock.now(), exchange).filter(|_| D::TAKES) {
            let taken = sink.take(buffer.get(..len).unwrap_or(&[]));
            buffer.zeroize();
            errand.gave_the_rest(taken);
        }
    }
}
