//! What is around the client here: an account, a clock, a server that has one answer.

use core::{
    convert::Infallible,
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use wxtoken_embedded::{
    Clock, ConnectError, Timer, asynch, blocking,
    core::{Account, Base, Endpoint, Instant},
};

/// An id and a secret of the usual length, at the usual endpoint.
pub(crate) fn account() -> Account<'static> {
    static STABLE: Endpoint = Endpoint::STABLE_TOKEN;
    Account::new(&STABLE, "wx0123456789abcdef", "0123456789abcdef0123456789abcdef").expect("both are sound")
}

/// A time of which the compiler knows nothing.
pub(crate) fn now() -> Instant {
    black_box(Instant::ZERO)
}

/// The clock as an asynchronous client wants it. No deadline ever comes.
pub(crate) struct Time;

impl Clock for Time {
    fn now(&mut self) -> Instant {
        now()
    }
}

impl Timer for Time {
    async fn wait_until(&mut self, _: Instant) {
        core::future::pending().await
    }
}

/// Whoever is asked, the answer is the same.
pub(crate) struct Network(pub(crate) &'static [u8]);

impl blocking::Connect for Network {
    type Connection<'c> = Socket;

    fn connect(&mut self, _: Base<'_>, _: Instant) -> Result<Socket, ConnectError> {
        Ok(Socket(self.0))
    }
}

impl asynch::Connect for Network {
    type Connection<'c> = Socket;

    async fn connect(&mut self, _: Base<'_>) -> Result<Socket, ConnectError> {
        Ok(Socket(self.0))
    }
}

/// Takes everything, and brings the rest of the answer as far as there is room.
pub(crate) struct Socket(pub(crate) &'static [u8]);

impl embedded_io::ErrorType for Socket {
    type Error = Infallible;
}

impl embedded_io::Read for Socket {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        let n = room.len().min(self.0.len());
        let (now, later) = self.0.split_at(n);
        room[..n].copy_from_slice(now);
        self.0 = later;
        Ok(n)
    }
}

impl embedded_io::Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl embedded_io_async::Read for Socket {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        embedded_io::Read::read(self, room)
    }
}

impl embedded_io_async::Write for Socket {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        embedded_io::Write::write(self, bytes)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Polls a future that never waits for anything.
pub(crate) fn poll_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits, and nobody would wake it"),
    }
}
