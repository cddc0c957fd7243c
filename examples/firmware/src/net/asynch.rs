//! How does a task reach a server? TCP of embassy-net, one connection at a time, names resolved by DNS, as the connector of
//! [`wxtoken_embedded::asynch::Client`].
//!
//! Nothing is polled: the chip's interrupt wakes the stack's task, and that one wakes whoever waits for it. Two tasks
//! besides the caller's: one moves packets, one reports what becomes of link and address.

use embassy_executor::{SpawnError, Spawner};
use embassy_futures::select::select;
use embassy_net::{
    Config, IpAddress, Runner, Stack, StackResources,
    dns::DnsQueryType,
    tcp::{ConnectError as TcpError, TcpSocket},
};
use embassy_sync::{
    blocking_mutex::raw::NoopRawMutex,
    watch::{Receiver, Sender, Watch},
};
use embassy_time::{Duration, WithTimeout as _};
use embedded_io_async::{ErrorType, Read, Write};
use static_cell::StaticCell;
use wxtoken_embedded::{
    ConnectError,
    asynch::Connect,
    core::{Base, CONNECT_LIMIT_MS, Scheme},
};

use super::news;
use crate::board::lan9118::{Interrupting, Lan9118};

/// What the stack borrows. The receive window fits into the chip's FIFO four times over, so that a fast peer cannot make
/// it drop frames.
///
/// embassy-net does not wipe what has passed through: the last request and the last reply stay in here until the next
/// ones.
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

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

/// A socket each for DHCP, DNS and TCP.
const SOCKETS: usize = 3;
/// A connection is given so long to close in an orderly way, counted from the peer's last word.
const GOODBYE: Duration = Duration::from_millis(200);
/// So long a connection waits for an address of the device, and then of the host. A little less than the client waits for
/// the connection: it could only say that there was none in time, and not why.
const ADDRESS_WITHIN: Duration = Duration::from_millis(CONNECT_LIMIT_MS as u64 - 100);

/// Whether there is an address. One task tells, one asks; both run on the one executor.
type Online = Watch<NoopRawMutex, bool, 1>;

/// Starts the stack's tasks and returns the way out. It asks for its address at once, and again whenever the link has
/// come back. `seed` makes sequence numbers and ports that nobody can guess.
///
/// # Errors
/// [`SpawnError`], when it has been started before.
// The stack is made on the processor's stack and then moved; a caller that goes on should not keep that room.
#[inline(never)]
pub fn start(spawner: Spawner, mut chip: Lan9118, seed: u64, buffers: &'static mut Buffers) -> Result<Tcp, SpawnError> {
    static RESOURCES: StaticCell<StackResources<SOCKETS>> = StaticCell::new();
    static ONLINE: StaticCell<Online> = StaticCell::new();
    let link = chip.is_link_up();
    if !link {
        news::link(false);
    }
    let resources = RESOURCES.try_init(StackResources::new()).ok_or(SpawnError::Busy)?;
    let online: &'static Online = ONLINE.try_init(Watch::new()).ok_or(SpawnError::Busy)?;
    let (stack, runner) = embassy_net::new(chip.interrupting(), Config::dhcpv4(Default::default()), resources, seed);
    spawner.spawn(move_packets(runner)?);
    spawner.spawn(report(stack, link, online.sender())?);
    Ok(Tcp {
        stack,
        online: online.receiver().ok_or(SpawnError::Busy)?,
        socket: TcpSocket::new(stack, &mut buffers.receive, &mut buffers.transmit),
    })
}

#[embassy_executor::task]
async fn move_packets(mut runner: Runner<'static, Interrupting>) -> ! {
    runner.run().await
}

/// The only task that asks the stack for link and address: it has room for one who waits.
#[embassy_executor::task]
async fn report(stack: Stack<'static>, link: bool, online: Sender<'static, NoopRawMutex, bool, 1>) -> ! {
    stack.wait_link_up().await;
    if !link {
        news::link(true);
    }
    loop {
        select(stack.wait_config_up(), stack.wait_link_down()).await;
        if let Some(config) = stack.config_v4() {
            news::address(config.address.address());
            online.send(true);
            stack.wait_config_down().await;
            online.send(false);
        }
        if !stack.is_link_up() {
            news::link(false);
            stack.wait_link_up().await;
            news::link(true);
        }
    }
}

/// Opens TCP connections, one at a time. What speaks plain TCP connects with it as it is; what speaks TLS calls
/// [`open`](Self::open) and goes on from there.
pub struct Tcp {
    stack: Stack<'static>,
    online: Receiver<'static, NoopRawMutex, bool, 1>,
    socket: TcpSocket<'static>,
}

impl Tcp {
    /// Connects to host and port of `base`, whatever its scheme. Dropping the future ends the attempt.
    ///
    /// # Errors
    /// [`ConnectError`]; nothing was sent then.
    pub async fn open(&mut self, base: Base<'_>) -> Result<Connection<'_>, ConnectError> {
        let online = self.online.get_and(|online| *online).with_timeout(ADDRESS_WITHIN);
        online.await.map_err(|_| ConnectError::NoNetwork)?;
        let address = resolve(self.stack, base.host_str()).with_timeout(ADDRESS_WITHIN).await;
        let address = address.map_err(|_| ConnectError::NameNotFound)??;
        // What is left of the connection before, if it has not closed yet. Its peer is told, if that takes no time.
        self.socket.abort();
        let _ = self.socket.flush().with_timeout(GOODBYE).await;
        self.socket.set_timeout(None);
        // Closed when it is dropped, however the attempt ends.
        let connection = Connection(&mut self.socket);
        connection.0.connect((address, base.port())).await.map_err(|error| match error {
            TcpError::ConnectionReset => ConnectError::Refused,
            TcpError::TimedOut => ConnectError::TimedOut,
            TcpError::NoRoute => ConnectError::NoNetwork,
            TcpError::InvalidState => ConnectError::Other,
        })?;
        Ok(connection)
    }
}

/// A host that is an address needs no resolver.
async fn resolve(stack: Stack<'_>, host: &str) -> Result<IpAddress, ConnectError> {
    let found = stack.dns_query(host, DnsQueryType::A).await;
    found.ok().and_then(|found| found.first().copied()).ok_or(ConnectError::NameNotFound)
}

impl Connect for Tcp {
    type Connection<'c> = Connection<'c>;

    async fn connect(&mut self, base: Base<'_>) -> Result<Connection<'_>, ConnectError> {
        match base.scheme() {
            Scheme::Http => self.open(base).await,
            _ => Err(ConnectError::NoTls),
        }
    }
}

/// An open connection; it is closed when dropped.
pub struct Connection<'c>(&'c mut TcpSocket<'static>);

impl ErrorType for Connection<'_> {
    type Error = embassy_net::tcp::Error;
}

impl Read for Connection<'_> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Self::Error> {
        self.0.read(room).await
    }
}

impl Write for Connection<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        self.0.write(bytes).await
    }

    /// Nothing to do: `write` has put the bytes on their way, and the peer's word for them is the reply.
    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        // The stack's task does the rest: it says goodbye, and resets the connection when the peer keeps silent.
        self.0.set_timeout(Some(GOODBYE));
        self.0.close();
    }
}
