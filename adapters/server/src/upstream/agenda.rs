//! Which credential is next? A heap of instants, and for each host a heap of what is due, the most urgent first.
//!
//! A hundred thousand credentials cost a hundred thousand small entries, and no task or timer each. An entry is never
//! moved: a credential that is planned earlier gets a second entry, and the first is recognised as stale when its time
//! comes. One planned later keeps its entry; looking at a keeper early is harmless.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use wxtoken::Instant;

use crate::{clock::Clock, engine::Cell};

/// Which host a credential is fetched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostId(usize);

/// A place in the agenda, kept in each credential and changed under the agenda's lock only.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The number of the entry that counts; 0 when it has none.
    ticket: u64,
    /// When, or how urgently.
    key: u64,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing is planned.
    #[default]
    Nowhere,
    /// Planned for an instant.
    Later,
    /// Due, and waiting for its host.
    Due,
    /// An attempt is under way.
    Running,
    /// Taken out of the configuration.
    Gone,
}

pub(crate) struct Agenda {
    state: Mutex<State>,
    /// Something is due earlier than was known, or an attempt has ended.
    pub(crate) news: Notify,
    /// An attempt has ended, or nothing more was due.
    looked: Notify,
    limit: usize,
}

#[derive(Default)]
struct State {
    later: BinaryHeap<Item>,
    hosts: Vec<Host>,
    names: HashMap<String, usize>,
    /// Numbers the entries.
    tickets: u64,
    running: usize,
    stopped: bool,
}

#[derive(Default)]
struct Host {
    due: BinaryHeap<Item>,
    running: usize,
}

struct Item {
    key: u64,
    ticket: u64,
    cell: Arc<Cell>,
}

impl Agenda {
    /// `limit`: how many exchanges with one host may be under way.
    pub(crate) fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), news: Notify::new(), looked: Notify::new(), limit: limit.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn host(&self, name: &str) -> HostId {
        let mut state = self.lock();
        if let Some(&id) = state.names.get(name) {
            return HostId(id);
        }
        let id = state.hosts.len();
        state.hosts.push(Host::default());
        state.names.insert(name.to_owned(), id);
        HostId(id)
    }

    /// Plans the next look at a credential. While an attempt is under way that plans anew at its end.
    pub(crate) fn plan(&self, cell: &Arc<Cell>, at: Instant) {
        let at = at.as_millis();
        let mut state = self.lock();
        let mut entry = cell.entry();
        let better = match entry.place {
            Place::Nowhere => true,
            Place::Later => at < entry.key,
            Place::Due | Place::Running | Place::Gone => false,
        };
        if better {
            state.tickets += 1;
            *entry = Entry { ticket: state.tickets, key: at, place: Place::Later };
            let first = state.later.peek().is_none_or(|item| at < item.key);
            state.later.push(Item { key: at, ticket: entry.ticket, cell: cell.clone() });
            drop(entry);
            drop(state);
            if first {
                self.news.notify_one();
            }
        }
    }

    /// Somebody waits for this one: if it is due, it comes first.
    pub(crate) fn hurry(&self, cell: &Arc<Cell>) {
        let mut state = self.lock();
        let mut entry = cell.entry();
        if entry.place == Place::Due && entry.key > 0 {
            state.tickets += 1;
            *entry = Entry { ticket: state.tickets, key: 0, place: Place::Due };
            let item = Item { key: 0, ticket: entry.ticket, cell: cell.clone() };
            if let Some(host) = state.hosts.get_mut(cell.host().0) {
                host.due.push(item);
            }
        }
    }

    /// Nothing is planned for it any more. An attempt under way ends by itself.
    pub(crate) fn retire(&self, cell: &Cell) {
        let _state = self.lock();
        let mut entry = cell.entry();
        *entry = Entry { ticket: 0, key: 0, place: Place::Gone };
    }

    /// Takes the next credential whose attempt may begin, and reckons it as under way. `Err`: until then there is none,
    /// unless news comes.
    pub(crate) fn next(&self, now: Instant) -> Result<Arc<Cell>, Option<Instant>> {
        let mut state = self.lock();
        let state = &mut *state;
        if state.stopped {
            return Err(None);
        }
        while state.later.peek().is_some_and(|item| item.key <= now.as_millis()) {
            let Some(item) = state.later.pop() else { break };
            let mut entry = item.cell.entry();
            if entry.ticket == item.ticket {
                let key = item.cell.urgency();
                *entry = Entry { key, place: Place::Due, ..*entry };
                drop(entry);
                if let Some(host) = state.hosts.get_mut(item.cell.host().0) {
                    host.due.push(Item { key, ..item });
                }
            }
        }
        for host in state.hosts.iter_mut().filter(|host| host.running < self.limit) {
            while let Some(item) = host.due.pop() {
                let mut entry = item.cell.entry();
                if entry.ticket == item.ticket {
                    entry.place = Place::Running;
                    drop(entry);
                    host.running += 1;
                    state.running += 1;
                    return Ok(item.cell);
                }
            }
            // After a start nothing comes at once again.
            host.due.shrink_to_fit();
        }
        let next = state.later.peek().map(|item| Instant::from_millis(item.key));
        self.looked.notify_waiters();
        Err(next)
    }

    /// The network's part of an attempt is over: another may use the host.
    pub(crate) fn leave_host(&self, cell: &Cell) {
        let mut state = self.lock();
        if let Some(host) = state.hosts.get_mut(cell.host().0) {
            host.running = host.running.saturating_sub(1);
        }
        drop(state);
        self.news.notify_one();
    }

    /// An attempt is over altogether, and the next may be planned.
    pub(crate) fn end(&self, cell: &Cell) {
        let _state = self.lock();
        let mut entry = cell.entry();
        if entry.place == Place::Running {
            *entry = Entry::default();
        }
    }

    /// After the end of an attempt the next one was planned. Only now is the first no longer under way: whoever waits for
    /// that must not find a credential for which nothing is planned.
    pub(crate) fn planned_anew(&self) {
        let mut state = self.lock();
        state.running = state.running.saturating_sub(1);
        drop(state);
        self.looked.notify_waiters();
    }

    /// How many attempts are under way.
    pub(crate) fn running(&self) -> usize {
        self.lock().running
    }

    /// Begins nothing more, and waits until what is under way has ended.
    pub(crate) async fn stop(&self) {
        self.lock().stopped = true;
        self.wait_for(|state| state.running == 0).await;
    }

    /// Waits until nothing is due and nothing is under way; returns when something is due next.
    pub(crate) async fn settle(&self, clock: &dyn Clock) -> Option<Instant> {
        let due_by = |state: &State, now: u64| state.later.peek().is_some_and(|item| item.key <= now);
        let idle = |state: &State| {
            state.running == 0
                && !due_by(state, clock.now().as_millis())
                && state.hosts.iter().all(|host| host.due.is_empty())
        };
        self.wait_for(idle).await;
        self.lock().later.peek().map(|item| Instant::from_millis(item.key))
    }

    /// Looks whenever an attempt has ended or the agenda was gone through.
    async fn wait_for(&self, wanted: impl Fn(&State) -> bool) {
        loop {
            let looked = self.looked.notified();
            tokio::pin!(looked);
            // Enabled before the look, so that news between the two is not missed.
            looked.as_mut().enable();
            if wanted(&self.lock()) {
                return;
            }
            looked.await;
        }
    }
}

/// The smallest key is the greatest item; of equals, the one that came first.
impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.key, other.ticket).cmp(&(self.key, self.ticket))
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Item {}

#[cfg(test)]
mod tests {
    use std::{future::Future as _, task};

    use super::*;
    use crate::{
        account::{AccountKind, AccountSpec, Who},
        clock::VirtualClock,
        kind::Kind,
    };

    #[test]
    fn nobody_finds_a_credential_between_its_attempt_and_the_plan_for_the_next() {
        let (agenda, clock) = (Agenda::new(1), VirtualClock::new(std::time::Duration::ZERO));
        let spec = AccountSpec::new("shop", AccountKind::Work, "ww0123456789abcdef", "made-up");
        let digest = Who::digest_of(&spec).unwrap();
        let who = Who::new(spec, digest, &mut Default::default());
        let host = agenda.host("qyapi.weixin.qq.com:443");
        let (stirs, _) = tokio::sync::broadcast::channel(1);
        let cell = Arc::new(Cell::new("shop".into(), Arc::new(who), Kind::Token, host, None, stirs));
        agenda.plan(&cell, clock.now());
        let running = agenda.next(clock.now()).unwrap();
        let mut settled = std::pin::pin!(agenda.settle(&clock));
        let mut is_settled = || match settled.as_mut().poll(&mut task::Context::from_waker(task::Waker::noop())) {
            task::Poll::Ready(next) => Some(next),
            task::Poll::Pending => None,
        };
        agenda.leave_host(&running);
        assert_eq!(is_settled(), None);
        agenda.end(&running);
        assert_eq!(is_settled(), None);
        let next = Instant::from_millis(u64::MAX);
        agenda.plan(&running, next);
        agenda.planned_anew();
        assert_eq!(is_settled(), Some(Some(next)));
    }
}
