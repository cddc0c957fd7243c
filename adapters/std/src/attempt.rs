//! What is one attempt? An exchange made without the lock, its outcome handed to the keeper, everybody woken.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wxtoken_core::{Action, Failure, Fetch, Fingerprint, Outcome, Snapshot};

use crate::{
    cache::{LOCK_LIMIT, LOCK_PAUSE, Locked, Moment, ToStore, TryLock},
    error::Reason,
    events,
    held::TokenRef,
    shared::Shared,
    ticket::Below,
    transport::{Response, TransportError},
};

impl Shared {
    /// Makes one attempt, if one is still due. Returns when it is over; never panics, whatever the transport does.
    pub(crate) fn attempt(&self) {
        let id = {
            let mut state = self.lock();
            if !state.due(self.now()) {
                return;
            }
            state.begin()
        };
        // Ends the attempt and wakes everybody even when a subscriber of `tracing` panics.
        let _busy = Busy { shared: self, id };
        // Without the lock first: a token that another process stored serves at once, even while that one fetches.
        self.take_up();
        if self.lock().keeper.poll_at() > self.now() {
            return;
        }
        // Before the lock on the file and before the exchange begins, for it may take a fetch of its own.
        let token = self.below.as_ref().map(Below::token);
        let locked = self.cache_lock();
        if locked.is_some() {
            self.take_up();
        }
        if let Some((fetch, refused)) = self.still_due() {
            events::fetching(&self.who, fetch.is_forced());
            let tag = self.lock().tag();
            let came = catch_unwind(AssertUnwindSafe(|| self.exchange(fetch, (refused, &tag), token)));
            let outcome = self.conclude(fetch, came.unwrap_or_else(|_| Err(TransportError::Panicked.into())));
            // Not sent: nothing has changed, the ledger neither.
            if let (Some(locked), true) = (locked, outcome != Outcome::Failed(Failure::NotSent)) {
                self.write_down(&locked);
            }
        }
    }

    /// Takes up what another process, or an earlier run, has stored.
    fn take_up(&self) {
        let Some(cache) = &self.cache else { return };
        let Some((moment, stored)) = cache.read(|| self.moment()) else { return };
        let mut state = self.lock();
        let taken = state.restore(moment.now, &stored);
        let (generation, remaining) = (state.keeper.generation(), state.keeper.remaining(moment.now));
        drop(state);
        if taken {
            self.changed();
            events::restored(&self.who, generation, remaining);
        }
    }

    /// Waits for the cache's lock, a bounded time. Without it the fetch is made all the same.
    fn cache_lock(&self) -> Option<Locked> {
        let cache = self.cache.as_ref()?;
        let until = self.now().saturating_add(LOCK_LIMIT);
        loop {
            match cache.try_lock() {
                TryLock::Locked(locked) => return Some(locked),
                TryLock::Impossible => return None,
                TryLock::Busy => {}
            }
            let now = self.now();
            if now >= until {
                cache.lock_is_stuck();
                return None;
            }
            drop(self.wait(self.lock(), now.saturating_add(LOCK_PAUSE)));
        }
    }

    fn write_down(&self, locked: &Locked) {
        let Some(cache) = &self.cache else { return };
        let moment = self.moment();
        let (token, life, ledger) = {
            let state = self.lock();
            let life = state.keeper.snapshot(moment.now).map(|snapshot| snapshot.life);
            (state.valid(moment.now), life, state.keeper.ledger(moment.now))
        };
        // The handle keeps the token alive outside the lock: syncing a disk may take its time.
        let token = token.as_ref().zip(life).map(|(held, life)| Snapshot {
            token: held,
            remaining: held.expires_at().saturating_since(moment.now),
            life,
            generation: held.generation(),
        });
        cache.write(locked, &ToStore { token, ledger }, &moment);
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now(), unix: self.clock.unix_time(), boot_id: self.clock.boot_id() }
    }

    /// Leave for one exchange, and which token was refused before it.
    fn still_due(&self) -> Option<(Fetch, Option<Fingerprint>)> {
        let now = self.now();
        let mut state = self.lock();
        if let Some(unix) = self.clock.unix_time() {
            state.keeper.wall_clock(now, unix.as_secs());
        }
        let given_up = state.keeper.in_flight().is_some();
        let action = state.keeper.poll(now);
        let refused = state.keeper.refused();
        state.sync(now);
        let (next_in, remaining) = (state.poll_at().saturating_since(now), state.keeper.remaining(now));
        drop(state);
        if given_up {
            events::failed(&self.who, &Reason::Lost, next_in, remaining);
        }
        match action {
            Action::Fetch(fetch) => Some((fetch, refused)),
            Action::Wait(_) => None,
        }
    }

    fn exchange(
        &self,
        fetch: Fetch,
        (refused, tag): (Option<Fingerprint>, &str),
        token: Option<Result<TokenRef, Nothing>>,
    ) -> Result<Response, Nothing> {
        // Always there: the account was checked when the client was built.
        let account = self.who.account().ok_or(TransportError::NameNotFound)?;
        match (&self.below, token) {
            (Some(below), Some(token)) => below.exchange(token?, account.endpoint(), |token| {
                Ok(self.transport.exchange(&account.request_with(fetch, &[token.as_str()]))?)
            }),
            _ => Ok(self.transport.exchange(&account.request(fetch).reporting(refused).unless(tag))?),
        }
    }

    fn conclude(&self, fetch: Fetch, reply: Result<Response, Nothing>) -> Outcome {
        let now = self.now();
        let mut state = self.lock();
        let outcome = match &reply {
            Ok(reply) => match (reply.status(), reply.expires_in) {
                // Only ever in answer to a tag.
                (304, Some(expires_in)) if state.is_tagged() => {
                    state.keeper.handle_unchanged(fetch.ticket(), now, expires_in, reply.refresh_after)
                }
                (status, _) => state.keeper.handle_response(fetch.ticket(), now, status, reply.body()),
            },
            Err(nothing) => state.keeper.handle_failure(fetch.ticket(), now, nothing.failure),
        };
        state.take_tag(now, &outcome, reply.as_ref().ok());
        state.outcome(&outcome, reply.err().map(|nothing| nothing.reason));
        state.sync(now);
        let (generation, remaining) = (state.keeper.generation(), state.keeper.remaining(now));
        let (trouble, next_in) = (state.trouble(), state.poll_at().saturating_since(now));
        drop(state);
        self.changed();
        // Not under the lock: a subscriber may well ask the client for its status.
        match (&outcome, trouble) {
            (Outcome::Granted { .. }, _) => events::granted(&self.who, generation, remaining),
            (Outcome::Repeated, _) => events::repeated(&self.who, generation, remaining),
            (Outcome::Stale, _) => events::stale(&self.who),
            (_, Some(reason)) => events::failed(&self.who, &reason, next_in, remaining),
            _ => {}
        }
        outcome
    }
}

/// Why an exchange brought nothing that the keeper could read.
pub(crate) struct Nothing {
    pub(crate) failure: Failure,
    pub(crate) reason: Reason,
}

impl From<TransportError> for Nothing {
    fn from(error: TransportError) -> Self {
        Self { failure: error.failure(), reason: Reason::Transport(error) }
    }
}

/// Ends an attempt however it ends.
struct Busy<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.shared.lock().end(self.id);
        self.shared.changed();
    }
}
