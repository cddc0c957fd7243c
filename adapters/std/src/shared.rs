//! Who fetches, and what do the others do meanwhile? One attempt at a time, made without the lock; the others use the
//! token that is still valid, or wait for the outcome until their own deadline.
//!
//! ```text
//!   token()   valid and at rest ──▶ hand it out                        (nothing else happens: the hot path)
//!             valid, refresh due ─▶ wake the refresher, hand it out    (or, without one: attempt, hand out what is valid)
//!             none, due ──────────▶ the refresher, or this caller, attempts; all wait
//!             none, under way ────▶ wait for news until the deadline
//!             none, next try too late for the deadline ──▶ fail at once, with the reason and the time of the next try
//! ```

use std::{sync::Arc, time::Duration};

use wxtoken_core::{BadCall, Base, Call, Instant, Scheme};

use crate::{
    cache::Cache,
    call::{CallError, CallReason},
    clock::{Alarm, Clock},
    error::Error,
    held::TokenRef,
    identity::Identity,
    state::{Refresher, State},
    sync::{Condvar, Mutex, MutexGuard, spawn},
    ticket::Below,
    transport::Transport,
};

/// Where calls go.
pub(crate) struct Api {
    /// Elsewhere than where credentials are fetched, if so.
    pub(crate) base: Option<String>,
    /// Also in the clear to a host that is not loopback.
    pub(crate) plain_http: bool,
}

pub(crate) struct Shared {
    pub(crate) who: Identity,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) cache: Option<Cache>,
    /// Whose token is needed to fetch: that of a ticket.
    pub(crate) below: Option<Below>,
    /// How long one attempt at a call may take that moves nothing large.
    pub(crate) exchange_limit: Duration,
    pub(crate) api: Api,
    state: Mutex<State>,
    /// Callers wait here for the outcome of an attempt.
    news: Condvar,
    /// The refresher waits here for work.
    work: Condvar,
}

impl Shared {
    pub(crate) fn new(
        who: Identity,
        (clock, transport): (Arc<dyn Clock>, Arc<dyn Transport>),
        cache: Option<Cache>,
        below: Option<Below>,
        (api, exchange_limit): (Api, Duration),
        state: State,
    ) -> Arc<Self> {
        let shared = Arc::new(Self {
            who,
            clock,
            transport,
            cache,
            below,
            exchange_limit,
            api,
            state: Mutex::new(state),
            news: Condvar::new(),
            work: Condvar::new(),
        });
        shared.clock.subscribe(Alarm(Arc::downgrade(&shared)));
        shared
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Everybody looks at the clock and the state again. The lock is taken for a moment so that nobody is between
    /// looking and waiting.
    pub(crate) fn wake_everybody(&self) {
        drop(self.lock());
        self.news.notify_all();
        self.work.notify_all();
    }

    /// Waits for news until `until` at the latest. May return early.
    pub(crate) fn wait<'a>(&self, state: MutexGuard<'a, State>, until: Instant) -> MutexGuard<'a, State> {
        self.wait_at(&self.news, state, until)
    }

    fn wait_at<'a>(&self, place: &Condvar, state: MutexGuard<'a, State>, until: Instant) -> MutexGuard<'a, State> {
        match until.saturating_since(self.now()) {
            Duration::ZERO => state,
            left => place.wait(state, self.clock.real_wait(left)),
        }
    }

    pub(crate) fn token_within(self: &Arc<Self>, wait: Duration) -> Result<TokenRef, Error> {
        // Read before the lock is taken: the shorter it is held, the better.
        let start = self.now();
        let mut state = self.lock();
        if let Some(token) = state.at_rest(start) {
            return Ok(token);
        }
        let deadline = start.saturating_add(wait);
        let mut attempted = false;
        // The first look is at the start of the wait: this thread may come to run late, and then a short wait must still
        // be worth the one try that was asked for.
        let mut now = start;
        loop {
            let valid = state.valid(now);
            let (back, made) = self.tend(state, now, now < deadline && !(attempted && valid.is_some()));
            state = back;
            if made {
                attempted = true;
                now = self.now();
                continue;
            }
            if let Some(token) = valid {
                return Ok(token);
            }
            if !state.busy() && state.poll_at() > deadline {
                let (reason, next_in) = state.why_not(now);
                return Err(Error::new(reason, next_in));
            }
            if now >= deadline {
                return Err(Error::Deadline { waited: now.saturating_since(start) });
            }
            // While an attempt is under way, its exchange may get lost before the deadline, and be ours to repeat.
            let until = if state.poll_at() > now { deadline.min(state.poll_at()) } else { deadline };
            state = self.wait(state, until);
            now = self.now();
        }
    }

    /// Sees to the attempt that is due: leaves it to the refresher, or makes it, if the caller `may`. Returns the lock, and
    /// whether it was given up for an attempt.
    pub(crate) fn tend<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        now: Instant,
        may: bool,
    ) -> (MutexGuard<'a, State>, bool) {
        if !state.due(now) {
            return (state, false);
        }
        if self.left_to_refresher(&mut state) {
            self.work.notify_all();
            return (state, false);
        }
        if !may {
            return (state, false);
        }
        drop(state);
        self.attempt();
        (self.lock(), true)
    }

    /// Whether the refresher will make the attempt that is due. It will not while it hangs in an earlier one.
    fn left_to_refresher(self: &Arc<Self>, state: &mut State) -> bool {
        if state.refresher == Refresher::Wanted {
            let shared = Arc::clone(self);
            let started = spawn("wxtoken", move || shared.refresh_until_closed());
            state.refresher = if started { Refresher::Idle } else { Refresher::None };
        }
        state.refresher == Refresher::Idle && !state.busy()
    }

    /// The life of the refresher.
    fn refresh_until_closed(&self) {
        let mut state = self.lock();
        while !state.closed {
            let now = self.now();
            if !state.busy() && state.due(now) {
                state.refresher = Refresher::Attempting;
                drop(state);
                self.attempt();
                state = self.lock();
                state.refresher = Refresher::Idle;
            } else {
                // While a caller attempts there is nothing to do; the end of its attempt is news.
                let until = if state.busy() { Instant::from_millis(u64::MAX) } else { state.poll_at() };
                state = self.wait_at(&self.work, state, until);
            }
        }
    }

    /// The host that calls go to, unless a call names another. Only one that was accepted with plain http may be asked in
    /// the clear.
    pub(crate) fn call_base<'a>(&'a self, call: &Call<'a>) -> Result<Base<'a>, CallError> {
        let own = self.api.base.as_deref().unwrap_or_else(|| self.who.base());
        let base = match call.base() {
            Some(base) => base,
            // Always one: it was checked when the client was built.
            None => Base::parse(own).map_err(|_| CallError::from(BadCall::Path))?,
        };
        if base.scheme() == Scheme::Http && !base.is_loopback() && !self.api.plain_http {
            return Err(CallError::new(CallReason::PlainHttp, false));
        }
        Ok(base)
    }

    /// The last client is gone: the refresher ends.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_all();
    }

    /// Something was reported: whoever waits for an instant must look whether it is still the right one.
    pub(crate) fn changed(&self) {
        self.news.notify_all();
        self.work.notify_all();
    }
}
