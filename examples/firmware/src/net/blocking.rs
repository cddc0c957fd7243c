//! How does a program without an executor reach a server? TCP of smoltcp, one connection at a time, names resolved by DNS,
//! as the connector of [`wxtoken_embedded::blocking::Client`].
//!
//! It is polled. Whoever waits calls [`Network::poll`] and naps until the next tick, so an answer is noticed at most a
//! millisecond late and the processor sleeps meanwhile.

mod names;

use core::time::Duration;

use embedded_io::{Error, ErrorKind, ErrorType, Read, Write};
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage},
    socket::{dhcpv4, dns, tcp},
    wire::{EthernetAddress, IpAddress, IpCidr, Ipv4Address},
};
use wxtoken_embedded::{
    Clock as _, ConnectError,
    blocking::Connect,
    core::{Base, CONNECT_LIMIT_MS, Instant, Scheme},
};

use super::news;
use crate::board::{
    lan9118::Lan9118,
    time::{self, Clock},
};

/// What the stack borrows. The receive window fits into the chip's FIFO four times over, so that a fast peer cannot make
/// it drop frames.
///
/// smoltcp does not wipe what has passed through: the last request and the last reply stay in here until the next ones.
pub struct Buffers {
    receive: [u8; 2048],
    transmit: [u8; 1024],
}

impl Buffers {
    /// Empty ones.
    #[must_use]
    pub const fn new() -> Self {
        Self { receive: [0; 2048], transmit: [0; 1024] }
    }
}

/// Room for the three sockets, DHCP, DNS and TCP, and for a question. Apart from the buffers, since it does not begin as
/// zeros, and with them would cost as much flash as RAM.
pub struct Sockets {
    sockets: [SocketStorage<'static>; 3],
    questions: [Option<dns::DnsQuery>; 1],
}

/// No sockets yet.
pub const NO_SOCKETS: Sockets = Sockets { sockets: [SocketStorage::EMPTY; 3], questions: [None] };

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

/// The network: one Ethernet chip, one address, one TCP connection at a time.
pub struct Network {
    device: Lan9118,
    interface: Interface,
    sockets: SocketSet<'static>,
    dhcp: SocketHandle,
    dns: SocketHandle,
    tcp: SocketHandle,
    /// Whether there was a link at the last poll.
    link: bool,
    clock: Clock,
    /// The local port of the next connection. It never repeats the last one, whose late packets may still be on the way.
    port: u16,
}

/// The dynamic ports of RFC 6335.
const FIRST_PORT: u16 = 49_152;
/// A connection is given so long to close in an orderly way.
const GOODBYE: Duration = Duration::from_millis(200);

impl Network {
    /// A network that asks for its address as soon as it is polled. `seed` makes sequence numbers and ports that nobody
    /// can guess.
    pub fn new(
        mut device: Lan9118,
        mut clock: Clock,
        seed: u64,
        Sockets { sockets, questions }: &'static mut Sockets,
        buffers: &'static mut Buffers,
    ) -> Self {
        let link = device.is_link_up();
        if !link {
            news::link(false);
        }
        let mut config = Config::new(EthernetAddress(device.address()).into());
        config.random_seed = seed;
        let interface = Interface::new(config, &mut device, stack_time(clock.now()));
        let mut sockets = SocketSet::new(&mut sockets[..]);
        let dhcp = sockets.add(dhcpv4::Socket::new());
        let dns = sockets.add(dns::Socket::new(&[], &mut questions[..]));
        let tcp = sockets.add(tcp::Socket::new(
            tcp::SocketBuffer::new(&mut buffers.receive[..]),
            tcp::SocketBuffer::new(&mut buffers.transmit[..]),
        ));
        // The other end of the seed than the one sequence numbers begin with.
        let port = FIRST_PORT | (seed >> 50) as u16;
        Self { device, interface, sockets, dhcp, dns, tcp, link, clock, port }
    }

    /// Moves packets, and follows what link and DHCP say. Call it often, while idle too: the lease must be renewed.
    pub fn poll(&mut self) {
        let now = stack_time(self.clock.now());
        self.interface.poll(now, &mut self.device, &mut self.sockets);
        let link = self.device.is_link_up();
        let dhcp = self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp);
        if link != self.link {
            news::link(link);
            self.link = link;
            // The address is given up with the link, and asked for again when it is back: it may lead to another network.
            dhcp.reset();
        }
        match dhcp.poll() {
            None => {}
            Some(dhcpv4::Event::Configured(lease)) => {
                news::address(lease.address.address());
                self.interface.update_ip_addrs(|addresses| {
                    addresses.clear();
                    // There is room for one at least, it was just emptied.
                    let _ = addresses.push(IpCidr::Ipv4(lease.address));
                });
                let routes = self.interface.routes_mut();
                routes.remove_default_ipv4_route();
                if let Some(router) = lease.router {
                    let _ = routes.add_default_ipv4_route(router);
                }
                let resolver = lease.dns_servers.first().copied().map(IpAddress::Ipv4);
                self.resolver().update_servers(resolver.as_slice());
            }
            Some(dhcpv4::Event::Deconfigured) => {
                self.interface.update_ip_addrs(|addresses| addresses.clear());
                self.interface.routes_mut().remove_default_ipv4_route();
            }
        }
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.tcp)
    }

    /// Polls and naps until `ask` has an answer, or until `until` has passed.
    fn wait<T>(&mut self, until: Instant, mut ask: impl FnMut(&mut Self) -> Option<T>) -> Option<T> {
        loop {
            self.poll();
            if let Some(answer) = ask(self) {
                // What the answer changed (a window that opened, bytes to send) goes out now.
                self.poll();
                return Some(answer);
            }
            if self.clock.now() >= until {
                return None;
            }
            time::nap();
        }
    }

    /// Connects to host and port of `base`, whatever its scheme, within the time for connecting. That is the connection's
    /// deadline, too, until it is [`opened`](Connection::opened).
    ///
    /// # Errors
    /// [`ConnectError`]; nothing was sent then.
    pub fn open(&mut self, base: Base<'_>, deadline: Instant) -> Result<Connection<'_>, ConnectError> {
        let limit = Duration::from_millis(CONNECT_LIMIT_MS.into());
        let until = self.clock.now().saturating_add(limit).min(deadline);
        // Closed when it is dropped, however the attempt ends.
        let connection = Connection { network: self, deadline: until };
        connection.network.open_socket(base, until)?;
        Ok(connection)
    }

    fn open_socket(&mut self, base: Base<'_>, until: Instant) -> Result<(), ConnectError> {
        self.wait(until, |net| net.interface.ipv4_addr()).ok_or(ConnectError::NoNetwork)?;
        let host: Ipv4Address = self.resolve(base.host_str(), until)?;
        // What is left of the connection before, if it did not close in time.
        self.socket().abort();
        self.port = FIRST_PORT | self.port.wrapping_add(1);
        let Self { interface, sockets, tcp, port: local, .. } = self;
        let socket = sockets.get_mut::<tcp::Socket<'_>>(*tcp);
        socket.connect(interface.context(), (host, base.port()), *local).map_err(|_| ConnectError::Other)?;
        let opened = self.wait(until, |net| match net.socket().state() {
            tcp::State::SynSent | tcp::State::SynReceived => None,
            tcp::State::Closed => Some(false),
            _ => Some(true),
        });
        match opened {
            Some(true) => Ok(()),
            Some(false) => Err(ConnectError::Refused),
            None => Err(ConnectError::TimedOut),
        }
    }
}

impl Connect for Network {
    type Connection<'c> = Connection<'c>;

    fn connect(&mut self, base: Base<'_>, deadline: Instant) -> Result<Connection<'_>, ConnectError> {
        if base.scheme() != Scheme::Http {
            return Err(ConnectError::NoTls);
        }
        let mut connection = self.open(base, deadline)?;
        connection.opened(deadline);
        Ok(connection)
    }
}

/// An open connection; it is closed when dropped.
pub struct Connection<'c> {
    network: &'c mut Network,
    deadline: Instant,
}

impl Connection<'_> {
    /// It is there, with handshakes and all; from now on it has until `deadline`.
    pub const fn opened(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }
}

/// What went wrong on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
#[non_exhaustive]
pub enum Broken {
    /// The peer reset it.
    Reset,
    /// The deadline passed.
    TimedOut,
}

impl core::fmt::Display for Broken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Reset => "the peer reset the connection",
            Self::TimedOut => "the deadline passed",
        })
    }
}

impl core::error::Error for Broken {}

impl Error for Broken {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Reset => ErrorKind::ConnectionReset,
            Self::TimedOut => ErrorKind::TimedOut,
        }
    }
}

impl ErrorType for Connection<'_> {
    type Error = Broken;
}

impl Read for Connection<'_> {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, Broken> {
        if room.is_empty() {
            return Ok(0);
        }
        let read = |network: &mut Network| match network.socket().recv_slice(room) {
            Ok(0) => None,
            Ok(n) => Some(Ok(n)),
            Err(tcp::RecvError::Finished) => Some(Ok(0)),
            Err(tcp::RecvError::InvalidState) => Some(Err(Broken::Reset)),
        };
        self.network.wait(self.deadline, read).unwrap_or(Err(Broken::TimedOut))
    }
}

impl Write for Connection<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let write = |network: &mut Network| match network.socket().send_slice(bytes) {
            Ok(0) => None,
            Ok(n) => Some(Ok(n)),
            Err(tcp::SendError::InvalidState) => Some(Err(Broken::Reset)),
        };
        self.network.wait(self.deadline, write).unwrap_or(Err(Broken::TimedOut))
    }

    /// Nothing to do: `write` has put the bytes on their way.
    fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        let network = &mut *self.network;
        network.socket().close();
        let until = network.clock.now().saturating_add(GOODBYE);
        // TIME-WAIT would only keep the one socket busy: the next connection comes from another port.
        let gone = |network: &mut Network| {
            matches!(network.socket().state(), tcp::State::Closed | tcp::State::TimeWait).then_some(())
        };
        if network.wait(until, gone).is_none() {
            network.socket().abort();
            network.poll();
        }
    }
}

fn stack_time(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
