//! How do the demo's clients reach the platform? Over HTTP on loopback, each exchange for real.

use std::io::{Cursor, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use ureq::{Agent, SendBody};
use wxtoken::core::Method;
use wxtoken::{CallRequest, CallResponse, EXCHANGE_LIMIT_MS, Request, Response, Transport, TransportError};
use zeroize::Zeroizing;

use super::clock::VirtualClock;
use super::record::{Exchange, Result as Came};

/// Where the clients believe they go. The platform's port is another one each time, and waits are spread by the account's
/// digest, in which the base is: with the true one no two days would be alike.
pub(crate) const BASE: &str = "http://127.0.0.1";

/// A client's way to the platform. Takes down each exchange with the token endpoint.
#[derive(Clone)]
pub(crate) struct Wire {
    agent: Agent,
    clock: VirtualClock,
    /// Where the platform is.
    base: String,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    hold: Arc<(Mutex<Hold>, Condvar)>,
}

/// Calls that wait for each other before they are sent.
#[derive(Default)]
struct Hold {
    callers: usize,
    rounds: usize,
    arrived: usize,
}

/// No longer than this, so that a call that never comes is a broken promise and not a day without an end.
const HELD_AT_MOST: Duration = Duration::from_secs(5);

impl Wire {
    pub(crate) fn new(clock: VirtualClock, base: String) -> Self {
        // No connection is kept: a fault that ends one must not be felt by the next exchange.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_millis(u64::from(EXCHANGE_LIMIT_MS))))
            .build();
        Self { agent: config.new_agent(), clock, base, exchanges: Arc::default(), hold: Arc::default() }
    }

    /// The next calls wait until `callers` of them are there; so `rounds` times.
    pub(crate) fn hold(&self, callers: usize, rounds: usize) {
        *self.hold.0.lock().unwrap_or_else(PoisonError::into_inner) = Hold { callers, rounds, arrived: 0 };
    }

    fn wait_for_the_others(&self) {
        let (lock, bell) = &*self.hold;
        let mut hold = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(round) = hold.arrived.checked_div(hold.callers).filter(|round| *round < hold.rounds) else { return };
        hold.arrived += 1;
        bell.notify_all();
        let complete = (round + 1) * hold.callers;
        drop(bell.wait_timeout_while(hold, HELD_AT_MOST, |hold| hold.arrived < complete));
    }

    /// All exchanges so far.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn took_place(&self, at_ms: u64, came: Came) {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(Exchange { at_ms, came });
    }

    fn http(&self, request: &Request<'_, '_>) -> Result<Response, ureq::Error> {
        let (mut url, mut body) = (Zeroizing::new(self.base.clone()), Zeroizing::new(String::new()));
        // A String takes all that is written.
        let _ = request.write_target(&mut *url);
        let _ = request.write_body(&mut *body);
        let mut reply = match request.method() {
            Method::Get => self.agent.get(url.as_str()).call()?,
            _ => self.agent.post(url.as_str()).content_type("application/json").send(body.as_bytes())?,
        };
        Ok(Response::new(reply.status().as_u16(), reply.body_mut().read_to_vec()?))
    }
}

impl Transport for Wire {
    fn exchange(&self, request: &Request<'_, '_>) -> Result<Response, TransportError> {
        let at_ms = self.clock.ms();
        match self.http(request) {
            Ok(reply) => {
                let granted = reply.body().windows(14).any(|w| w == b"\"access_token\"");
                self.took_place(at_ms, if granted { Came::Token } else { Came::Refusal });
                Ok(reply)
            }
            Err(_) => {
                self.took_place(at_ms, Came::Nothing);
                Err(self.in_vain())
            }
        }
    }

    fn call(
        &self,
        request: &CallRequest<'_, '_>,
        body: &mut dyn Read,
        _limit: Duration,
    ) -> Result<CallResponse, TransportError> {
        self.wait_for_the_others();
        let mut url = Zeroizing::new(self.base.clone());
        // A String takes all that is written.
        let _ = request.write_target(&mut *url);
        let reply = match request.content_type() {
            None => self.agent.get(url.as_str()).call(),
            Some(content_type) => {
                let post = self.agent.post(url.as_str()).content_type(content_type);
                post.header("content-length", request.call().body().len()).send(SendBody::from_reader(body))
            }
        };
        let all = reply.and_then(|mut reply| Ok((reply.status().as_u16(), reply.body_mut().read_to_vec()?)));
        all.map(|(status, body)| CallResponse::new(status, Cursor::new(body))).map_err(|_| self.in_vain())
    }
}

impl Wire {
    /// Out there nothing tells a client that a reply is lost, except its own patience.
    fn in_vain(&self) -> TransportError {
        self.clock.pass(Duration::from_millis(u64::from(EXCHANGE_LIMIT_MS)));
        TransportError::Timeout
    }
}

/// The business calls: what a token is for.
pub(crate) struct Business {
    agent: Agent,
    base: String,
}

impl Business {
    pub(crate) fn new(base: String) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build();
        Self { agent: config.new_agent(), base }
    }

    /// Asks for the platform's addresses, the cheapest call that checks a token. The errcode, 0 for success; `None`
    /// when there was no reply.
    pub(crate) fn addresses(&self, token: &str) -> Option<i64> {
        let url = format!("{}/cgi-bin/getcallbackip", self.base);
        let mut reply = self.agent.get(&url).query("access_token", token).call().ok()?;
        errcode(&reply.body_mut().read_to_vec().ok()?)
    }

    /// Sends a message from a WeCom app.
    pub(crate) fn message(&self, token: &str) -> Option<i64> {
        const MESSAGE: &str = r#"{"touser":"@all","msgtype":"text","agentid":1,"text":{"content":"good morning"}}"#;
        let url = format!("{}/cgi-bin/message/send", self.base);
        let mut reply = self.agent.post(&url).query("access_token", token).send(MESSAGE).ok()?;
        errcode(&reply.body_mut().read_to_vec().ok()?)
    }
}

fn errcode(body: &[u8]) -> Option<i64> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body.get("errcode").and_then(serde_json::Value::as_i64).unwrap_or(0))
}
