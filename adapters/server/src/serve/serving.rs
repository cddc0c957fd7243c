//! How does a program open the doors over an engine of its own? On a listener that it brings, until it closes them: for
//! demos, for tests of programs that ask a token server, and for whoever embeds one.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use tokio::net::TcpListener;

use super::listen::Open;
use crate::{Engine, config::ClientSpec, doors::Doors};

/// Open doors. There are no signals, no store and no configuration here: those are the program's own.
pub struct Serving {
    open: Open,
    address: SocketAddr,
}

impl Serving {
    /// Answers `clients` on `listener` from what `engine` holds. Works in the tokio runtime it is called in.
    ///
    /// # Errors
    /// What the system reports of the listener.
    pub fn open(engine: &Engine, clients: &[ClientSpec], listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let doors = Arc::new(Doors::new(engine.clone(), clients));
        Ok(Self { open: Open::new(listener, None, doors), address })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, and finishes what is under way (at most 10 s). The engine lives on.
    pub async fn close(self) {
        self.open.close().await;
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("address", &self.address).finish_non_exhaustive()
    }
}
