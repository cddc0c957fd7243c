//! How are connections taken and let go? A bounded number of them, none of which may dawdle over its request.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

#[cfg(unix)]
use super::unix::Socket;
use super::{
    crowd::Crowd,
    patient::Patient,
    quick::{self, Reread},
    tls::Certificates,
};
use crate::{
    doors::{Content, Doors, Peer},
    events,
};

/// How many connections are served at a time; further ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 8_192;
/// A request's head must be there within this, also the next one's of a connection that is kept.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// TLS must stand within this.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// A last word must be taken within this.
const BYE_LIMIT: Duration = Duration::from_secs(1);
/// The largest head, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How long requests under way may take after the end was ordered: longer than one exchange with the platform.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// After an error of the system (no more sockets, say) the next connection is taken after this.
const PAUSE: Duration = Duration::from_millis(50);
/// Such an error is told once in this time: a flood of connections must not become a flood of lines.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// An open door.
pub(super) struct Open {
    stop: watch::Sender<bool>,
    doors: Arc<Doors>,
    accepting: Vec<JoinHandle<GracefulShutdown>>,
}

impl Open {
    pub(super) fn new(listener: TcpListener, certificates: Option<Arc<Certificates>>, doors: Arc<Doors>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, certificates, doors.clone(), stopped));
        Self { stop, doors, accepting: vec![accepting] }
    }

    /// The same doors on a socket of this machine.
    #[cfg(unix)]
    pub(super) fn also(mut self, socket: Option<Socket>) -> Self {
        if let Some(socket) = socket {
            self.accepting.push(tokio::spawn(accept_local(socket, self.doors.clone(), self.stop.subscribe())));
        }
        self
    }

    /// Takes no more connections, and lets those there are finish what they are at.
    pub(super) async fn close(self) {
        self.stop.send_replace(true);
        self.doors.close();
        let until = Instant::now() + DRAIN_LIMIT;
        for accepting in self.accepting {
            if let Ok(graceful) = accepting.await {
                let _ = timeout_at(until, graceful.shutdown()).await;
            }
        }
    }
}

async fn accept(
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    doors: Arc<Doors>,
    mut stopped: watch::Receiver<bool>,
) -> GracefulShutdown {
    let graceful = GracefulShutdown::new();
    let crowd = Crowd::default();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut told = None::<Instant>;
    loop {
        let next = async {
            // Never closed.
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            _ = stopped.wait_for(|stopped| *stopped) => return graceful,
        };
        match accepted {
            Ok((stream, from)) => {
                let peer = Peer { address: Some(from.ip().to_canonical()) };
                let Some(among) = peer.address.and_then(|address| crowd.enter(address)) else { continue };
                let tls = certificates.as_ref().map(|certificates| certificates.current());
                let (watcher, doors, stopped) = (graceful.watcher(), doors.clone(), stopped.clone());
                tokio::spawn(async move {
                    // A small answer must not wait for the next one.
                    let _ = stream.set_nodelay(true);
                    match tls {
                        None => converse(stream, peer, doors, watcher, stopped).await,
                        Some(tls) => {
                            if let Some(stream) = handshake(stream, tls, &peer).await {
                                converse(stream, peer, doors, watcher, stopped).await;
                            }
                        }
                    }
                    drop((among, place));
                });
            }
            Err(error) if is_peers(&error) => {}
            Err(error) => {
                if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                    events::not_accepted(&error);
                    told = Some(Instant::now());
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Has places of its own: however many come from elsewhere, this machine's programs get in.
#[cfg(unix)]
async fn accept_local(socket: Socket, doors: Arc<Doors>, mut stopped: watch::Receiver<bool>) -> GracefulShutdown {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, socket.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            _ = stopped.wait_for(|stopped| *stopped) => return graceful,
        };
        match accepted {
            Ok(Some(stream)) => {
                let (watcher, doors, stopped) = (graceful.watcher(), doors.clone(), stopped.clone());
                tokio::spawn(async move {
                    converse(stream, Peer { address: None }, doors, watcher, stopped).await;
                    drop(place);
                });
            }
            Ok(None) => {}
            Err(error) if is_peers(&error) => {}
            Err(error) => {
                events::not_accepted(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What TLS makes of a connection, if the peer goes about it in time and has what is asked of it.
async fn handshake<S: Stream>(stream: S, tls: Arc<ServerConfig>, peer: &Peer) -> Option<TlsStream<S>> {
    match timeout(HANDSHAKE_LIMIT, TlsAcceptor::from(tls).accept(stream)).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(why)) => events::no_handshake(peer.address, &why),
        Err(_) => events::no_handshake(peer.address, &"the peer took too long"),
    }
    None
}

/// Answers what comes on a connection, to its end.
async fn converse<S: Stream>(
    stream: S,
    peer: Peer,
    doors: Arc<Doors>,
    watcher: Watcher,
    stopped: watch::Receiver<bool>,
) {
    let mut stream = Patient::new(stream);
    match quick::serve(&mut stream, &doors, &peer, HEAD_LIMIT, stopped).await {
        // A peer that left, or spoke no HTTP, is no news.
        Some(read) => drop(watcher.watch(serve(Reread::new(read, stream), peer, doors)).await),
        // TLS says that the end is the end.
        None => drop(timeout(BYE_LIMIT, stream.shutdown()).await),
    }
}

/// What connections are made of: TCP, TLS over it, a socket of this machine.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

fn serve<S: Stream>(
    stream: Reread<S>,
    peer: Peer,
    doors: Arc<Doors>,
) -> http1::Connection<
    TokioIo<Reread<S>>,
    impl hyper::service::HttpService<hyper::body::Incoming, ResBody = Content, Error = Infallible, Future: Send>,
> {
    let service = service_fn(move |request| {
        let (doors, peer) = (doors.clone(), peer.clone());
        async move { Ok::<_, Infallible>(doors.answer(&peer, request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
}

/// An error of the connection that was about to be accepted.
fn is_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
