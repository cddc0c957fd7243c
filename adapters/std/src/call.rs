//! How is an API called with the credential? The way of one call: core's [`Healing`] decides, the shared keeper has the
//! tokens, the transport makes the attempts.
//!
//! ```text
//!   a token ──▶ one attempt ──▶ the reply ──▶ accepted, or refused for good            (most calls end here)
//!      ▲                          ├─ -1, 45011 ──▶ wait, within the call's limit ──▶ once more
//!      │                          └─ the token was refused ──▶ report it; the keeper fetches, once for all callers
//!      └────────────────────────────── a different one ◀───────────────┘
//! ```

use std::{io, time::Duration};

use wxtoken_core::{Call, GaveUp, Healing, Instant, Todo};

use crate::{client::Client, error::Error, events, state::State};

mod body;
mod errand;
mod error;
mod reply;
mod words;

pub use body::{BodySource, Once, ReplySink};
use errand::Errand;
pub use error::{CallError, CallReason, GivenUp, Refused};
pub use reply::{CallReply, MAX_CALL_REPLY_LEN};

/// How long [`Client::call`] goes on: enough for a minute's quota to be filled again, and for two fetches.
pub const CALL_LIMIT: Duration = Duration::from_secs(90);

impl Client {
    /// Calls an API with the credential, fetching one first if none is held. Blocks.
    ///
    /// A token that is refused (40001, 40014, 42001) is reported, and the call made once more with a different one, however
    /// many callers meet it: they cause one fetch. -1 and a minute's quota are waited for; see
    /// [`Healing`](wxtoken_core::Healing). What may have been executed is sent again only if the call
    /// [says](Call::with_idempotence) that this does no harm; a GET does. No attempt begins after [`CALL_LIMIT`], and none
    /// takes longer than the client's exchange limit.
    ///
    /// ```no_run
    /// # use wxtoken::{Call, Client};
    /// #[derive(serde::Deserialize)]
    /// struct Addresses {
    ///     ip_list: Vec<String>,
    /// }
    /// # let client = Client::official("wx0123456789abcdef", "secret").unwrap();
    /// let addresses: Addresses = client.call(&Call::get("/cgi-bin/getcallbackip")?)?.json()?;
    ///
    /// let alarm = serde_json::json!({ "touser": "u1", "msgtype": "text", "agentid": 7, "text": { "content": "超温" } });
    /// client.call(&Call::post("/cgi-bin/message/send", alarm.to_string().as_bytes())?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CallError`] says who must act, and whether the platform may have executed the call. A refusal is one.
    pub fn call(&self, call: &Call<'_>) -> Result<CallReply, CallError> {
        self.call_within(call, CALL_LIMIT)
    }

    /// The same with another limit: no attempt begins after it. Half a minute lets a second token come, since two fetches
    /// are that far apart; a minute's quota wants a minute more.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_within(&self, call: &Call<'_>, limit: Duration) -> Result<CallReply, CallError> {
        self.carry_out(Errand::new(call, &mut io::empty(), None), limit)
    }

    /// The same with a body from `source`, for a call made with [`Call::stream`], and the reply to `sink`, whatever its
    /// length. Both are read and written piece by piece: memory stays the same for any size. An attempt may then take as
    /// long as the call may, as long as something moves.
    ///
    /// The reply that comes back has the body of nothing: `sink` has it. A refusal does not reach `sink`, nor does a page
    /// of a proxy.
    ///
    /// # Errors
    /// As [`call`](Self::call). What `sink` has taken is then not to be used.
    pub fn call_with(
        &self,
        call: &Call<'_>,
        limit: Duration,
        source: &mut dyn BodySource,
        sink: &mut dyn ReplySink,
    ) -> Result<CallReply, CallError> {
        self.carry_out(Errand::new(call, source, Some(sink)), limit)
    }

    /// The same with the reply in memory.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_from(
        &self,
        call: &Call<'_>,
        limit: Duration,
        source: &mut dyn BodySource,
    ) -> Result<CallReply, CallError> {
        self.carry_out(Errand::new(call, source, None), limit)
    }

    /// The same as [`call_with`](Self::call_with) without a body; a JSON object that is no file stays in memory.
    pub(crate) fn call_for_file(
        &self,
        call: &Call<'_>,
        limit: Duration,
        sink: &mut dyn ReplySink,
    ) -> Result<CallReply, CallError> {
        self.carry_out(Errand::new(call, &mut io::empty(), Some(sink)).for_a_file(), limit)
    }

    fn carry_out(&self, mut errand: Errand<'_>, limit: Duration) -> Result<CallReply, CallError> {
        let shared = self.shared();
        let result = self.run(&mut errand, limit);
        events::called(&shared.who, errand.call().path(), errand.attempts(), result.as_ref().err());
        result
    }

    fn run(&self, errand: &mut Errand<'_>, limit: Duration) -> Result<CallReply, CallError> {
        let shared = self.shared();
        let start = shared.now();
        let product = shared.who.endpoint().product();
        let base = shared.call_base(errand.call())?;
        let mut state = shared.lock();
        let seed = shared.who.seed().wrapping_add(state.next_call());
        let mut healing = Healing::new(errand.call(), product, seed, start, limit);
        // As for a token alone, a refresh that is due is made or begun first. Each later look is at its own time.
        let (mut state, made) = shared.tend(state, start, true);
        let mut now = if made { shared.now() } else { start };
        loop {
            let valid = state.valid(now);
            // A fetch that is under way may bring a token at any moment, whatever the keeper says of the next one.
            let next_fetch_at = if state.busy() { now } else { state.poll_at() };
            match healing.poll(now, valid.as_deref(), next_fetch_at) {
                Todo::Send(_) => {
                    drop(state);
                    if let Some(token) = &valid {
                        errand.attempt(shared, &mut healing, base, token);
                    }
                    if let Some(error) = errand.cut_short() {
                        return Err(error);
                    }
                    state = shared.lock();
                }
                Todo::Report(seen) => {
                    drop(state);
                    self.report_refused(seen);
                    state = shared.lock();
                }
                Todo::Refresh(_) => {
                    let (back, made) = shared.tend(state, now, true);
                    let until = later(&back, now, &healing);
                    state = if made { back } else { shared.wait(back, until) };
                }
                Todo::Wait(until) => state = shared.wait(state, until),
                Todo::Done => return errand.reply(product),
                Todo::GiveUp(why) => return Err(errand.given_up(why, &healing, no_token(why, &state, start, now))),
            }
            now = shared.now();
        }
    }
}

/// When to look again although nobody has told anything: when the exchange under way gets lost, or this call is over.
fn later(state: &State, now: Instant, healing: &Healing) -> Instant {
    let over = healing.ends_at().saturating_add(Duration::from_millis(1));
    if state.poll_at() > now { state.poll_at().min(over) } else { over }
}

/// Why there was no token, or no other one, if that is the reason and is known.
fn no_token(why: GaveUp, state: &State, start: Instant, now: Instant) -> Option<Error> {
    let trouble = state.trouble().is_some();
    match why {
        GaveUp::NoToken if state.busy() || state.valid(now).is_some() => {
            Some(Error::Deadline { waited: now.saturating_since(start) })
        }
        GaveUp::NoOtherToken if !trouble => None,
        GaveUp::NoToken | GaveUp::NoOtherToken => {
            let (reason, next_in) = state.why_not(now);
            Some(Error::new(reason, next_in))
        }
        _ => None,
    }
}
