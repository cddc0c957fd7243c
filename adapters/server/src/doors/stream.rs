//! How is it told what happens, to somebody who stays to listen? As server-sent events: a stream that costs a bounded amount
//! of memory however slowly it is read, and ends when the server does or when its reader may not listen any more.

mod places;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::ArcSwap;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::{
    Method, Response,
    body::{Body, Bytes, Frame},
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
};
use tokio::sync::{mpsc, watch};

use self::places::Place;
pub(super) use self::places::Places;
use super::{Asking, BoxError, Doors, Reply, problem::Problem};
use crate::{
    access::{Access, Client},
    clock::Clock,
};

/// How often a stream on which nothing happens shows that it lives, so that nobody between takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A reader that takes nothing for so long is let go.
const PATIENCE: Duration = Duration::from_secs(60);
/// A reader that was cut off comes back after this many milliseconds, and up to as many more, drawn for each.
const RETRY_MS: u64 = 2_000;

/// What a stream tells.
pub(super) trait Feed: Send + 'static {
    /// Waits until there is something to say, the first time only for what is to be said at once. `None` ends the stream.
    /// Dropped while it waits, it must have lost nothing.
    fn next(&mut self) -> impl Future<Output = Option<String>> + Send;

    /// The configuration was read again, and this is now the client whose key the reader has. Whether it may go on.
    fn reloaded(&mut self, client: &Arc<Client>) -> bool;
}

/// One event. `data` is one line, such as JSON.
pub(super) fn event(name: &str, id: Option<&str>, data: &str) -> String {
    match id {
        Some(id) => format!("event: {name}\nid: {id}\ndata: {data}\n\n"),
        None => format!("event: {name}\ndata: {data}\n\n"),
    }
}

impl Doors {
    /// Begins a stream, unless there are too many.
    pub(super) fn stream(&self, head: &Parts, asking: &Asking, feed: impl Feed) -> Result<Reply, Problem> {
        let place = self.places.take(&asking.client.name)?;
        let body = if head.method == Method::HEAD {
            // Nobody would listen.
            Either::Left(Full::default())
        } else {
            let (sender, receiver) = mpsc::channel(1);
            let stream = Stream {
                key: asking.key,
                access: self.access.clone(),
                reloads: self.reloads.subscribe(),
                closing: self.closing.subscribe(),
                clock: self.engine.clock().clone(),
                sender,
                _place: place,
            };
            let retry = RETRY_MS + self.spread.draw(RETRY_MS);
            tokio::spawn(stream.run(feed, format!("retry: {retry}\n\n")));
            Either::Right(Told(receiver).boxed_unsync())
        };
        let mut reply = Response::new(body);
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // A proxy that gathers an answer before it passes it on would pass on nothing.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        Ok(reply)
    }
}

struct Stream {
    /// The hash of the key that the reader came with: the client that has it may have become another.
    key: [u8; 32],
    access: Arc<ArcSwap<Access>>,
    reloads: watch::Receiver<()>,
    closing: watch::Receiver<bool>,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<Bytes>,
    _place: Place,
}

impl Stream {
    async fn run(mut self, mut feed: impl Feed, first: String) {
        let mut text = first;
        loop {
            // One message is on its way and one waits here: a slow reader has no more than these.
            tokio::select! {
                sent = self.sender.send_timeout(Bytes::from(text), PATIENCE) => if sent.is_err() { return },
                _ = self.closing.wait_for(|closing| *closing) => return,
            }
            let heartbeat = self.clock.now().saturating_add(HEARTBEAT);
            text = loop {
                tokio::select! {
                    // In this order: whoever may not listen any more hears no more.
                    biased;
                    _ = self.closing.wait_for(|closing| *closing) => return,
                    () = self.sender.closed() => return,
                    reloaded = self.reloads.changed() => {
                        let client = self.access.load().by_hash(&self.key).cloned();
                        if reloaded.is_err() || !client.is_some_and(|client| feed.reloaded(&client)) {
                            return;
                        }
                    }
                    next = feed.next() => match next {
                        Some(text) => break text,
                        None => return,
                    },
                    () = self.clock.sleep_until(heartbeat) => break ":\n\n".to_owned(),
                }
            };
        }
    }
}

/// The reader's end.
struct Told(mpsc::Receiver<Bytes>);

impl Body for Told {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
