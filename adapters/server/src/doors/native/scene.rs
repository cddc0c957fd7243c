//! One account of a server on a stepped clock, and a platform that does as it is told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use serde_json::{Value, json};

use super::super::{Doors, Peer};
use crate::{
    AccountKind, AccountSpec, Engine, Exchange, Response, Transport, VirtualClock,
    config::{ClientSpec, Permission},
};

/// A platform that hands out "T1", "T2" and so on, or refuses while it is told so.
#[derive(Clone, Default)]
pub(in crate::doors) struct Platform {
    pub(in crate::doors) fetches: Arc<AtomicU32>,
    pub(in crate::doors) refuses: Arc<AtomicBool>,
    /// It takes what it is asked, and never answers.
    pub(in crate::doors) is_silent: Arc<AtomicBool>,
}

impl Transport for Platform {
    fn exchange<'a>(&'a self, _: wxtoken::Request<'a, 'a>) -> Exchange<'a> {
        if self.is_silent.load(Ordering::Relaxed) {
            return Box::pin(std::future::pending());
        }
        let body = if self.refuses.load(Ordering::Relaxed) {
            r#"{"errcode":-1,"errmsg":"system error"}"#.to_owned()
        } else {
            let nth = self.fetches.fetch_add(1, Ordering::Relaxed) + 1;
            format!("{{\"access_token\":\"T{nth}\",\"expires_in\":7200}}")
        };
        Box::pin(async move { Ok(Response::new(200, body)) })
    }
}

pub(in crate::doors) struct Scene {
    pub(in crate::doors) doors: Doors,
    pub(in crate::doors) clock: VirtualClock,
    pub(in crate::doors) platform: Platform,
}

/// What was answered: status, body (null when there is none), and headers.
pub(in crate::doors) type Answer = (u16, Value, hyper::HeaderMap);

impl Scene {
    pub(in crate::doors) async fn new() -> Self {
        let (clock, platform) = (VirtualClock::new(Duration::from_secs(1_800_000_000)), Platform::default());
        let builder = Engine::builder().clock(clock.clone()).transport(platform.clone());
        let engine = builder.start(&[Self::account("wx1")]).await.expect("good");
        engine.settle().await;
        Self { doors: Doors::new(engine, &Self::clients()), clock, platform }
    }

    pub(in crate::doors) fn account(id: &str) -> AccountSpec {
        AccountSpec::new("shop", AccountKind::Official, id, "a secret")
    }

    pub(in crate::doors) fn clients() -> [ClientSpec; 2] {
        [
            ClientSpec::new("all", "K1", &["shop"], &[Permission::Read, Permission::Report, Permission::Rotate]),
            ClientSpec::new("reporter", "K2", &["shop"], &[Permission::Report]),
        ]
    }

    pub(in crate::doors) async fn ask(&self, method: &str, path: &str, key: &str, tag: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/v1/accounts/shop/token{path}"));
        request = request.header("authorization", format!("Bearer {key}"));
        if !tag.is_empty() {
            request = request.header("if-none-match", tag);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
        let (head, body) = self.doors.answer(&Peer { address: None }, request).await.into_parts();
        let body = body.collect().await.expect("whole").to_bytes();
        let value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        (head.status.as_u16(), value, head.headers)
    }

    pub(in crate::doors) async fn get(&self, path: &str, tag: &str) -> Answer {
        self.ask("GET", path, "K1", tag, "").await
    }

    pub(in crate::doors) async fn report(&self, key: &str, body: &str) -> Answer {
        self.ask("POST", "/report", key, "", body).await
    }

    /// Asks for another one, and returns once it is there.
    pub(in crate::doors) async fn rotate(&self) {
        let (status, body, _) = self.ask("POST", "/rotate", "K1", "", "{}").await;
        assert_eq!((status, &body["outcome"]), (200, &json!("refreshing")));
        self.doors.engine.settle().await;
    }

    pub(in crate::doors) async fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.doors.engine.settle().await;
    }
}

/// Gives everything else that is ready its turn, often enough for whatever a request has to go through.
pub(super) async fn others() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

pub(super) fn seconds(headers: &hyper::HeaderMap, name: &str) -> u64 {
    headers[name].to_str().expect("text").parse().expect("a number")
}
