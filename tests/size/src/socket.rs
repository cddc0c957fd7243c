//! What is at the other end? A connection that takes and brings what it pleases, blocking and asynchronous.

use core::{
    future::{Future, poll_fn},
    hint::black_box,
    task::Poll,
};

use embedded_io::ErrorKind;
use wxtoken_embedded::{ConnectError, asynch, blocking, core::Base, core::Instant};

/// An open connection.
#[derive(Debug)]
pub struct Socket;

impl embedded_io::ErrorType for Socket {
    type Error = ErrorKind;
}

impl embedded_io::Read for Socket {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        black_box(room);
        black_box(Ok(0))
    }
}

impl embedded_io::Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        black_box(bytes);
        black_box(Ok(0))
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        black_box(Ok(()))
    }
}

impl embedded_io_async::Read for Socket {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        black_box(room);
        sooner_or_later(Ok(0)).await
    }
}

impl embedded_io_async::Write for Socket {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        black_box(bytes);
        sooner_or_later(Ok(0)).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        sooner_or_later(Ok(())).await
    }
}

/// Whether a future is ready is as unknown as what it brings.
pub fn sooner_or_later<T: Copy>(value: T) -> impl Future<Output = T> {
    poll_fn(move |_| black_box(Poll::Ready(value)))
}

/// Opens connections, or fails to.
#[derive(Debug)]
pub struct Network;

impl blocking::Connect for Network {
    type Connection<'c> = Socket;

    fn connect(&mut self, base: Base<'_>, deadline: Instant) -> Result<Socket, ConnectError> {
        black_box((base.scheme(), base.host_str(), base.port(), deadline));
        black_box(Ok(())).map(|()| Socket)
    }
}

impl asynch::Connect for Network {
    type Connection<'c> = Socket;

    async fn connect(&mut self, base: Base<'_>) -> Result<Socket, ConnectError> {
        black_box((base.scheme(), base.host_str(), base.port()));
        sooner_or_later(Ok(())).await.map(|()| Socket)
    }
}
