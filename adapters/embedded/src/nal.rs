//! How does a blocking `embedded-nal` stack carry an exchange? Plain TCP; put TLS over it with a connector of your own.

use core::net::{IpAddr, SocketAddr};

use embedded_io::{Error, ErrorKind, ErrorType, Read, Write};
use embedded_nal::{AddrType, Dns, TcpClientStack, TcpError, TcpErrorKind, nb};
use wxtoken_core::{Base, CONNECT_LIMIT_MS, Instant, Scheme};

use crate::{Clock, ConnectError, blocking::Connect};

/// Connects over a stack of `embedded-nal` 0.9, which resolves names too. It polls: a stack that needs to be run does so
/// inside its own calls.
#[derive(Clone, Copy, Debug)]
pub struct Nal<S, K> {
    stack: S,
    clock: K,
}

impl<S: TcpClientStack + Dns, K: Clock> Nal<S, K> {
    /// A connector over `stack`, whose calls are ended by `clock`: the same clock as the client's.
    pub const fn new(stack: S, clock: K) -> Self {
        Self { stack, clock }
    }

    /// The stack.
    pub const fn stack(&mut self) -> &mut S {
        &mut self.stack
    }
}

impl<S: TcpClientStack + Dns, K: Clock> Connect for Nal<S, K> {
    type Connection<'c>
        = NalConnection<'c, S, K>
    where
        Self: 'c;

    fn connect(&mut self, base: Base<'_>, deadline: Instant) -> Result<Self::Connection<'_>, ConnectError> {
        if base.scheme() == Scheme::Https {
            return Err(ConnectError::NoTls);
        }
        let limit = core::time::Duration::from_millis(CONNECT_LIMIT_MS.into());
        let connect_by = self.clock.now().saturating_add(limit).min(deadline);
        let Self { stack, clock } = self;
        let ip = match literal(base.host_str()) {
            Some(ip) => ip,
            None => wait(clock, connect_by, || stack.get_host_by_name(base.host_str(), AddrType::Either))
                .map_err(|why| why.map_or(ConnectError::TimedOut, |_| ConnectError::NameNotFound))?,
        };
        let socket = stack.socket().map_err(|_| ConnectError::Other)?;
        // From here on the socket is closed however this ends.
        let mut connection = NalConnection { stack, clock, deadline, socket: Some(socket) };
        let remote = SocketAddr::new(ip, base.port());
        connection
            .wait(connect_by, |stack, socket| stack.connect(socket, remote))
            .map_err(|why| if why == NalError::TimedOut { ConnectError::TimedOut } else { ConnectError::Refused })?;
        Ok(connection)
    }
}

/// A host that is an address needs no resolver.
fn literal(host: &str) -> Option<IpAddr> {
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// Asks until it is ready; the error is `None` when the time has run out.
fn wait<T, E>(
    clock: &mut impl Clock,
    until: Instant,
    mut ask: impl FnMut() -> nb::Result<T, E>,
) -> Result<T, Option<E>> {
    loop {
        match ask() {
            Ok(value) => return Ok(value),
            Err(nb::Error::Other(error)) => return Err(Some(error)),
            Err(nb::Error::WouldBlock) if clock.now() >= until => return Err(None),
            Err(nb::Error::WouldBlock) => core::hint::spin_loop(),
        }
    }
}

/// A connection of [`Nal`]; its socket is closed when it is dropped.
pub struct NalConnection<'c, S: TcpClientStack, K: Clock> {
    stack: &'c mut S,
    clock: &'c mut K,
    deadline: Instant,
    socket: Option<S::TcpSocket>,
}

/// What went wrong on a connection of [`Nal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NalError {
    /// The deadline passed.
    TimedOut,
    /// The peer closed this direction.
    Closed,
    /// The stack reported something else.
    Other,
}

impl core::fmt::Display for NalError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the deadline passed",
            Self::Closed => "the peer closed the connection",
            Self::Other => "the network stack reported an error",
        })
    }
}

impl core::error::Error for NalError {}

impl Error for NalError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TimedOut => ErrorKind::TimedOut,
            Self::Closed => ErrorKind::ConnectionReset,
            Self::Other => ErrorKind::Other,
        }
    }
}

impl<S: TcpClientStack, K: Clock> NalConnection<'_, S, K> {
    fn wait<T>(
        &mut self,
        until: Instant,
        mut ask: impl FnMut(&mut S, &mut S::TcpSocket) -> nb::Result<T, S::Error>,
    ) -> Result<T, NalError> {
        let Self { stack, clock, socket, .. } = self;
        let Some(socket) = socket else {
            return Err(NalError::Closed);
        };
        wait(*clock, until, || ask(stack, socket)).map_err(|why| match why {
            None => NalError::TimedOut,
            Some(error) if error.kind() == TcpErrorKind::PipeClosed => NalError::Closed,
            Some(_) => NalError::Other,
        })
    }
}

impl<S: TcpClientStack, K: Clock> Drop for NalConnection<'_, S, K> {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            // Nothing can be done about a socket that does not close.
            let _ = self.stack.close(socket);
        }
    }
}

impl<S: TcpClientStack, K: Clock> ErrorType for NalConnection<'_, S, K> {
    type Error = NalError;
}

impl<S: TcpClientStack, K: Clock> Read for NalConnection<'_, S, K> {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, NalError> {
        match self.wait(self.deadline, |stack, socket| stack.receive(socket, room)) {
            // embedded-nal has no other word for the end of the stream.
            Err(NalError::Closed) => Ok(0),
            result => result,
        }
    }
}

impl<S: TcpClientStack, K: Clock> Write for NalConnection<'_, S, K> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, NalError> {
        self.wait(self.deadline, |stack, socket| match stack.send(socket, bytes) {
            // A full window, as some stacks say it.
            Ok(0) if !bytes.is_empty() => Err(nb::Error::WouldBlock),
            result => result,
        })
    }

    fn flush(&mut self) -> Result<(), NalError> {
        Ok(())
    }
}
