//! What is kept for one credential? Its keeper under a lock that only writers take, and the snapshot that readers see.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::{broadcast, watch};
use wxtoken::{
    Act, Instant, Reason,
    core::{self, Keeper, Repeat, Trouble},
};

use super::probe::Probing;
use super::readers::Readers;
use super::resting::{Awake, Resting};
use crate::{
    account::Who,
    kind::Kind,
    snapshot::{Held, Snapshot},
    store::{Believed, Key, Lease},
    upstream::{Entry, HostId},
};

pub(crate) struct Cell {
    pub(crate) who: Arc<Who>,
    pub(crate) kind: Kind,
    pub(crate) key: Key,
    host: HostId,
    /// Changes when the operator gives the account another name.
    name: Mutex<Arc<str>>,
    state: Mutex<Resting>,
    snapshot: ArcSwap<Snapshot>,
    entry: Mutex<Entry>,
    /// The token by which a ticket is fetched.
    pub(crate) parent: Option<Arc<Self>>,
    /// Made by the first who needs any of it.
    rare: OnceLock<Box<Rare>>,
    unsaved: AtomicBool,
    pub(crate) readers: Readers,
    /// Where it is told that something changed, to whoever looks at all accounts.
    stirs: broadcast::Sender<Arc<str>>,
    /// By which its last tokens are found; see [`Tokens`](super::Tokens).
    pub(super) hashes: Mutex<Vec<super::tokens::Hash>>,
}

/// What most credentials never need: they are neither waited for nor doubted, and have no tickets.
struct Rare {
    /// The tickets that are fetched by this token.
    children: Mutex<Vec<Weak<Cell>>>,
    /// For those who wait.
    changed: watch::Sender<u32>,
    probing: Probing,
}

pub(crate) struct State {
    pub(crate) keeper: Keeper,
    /// Added to the keeper's own count: credentials that were handed out before, and are over. A keeper cannot be told of
    /// them.
    pub(super) earlier: u32,
    /// Why the last exchange failed, in more detail than the keeper keeps.
    pub(crate) detail: Option<Reason>,
    /// Before this no attempt is made: another's exchange may be executing.
    pub(crate) hold_until: Instant,
    /// The lease of the exchange under way.
    pub(crate) lease: Option<Lease>,
}

impl State {
    /// Counts the different credentials so far, those of earlier runs and other servers included.
    pub(crate) const fn generation(&self) -> u32 {
        self.earlier.saturating_add(self.keeper.generation())
    }

    /// The next credential's number is to be higher than this.
    pub(crate) fn outrank(&mut self, generation: u32) {
        self.earlier = self.earlier.saturating_add(generation.saturating_sub(self.generation()));
    }

    /// When an attempt may be made: when the keeper wants it, and nobody else may be at it.
    pub(crate) fn due_at(&self) -> Instant {
        self.keeper.poll_at().max(self.hold_until)
    }

    /// Takes up what is believed of a record. Returns whether its credential is held now.
    pub(crate) fn restore(&mut self, now: Instant, believed: &Believed) -> bool {
        self.keeper.restore_ledger(now, believed.ledger);
        let taken = believed.snapshot().is_some_and(|stored| {
            let generation = stored.generation.saturating_sub(self.earlier);
            self.keeper.restore(now, &core::Snapshot { generation, ..stored })
        });
        self.outrank(believed.generation);
        taken
    }

    /// What went wrong last, if the last exchange failed.
    pub(crate) fn trouble(&self) -> Option<Reason> {
        match (self.keeper.trouble()?, &self.detail) {
            (Trouble::Lost, _) | (_, None) => Some(Reason::Lost),
            (_, Some(reason)) => Some(reason.clone()),
        }
    }
}

impl Cell {
    pub(crate) fn new(
        name: Arc<str>,
        who: Arc<Who>,
        kind: Kind,
        host: HostId,
        parent: Option<Arc<Self>>,
        stirs: broadcast::Sender<Arc<str>>,
    ) -> Self {
        let key = who.key(kind);
        // A digest of the account: its replicas draw the same jitter.
        let seed = key.as_bytes().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        let keeper = Keeper::new(who.endpoint(kind).unwrap_or(who.endpoint), seed);
        let snapshot = Snapshot {
            held: None,
            expires_at: Instant::ZERO,
            generation: 0,
            next_fetch_at: Instant::ZERO,
            fetching: false,
            trouble: None,
        };
        Self {
            who,
            kind,
            key,
            host,
            name: Mutex::new(name),
            state: Mutex::new(Resting::of(&keeper)),
            snapshot: ArcSwap::from_pointee(snapshot),
            entry: Mutex::default(),
            parent,
            rare: OnceLock::new(),
            unsaved: AtomicBool::new(false),
            readers: Readers::default(),
            stirs,
            hashes: Mutex::default(),
        }
    }

    pub(crate) fn lock(&self) -> Awake<'_> {
        Awake::new(guard(&self.state), &self.snapshot)
    }

    pub(crate) fn entry(&self) -> MutexGuard<'_, Entry> {
        guard(&self.entry)
    }

    pub(crate) const fn host(&self) -> HostId {
        self.host
    }

    pub(crate) fn name(&self) -> Arc<str> {
        guard(&self.name).clone()
    }

    pub(crate) fn rename(&self, name: &Arc<str>) {
        guard(&self.name).clone_from(name);
    }

    pub(crate) fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    pub(crate) fn snapshot_full(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    pub(crate) fn set_unsaved(&self, unsaved: bool) {
        self.unsaved.store(unsaved, Ordering::Release);
    }

    pub(crate) fn is_unsaved(&self) -> bool {
        self.unsaved.load(Ordering::Acquire)
    }

    /// What its host attends to first: what is dead, then what dies first.
    pub(crate) fn urgency(&self) -> u64 {
        let snapshot = self.snapshot();
        if snapshot.held.is_some() { snapshot.expires_at.as_millis() } else { 1 }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u32> {
        self.rare().changed.subscribe()
    }

    pub(super) fn probing(&self) -> &Probing {
        &self.rare().probing
    }

    fn rare(&self) -> &Rare {
        self.rare.get_or_init(|| {
            let changed = watch::Sender::new(self.snapshot().generation);
            Box::new(Rare { children: Mutex::default(), changed, probing: Probing::default() })
        })
    }

    /// When the next attempt may be made; `None` while there is no token to fetch a ticket by.
    pub(crate) fn due_at(&self, now: Instant) -> Option<Instant> {
        let possible = self.parent.as_ref().is_none_or(|parent| parent.snapshot().valid(now).is_some());
        possible.then(|| self.lock().due_at())
    }

    /// Whether a fetch is under way, here or at another server, or will be begun before `until` without a failure behind
    /// it. WeCom repeats a token until it is dead: then the next one is some seconds away, and worth waiting for.
    pub(crate) fn is_coming(&self, now: Instant, until: Instant) -> bool {
        let state = self.lock();
        let (planned, failed) = (state.keeper.poll_at(), state.keeper.trouble().is_some());
        // Nothing is tried in the last seconds of a token that would only be repeated: a failure before them says nothing of
        // the fetch that follows.
        let between = state.generation() > 0 && state.keeper.endpoint().repeat() == Repeat::SameWhileValid;
        let begin_by = if failed && !between { now } else { until };
        state.keeper.in_flight().is_some() || (planned <= begin_by && state.hold_until <= until)
    }

    pub(crate) fn adopt(&self, child: &Arc<Self>) {
        let mut children = guard(&self.rare().children);
        children.retain(|child| child.strong_count() > 0);
        children.push(Arc::downgrade(child));
    }

    pub(crate) fn children(&self) -> Vec<Arc<Self>> {
        let rare = self.rare.get();
        rare.map_or_else(Vec::new, |rare| guard(&rare.children).iter().filter_map(Weak::upgrade).collect())
    }

    /// The token above has been replaced. A ticket that was refused because of the old one need not wait.
    pub(crate) fn token_came(&self, now: Instant) {
        let mut state = self.lock();
        let was_refused = matches!(&state.detail, Some(Reason::Refused(refusal)) if refusal.act() == Act::Refresh);
        if was_refused && state.keeper.in_flight().is_none() {
            state.keeper.configuration_changed(now);
            self.publish(&mut state, now);
        }
    }

    /// Shows readers what the keeper holds now. Must follow everything that changes the keeper, under its lock.
    pub(crate) fn publish(&self, state: &mut State, now: Instant) {
        let before = self.snapshot();
        let (keeper, generation) = (&state.keeper, state.generation());
        let held = keeper.token(now).map(|token| match &before.held {
            Some(held) if held.generation() == generation && held.fingerprint() == token.fingerprint() => held.clone(),
            _ => Arc::new(Held::new(token, generation)),
        });
        let after = Snapshot {
            expires_at: if held.is_some() { now.saturating_add(keeper.remaining(now)) } else { Instant::ZERO },
            held,
            generation,
            next_fetch_at: state.due_at(),
            fetching: keeper.in_flight().is_some(),
            trouble: state.trouble(),
        };
        self.snapshot.store(Arc::new(after));
        if let Some(rare) = self.rare.get() {
            rare.changed.send_replace(generation);
        }
        if self.stirs.receiver_count() > 0 {
            // The last one may have left between the two.
            let _ = self.stirs.send(self.name());
        }
    }
}

/// Nothing under these locks panics between two changes that belong together.
pub(super) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
