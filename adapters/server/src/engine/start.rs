//! How does an engine start? Its credentials come from the store before anybody can read, and then it drives itself.

use std::{
    fmt,
    sync::{Arc, Mutex, Weak, atomic::AtomicBool},
};

use arc_swap::ArcSwap;
use tokio::sync::broadcast;
use wxtoken::Instant;

use super::{BadAccounts, Engine, Inner, Loaded, SAVE_EVERY, Tokens};
use crate::{
    account::AccountSpec,
    clock::{Clock, SystemClock},
    store::{Coordinator, Failing, Key, Memory, Owner, believe},
    upstream::{Agenda, Https, Roots, Transport, attempt},
};

/// How many exchanges with one host may be under way.
const CONCURRENCY: usize = 32;
/// How many changes a follower may lag behind.
const CHANGES_ROOM: usize = 1024;

/// Sets up an [`Engine`].
pub struct Builder {
    clock: Arc<dyn Clock>,
    transport: Option<Arc<dyn Transport>>,
    coordinator: Option<Arc<dyn Coordinator>>,
    concurrency: usize,
    store_trouble: Option<Failing>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            transport: None,
            coordinator: None,
            concurrency: CONCURRENCY,
            store_trouble: None,
        }
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Another transport than HTTPS with Mozilla's certificates.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Where credentials survive a restart. The default is a store in memory, in which they do not.
    #[must_use]
    pub fn coordinator(mut self, coordinator: impl Coordinator) -> Self {
        self.coordinator = Some(Arc::new(coordinator));
        self
    }

    /// What is known to be wrong with the store already; see [`Opened::Unusable`](crate::store::Opened::Unusable).
    #[must_use]
    pub fn store_trouble(mut self, failing: Failing) -> Self {
        self.store_trouble = Some(failing);
        self
    }

    /// How many exchanges with one host may be under way, at least 1. Default 32.
    #[must_use]
    pub const fn concurrency(mut self, exchanges: usize) -> Self {
        self.concurrency = exchanges;
        self
    }

    /// Reads the store, fills the snapshots, and begins to drive the accounts. When this returns, what the store held can
    /// be read.
    ///
    /// # Errors
    /// [`BadAccounts`].
    pub async fn start(self, accounts: impl Into<Vec<AccountSpec>>) -> Result<Engine, BadAccounts> {
        let clock = self.clock;
        let transport = match self.transport {
            Some(transport) => transport,
            // The compiled-in list is never empty.
            None => Arc::new(Https::new(&Roots::Mozilla).unwrap_or_else(|bad| unreachable!("{bad}"))),
        };
        let inner = Arc::new(Inner {
            accounts: ArcSwap::default(),
            agenda: Agenda::new(self.concurrency),
            coordinator: self.coordinator.unwrap_or_else(|| Arc::new(Memory::new())),
            transport,
            owner: owner(),
            boot_id: clock.boot_id().unwrap_or_default(),
            clock,
            tokens: Tokens::default(),
            store: Mutex::default(),
            any_unsaved: AtomicBool::new(false),
            changes: broadcast::Sender::new(CHANGES_ROOM),
            stirs: broadcast::Sender::new(CHANGES_ROOM),
            tallies: Default::default(),
        });
        let changes = inner.coordinator.watch();
        if let Some(failing) = self.store_trouble {
            inner.store_failed_at_start(failing);
        }
        inner.load(accounts.into()).await?;
        tokio::spawn(drive(Arc::downgrade(&inner)));
        tokio::spawn(follow(Arc::downgrade(&inner), changes));
        tokio::spawn(save(Arc::downgrade(&inner)));
        Ok(Engine { inner })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}

impl Engine {
    /// Replaces the accounts. Every credential of an account that did not change stays as it is; what the store holds for
    /// new ones is taken up; nothing more is fetched for those that are gone.
    ///
    /// # Errors
    /// [`BadAccounts`]; nothing has changed then.
    pub async fn load(&self, accounts: impl Into<Vec<AccountSpec>>) -> Result<Loaded, BadAccounts> {
        self.inner.load(accounts.into()).await
    }
}

/// A number that no other run has, from the randomness of the hasher.
fn owner() -> Owner {
    use std::hash::{BuildHasher as _, RandomState};
    Owner(RandomState::new().hash_one(std::process::id()))
}

/// Starts the attempts that are due, for as long as there is an engine.
async fn drive(inner: Weak<Inner>) {
    while let Some(inner) = inner.upgrade() {
        let next = inner.agenda.next(inner.clock.now());
        match next {
            Ok(cell) => {
                tokio::spawn(attempt(inner, cell));
            }
            Err(until) => {
                let sleep = inner.clock.sleep_until(until.unwrap_or(Instant::from_millis(u64::MAX)));
                tokio::select! {
                    () = sleep => {}
                    () = inner.agenda.news.notified() => {}
                }
            }
        }
    }
}

/// Takes up what other servers fetch.
async fn follow(inner: Weak<Inner>, mut changes: broadcast::Receiver<Key>) {
    loop {
        let change = changes.recv().await;
        let Some(inner) = inner.upgrade() else { return };
        let key = match change {
            Ok(key) => Some(key),
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let cells: Vec<_> =
            inner.accounts.load().cells().filter(|cell| key.is_none_or(|key| key == cell.key)).cloned().collect();
        let keys = cells.iter().map(|cell| cell.key).collect();
        let Ok(records) = inner.coordinator.read(keys).await else { continue };
        let at = inner.moment();
        for (cell, record) in cells.iter().zip(records) {
            let Some(record) = record.filter(|record| record.generation > cell.snapshot().generation()) else {
                continue;
            };
            inner.take_up(cell, &believe(&record, &at));
            inner.plan(cell);
        }
    }
}

/// Tries a store that failed again, now and then.
async fn save(inner: Weak<Inner>) {
    while let Some(inner) = inner.upgrade() {
        let at = inner.clock.now().saturating_add(SAVE_EVERY);
        inner.clock.sleep_until(at).await;
        inner.save_all().await;
    }
}
