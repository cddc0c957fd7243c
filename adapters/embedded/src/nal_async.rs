//! How does an `embedded-nal-async` stack carry an exchange? Plain TCP; put TLS over it with a connector of your own.

use core::net::{IpAddr, SocketAddr};

use embedded_io_async::{Error as _, ErrorKind};
use embedded_nal_async::{AddrType, Dns, TcpConnect};
use wxtoken_core::{Base, Scheme};

use crate::{ConnectError, asynch::Connect};

/// Connects over a stack of `embedded-nal-async` 0.9 (embassy-net's `TcpClient` is one), with names resolved by `dns`.
#[derive(Clone, Copy, Debug)]
pub struct NalAsync<S, D> {
    stack: S,
    dns: D,
}

impl<S: TcpConnect, D: Dns> NalAsync<S, D> {
    /// A connector over `stack` and `dns`; often one value is both, taken by reference twice.
    pub const fn new(stack: S, dns: D) -> Self {
        Self { stack, dns }
    }
}

impl<S: TcpConnect, D: Dns> Connect for NalAsync<S, D> {
    type Connection<'c>
        = S::Connection<'c>
    where
        Self: 'c;

    async fn connect(&mut self, base: Base<'_>) -> Result<Self::Connection<'_>, ConnectError> {
        if base.scheme() == Scheme::Https {
            return Err(ConnectError::NoTls);
        }
        let host = base.host_str();
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        // A host that is an address needs no resolver.
        let ip: IpAddr = match host.parse() {
            Ok(ip) => ip,
            Err(_) => {
                self.dns.get_host_by_name(host, AddrType::Either).await.map_err(|_| ConnectError::NameNotFound)?
            }
        };
        self.stack.connect(SocketAddr::new(ip, base.port())).await.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => ConnectError::TimedOut,
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => ConnectError::Refused,
            ErrorKind::NotConnected | ErrorKind::AddrNotAvailable => ConnectError::NoNetwork,
            _ => ConnectError::Other,
        })
    }
}
