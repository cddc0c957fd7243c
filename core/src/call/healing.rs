//! What is done after an attempt: is the call over, does it wait, does it get another token, or is it given up?
//!
//! ```text
//!          poll: a token            handle_reply: 0, none, or a code that no retry mends
//!   READY ───────────────▶ SENT ──────────────────────────────────────────────────────▶ DONE
//!    ▲ ▲                    │ │ token refused (40001, 40014, 42001; suite: 40082, 42009)
//!    │ │   -1, 45011, …     │ └──────────────▶ REPORT ── the second time, or the body is spent ──▶ GIVEN UP
//!    │ └────────────────────┤                    │                                                  ▲
//!    │      after a wait    └────────────────────┼──── no answer, out of tries, out of time ────────┘
//!    └───────────────────────────────────────────┘
//!                      with a different token
//! ```

use core::{fmt, time::Duration};

use super::{Call, Errcode};
use crate::{Act, Failure, Fingerprint, Instant, Meaning, Phase, Product, Token, jitter, refusal::meaning};

/// The most attempts one call can cost: three while the platform is busy or out of reach, and one with another token.
pub const MAX_ATTEMPTS: u8 = 4;

/// Waits between attempts; with them, the three tries that WeCom's return code list advises for -1.
const MAX_WAITS: u8 = 2;
/// The first wait when it passes soon; the second is twice as long. Up to as much again is added, by chance.
const BACKOFF_MS: u32 = 1_000;
/// The quota of a minute (45011 says "retry next minute") and WeCom's penalty for a minute's limit (document 90454).
const MINUTE_MS: u32 = 60_000;

/// Takes one [`Call`] to its end: a pure machine that is told the time, says what to do, and is told what happened.
///
/// Bounded in all directions: at most [`MAX_ATTEMPTS`] attempts, at most one of them with a second token, never one with
/// the token that was refused, none after its time is over. It fetches nothing itself: a token that was refused is named
/// for [`Keeper::report_refused`](crate::Keeper::report_refused), and the keeper decides. A call that may have been
/// executed and was not answered is sent again only if it [says](Call::with_idempotence) that this does no harm.
///
/// - **[`poll`](Self::poll)** says what to do now; polling early is harmless;
/// - **`handle_*`** end an attempt; without one under way they change nothing;
/// - **getters**: [`errcode`](Self::errcode), [`ends_at`](Self::ends_at).
///
/// ```
/// use wxtoken_core::*;
/// # use core::time::Duration;
/// # let account = Account::new(&Endpoint::WORK, "ww0123456789abcdef", "secret").unwrap();
/// # let mut keeper = Keeper::new(account.endpoint(), 1);
/// # let now = Instant::from_millis(1_000);
/// # let Action::Fetch(fetch) = keeper.poll(now) else { panic!() };
/// # keeper.handle_response(fetch.ticket(), now, 200, br#"{"access_token":"t1","expires_in":7200}"#);
/// # let exchange = |_: CallRequest<'_, '_>| (200, &br#"{"errcode":0,"errmsg":"ok"}"#[..]);
/// let call = Call::post("/cgi-bin/message/send", b"{}")?;
/// let mut healing = Healing::new(&call, account.endpoint().product(), 17, now, Duration::from_secs(60));
/// let ended = loop {
///     match healing.poll(now, keeper.token(now), keeper.poll_at()) {
///         Todo::Send(token) => {
///             let (status, body) = exchange(call.request(account.base(), token));
///             let mut reader = ErrcodeReader::new();
///             reader.push(body);
///             healing.handle_reply(now, status, reader.finish()); // or handle_failure
///         }
///         Todo::Report(seen) => drop(keeper.report_refused(now, seen)),
///         Todo::Refresh(until) => { /* poll the keeper, make its exchange, sleep until then */ }
///         Todo::Wait(until) => { /* sleep until then */ }
///         Todo::Done => break Ok(()),
///         Todo::GiveUp(why) => break Err(why),
///     }
/// };
/// assert_eq!(ended, Ok(()));
/// # Ok::<(), BadCall>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Healing {
    product: Product,
    idempotent: bool,
    replayable: bool,
    any_reply: bool,
    seed: u64,
    ends_at: u64,
    state: State,
    /// The token that was refused: the call is never sent with it again.
    refused: Option<Fingerprint>,
    waits: u8,
    /// An attempt went without an answer, so it may have been executed.
    unanswered: bool,
    errcode: Option<i32>,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum State {
    Ready {
        at: u64,
    },
    Sent(Fingerprint),
    /// To be said once, and then to go on or to end.
    Report(Fingerprint, Option<GaveUp>),
    Done,
    Over(GaveUp),
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(clippy::exhaustive_enums, reason = "a driver must do all of these, and they are all there can be")]
pub enum Todo<'t> {
    /// Write the call's request anew with this token, make one exchange, and hand in its result.
    Send(&'t Token),
    /// Tell the keeper that this token was refused. It is said once for each attempt that was refused.
    Report(Fingerprint),
    /// There is no token, or only the one that was refused: do what the keeper says, and poll again at this instant.
    Refresh(Instant),
    /// Poll again at this instant.
    Wait(Instant),
    /// The call is over and its reply is the answer, be it a refusal that neither waiting nor another token mends.
    Done,
    /// The call is over and could not be healed.
    GiveUp(GaveUp),
}

/// Why a call was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GaveUp {
    /// There was no valid token in time. The keeper's trouble says why.
    NoToken,
    /// The token was refused, and no different one came in time. It was reported.
    NoOtherToken,
    /// A second, different token was refused as well: fetching is not the cure. Both were reported.
    RefusedAgain,
    /// The token was refused and reported, and the body cannot be sent again: make the call anew.
    BodySpent,
    /// The platform stayed busy, or a minute's quota used up, for longer than this call waits.
    Busy,
    /// There was no connection in time; nothing was sent.
    NotSent,
    /// It may have been executed: there was no reply that makes sense, and sending it again might execute it twice, or
    /// was tried often enough.
    Unanswered,
    /// This HTTP status, without an errcode to explain it. From 500 on it may have been executed.
    Status(u16),
}

impl GaveUp {
    /// Whether the platform may have executed the call all the same.
    #[must_use]
    pub const fn maybe_executed(self) -> bool {
        matches!(self, Self::Unanswered | Self::Status(500..))
    }

    /// What happened and what to do, for a person, in one line.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoToken => "no valid token in time; what stands in the way of fetching one is said there",
            Self::NoOtherToken => "the token was refused, and no different one came in time; call again later",
            Self::RefusedAgain => {
                "two different tokens were refused; does another program rotate them, or is it another account's API?"
            }
            Self::BodySpent => "the token was refused and the body cannot be sent again; make the call anew",
            Self::Busy => "the platform is busy or the minute's quota is used up; call again later",
            Self::NotSent => "no connection; nothing was sent, call again later",
            Self::Unanswered => "no reply that makes sense; it may have been executed all the same",
            Self::Status(_) => "an HTTP status without an errcode; does a proxy sit in between?",
        }
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for GaveUp {}

impl Healing {
    /// The way of one call that begins now, as `product` speaks, and begins no attempt after `limit`. `seed` spreads its
    /// waits, as a keeper's does.
    #[must_use]
    pub const fn new(call: &Call<'_>, product: Product, seed: u64, now: Instant, limit: Duration) -> Self {
        Self {
            product,
            idempotent: call.is_idempotent(),
            replayable: call.body().is_replayable(),
            any_reply: call.takes_any_reply(),
            seed,
            ends_at: now.saturating_add(limit).as_millis(),
            state: State::Ready { at: now.as_millis() },
            refused: None,
            waits: 0,
            unanswered: false,
            errcode: None,
        }
    }

    /// Says what to do at `now`. `held` is the keeper's [`token`](crate::Keeper::token) and `next_fetch_at` its
    /// [`poll_at`](crate::Keeper::poll_at), by which a call knows at once that no token will come in time.
    pub fn poll<'t>(&mut self, now: Instant, held: Option<&'t Token>, next_fetch_at: Instant) -> Todo<'t> {
        if matches!(self.state, State::Sent(_)) && now.as_millis() > self.ends_at {
            self.handle_failure(now, Failure::MaybeSent);
        }
        match self.state {
            State::Done => Todo::Done,
            State::Over(why) => Todo::GiveUp(why),
            State::Sent(_) => Todo::Wait(self.ends_at().saturating_add(Duration::from_millis(1))),
            State::Report(seen, end) => {
                self.state = end.map_or(State::Ready { at: now.as_millis() }, State::Over);
                Todo::Report(seen)
            }
            State::Ready { at } if now.as_millis() < at => Todo::Wait(Instant::from_millis(at)),
            State::Ready { .. } => self.ready(now, held, next_fetch_at),
        }
    }

    fn ready<'t>(&mut self, now: Instant, held: Option<&'t Token>, next_fetch_at: Instant) -> Todo<'t> {
        let late = now > self.ends_at();
        let different = held.filter(|token| Some(token.fingerprint()) != self.refused);
        match different {
            Some(token) if !late => {
                self.state = State::Sent(token.fingerprint());
                Todo::Send(token)
            }
            None if !late && next_fetch_at <= self.ends_at() => Todo::Refresh(next_fetch_at),
            _ => {
                let why = if self.refused.is_some() { GaveUp::NoOtherToken } else { GaveUp::NoToken };
                self.state = State::Over(why);
                Todo::GiveUp(why)
            }
        }
    }

    /// Ends an attempt that got a reply.
    pub fn handle_reply(&mut self, now: Instant, status: u16, errcode: Errcode) {
        let State::Sent(used) = self.state else {
            return;
        };
        self.errcode = errcode.refused();
        // An errcode explains itself at any status.
        self.state = if let Some(code) = self.errcode {
            self.judge(now, used, meaning(self.product, Phase::Using, code))
        } else if !(200..300).contains(&status) {
            match status {
                500.. => self.unanswered(now, GaveUp::Status(status)),
                _ => State::Over(GaveUp::Status(status)),
            }
        } else if errcode == Errcode::Unclear || (errcode == Errcode::NoObject && !self.any_reply) {
            self.unanswered(now, GaveUp::Unanswered)
        } else {
            State::Done
        };
    }

    /// Ends an attempt that got no reply.
    pub fn handle_failure(&mut self, now: Instant, failure: Failure) {
        if matches!(self.state, State::Sent(_)) {
            self.errcode = None;
            self.state = match failure {
                // "Nothing was sent" must hold for all attempts.
                Failure::NotSent if self.unanswered => self.wait(now, self.backoff(), GaveUp::Unanswered),
                Failure::NotSent => self.wait(now, self.backoff(), GaveUp::NotSent),
                Failure::MaybeSent => self.unanswered(now, GaveUp::Unanswered),
            };
        }
    }

    fn judge(&mut self, now: Instant, used: Fingerprint, meaning: Meaning) -> State {
        match (meaning.act(), meaning) {
            (Act::Refresh, _) => {
                let end = match self.refused {
                    Some(_) => Some(GaveUp::RefusedAgain),
                    None if self.replayable => None,
                    None => Some(GaveUp::BodySpent),
                };
                self.refused = Some(used);
                State::Report(used, end)
            }
            // Refused before it was executed, so sending it again does no harm.
            (_, Meaning::Busy | Meaning::TooManyAtOnce) => self.again(now, self.backoff(), GaveUp::Busy),
            (_, Meaning::MinuteQuota | Meaning::FrequencyLimit) => self.again(now, MINUTE_MS, GaveUp::Busy),
            _ => State::Done,
        }
    }

    fn unanswered(&mut self, now: Instant, why: GaveUp) -> State {
        self.unanswered = true;
        if self.idempotent { self.again(now, self.backoff(), why) } else { State::Over(why) }
    }

    /// Waits, if the body can be sent again.
    fn again(&mut self, now: Instant, wait_ms: u32, why: GaveUp) -> State {
        if self.replayable { self.wait(now, wait_ms, why) } else { State::Over(why) }
    }

    /// Waits, if there are tries and time left.
    fn wait(&mut self, now: Instant, wait_ms: u32, why: GaveUp) -> State {
        let spread = jitter::up_to(BACKOFF_MS, self.seed, u64::from(self.waits));
        let at = now.as_millis().saturating_add(u64::from(wait_ms.saturating_add(spread)));
        if self.waits >= MAX_WAITS || at > self.ends_at {
            return State::Over(why);
        }
        self.waits = self.waits.saturating_add(1);
        State::Ready { at }
    }

    const fn backoff(&self) -> u32 {
        if self.waits == 0 { BACKOFF_MS } else { 2 * BACKOFF_MS }
    }

    /// The errcode of the last reply, unless it was 0 or there was none.
    #[must_use]
    pub const fn errcode(&self) -> Option<i32> {
        self.errcode
    }

    /// No attempt begins after this.
    #[must_use]
    pub const fn ends_at(&self) -> Instant {
        Instant::from_millis(self.ends_at)
    }

    /// Whether the last reply is the answer.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Whether an attempt is under way.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        matches!(self.state, State::Sent(_))
    }
}
