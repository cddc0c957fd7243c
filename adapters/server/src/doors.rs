//! What is answered to whom? The routes, behind one check of the key that tells nobody which accounts there are.

mod asking;
mod body;
mod date;
mod etag;
mod forward;
mod held;
mod metrics;
mod native;
mod openapi;
mod page;
mod problem;
mod spread;
mod status;
mod stream;
mod wechat;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use http_body_util::{Either, Full, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Bytes},
    header::{self, HeaderValue},
};
use tokio::sync::watch;
use wxtoken::Instant;

pub(crate) use self::asking::{Asking, Peer, TurnedAway};
use self::{problem::Problem, spread::Spread, stream::Places};
use crate::{
    Engine, Kind,
    access::{Access, Slow},
    audit::Audit,
    config::ClientSpec,
};

/// How long somebody waits for a credential that is being fetched, unless they say. Clients give an exchange up after 10 s,
/// those of this workspace among them, and asked to come back they still are answered. WeCom's next token is never more than
/// some 3 s away.
const PATIENCE: Duration = Duration::from_secs(8);

/// The most segments that a path is cut into; the last one has the rest.
const SEGMENTS: usize = 9;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What an answer carries: a few bytes that are at hand, or a stream.
pub(crate) type Content = Either<Full<Bytes>, UnsyncBoxBody<Bytes, BoxError>>;

pub(crate) type Reply = Response<Content>;

/// What a request carries: a socket's, or a test's.
pub(crate) trait Incoming: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static {}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static> Incoming for B {}

/// Everything a request is answered from.
pub(crate) struct Doors {
    engine: Engine,
    access: Arc<ArcSwap<Access>>,
    /// Rings when the configuration was read again.
    reloads: watch::Sender<()>,
    /// Who was given what in WeChat's shape.
    returning: wechat::Returning,
    spread: Arc<Spread>,
    /// Calls on their way.
    calls: forward::Gate,
    places: Places,
    requests: metrics::Requests,
    started: Instant,
    slow: Slow,
    audit: Audit,
    /// How the certificate is, in a word, where there is one.
    tls: Mutex<Option<&'static str>>,
    /// Whether the server is about to end.
    closing: watch::Sender<bool>,
}

impl Doors {
    pub(crate) fn new(engine: Engine, clients: &[ClientSpec]) -> Self {
        let access = Access::new(clients, engine.clock());
        Self {
            started: engine.clock().now(),
            engine,
            access: Arc::new(ArcSwap::from_pointee(access)),
            reloads: watch::Sender::new(()),
            returning: wechat::Returning::default(),
            spread: Arc::new(Spread::new()),
            calls: forward::Gate::default(),
            places: Places::default(),
            requests: metrics::Requests::new(),
            slow: Slow::new(),
            audit: Audit::default(),
            tls: Mutex::new(None),
            closing: watch::Sender::new(false),
        }
    }

    /// The same, with an audit log.
    pub(crate) fn audited(self, audit: Audit) -> Self {
        Self { audit, ..self }
    }

    pub(crate) const fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Takes up who may ask for what. The engine's accounts are taken up before.
    pub(crate) fn set_clients(&self, clients: &[ClientSpec]) {
        self.access.store(Arc::new(Access::new(clients, self.engine.clock())));
        self.reloads.send_replace(());
    }

    /// How the certificate is: `ok`, or what is wrong with it in a word.
    pub(crate) fn set_tls(&self, word: &'static str) {
        *self.tls.lock().unwrap_or_else(PoisonError::into_inner) = Some(word);
    }

    pub(crate) fn tls(&self) -> Option<&'static str> {
        *self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nobody is kept waiting for what may happen later.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Ends when the server is about to.
    async fn closed(&self) {
        // The sender lives as long as `self` does.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Answers one request. Never fails: what is wrong is an answer, too.
    pub(crate) async fn answer<B: Incoming>(&self, peer: &Peer, request: Request<B>) -> Reply {
        let route = metrics::Route::of(request.uri().path());
        let reply = self.route(peer, request).await.unwrap_or_else(Problem::into_reply);
        self.requests.count(route, reply.status());
        reply
    }

    async fn route<B: Incoming>(&self, peer: &Peer, request: Request<B>) -> Result<Reply, Problem> {
        let (head, body) = request.into_parts();
        let mut segments = [""; SEGMENTS];
        let path = cut(head.uri.path(), &mut segments);
        match path {
            ["healthz"] => return only(&head.method, &Method::GET).map(|()| native::health(&self.engine, self.tls())),
            ["readyz"] => return only(&head.method, &Method::GET).map(|()| native::ready(&self.engine)),
            [""] => return only(&head.method, &Method::GET).map(|()| page::html()),
            ["page.css"] => return only(&head.method, &Method::GET).map(|()| page::style()),
            ["page.js"] => return only(&head.method, &Method::GET).map(|()| page::script()),
            ["openapi.json"] => return only(&head.method, &Method::GET).map(|()| openapi::document()),
            // Its key is in the request, where WeChat has its secret.
            ["cgi-bin", path @ ..] => return Ok(self.wechat(peer, &head, path, body).await),
            _ => {}
        }
        let key = presented(&head.headers).ok_or(Problem::NO_KEY)?;
        let asking = self.asking(peer, key).await.map_err(Problem::turned_away)?;
        match path {
            ["metrics"] => {
                only(&head.method, &Method::GET)?;
                self.metrics(&head, &asking)
            }
            ["v1", "status"] => {
                only(&head.method, &Method::GET)?;
                self.status(&head, &asking)
            }
            ["v1", "status", "events"] => {
                only(&head.method, &Method::GET)?;
                self.status_events(&head, &asking)
            }
            ["v1", "accounts"] => {
                only(&head.method, &Method::GET)?;
                Ok(native::accounts(&self.engine, &asking))
            }
            ["v1", "accounts", name, "token", rest @ ..] => {
                self.credential(&head, &asking, name, Kind::Token, rest, body).await
            }
            ["v1", "accounts", name, "events"] => {
                only(&head.method, &Method::GET)?;
                self.events(&head, &asking, name)
            }
            ["v1", "accounts", name, "tickets", kind, rest @ ..] => {
                let kind = Kind::named(kind).filter(|kind| *kind != Kind::Token).ok_or(Problem::NO_ROUTE)?;
                self.credential(&head, &asking, name, kind, rest, body).await
            }
            ["v1", "accounts", name, "call", _path @ ..] => self.forward(&asking, name, &head, body).await,
            _ => Err(Problem::NO_ROUTE),
        }
    }
}

/// A path's segments, without the empty one before the first slash.
fn cut<'p, 's>(path: &'p str, segments: &'s mut [&'p str; SEGMENTS]) -> &'s [&'p str] {
    let mut count = 0;
    for (to, segment) in segments.iter_mut().zip(path.strip_prefix('/').unwrap_or(path).splitn(SEGMENTS, '/')) {
        *to = segment;
        count += 1;
    }
    segments.get(..count).unwrap_or_default()
}

/// Refuses other methods than this one. Where `GET` is, `HEAD` is, too.
fn only(method: &Method, wanted: &Method) -> Result<(), Problem> {
    match (method == wanted, wanted == Method::GET) {
        (true, _) => Ok(()),
        (false, true) if method == Method::HEAD => Ok(()),
        (false, true) => Err(Problem::method("GET, HEAD")),
        (false, false) => Err(Problem::method("POST")),
    }
}

/// The key of `Authorization: Bearer KEY`.
fn presented(headers: &header::HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim_matches(' '))
}

/// JSON that no cache on the way may keep.
pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Reply {
    reply(status, "application/json", value)
}

fn reply(status: StatusCode, content_type: &'static str, value: &serde_json::Value) -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(Bytes::from(value.to_string()))));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

#[cfg(test)]
mod tests;
