//! What happens on one connection, from its acceptance to its end?

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::control;
use crate::delivery;
use crate::door::Switchboard;
use crate::download::Outgoing;
use crate::engine::Engine;
use crate::http::{self, Limits};
use crate::tap::{Capture, Socket, Tap};
use crate::tls::Tls;

/// Real time that a client has for a request's head, and for a TLS handshake.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// What a connection is for.
#[derive(Clone)]
pub(crate) enum Service {
    Http,
    Https(Arc<Tls>),
    Control,
}

/// What every connection needs.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) limits: Limits,
    pub(crate) switchboard: Switchboard,
    /// True once the platform is to stop.
    pub(crate) stop: watch::Receiver<bool>,
    /// To stop it, from the control port.
    pub(crate) stopper: Arc<watch::Sender<bool>>,
}

/// Resolves once the platform is to stop, or nobody is left who could say so.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Outgoing>, std::convert::Infallible>> + Send>>;

/// One connection, from its acceptance to its end.
pub(crate) async fn connection(socket: TcpStream, peer: SocketAddr, service: Service, shared: Shared) {
    // Without this, small pieces of a trickle would be merged by the kernel.
    drop(socket.set_nodelay(true));
    match service {
        Service::Http => {
            shared.engine.lock().connections += 1;
            platform(socket, peer, false, shared).await;
        }
        Service::Https(tls) => {
            shared.engine.lock().connections += 1;
            match tokio::time::timeout(HEAD_LIMIT, tls.acceptor().accept(socket)).await {
                Ok(Ok(stream)) => platform(stream, peer, true, shared).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("TLS handshake timed out"),
            }
        }
        Service::Control => {
            let at_hand = shared.clone();
            serve(socket, Capture::default(), shared.stop, move |request| {
                Box::pin(control::answer(at_hand.clone(), request))
            })
            .await;
        }
    }
}

async fn platform<S: Socket>(socket: S, peer: SocketAddr, secure: bool, shared: Shared) {
    let capture = Capture::default();
    let Shared { engine, limits, .. } = shared;
    let from = (peer.ip().to_canonical(), secure);
    let shared_capture = capture.clone();
    serve(socket, capture, shared.stop, move |request| {
        let answer = http::answer(engine.clone(), shared_capture.clone(), from, limits, request);
        Box::pin(async move { Ok(answer.await) })
    })
    .await;
}

/// Answers requests on one connection until it ends, then plays the fault that ended it, if one did.
async fn serve<S: Socket>(
    socket: S,
    capture: Capture,
    mut stop: watch::Receiver<bool>,
    answer: impl Fn(Request<Incoming>) -> Answer + Unpin,
) {
    let tap = Tap { socket, capture: capture.clone() };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(tap), service_fn(answer));
    // Not the shutdown of the library: how this connection ends is the fault's business.
    let ended = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        () = stopped(&mut stop) => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
        return;
    }
    let socket = connection.into_parts().io.into_inner().socket;
    let steps = match capture.take() {
        Some((fault, output)) => delivery::script(&fault, output),
        None => vec![delivery::Step::Close],
    };
    tokio::select! {
        played = delivery::perform(socket, steps) => {
            if let Err(error) = played {
                tracing::debug!(%error, "the client was gone before the end");
            }
        }
        () = stopped(&mut stop) => {}
    }
}
