//! Who accepts connections, how many at a time, and what does an outage look like? A closed door: nothing listens, and
//! the port stays taken, so that no other program gets it meanwhile.

use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::server::{self, Service, Shared, stopped};

/// Real time that calls under way have to end when the platform stops.
const GRACE: Duration = Duration::from_millis(250);

/// An order to a door, and where to say that it has been followed.
pub(crate) struct Switch {
    open: bool,
    done: SyncSender<io::Result<()>>,
}

/// Opens and closes the doors of the platform, all but that of the control port.
#[derive(Clone, Default)]
pub(crate) struct Switchboard(Vec<UnboundedSender<Switch>>);

impl Switchboard {
    pub(crate) fn connect(&mut self) -> UnboundedReceiver<Switch> {
        let (order, orders) = unbounded_channel();
        self.0.push(order);
        orders
    }

    /// Blocks until it is done, which takes no network.
    pub(crate) fn set_open(&self, open: bool) -> io::Result<()> {
        for door in &self.0 {
            let (done, result) = sync_channel(1);
            let stopped = || io::Error::new(io::ErrorKind::NotConnected, "the platform has stopped");
            door.send(Switch { open, done }).map_err(|_| stopped())?;
            result.recv().map_err(|_| stopped())??;
        }
        Ok(())
    }
}

/// A bound listener and what it is for.
pub(crate) struct Door {
    listener: std::net::TcpListener,
    pub(crate) address: SocketAddr,
    service: Service,
    switches: UnboundedReceiver<Switch>,
}

impl Door {
    pub(crate) fn bind(
        ip: IpAddr,
        port: u16,
        service: Service,
        switches: UnboundedReceiver<Switch>,
    ) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(SocketAddr::new(ip, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, service, switches })
    }

    /// Serves until the platform stops; then its connections may end.
    pub(crate) async fn keep(self, shared: Shared, max_connections: usize) {
        let Self { listener, address, service, mut switches } = self;
        let mut listener = TcpListener::from_std(listener).ok();
        let mut kept = None;
        // Each door has its own cap: clients that hang must not lock the control port.
        let permits = Arc::new(Semaphore::new(max_connections));
        let mut connections = JoinSet::new();
        let mut stop = shared.stop.clone();
        loop {
            let (permit, accepted) = tokio::select! {
                accepted = accept(listener.as_ref(), &permits) => accepted,
                Some(Switch { open, done }) = switches.recv() => {
                    let result = if open { reopen(&mut listener, kept.take(), address) } else {
                        if let Some(open) = listener.take() {
                            // Should another program be that quick, opening the door again reports it.
                            kept = close(open, address).ok();
                        }
                        connections.shutdown().await;
                        Ok(())
                    };
                    // Whoever ordered it may have gone.
                    drop(done.send(result));
                    continue;
                }
                () = stopped(&mut stop) => break,
            };
            while connections.try_join_next().is_some() {}
            let Ok((socket, peer)) = accepted else {
                // Out of file descriptors, most likely: wait for some to be given back.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let (service, shared) = (service.clone(), shared.clone());
            connections.spawn(async move {
                server::connection(socket, peer, service, shared).await;
                drop(permit);
            });
        }
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            connections.abort_all();
        }
    }
}

type Accepted = (Option<OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>);

async fn accept(listener: Option<&TcpListener>, permits: &Arc<Semaphore>) -> Accepted {
    let Some(listener) = listener else {
        return pending().await;
    };
    // Taken before accepting, so that what is over the cap waits in the kernel. Nobody closes the semaphore.
    let permit = permits.clone().acquire_owned().await.ok();
    (permit, listener.accept().await)
}

/// How many connections may wait to be accepted, as in the standard library.
const BACKLOG: u32 = 128;

fn reopen(listener: &mut Option<TcpListener>, kept: Option<TcpSocket>, address: SocketAddr) -> io::Result<()> {
    if listener.is_none() {
        let socket = kept.map_or_else(|| bind(address), Ok)?;
        *listener = Some(socket.listen(BACKLOG)?);
    }
    Ok(())
}

/// Ends the listening and keeps the address.
fn close(listener: TcpListener, address: SocketAddr) -> io::Result<TcpSocket> {
    // A program that another thread is just starting has a copy of the socket until it runs, and dropping ours alone would
    // leave it listening for so long. Where this cannot be done to a listener, dropping it is all there is.
    #[cfg(unix)]
    let _ = rustix::net::shutdown(&listener, rustix::net::Shutdown::Both);
    drop(listener);
    bind(address)
}

/// A socket that has the address and does not listen: whoever connects is refused.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections that have ended keep the port for a while otherwise. Windows means something else by it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_closed_door_is_closed_for_every_copy_of_its_socket() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        let _guard = runtime.enter();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        // As a child has one between its fork and its exec.
        let copy = listener.try_clone().expect("a copy");
        let address = listener.local_addr().expect("an address");
        let kept = close(TcpListener::from_std(listener).expect("a listener"), address).expect("the address");
        let refused = std::net::TcpStream::connect(address).expect_err("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let mut again = None;
        reopen(&mut again, Some(kept), address).expect("it opens again");
        std::net::TcpStream::connect(address).expect("somebody listens");
        drop(copy);
    }
}
