//! What is one attempt? Leave from the store, one exchange within its limit, its outcome handed to the keeper, what came
//! of it published to readers and then stored.

use std::{sync::Arc, time::Duration};

use wxtoken::{
    EXCHANGE_LIMIT_MS, Failure, Reason, TransportError,
    core::{Action, Fetch, Outcome, Repeat},
};

use crate::{
    engine::{Cell, Inner, State},
    events,
    snapshot::Held,
    store::{Attempt, Believed, Claim, Claimed, Failing, Lease, Moment, Record, believe, ledger, write_down},
    upstream::Response,
};

/// One exchange may take this long, connecting included.
const EXCHANGE_LIMIT: Duration = Duration::from_millis(EXCHANGE_LIMIT_MS as u64);
/// A store that does not answer a claim within this is gone on without.
const CLAIM_LIMIT: Duration = Duration::from_secs(2);
/// So often a newer record in the store is outranked; each time another server must have been faster.
const SAVE_TRIES: usize = 3;
/// After this an exchange has ended for whoever made it, whatever became of them.
const LEASE_MS: u64 = 15_000;
/// After this it has been executed on the platform, or never will be; core's quiet window.
const QUIET_MS: u64 = 75_000;

/// Makes one attempt for a credential that the agenda gave out, and plans the next.
pub(crate) async fn attempt(inner: Arc<Inner>, cell: Arc<Cell>) {
    // Both end however this ends, a panic included.
    let running = Running { inner: &inner, cell: &cell };
    let at_host = AtHost { inner: &inner, cell: &cell, left: false };
    try_once(&inner, &cell, at_host).await;
    drop(running);
}

async fn try_once(inner: &Arc<Inner>, cell: &Arc<Cell>, mut at_host: AtHost<'_>) {
    let above = match &cell.parent {
        None => None,
        // The parent's next token plans this one again.
        Some(parent) => match parent.snapshot().valid(inner.clock.now()) {
            Some(held) => Some(held.clone()),
            None => return,
        },
    };
    let attempt = match leave(inner, cell).await {
        Leave::Granted(attempt) => attempt,
        Leave::NotNow => return,
    };
    let Some(fetch) = begin(inner, cell) else {
        // News came between the two: nothing is due any more.
        end_lease(inner, cell, attempt).await;
        return;
    };
    events::fetching(cell, fetch.is_forced());
    let reply = exchange(inner, cell, fetch, above.as_deref()).await;
    // The next account need not wait for our disk.
    at_host.leave();
    let outcome = conclude(inner, cell, fetch, reply, above.as_deref());
    store(inner, cell, attempt, &outcome).await;
}

enum Leave {
    Granted(Attempt),
    NotNow,
}

/// Asks the store for leave. A store that fails is gone on without.
async fn leave(inner: &Arc<Inner>, cell: &Arc<Cell>) -> Leave {
    let at = inner.moment();
    let claim = {
        let mut state = cell.lock();
        if let Some(unix) = at.unix {
            state.keeper.wall_clock(at.now, unix.as_secs());
        }
        if state.due_at() > at.now {
            return Leave::NotNow;
        }
        let claim = claim(inner, cell, &state, &at);
        state.lease = Some(claim.lease);
        claim
    };
    let attempt = Attempt { key: cell.key, owner: inner.owner };
    let answer = tokio::time::timeout(CLAIM_LIMIT, inner.coordinator.claim(claim)).await;
    match answer.unwrap_or(Err(Failing::Stuck)) {
        Ok(Claimed::Granted(attempt)) => {
            inner.store_works();
            Leave::Granted(attempt)
        }
        Ok(Claimed::Newer(record)) => {
            cell.lock().lease = None;
            inner.take_up(cell, &believe(&record, &at));
            Leave::NotNow
        }
        Ok(Claimed::Busy { until_ms }) => {
            let wait = Duration::from_millis(until_ms.saturating_sub(at.unix_ms()).clamp(1, QUIET_MS));
            let mut state = cell.lock();
            state.hold_until = at.now.saturating_add(wait);
            state.lease = None;
            cell.publish(&mut state, at.now);
            drop(state);
            events::left_to_another(cell, wait);
            Leave::NotNow
        }
        Err(failing) => {
            inner.store_fails(cell, failing);
            Leave::Granted(attempt)
        }
    }
}

/// What is asked of the store, with this exchange counted into the ledger.
fn claim(inner: &Inner, cell: &Cell, state: &State, at: &Moment) -> Claim {
    let keeper = &state.keeper;
    let taken_at_ms = at.unix_ms();
    let rotates = keeper.endpoint().repeat() == Repeat::Rotates;
    let mut after = keeper.clone();
    after.poll(at.now);
    Claim {
        key: cell.key,
        generation: state.generation(),
        lease: Lease {
            owner: inner.owner,
            taken_at_ms,
            exchange_until_ms: taken_at_ms.saturating_add(LEASE_MS),
            quiet_until_ms: taken_at_ms.saturating_add(if rotates { QUIET_MS } else { LEASE_MS }),
        },
        nothing_held: keeper.token(at.now).is_none(),
        ledger: ledger(&after, at),
    }
}

fn begin(inner: &Inner, cell: &Arc<Cell>) -> Option<Fetch> {
    let now = inner.clock.now();
    let mut state = cell.lock();
    if state.due_at() > now {
        return None;
    }
    let action = state.keeper.poll(now);
    cell.publish(&mut state, now);
    match action {
        Action::Fetch(fetch) => Some(fetch),
        Action::Wait(_) => None,
    }
}

async fn exchange(inner: &Inner, cell: &Cell, fetch: Fetch, above: Option<&Held>) -> Result<Response, TransportError> {
    // Always there: the account was checked when the credential was made.
    let account = cell.who.account(cell.kind).ok_or(TransportError::NameNotFound)?;
    let extras = [above.map_or("", Held::as_str)];
    let exchange = inner.transport.exchange(account.request_with(fetch, &extras));
    tokio::time::timeout(EXCHANGE_LIMIT, exchange).await.unwrap_or(Err(TransportError::Timeout))
}

fn conclude(
    inner: &Inner,
    cell: &Arc<Cell>,
    fetch: Fetch,
    reply: Result<Response, TransportError>,
    above: Option<&Held>,
) -> Outcome {
    let now = inner.clock.now();
    let mut state = cell.lock();
    // What refused the token above says nothing of this fetch.
    let refused = reply.as_ref().ok().and_then(|reply| state.keeper.endpoint().refuses_token(&reply.body));
    let outcome = match &reply {
        Ok(_) if refused.is_some() => state.keeper.handle_failure(fetch.ticket(), now, Failure::MaybeSent),
        Ok(reply) => state.keeper.handle_response(fetch.ticket(), now, reply.status, &reply.body),
        Err(error) => state.keeper.handle_failure(fetch.ticket(), now, error.failure()),
    };
    state.detail = match &outcome {
        Outcome::Refused(refusal) => Some(Reason::Refused(Box::new(refusal.clone()))),
        Outcome::Malformed(why) => Some(Reason::Malformed(*why)),
        Outcome::Status(status) => Some(Reason::Status(*status)),
        Outcome::Failed(_) => match (&reply, &refused) {
            (Err(error), _) => Some(Reason::Transport(*error)),
            (Ok(_), refused) => refused.clone().map(|refusal| Reason::Refused(Box::new(refusal))),
        },
        Outcome::Granted { .. } | Outcome::Repeated => None,
        _ => state.detail.take(),
    };
    cell.publish(&mut state, now);
    let (generation, remaining) = (state.generation(), state.keeper.remaining(now));
    let (trouble, next_in) = (state.trouble(), state.due_at().saturating_since(now));
    drop(state);
    inner.tallies.fetches.count(match (&outcome, &trouble) {
        (Outcome::Granted { .. }, _) => "granted",
        (Outcome::Repeated, _) => "repeated",
        (_, Some(reason)) => reason.class(),
        _ => "stale",
    });
    // Not under the lock: a subscriber may well ask the engine something.
    match (&outcome, trouble) {
        (Outcome::Granted { .. }, _) => events::granted(cell, generation, remaining),
        (Outcome::Repeated, _) => events::repeated(cell, generation, remaining),
        (Outcome::Stale, _) => events::stale(cell),
        (_, Some(reason)) => {
            events::failed(cell, &reason, next_in, remaining);
            if let (Some(_), Some(parent), Some(held)) = (refused, &cell.parent, above) {
                inner.report(parent, held.fingerprint().into());
            }
        }
        _ => {}
    }
    if matches!(outcome, Outcome::Granted { .. }) {
        inner.tell(cell, generation);
    }
    outcome
}

/// Brings what is held onto the disk. Readers have it already.
async fn store(inner: &Arc<Inner>, cell: &Arc<Cell>, attempt: Attempt, outcome: &Outcome) {
    match outcome {
        Outcome::Granted { .. } | Outcome::Repeated => {
            cell.lock().lease = None;
            inner.save(cell).await;
        }
        Outcome::Failed(Failure::MaybeSent) => end(inner, cell, attempt, true).await,
        _ => end(inner, cell, attempt, false).await,
    }
}

async fn end_lease(inner: &Arc<Inner>, cell: &Arc<Cell>, attempt: Attempt) {
    end(inner, cell, attempt, false).await;
}

async fn end(inner: &Arc<Inner>, cell: &Arc<Cell>, attempt: Attempt, maybe_executed: bool) {
    let at = inner.moment();
    let (ledger, rotates) = {
        let mut state = cell.lock();
        state.lease = None;
        (ledger(&state.keeper, &at), state.keeper.endpoint().repeat() == Repeat::Rotates)
    };
    let until_ms = if maybe_executed && rotates { at.unix_ms().saturating_add(QUIET_MS) } else { 0 };
    match inner.coordinator.fail(attempt, ledger, until_ms).await {
        Ok(()) => inner.store_works(),
        Err(failing) => inner.store_fails(cell, failing),
    }
}

impl Inner {
    /// Stores what a credential's keeper holds. Where the store knows a higher number, the credential that lives longer was
    /// fetched later, and is kept.
    pub(crate) async fn save(self: &Arc<Self>, cell: &Arc<Cell>) {
        for _ in 0..SAVE_TRIES {
            let at = self.moment();
            let (record, remaining) = {
                let state = cell.lock();
                let lease = state.lease;
                (Record { lease, ..write_down(&state.keeper, state.generation(), &at) }, state.keeper.remaining(at.now))
            };
            // Before, not after: what changes meanwhile is unsaved again.
            cell.set_unsaved(false);
            match self.coordinator.commit(Attempt { key: cell.key, owner: self.owner }, record).await {
                Ok(None) => return self.store_works(),
                Err(failing) => return self.store_fails(cell, failing),
                Ok(Some(newer)) => {
                    let believed = believe(&newer, &at);
                    if remaining.is_zero() || believed.snapshot().is_some_and(|other| other.remaining > remaining) {
                        self.take_up(cell, &believed);
                        return self.store_works();
                    }
                    let mut state = cell.lock();
                    state.outrank(believed.generation.saturating_add(1));
                    cell.publish(&mut state, at.now);
                }
            }
        }
    }

    /// Takes up what the store holds: after a restart, or because another server fetched it.
    pub(crate) fn take_up(&self, cell: &Arc<Cell>, believed: &Believed) -> bool {
        let now = self.clock.now();
        let mut state = cell.lock();
        let taken = state.restore(now, believed);
        cell.publish(&mut state, now);
        let (generation, remaining) = (state.generation(), state.keeper.remaining(now));
        drop(state);
        if taken {
            events::taken_up(cell, generation, remaining);
            self.tell(cell, generation);
        }
        taken
    }
}

/// An attempt ends, and the next is planned.
struct Running<'a> {
    inner: &'a Arc<Inner>,
    cell: &'a Arc<Cell>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.inner.agenda.end(self.cell);
        // After the end: what was planned while it ran was left to this.
        self.inner.plan(self.cell);
        self.inner.agenda.planned_anew();
    }
}

/// The host's slot is free again.
struct AtHost<'a> {
    inner: &'a Arc<Inner>,
    cell: &'a Arc<Cell>,
    left: bool,
}

impl AtHost<'_> {
    fn leave(&mut self) {
        if !self.left {
            self.left = true;
            self.inner.agenda.leave_host(self.cell);
        }
    }
}

impl Drop for AtHost<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
