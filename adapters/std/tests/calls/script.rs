//! A platform of a few closures: what a fetch and what a call is answered.

use std::{
    io::{Cursor, Read},
    sync::{Arc, Mutex},
    time::Duration,
};

use wxtoken::{CallRequest, CallResponse, Client, Endpoint, Request, Transport, TransportError};

use crate::world::{Answer, ID, SECRET, World, grant, token};

pub(crate) type Reply = Result<CallResponse, TransportError>;

/// Answers the n-th fetch with the n-th token, unless told otherwise, and the n-th call (both from 1) as a closure says.
#[derive(Clone)]
pub(crate) struct Script(Arc<Inner>);

type AnswerCall = dyn Fn(usize, &str, &mut dyn Read) -> Reply + Send + Sync;

struct Inner {
    fetch: Box<dyn Fn(usize) -> Answer + Send + Sync>,
    call: Box<AnswerCall>,
    fetches: Mutex<usize>,
    sent: Mutex<Vec<String>>,
}

impl Script {
    /// `call` gets the call's number and its token.
    pub(crate) fn new(call: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::reading(move |n, token, body| {
            let mut all = Vec::new();
            body.read_to_end(&mut all).map_err(|_| TransportError::Broken)?;
            call(n, token)
        })
    }

    /// The same, and `call` reads the body itself.
    pub(crate) fn reading(call: impl Fn(usize, &str, &mut dyn Read) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(grant, call)
    }

    pub(crate) fn with(
        fetch: impl Fn(usize) -> Answer + Send + Sync + 'static,
        call: impl Fn(usize, &str, &mut dyn Read) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            fetch: Box::new(fetch),
            call: Box::new(call),
            fetches: Mutex::default(),
            sent: Mutex::default(),
        }))
    }

    pub(crate) fn fetches(&self) -> usize {
        *self.0.fetches.lock().expect("no panic")
    }

    /// The tokens that calls were sent with, in order.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.0.sent.lock().expect("no panic").clone()
    }

    pub(crate) fn client(&self, world: &World) -> Client {
        Client::builder(&Endpoint::TOKEN, ID, SECRET)
            .clock(world.clone())
            .transport(self.clone())
            .background(false)
            .build()
            .expect("fine")
    }

    /// A client whose first token is a minute old: too old to be forgiven a refusal.
    pub(crate) fn primed(&self, world: &World) -> Client {
        let client = self.client(world);
        client.token().expect("granted");
        world.advance_s(60);
        client
    }
}

impl Transport for Script {
    fn exchange(&self, _: &Request<'_, '_>) -> Answer {
        let n = {
            let mut fetches = self.0.fetches.lock().expect("no panic");
            *fetches += 1;
            *fetches
        };
        (self.0.fetch)(n)
    }

    fn call(&self, request: &CallRequest<'_, '_>, body: &mut dyn Read, _: Duration) -> Reply {
        let mut target = String::new();
        request.write_target(&mut target).expect("a String takes all");
        let token = target.split("access_token=").nth(1).expect("a token").split('&').next().expect("a token");
        let n = {
            let mut sent = self.0.sent.lock().expect("no panic");
            sent.push(token.to_owned());
            sent.len()
        };
        (self.0.call)(n, token, body)
    }
}

pub(crate) fn reply(text: &str) -> Reply {
    Ok(CallResponse::new(200, Cursor::new(text.to_owned().into_bytes())))
}

pub(crate) fn ok() -> Reply {
    reply(r#"{"errcode":0,"errmsg":"ok"}"#)
}

pub(crate) fn errcode(code: i32) -> Reply {
    reply(&format!(r#"{{"errcode":{code},"errmsg":"no"}}"#))
}

pub(crate) fn tokens(numbers: &[usize]) -> Vec<String> {
    numbers.iter().copied().map(token).collect()
}
