//! How does a task reach a server over TLS?
//!
//! A future that is dropped takes its session along, half shaken hands and all: the memory is free again, and the
//! connection below is closed.

use core::{
    future::Future as _,
    pin::pin,
    task::{Context, Waker},
};

use embedded_io_async::{ErrorType, Read, Write};
use mbedtls_rs::{Session, SessionError};
use wxtoken_embedded::{
    ConnectError,
    asynch::Connect,
    core::{Base, Scheme},
};

use super::{Stream, Trust, refusal, with_name};
use crate::net::asynch::{Connection, Tcp};

/// Opens connections over TLS, one at a time.
pub struct Secured {
    tcp: Tcp,
    trust: Trust,
}

impl Secured {
    /// Over this network, to whom is trusted.
    #[must_use]
    pub const fn new(tcp: Tcp, trust: Trust) -> Self {
        Self { tcp, trust }
    }
}

impl Connect for Secured {
    type Connection<'c> = Stream<Connection<'c>, Talk<'c>>;

    async fn connect(&mut self, base: Base<'_>) -> Result<Self::Connection<'_>, ConnectError> {
        let Self { tcp, trust } = self;
        let connection = tcp.open(base).await?;
        match base.scheme() {
            Scheme::Http => Ok(Stream::Plain(connection)),
            Scheme::Https => shake_hands(trust, connection, base).await.map(Stream::Secured),
            _ => Err(ConnectError::NoTls),
        }
    }
}

async fn shake_hands<'c>(
    trust: &'c Trust,
    connection: Connection<'c>,
    base: Base<'_>,
) -> Result<Talk<'c>, ConnectError> {
    let failed = |error: SessionError, verified| Err(refusal::of(error, verified));
    let mut session = match Session::new(trust.tls(), connection, &trust.config) {
        Ok(session) => session,
        Err(error) => return failed(error, 0),
    };
    if let Err(error) = with_name(base, |name| session.set_server_name(name))? {
        return failed(error, 0);
    }
    match session.connect().await {
        Ok(()) => Ok(Talk(session)),
        Err(error) => failed(error, session.tls_verification_details()),
    }
}

/// A session with a server that is believed. When it is dropped, it says goodbye, and then its connection does.
pub struct Talk<'c>(Session<'c, Connection<'c>>);

impl ErrorType for Talk<'_> {
    type Error = SessionError;
}

impl Read for Talk<'_> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, SessionError> {
        self.0.read(room).await
    }
}

impl Write for Talk<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, SessionError> {
        self.0.write(bytes).await
    }

    async fn flush(&mut self) -> Result<(), SessionError> {
        self.0.flush().await
    }
}

impl Drop for Talk<'_> {
    fn drop(&mut self) {
        // Nobody waits for it: it is said if there is room for it at once, and a peer that misses it loses nothing.
        let mut goodbye = pin!(self.0.close());
        let _ = goodbye.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}
