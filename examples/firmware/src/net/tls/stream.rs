//! Is a connection plain or secured? Whoever reads and writes need not know.

use embedded_io::{Error as _, ErrorKind, ErrorType};

/// One of the two.
pub enum Stream<P, S> {
    /// As it is: the base URL says `http`.
    Plain(P),
    /// Within TLS.
    Secured(S),
}

impl<P, S> ErrorType for Stream<P, S> {
    type Error = ErrorKind;
}

impl<P: embedded_io::Read, S: embedded_io::Read> embedded_io::Read for Stream<P, S> {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        match self {
            Self::Plain(stream) => stream.read(room).map_err(|error| error.kind()),
            Self::Secured(stream) => stream.read(room).map_err(|error| error.kind()),
        }
    }
}

impl<P: embedded_io::Write, S: embedded_io::Write> embedded_io::Write for Stream<P, S> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        match self {
            Self::Plain(stream) => stream.write(bytes).map_err(|error| error.kind()),
            Self::Secured(stream) => stream.write(bytes).map_err(|error| error.kind()),
        }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        match self {
            Self::Plain(stream) => stream.flush().map_err(|error| error.kind()),
            Self::Secured(stream) => stream.flush().map_err(|error| error.kind()),
        }
    }
}

impl<P: embedded_io_async::Read, S: embedded_io_async::Read> embedded_io_async::Read for Stream<P, S> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        match self {
            Self::Plain(stream) => stream.read(room).await.map_err(|error| error.kind()),
            Self::Secured(stream) => stream.read(room).await.map_err(|error| error.kind()),
        }
    }
}

impl<P: embedded_io_async::Write, S: embedded_io_async::Write> embedded_io_async::Write for Stream<P, S> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        match self {
            Self::Plain(stream) => stream.write(bytes).await.map_err(|error| error.kind()),
            Self::Secured(stream) => stream.write(bytes).await.map_err(|error| error.kind()),
        }
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        match self {
            Self::Plain(stream) => stream.flush().await.map_err(|error| error.kind()),
            Self::Secured(stream) => stream.flush().await.map_err(|error| error.kind()),
        }
    }
}
