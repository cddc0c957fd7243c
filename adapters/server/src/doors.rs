//! What is answered to whom? The routes, behind one check of the key that tells nobody which accounts there are.

mod asking;
mod native;
mod problem;
mod wechat;

use std::sync::Arc;

use arc_swap::ArcSwap;
use http_body_util::{BodyExt as _, Either, Full, Limited, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Bytes},
    header::{self, HeaderValue},
};

pub(crate) use self::asking::{Asking, Peer};
use self::problem::Problem;
use crate::{Credential, Engine, Kind, access::Access, config::Permission};

/// The largest body that is read, in bytes.
const MAX_BODY: usize = 4096;

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
    access: ArcSwap<Access>,
    /// Who was given what in WeChat's shape.
    returning: wechat::Returning,
}

impl Doors {
    pub(crate) fn new(engine: Engine, access: Access) -> Self {
        Self { engine, access: ArcSwap::from_pointee(access), returning: wechat::Returning::default() }
    }

    pub(crate) fn set_access(&self, access: Access) {
        self.access.store(Arc::new(access));
    }

    /// Answers one request. Never fails: what is wrong is an answer, too.
    pub(crate) async fn answer<B: Incoming>(&self, peer: &Peer, request: Request<B>) -> Reply {
        self.route(peer, request).await.unwrap_or_else(Problem::into_reply)
    }

    async fn route<B: Incoming>(&self, peer: &Peer, request: Request<B>) -> Result<Reply, Problem> {
        let (head, body) = request.into_parts();
        let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
        match path.as_slice() {
            ["healthz"] => return only(&head.method, &Method::GET).map(|()| native::health(&self.engine)),
            ["readyz"] => return only(&head.method, &Method::GET).map(|()| native::ready(&self.engine)),
            // Its key is in the request, where WeChat has its secret.
            ["cgi-bin", path @ ..] => return Ok(self.wechat(peer, &head, path, body).await),
            _ => {}
        }
        let key = presented(&head.headers).ok_or(Problem::NO_KEY)?;
        let asking = self.asking(peer, key).ok_or(Problem::NO_KEY)?;
        match path.as_slice() {
            ["v1", "accounts"] => {
                only(&head.method, &Method::GET)?;
                Ok(native::accounts(&self.engine, &asking))
            }
            ["v1", "accounts", name, "token", rest @ ..] => {
                self.credential(&head.method, &asking, name, Kind::Token, rest, body).await
            }
            ["v1", "accounts", name, "tickets", kind, rest @ ..] => {
                let kind = Kind::named(kind).filter(|kind| *kind != Kind::Token).ok_or(Problem::NO_ROUTE)?;
                self.credential(&head.method, &asking, name, kind, rest, body).await
            }
            _ => Err(Problem::NO_ROUTE),
        }
    }

    /// Who asks, if the key is one of ours.
    fn asking(&self, peer: &Peer, key: &str) -> Option<Asking> {
        let client = self.access.load().client(key)?.clone();
        Some(Asking { client, peer: peer.clone() })
    }

    async fn credential<B: Incoming>(
        &self,
        method: &Method,
        asking: &Asking,
        name: &str,
        kind: Kind,
        rest: &[&str],
        body: B,
    ) -> Result<Reply, Problem> {
        match rest {
            [] => {
                only(method, &Method::GET)?;
                let credential = self.allowed(asking, name, kind, Permission::Read)?;
                native::read(&self.engine, &credential).await
            }
            ["report"] => {
                only(method, &Method::POST)?;
                let credential = self.allowed(asking, name, kind, Permission::Report)?;
                let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Problem::BODY)?.to_bytes();
                native::report(&credential, &body)
            }
            ["rotate"] => {
                only(method, &Method::POST)?;
                let credential = self.allowed(asking, name, kind, Permission::Rotate)?;
                Ok(native::rotate(&credential))
            }
            _ => Err(Problem::NO_ROUTE),
        }
    }

    /// The credential, if whoever asks may do this with it. An account that is not there is refused in the same words as
    /// one that is another's.
    fn allowed(&self, asking: &Asking, name: &str, kind: Kind, permission: Permission) -> Result<Credential, Problem> {
        let account = self.engine.find(name).filter(|_| asking.may(permission, name));
        let account = account.ok_or(Problem::NOT_ALLOWED)?;
        account.credential(kind).ok_or(Problem::NO_TICKET)
    }
}

fn only(method: &Method, wanted: &Method) -> Result<(), Problem> {
    if method == wanted { Ok(()) } else { Err(Problem::METHOD) }
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
