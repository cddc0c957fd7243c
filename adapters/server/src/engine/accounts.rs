//! Which accounts are there? A table that is swapped as a whole when the configuration changes, in which every account
//! that did not change keeps its credentials.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use super::{Cell, Inner};
use crate::{
    account::{AccountSpec, BadSpec, Entry, Who},
    events,
    kind::Kind,
    store::{Believed, believe},
};

#[derive(Default)]
pub(crate) struct Accounts {
    by_name: HashMap<Arc<str>, Arc<Entry>>,
    /// Sorted by id, then name.
    by_id: Box<[Arc<Entry>]>,
    /// Where each is in it, sorted by name.
    order: Box<[u32]>,
}

impl Accounts {
    fn new(entries: Vec<Arc<Entry>>) -> Self {
        let by_name = entries.iter().map(|entry| (entry.name.clone(), entry.clone())).collect();
        let mut by_id = entries;
        by_id.sort_unstable_by(|a, b| (&a.who.id, &a.name).cmp(&(&b.who.id, &b.name)));
        // More accounts than an u32 counts fit into no machine.
        let mut order: Vec<(&str, u32)> = by_id.iter().map(|entry| &*entry.name).zip(0..).collect();
        order.sort_unstable();
        let order = order.into_iter().map(|(_, nth)| nth).collect();
        Self { by_name, by_id: by_id.into_boxed_slice(), order }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<Entry>> {
        self.by_name.get(name).cloned()
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).map(Arc::as_ref)
    }

    pub(crate) fn by_id(&self, id: &str) -> Vec<Arc<Entry>> {
        let first = self.by_id.partition_point(|entry| &*entry.who.id < id);
        self.by_id.iter().skip(first).take_while(|entry| &*entry.who.id == id).cloned().collect()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Entry>> {
        self.in_order().cloned().collect()
    }

    /// All, by name.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.order.iter().filter_map(|nth| self.by_id.get(*nth as usize))
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = &Arc<Cell>> {
        self.by_id.iter().flat_map(|entry| entry.cells.iter())
    }
}

/// What loading a configuration's accounts came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded {
    /// How many accounts there are now.
    pub accounts: usize,
    /// How many of them were there before, and keep all they have.
    pub unchanged: usize,
    /// How many accounts, as they were before, are there no more.
    pub removed: usize,
    /// How many credentials were taken from the store.
    pub restored: usize,
}

/// Why a configuration's accounts were not loaded; nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadAccounts {
    /// The account of this name cannot be one.
    Account(String, BadSpec),
    /// A name that is empty, too long or holds other characters than letters, digits, `-`, `_` and `.`.
    Name(String),
    /// Two accounts have the same name.
    NameTwice(String),
    /// Two names for one account: each would fetch on its own.
    Same(String, String),
}

impl fmt::Display for BadAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name, why) => write!(f, "account {name}: {why}"),
            Self::Name(name) => write!(
                f,
                "account {name:?}: its name stands in paths; use 1 to 64 letters, digits, '-', '_' and '.', not beginning with a '.'"
            ),
            Self::NameTwice(name) => write!(f, "two accounts are named {name}; rename one"),
            Self::Same(one, other) => write!(
                f,
                "accounts {one} and {other} are the same (id, secret, endpoint and base); keep one, and give its clients access to that"
            ),
        }
    }
}

impl std::error::Error for BadAccounts {}

/// Names stand in paths and log lines.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Checks accounts without loading them; returns what tells each from the others.
pub(crate) fn check(specs: &[AccountSpec]) -> Result<Vec<[u8; 32]>, BadAccounts> {
    let mut names = HashSet::new();
    let mut digests: HashMap<[u8; 32], &str> = HashMap::new();
    let mut all = Vec::with_capacity(specs.len());
    for spec in specs {
        if !is_name(&spec.name) {
            return Err(BadAccounts::Name(spec.name.clone()));
        }
        if !names.insert(spec.name.as_str()) {
            return Err(BadAccounts::NameTwice(spec.name.clone()));
        }
        let digest = Who::digest_of(spec).map_err(|why| BadAccounts::Account(spec.name.clone(), why))?;
        if let Some(other) = digests.insert(digest, &spec.name) {
            return Err(BadAccounts::Same(other.to_owned(), spec.name.clone()));
        }
        all.push(digest);
    }
    Ok(all)
}

impl Inner {
    /// Replaces the accounts. Credentials of accounts that did not change, another name aside, stay as they are; those of
    /// new ones are looked up in the store; nothing more is fetched for those that are gone.
    pub(crate) async fn load(self: &Arc<Self>, specs: Vec<AccountSpec>) -> Result<Loaded, BadAccounts> {
        let digests = check(&specs)?;
        let before = self.accounts.load_full();
        let old: HashMap<[u8; 32], &Arc<Entry>> =
            before.by_id.iter().map(|entry| (*entry.who.digest(), entry)).collect();
        let mut loaded = Loaded { accounts: specs.len(), ..Loaded::default() };
        let (mut entries, mut fresh) = (Vec::with_capacity(specs.len()), Vec::new());
        let mut bases = HashSet::new();
        for (mut spec, digest) in specs.into_iter().zip(digests) {
            let (name, tickets) = (std::mem::take(&mut spec.name), std::mem::take(&mut spec.tickets));
            let who = Who::new(spec, digest, &mut bases);
            let same = old.get(&digest).copied();
            loaded.unchanged += usize::from(same.is_some());
            entries.push(match same.filter(|entry| *entry.name == *name && entry.has(&tickets)) {
                // Nothing of a hundred thousand is made anew for the sake of one.
                Some(entry) => entry.clone(),
                None => Arc::new(self.entry(name.into(), &tickets, who, same, &mut fresh)),
            });
        }
        loaded.restored = self.restore(&fresh).await;
        let after = Arc::new(Accounts::new(entries));
        let kept: HashSet<*const Cell> = after.cells().map(Arc::as_ptr).collect();
        self.accounts.store(after.clone());
        for cell in before.cells().filter(|cell| !kept.contains(&Arc::as_ptr(cell))) {
            self.agenda.retire(cell);
            self.tokens.forget(cell);
        }
        loaded.removed = before.len() - loaded.unchanged;
        for cell in fresh {
            self.tokens.note(&cell);
            self.plan(&cell);
        }
        events::accounts(loaded.accounts, loaded.restored, loaded.removed);
        Ok(loaded)
    }

    fn entry(
        self: &Arc<Self>,
        name: Arc<str>,
        tickets: &[Kind],
        who: Who,
        same: Option<&Arc<Entry>>,
        fresh: &mut Vec<Arc<Cell>>,
    ) -> Entry {
        let who = same.map_or_else(|| Arc::new(who), |entry| entry.who.clone());
        let base = who.base();
        let host = self.agenda.host(&format!("{}:{}", base.host_str(), base.port()));
        let mut cells: Vec<Arc<Cell>> = Vec::with_capacity(1 + tickets.len());
        for kind in std::iter::once(Kind::Token).chain(tickets.iter().copied()) {
            let kept = same.and_then(|entry| entry.cells.iter().find(|cell| cell.kind == kind));
            if let Some(cell) = kept {
                cell.rename(&name);
                cells.push(cell.clone());
                continue;
            }
            let parent = cells.first().cloned();
            let cell = Arc::new(Cell::new(name.clone(), who.clone(), kind, host, parent.clone(), self.stirs.clone()));
            if let Some(parent) = parent {
                parent.adopt(&cell);
            }
            fresh.push(cell.clone());
            cells.push(cell);
        }
        Entry { name, who, cells: cells.into_boxed_slice() }
    }

    /// Fills new credentials from the store; returns how many it held.
    async fn restore(self: &Arc<Self>, fresh: &[Arc<Cell>]) -> usize {
        if fresh.is_empty() {
            return 0;
        }
        let records = match self.coordinator.read(fresh.iter().map(|cell| cell.key).collect()).await {
            Ok(records) => records,
            Err(failing) => {
                self.store_failed_at_start(failing);
                return 0;
            }
        };
        let at = self.moment();
        let mut restored = 0;
        for (cell, record) in fresh.iter().zip(records) {
            let Some(record) = record else { continue };
            let believed: Believed = believe(&record, &at);
            if let Some(why) = believed.doubt {
                events::not_believed(cell, why);
            }
            let mut state = cell.lock();
            restored += usize::from(state.restore(at.now, &believed));
            cell.publish(&mut state, at.now);
        }
        restored
    }
}
