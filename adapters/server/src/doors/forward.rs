//! How does a program call an API without ever holding a token? The server puts the token in, and passes body and reply on.
//!
//! ```text
//!  the path is listed for the client ──▶ a valid token ──▶ one attempt ──▶ the reply, piece by piece
//!                                             ▲               └─ 40001, 40014, 42001 ──▶ reported;
//!                                             └── once, if the body is still at hand ◀──┘  another token comes
//! ```
//!
//! What may have been executed is never sent again. Memory for one call is bounded by what is kept of its body and of its
//! reply's head, 64 KiB each; how many calls there are at a time is bounded, too.

mod reply;
mod sending;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hyper::{
    Method, Request, Uri,
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
};
use tokio::sync::Semaphore;
use wxtoken::{Failure, TransportError};
use zeroize::Zeroizing;

use self::{reply::Answer, sending::Sending};
use super::{Asking, Doors, Incoming, PATIENCE, Problem, Reply};
use crate::{Account, Credential, Held, Kind, ReportOutcome, Stream, audit::Deed, config::is_call, events};

/// What is kept of a body for a second attempt, and of a reply until it is known to be no refusal.
const KEPT: usize = 64 * 1024;
/// How many calls are forwarded at a time.
const AT_A_TIME: usize = 256;
/// A call in which nothing moves for so long is given up, whichever end it is that does not move.
const QUIET: Duration = Duration::from_secs(30);
/// A call whose reply has not begun by then is given up, however much moves.
const LONGEST: Duration = Duration::from_secs(600);
/// A token that is refused and kept, because the platform may not know it everywhere yet, is tried again after this.
const PAUSE: Duration = Duration::from_secs(1);

/// What of a request's head goes on to the platform. All else is between the caller and the server.
const PASSED: [HeaderName; 4] = [header::ACCEPT, header::CONTENT_TYPE, header::CONTENT_ENCODING, header::RANGE];

/// Lets so many calls through at a time.
pub(super) struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

/// Why there is no reply to pass on.
#[derive(Clone, Copy, Debug)]
enum Unanswered {
    Transport(TransportError),
    /// Whatever it says, it is not the platform that says it.
    Redirect,
}

impl Doors {
    /// Forwards a call of an account's API, if the client may make it.
    pub(super) async fn forward<B: Incoming>(
        &self,
        asking: &Asking,
        name: &str,
        head: &Parts,
        body: B,
    ) -> Result<Reply, Problem> {
        if !matches!(
            head.method,
            Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE
        ) {
            return Err(Problem::method("GET, HEAD, POST, PUT, PATCH, DELETE"));
        }
        let path = called(head.uri.path(), name).ok_or(Problem::CALL_PATH)?;
        let account = self.engine.find(name).filter(|_| asking.may_call(path, name)).ok_or(Problem::NOT_ALLOWED)?;
        self.pass_on(asking, &account, path, head, body).await
    }

    /// Makes the call, which was looked at and is granted.
    pub(super) async fn pass_on<B: Incoming>(
        &self,
        asking: &Asking,
        account: &Account,
        path: &str,
        head: &Parts,
        body: B,
    ) -> Result<Reply, Problem> {
        let place = self.calls.0.clone().try_acquire_owned().map_err(|_| Problem::too_many_calls())?;
        let mut sending = Sending::take(body).await?;
        let token = account.token();
        let mut held = self.current(&token).await?;
        let mut reported: Option<ReportOutcome> = None;
        loop {
            let answer = self.attempt(account, path, head, &held, &mut sending).await;
            let mut answer = answer.map_err(|why| unanswered(why, &sending))?;
            if answer.refuses_token() {
                let first = reported.is_none();
                let outcome = token.report(held.fingerprint()).outcome;
                reported = Some(outcome);
                if first
                    && sending.is_kept()
                    && let Some(next) = self.another(&token, &held, outcome).await
                {
                    held = next;
                    continue;
                }
            }
            let outcome = if answer.refuses_token() { "refused" } else { "forwarded" };
            let deed = Deed { kind: Kind::Token, what: "call", outcome, generation: held.generation() };
            asking.did(account.name(), deed);
            events::called(&asking.client.name, account.name(), path, answer.status(), answer.errcode());
            answer.mask(held.as_str());
            return Ok(answer.into_reply(reported, place));
        }
    }

    async fn current(&self, token: &Credential) -> Result<Arc<Held>, Problem> {
        let now = self.engine.clock().now();
        if let Some(held) = token.snapshot().valid(now) {
            return Ok(held.clone());
        }
        let snapshot = token.wait(PATIENCE).await.map_err(|why| Problem::no_token(&why))?;
        let now = self.engine.clock().now();
        snapshot.valid(now).cloned().ok_or_else(|| Problem::no_token(&token.why_not(now)))
    }

    /// The token for the second attempt, after this was reported; `None` when there is none to be had.
    async fn another(&self, token: &Credential, refused: &Arc<Held>, outcome: ReportOutcome) -> Option<Arc<Held>> {
        match outcome {
            ReportOutcome::HeldOff(_) => return None,
            ReportOutcome::Kept => {
                let until = self.engine.clock().now().saturating_add(PAUSE);
                self.engine.clock().sleep_until(until).await;
            }
            ReportOutcome::Replaced | ReportOutcome::Refreshing => {}
        }
        let held = self.current(token).await.ok()?;
        (outcome == ReportOutcome::Kept || held.fingerprint() != refused.fingerprint()).then_some(held)
    }

    async fn attempt(
        &self,
        account: &Account,
        path: &str,
        head: &Parts,
        held: &Held,
        sending: &mut Sending,
    ) -> Result<Answer, Unanswered> {
        let request = written(account, path, head, held, sending.body());
        let request = request.ok_or(Unanswered::Transport(TransportError::NameNotFound))?;
        let forwarding = self.engine.transport().forward(request);
        let counter = sending.counter();
        tokio::pin!(forwarding);
        let reply = tokio::time::timeout(LONGEST, async {
            loop {
                let sent = counter.load(Ordering::Acquire);
                match tokio::time::timeout(QUIET, &mut forwarding).await {
                    Ok(reply) => return reply,
                    Err(_) if counter.load(Ordering::Acquire) != sent => {}
                    Err(_) => return Err(TransportError::Timeout),
                }
            }
        });
        let reply = reply.await.unwrap_or(Err(TransportError::Timeout)).map_err(Unanswered::Transport)?;
        Answer::begin(reply, head.method == Method::HEAD).await
    }
}

/// The API's path out of `/v1/accounts/NAME/call/cgi-bin/...`.
fn called<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let below = path.strip_prefix("/v1/accounts/")?.strip_prefix(name)?.strip_prefix("/call")?;
    is_call(below).then_some(below)
}

/// The request of one attempt, with this token in it and none of the caller's.
fn written(account: &Account, path: &str, head: &Parts, held: &Held, body: Stream) -> Option<Request<Stream>> {
    let mut url = Zeroizing::new(String::with_capacity(2048));
    // A String takes all that is written.
    let _ = std::fmt::Write::write_fmt(&mut *url, format_args!("{}{path}?", account.base()));
    for pair in head.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty() && !names_token(pair)) {
        url.push_str(pair);
        url.push('&');
    }
    url.push_str("access_token=");
    url.extend(form_urlencoded::byte_serialize(held.as_str().as_bytes()));
    let uri: Uri = url.parse().ok()?;
    let mut request = Request::new(body);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = uri;
    for name in PASSED {
        if let Some(value) = head.headers.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let agent = HeaderValue::from_static(concat!("wxtoken/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().insert(header::USER_AGENT, agent);
    Some(request)
}

/// Whether this pair of the query is an access_token, however it is spelled.
fn names_token(pair: &str) -> bool {
    form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(name, _)| name == "access_token")
}

fn unanswered(why: Unanswered, sending: &Sending) -> Problem {
    let (slow, executed) = match why {
        Unanswered::Redirect => (false, true),
        // What was not sent to its end cannot be executed: the platform waits for as much as was announced.
        Unanswered::Transport(error) => {
            (error == TransportError::Timeout, error.failure() != Failure::NotSent && sending.is_complete())
        }
    };
    let detail = match why {
        Unanswered::Transport(error) => error.to_string(),
        Unanswered::Redirect => "it answered with a redirect, which is not followed; is the base right?".to_owned(),
    };
    Problem::unanswered(slow, executed, detail)
}

#[cfg(test)]
mod tests;
