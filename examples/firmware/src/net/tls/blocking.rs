//! How does a program without an executor reach a server over TLS?

use mbedtls_rs::{SessionError, blocking::Session};
use wxtoken_embedded::{
    ConnectError,
    blocking::Connect,
    core::{Base, Instant, Scheme},
};

use super::{Stream, Trust, refusal, with_name};
use crate::net::blocking::{Connection, Network};

/// Opens connections over TLS, one at a time.
pub struct Secured {
    network: Network,
    trust: Trust,
}

impl Secured {
    /// Over this network, to whom is trusted.
    pub const fn new(network: Network, trust: Trust) -> Self {
        Self { network, trust }
    }

    /// The network, which wants to be polled.
    pub const fn network(&mut self) -> &mut Network {
        &mut self.network
    }
}

impl Connect for Secured {
    /// When it is dropped, the session says goodbye, and then its connection does.
    type Connection<'c> = Stream<Connection<'c>, Session<'c, Connection<'c>>>;

    fn connect(&mut self, base: Base<'_>, deadline: Instant) -> Result<Self::Connection<'_>, ConnectError> {
        let Self { network, trust } = self;
        // The handshake is part of connecting, and has to end with it.
        let mut connection = network.open(base, deadline)?;
        match base.scheme() {
            Scheme::Http => {
                connection.opened(deadline);
                Ok(Stream::Plain(connection))
            }
            Scheme::Https => {
                let mut session = shake_hands(trust, connection, base)?;
                session.stream().opened(deadline);
                Ok(Stream::Secured(session))
            }
            _ => Err(ConnectError::NoTls),
        }
    }
}

fn shake_hands<'c>(
    trust: &'c Trust,
    connection: Connection<'c>,
    base: Base<'_>,
) -> Result<Session<'c, Connection<'c>>, ConnectError> {
    let failed = |error: SessionError, verified| Err(refusal::of(error, verified));
    let mut session = match Session::new(trust.tls(), connection, &trust.config) {
        Ok(session) => session,
        Err(error) => return failed(error, 0),
    };
    if let Err(error) = with_name(base, |name| session.set_server_name(name))? {
        return failed(error, 0);
    }
    match session.connect() {
        Ok(()) => Ok(session),
        Err(error) => failed(error, session.tls_verification_details()),
    }
}
