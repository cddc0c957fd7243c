//! When to fetch, and what is valid now?
//!
//! ```text
//!             poll: it is time                     handle_response: a token
//!   RESTING ─────────────────────▶ IN FLIGHT ─────────────────────────────▶ RESTING until the lead before expiry
//!      ▲                             │   │        (never sooner than the floor)
//!      │  not_before / quiet_until   │   │ poll after lost_after: nobody spoke of it
//!      └─────────────────────────────┘   ▼
//!         handle_failure, a refusal,   counts as "maybe executed"
//!         or a malformed reply
//! ```
//!
//! Beside this stands what is held: nothing, a token, or a token that somebody reported as refused. The two change
//! independently: a failure never touches the token, a report never touches the wait.

use core::fmt;

use crate::{Endpoint, Fingerprint, Instant, Malformed, Meaning, Policy, Refusal, Token};

mod asleep;
mod news;
mod outcome;
mod schedule;

pub use asleep::Asleep;
pub use news::{Ledger, ReportOutcome, Snapshot};

const DAY_MS: u64 = 86_400_000;

/// The state machine that keeps one credential valid. It holds no string of the account, no transport, no clock and no
/// lifetime; it is told the time, says what to do, and is told what happened.
///
/// Four kinds of method:
/// - **getters** (`&self`): [`token`](Self::token), [`remaining`](Self::remaining), [`poll_at`](Self::poll_at) …;
/// - **[`poll`](Self::poll)**, which says what to do now; polling early is harmless;
/// - **`handle_*`**, which end an exchange; each exchange has a [`Ticket`], and a late result changes nothing;
/// - **news from the application**: [`report_refused`](Self::report_refused), [`rotate`](Self::rotate),
///   [`restore`](Self::restore), [`configuration_changed`](Self::configuration_changed),
///   [`wall_clock`](Self::wall_clock).
///
/// ```
/// use wxtoken_core::{Account, Action, Endpoint, Instant, Keeper};
///
/// let account = Account::new(&Endpoint::STABLE_TOKEN, "wx0123456789abcdef", "secret")?;
/// let mut keeper = Keeper::new(account.endpoint(), 42);
/// let now = Instant::from_millis(1_000);
/// if let Action::Fetch(fetch) = keeper.poll(now) {
///     let request = account.request(fetch);
///     // ... one exchange, then:
///     let body = br#"{"access_token":"accesstoken000001","expires_in":7200}"#;
///     keeper.handle_response(fetch.ticket(), now, 200, body);
/// }
/// assert_eq!(keeper.token(now).map(|t| t.as_str()), Some("accesstoken000001"));
/// # Ok::<(), wxtoken_core::BadAccount>(())
/// ```
///
/// It is at most [`Self::MAX_SIZE`] bytes on a 32-bit target, the 512 bytes of the token included, and needs no heap.
/// The token is wiped when it is replaced and when the keeper is dropped.
#[derive(Clone)]
pub struct Keeper {
    endpoint: &'static Endpoint,
    seed: u64,
    // Instants, in milliseconds of the caller's clock. While in flight: sent_at <= now < sent_at + lost_after.
    // While a token is held: granted (expires_at - life) <= refresh_at <= expires_at, except after a repeat.
    expires_at: u64,
    sent_at: u64,
    not_before: u64,
    quiet_until: u64,
    /// When the daily ledger starts anew; 0 while nothing has been counted and midnight is unknown.
    day_ends_at: u64,
    life_ms: u32,
    /// How long before expiry to fetch; 0 for "once the expiry has certainly passed".
    lead_ms: u32,
    ticket: u32,
    generation: u32,
    trouble: Option<Trouble>,
    policy: Policy,
    day_fetches: u16,
    day_forced: u8,
    /// Failures in a row of the same family.
    streak: u8,
    /// Tokens in a row that were reported refused soon after they came.
    refused_streak: u8,
    in_flight: bool,
    flight_forced: bool,
    /// The exchange in flight began with the token reported as refused: a token server hears of that in it.
    flight_reports: bool,
    /// The token held was reported refused: it is kept for comparison and no longer handed out.
    refused: bool,
    /// The one report without consequence has been used for this token.
    graced: bool,
    /// The token held was reported refused, and the platform handed it out again all the same.
    reaffirmed: bool,
    /// A forced refresh is wanted until a different token arrives.
    force_pending: bool,
    /// The ledger's day is the platform's day: wall time is known.
    day_known: bool,
    token: Token,
}

const _: () =
    assert!(size_of::<usize>() != 4 || size_of::<Keeper>() <= Keeper::MAX_SIZE, "the keeper outgrew what it promises");

impl Keeper {
    /// The most bytes a keeper takes on a 32-bit target; asserted at compile time.
    pub const MAX_SIZE: usize = 640;

    /// A keeper that holds nothing and wants to fetch at once, under the endpoint's own policy.
    ///
    /// `seed` drives all jitter: on a server a hash of the account, so that replicas agree; on a device its serial
    /// number, so that ten thousand of them do not come together.
    #[must_use]
    pub const fn new(endpoint: &'static Endpoint, seed: u64) -> Self {
        Self::with_policy(endpoint, endpoint.policy, seed)
    }

    /// The same under another policy.
    #[must_use]
    pub const fn with_policy(endpoint: &'static Endpoint, policy: Policy, seed: u64) -> Self {
        Self {
            endpoint,
            seed,
            expires_at: 0,
            sent_at: 0,
            not_before: 0,
            quiet_until: 0,
            day_ends_at: 0,
            life_ms: 0,
            lead_ms: 0,
            ticket: 0,
            generation: 0,
            trouble: None,
            policy,
            day_fetches: 0,
            day_forced: 0,
            streak: 0,
            refused_streak: 0,
            in_flight: false,
            flight_forced: false,
            flight_reports: false,
            refused: false,
            graced: false,
            reaffirmed: false,
            force_pending: false,
            day_known: false,
            token: Token::vacant(),
        }
    }

    /// The endpoint it fetches from.
    #[must_use]
    pub const fn endpoint(&self) -> &'static Endpoint {
        self.endpoint
    }

    /// The token that was reported as refused and has not been replaced, for a token server to be told of; see
    /// [`Request::reporting`](crate::Request::reporting).
    #[must_use]
    pub fn refused(&self) -> Option<Fingerprint> {
        if self.refused && self.holds() { Some(self.token.fingerprint()) } else { None }
    }

    /// The numbers it goes by.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The credential, if one is valid at `now`: held, not expired, not reported refused.
    #[must_use]
    pub fn token(&self, now: Instant) -> Option<&Token> {
        self.is_valid(now.as_millis()).then_some(&self.token)
    }

    /// How much life is left of what [`token`](Self::token) would return; zero when it would return nothing.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> core::time::Duration {
        match self.is_valid(now.as_millis()) {
            true => Instant::from_millis(self.expires_at).saturating_since(now),
            false => core::time::Duration::ZERO,
        }
    }

    /// Counts the different tokens held so far; each new one has a higher number. 0 before the first.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The exchange under way, if any.
    #[must_use]
    pub const fn in_flight(&self) -> Option<Ticket> {
        if self.in_flight { Some(Ticket(self.ticket)) } else { None }
    }

    /// What went wrong with the last exchange; `None` once one succeeds.
    #[must_use]
    pub const fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    fn holds(&self) -> bool {
        !self.token.is_empty()
    }

    fn is_valid(&self, now: u64) -> bool {
        self.holds() && !self.refused && now < self.expires_at
    }

    fn granted_at(&self) -> u64 {
        self.expires_at.saturating_sub(u64::from(self.life_ms))
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("endpoint", &self.endpoint.name)
            .field("token", &self.token)
            .field("generation", &self.generation)
            .field("expires_at", &self.expires_at)
            .field("poll_at", &self.poll_at())
            .field("in_flight", &self.in_flight())
            .field("refused", &self.refused)
            .field("fetches_today", &self.day_fetches)
            .field("trouble", &self.trouble)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Keeper {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Keeper({=str} {} generation={=u32} expires_at={=u64} poll_at={} in_flight={} refused={=bool} trouble={})",
            self.endpoint.name,
            self.token,
            self.generation,
            self.expires_at,
            self.poll_at(),
            self.in_flight(),
            self.refused,
            self.trouble
        );
    }
}

/// Which exchange is meant. A result that comes with an older ticket is stale and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ticket(u32);

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(clippy::exhaustive_enums, reason = "a driver must handle every action, and these two are all there can be")]
pub enum Action {
    /// Make one exchange now and hand its result to `handle_response` or `handle_failure`.
    Fetch(Fetch),
    /// Nothing before this instant, unless news comes. Polling earlier is harmless.
    Wait(Instant),
}

/// Leave for one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fetch {
    ticket: Ticket,
    forced: bool,
}

impl Fetch {
    /// Names this exchange when its result is handed in.
    #[must_use]
    pub const fn ticket(self) -> Ticket {
        self.ticket
    }

    /// Whether the platform is asked for a new token even though the old one has not expired.
    #[must_use]
    pub const fn is_forced(self) -> bool {
        self.forced
    }

    #[cfg(test)]
    pub(crate) const fn example(forced: bool) -> Self {
        Self { ticket: Ticket(1), forced }
    }
}

/// How an exchange failed before there was a reply to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Failure {
    /// The platform cannot have seen it: name not resolved, connection refused, TLS not agreed. Costs no quota.
    NotSent,
    /// It may have been executed: timed out, reset or cut after sending began. When in doubt, this one.
    MaybeSent,
}

/// What came of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Outcome {
    /// A different token is held now.
    Granted {
        /// Its number.
        generation: u32,
    },
    /// The platform repeated the token already held.
    Repeated,
    /// The platform refused.
    Refused(Refusal),
    /// The reply made no sense. What was held stays.
    Malformed(Malformed),
    /// The HTTP status was not 200, and no errcode explained it. What was held stays.
    Status(u16),
    /// There was no reply. What was held stays.
    Failed(Failure),
    /// The ticket is not the exchange in flight: nothing changed.
    Stale,
}

/// What went wrong with the last exchange, small enough to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Trouble {
    /// There was no reply.
    Failed(Failure),
    /// Nobody handed in a result in time. Counts as maybe executed.
    Lost,
    /// An HTTP status other than 200 without an errcode.
    Status(u16),
    /// The reply made no sense.
    Malformed(Malformed),
    /// The platform refused.
    Refused {
        /// The number the platform sent.
        errcode: i32,
        /// What it means.
        meaning: Meaning,
    },
}

impl Trouble {
    const fn maybe_executed(self) -> bool {
        matches!(self, Self::Failed(Failure::MaybeSent) | Self::Lost)
    }
}

#[cfg(test)]
mod tests;
