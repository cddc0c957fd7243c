//! Who keeps all the credentials, and how are they asked for? An [`Engine`], which readers, doors and the page share.

mod accounts;
mod cell;
mod credential;
mod probe;
mod readers;
mod resting;
mod start;
mod tokens;

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::broadcast;

pub(crate) use self::accounts::check as check_accounts;
pub(crate) use self::cell::{Cell, State};
pub(crate) use self::probe::Doubt;
use self::{accounts::Accounts, tokens::Tokens};
pub use self::{
    accounts::{BadAccounts, Loaded},
    credential::{Credential, NoToken, ReportOutcome, Reported, Seen, Status},
    start::Builder,
};
use crate::{
    Account, Kind,
    account::Entry,
    clock::Clock,
    events,
    store::{Coordinator, Failing, Moment, Owner},
    tally::Tallies,
    upstream::{Agenda, Transport},
};

/// The handle to everything: cheap to clone, and the same for all clones. It works inside the tokio runtime it was
/// started in.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) accounts: ArcSwap<Accounts>,
    pub(crate) agenda: Agenda,
    pub(crate) coordinator: Arc<dyn Coordinator>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) owner: Owner,
    pub(crate) boot_id: String,
    /// Whose each token is.
    pub(crate) tokens: Tokens,
    store: Mutex<Option<Failing>>,
    any_unsaved: AtomicBool,
    changes: broadcast::Sender<Change>,
    stirs: broadcast::Sender<Arc<str>>,
    pub(crate) tallies: Tallies,
}

/// A credential was replaced by a new one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The account's name.
    pub account: Arc<str>,
    /// Which of its credentials.
    pub kind: Kind,
    /// The number of the new one.
    pub generation: u32,
}

impl Engine {
    /// Sets up an engine.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The account of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Account> {
        let entry = self.inner.accounts.load().by_name(name)?;
        Some(Account { entry, inner: self.inner.clone() })
    }

    /// The accounts with this appid or corpid: several, where a corporation has several applications.
    #[must_use]
    pub fn with_id(&self, id: &str) -> Vec<Account> {
        let entries = self.inner.accounts.load().by_id(id);
        entries.into_iter().map(|entry| Account { entry, inner: self.inner.clone() }).collect()
    }

    /// The account whose access token this is, or was until lately: some that were replaced are still remembered.
    #[must_use]
    pub fn with_token(&self, text: &str) -> Option<Account> {
        let cell = self.inner.tokens.find(text)?;
        // By the name it has now, and only while it is configured.
        let entry = self.inner.accounts.load().by_name(&cell.name())?;
        let is_it = entry.cells.first().is_some_and(|token| Arc::ptr_eq(token, &cell));
        is_it.then(|| Account { entry, inner: self.inner.clone() })
    }

    /// All accounts, by name.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        let entries = self.inner.accounts.load().all();
        entries.into_iter().map(|entry| Account { entry, inner: self.inner.clone() }).collect()
    }

    /// How many accounts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.accounts.load().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks at every account's token.
    pub(crate) fn for_each_token(&self, mut look: impl FnMut(&crate::Snapshot)) {
        for cell in self.inner.accounts.load().cells().filter(|cell| cell.kind == Kind::Token) {
            look(&cell.snapshot());
        }
    }

    /// Looks at all accounts by name, until told to end.
    pub(crate) fn for_each_account(&self, mut look: impl FnMut(&Arc<Entry>) -> ControlFlow<()>) {
        let _ = self.inner.accounts.load().in_order().try_for_each(&mut look);
    }

    /// The account that this is an entry of.
    pub(crate) fn account(&self, entry: &Arc<Entry>) -> Account {
        Account { entry: entry.clone(), inner: self.inner.clone() }
    }

    /// The clock that snapshots speak in.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// By which the platform is reached.
    pub(crate) fn transport(&self) -> &Arc<dyn Transport> {
        &self.inner.transport
    }

    /// What is wrong with the store; `None` when it works.
    #[must_use]
    pub fn store_trouble(&self) -> Option<Failing> {
        self.inner.store_trouble()
    }

    /// Every new credential from now on. A receiver that lags must look at the accounts again.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// The name of an account whenever something about it changes, its plans and troubles included.
    pub(crate) fn stirs(&self) -> broadcast::Receiver<Arc<str>> {
        self.inner.stirs.subscribe()
    }

    /// How many exchanges with the platform are under way.
    #[must_use]
    pub fn fetching(&self) -> usize {
        self.inner.agenda.running()
    }

    /// For simulations on a [`VirtualClock`](crate::VirtualClock): waits until nothing is due now and nothing is under way,
    /// and returns when something is due next.
    pub async fn settle(&self) -> Option<wxtoken::Instant> {
        self.inner.agenda.settle(self.inner.clock.as_ref()).await
    }

    /// Begins nothing more, waits for the exchanges under way (at most their limit of 10 s), stores what they brought and
    /// what is not stored yet, and closes the store. Snapshots go on being readable.
    ///
    /// # Errors
    /// [`Failing`] when the store did not take it.
    pub async fn stop(&self) -> Result<(), Failing> {
        self.inner.agenda.stop().await;
        self.inner.save_all().await;
        let closed = self.inner.coordinator.close().await;
        self.store_trouble().map_or(closed, Err)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("accounts", &self.inner.accounts.load().len()).finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), unix: self.clock.unix_time(), boot_id: self.boot_id.clone() }
    }

    /// Plans the next look at a credential.
    pub(crate) fn plan(&self, cell: &Arc<Cell>) {
        if let Some(at) = cell.due_at(self.clock.now()) {
            self.agenda.plan(cell, at);
        }
    }

    /// A credential was replaced: its tickets may be fetched now, and whoever follows all changes hears of it.
    pub(crate) fn tell(&self, cell: &Arc<Cell>, generation: u32) {
        self.tokens.note(cell);
        for child in cell.children() {
            child.token_came(self.clock.now());
            self.plan(&child);
        }
        // Nobody listening is no failure.
        let _ = self.changes.send(Change { account: cell.name(), kind: cell.kind, generation });
    }

    fn store_trouble(&self) -> Option<Failing> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn store_fails(&self, cell: &Cell, failing: Failing) {
        cell.set_unsaved(true);
        self.any_unsaved.store(true, Ordering::Release);
        if failing == Failing::Damaged {
            // What was in it is gone.
            self.accounts.load().cells().for_each(|cell| cell.set_unsaved(true));
        }
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if store.as_ref() != Some(&failing) {
            events::store_failing(&failing);
            *store = Some(failing);
        }
    }

    /// It took something. Whether it takes everything shows when the rest is saved.
    pub(crate) fn store_works(&self) {
        if !self.any_unsaved.load(Ordering::Acquire) {
            let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            if store.take().is_some() {
                events::store_well_again(0);
            }
        }
    }

    /// Saves what a failing store did not take.
    pub(crate) async fn save_all(self: &Arc<Self>) {
        if !self.any_unsaved.swap(false, Ordering::AcqRel) {
            return;
        }
        let unsaved: Vec<Arc<Cell>> = self.accounts.load().cells().filter(|cell| cell.is_unsaved()).cloned().collect();
        let mut saved = 0;
        for cell in unsaved {
            self.save(&cell).await;
            if cell.is_unsaved() {
                // It still fails; the others would only wait in turn.
                self.any_unsaved.store(true, Ordering::Release);
                return;
            }
            saved += 1;
        }
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if store.take().is_some() {
            events::store_well_again(saved);
        }
    }

    /// Says what stands in a store's way from the start.
    pub(crate) fn store_failed_at_start(&self, failing: Failing) {
        self.any_unsaved.store(true, Ordering::Release);
        events::store_failing(&failing);
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = Some(failing);
    }
}

/// How often a failing store is tried again.
pub(crate) const SAVE_EVERY: Duration = Duration::from_secs(10);
