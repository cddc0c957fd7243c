//! Who holds the model, the clock and the faults, and runs a call against them?
//!
//! One lock around all of it. What is held back ("executed later") waits in a queue here and not in the connection,
//! so that it happens even when the caller has gone away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::clock::Clock;
use crate::fault::{Fault, Faults, Planned, TimeBase};
use crate::model::{Counters, Model, Reply, Request};

/// Calls held back at a time. One more is executed at once: the queue outlives connections, so their cap is not its.
const MAX_HELD: usize = 10_000;

pub(crate) struct Engine {
    state: Mutex<State>,
    /// Rung whenever the clock is changed, since sleepers have to reckon anew.
    clock_changed: Notify,
}

pub(crate) struct State {
    pub(crate) model: Model,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) connections: u64,
    pub(crate) faulted: u64,
    /// In the order of arrival.
    held: Vec<Held>,
}

struct Held {
    due_at: u64,
    request: Request,
    answer: oneshot::Sender<Reply>,
}

impl State {
    /// Runs what is due, each at its own instant, the earliest first.
    fn run_due(&mut self, now: u64) {
        self.held.sort_by_key(|held| held.due_at);
        let due = self.held.partition_point(|held| held.due_at <= now);
        for held in self.held.drain(..due) {
            let reply = self.model.handle(held.due_at, &held.request);
            // Nobody may be left to hear it: that is the point.
            drop(held.answer.send(reply));
        }
    }

    /// The instant at which whatever comes next happens; everything held until then has happened.
    pub(crate) fn now(&mut self) -> u64 {
        let now = self.clock.now();
        self.run_due(now);
        now
    }

    pub(crate) fn counters(&mut self) -> Counters {
        let now = self.now();
        let mut counters = self.model.counters(now);
        counters.connections = self.connections;
        counters.faults = self.faulted;
        counters.held = self.held.len() as u64;
        counters
    }
}

impl Engine {
    pub(crate) fn new(model: Model, clock: Clock) -> Self {
        Self {
            state: Mutex::new(State {
                model,
                clock,
                faults: Faults::default(),
                connections: 0,
                faulted: 0,
                held: Vec::new(),
            }),
            clock_changed: Notify::new(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in another thread leaves the state usable: each call changes it in one go.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the clock, runs what has become due, and wakes those who wait for an instant.
    pub(crate) fn change_clock(&self, change: impl FnOnce(&mut Clock)) {
        let mut state = self.lock();
        change(&mut state.clock);
        state.now();
        drop(state);
        self.clock_changed.notify_waiters();
    }

    pub(crate) fn plan(&self, request: &Request) -> Option<Planned> {
        let mut state = self.lock();
        let now = state.now();
        let age_ms = state.model.token_age_ms(now, request);
        let planned = state.faults.pick(now, &request.path, age_ms);
        state.faulted += u64::from(planned.is_some());
        planned
    }

    /// Refuses the token that the call carries, and does nothing else.
    pub(crate) fn refuse(&self, request: &Request, errcode: Option<i32>) -> Reply {
        let mut state = self.lock();
        let now = state.now();
        state.model.refuse_token(now, request, errcode)
    }

    /// Executes the call, now or when the fault says so. Dropping the future does not undo a held execution.
    pub(crate) async fn execute(self: &Arc<Self>, request: Request, fault: Option<&Fault>) -> Option<Reply> {
        let Some(Fault::Delayed { ms, by }) = fault else {
            let mut state = self.lock();
            let now = state.now();
            return Some(state.model.handle(now, &request));
        };
        match by {
            TimeBase::Virtual => {
                let (answer, reply) = oneshot::channel();
                let due_at = {
                    let mut state = self.lock();
                    let now = state.now();
                    if state.held.len() >= MAX_HELD {
                        return Some(state.model.handle(now, &request));
                    }
                    let due_at = now.saturating_add(*ms);
                    state.held.push(Held { due_at, request, answer });
                    due_at
                };
                let engine = self.clone();
                tokio::spawn(async move {
                    engine.sleep_until(due_at).await;
                    engine.lock().now();
                });
                reply.await.ok()
            }
            TimeBase::Real => {
                let engine = self.clone();
                let pause = Duration::from_millis(*ms);
                let task = tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    let mut state = engine.lock();
                    let now = state.now();
                    state.model.handle(now, &request)
                });
                task.await.ok()
            }
        }
    }

    /// Waits until `ms` milliseconds after `arrived_at`, or `ms` real ones from now.
    pub(crate) async fn pause(&self, arrived_at: u64, ms: u64, by: TimeBase) {
        match by {
            TimeBase::Real => tokio::time::sleep(Duration::from_millis(ms)).await,
            TimeBase::Virtual => self.sleep_until(arrived_at.saturating_add(ms)).await,
        }
    }

    async fn sleep_until(&self, at_ms: u64) {
        loop {
            let changed = self.clock_changed.notified();
            tokio::pin!(changed);
            // Registered before looking at the clock, so that no change falls between.
            changed.as_mut().enable();
            let left = self.lock().clock.real_until(at_ms);
            match left {
                Some(Duration::ZERO) => return,
                Some(left) => tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }
}
