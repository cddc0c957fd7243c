//! A store in memory: for tests, and for a server without a disk. Engines that share one are replicas of each other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::broadcast;

use super::{
    Answer, Attempt, Claim, Claimed, Coordinator, Key, Record, StoredLedger,
    lease::{judge, with_claim, with_commit, with_failure},
};

/// How many changes a watcher may lag behind before it must read everything again.
const WATCH_ROOM: usize = 1024;

/// A store in memory, with the rules of a shared one. Every [`Memory`] made by [`share`](Self::share) sees the same records.
#[derive(Debug)]
pub struct Memory {
    records: Arc<Mutex<HashMap<Key, Record>>>,
    changes: broadcast::Sender<Key>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { records: Arc::default(), changes: broadcast::Sender::new(WATCH_ROOM) }
    }

    /// The same store, for another server.
    #[must_use]
    pub fn share(&self) -> Self {
        Self { records: self.records.clone(), changes: self.changes.clone() }
    }

    fn records(&self) -> MutexGuard<'_, HashMap<Key, Record>> {
        // Changed only by inserts that finish.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<T: Send + 'static>(value: T) -> Answer<'static, T> {
        Box::pin(std::future::ready(Ok(value)))
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Coordinator for Memory {
    fn read(&self, keys: Vec<Key>) -> Answer<'_, Vec<Option<Record>>> {
        let records = self.records();
        Self::answer(keys.iter().map(|key| records.get(key).cloned()).collect())
    }

    fn claim(&self, claim: Claim) -> Answer<'_, Claimed> {
        let mut records = self.records();
        let verdict = judge(records.get(&claim.key), &claim, false);
        if let Claimed::Granted(_) = verdict {
            let stored = records.remove(&claim.key);
            records.insert(claim.key, with_claim(stored, &claim));
        }
        Self::answer(verdict)
    }

    fn commit(&self, attempt: Attempt, record: Record) -> Answer<'_, Option<Record>> {
        let mut records = self.records();
        match with_commit(records.get(&attempt.key).cloned(), attempt, record) {
            Err(newer) => Self::answer(Some(*newer)),
            Ok(record) => {
                records.insert(attempt.key, record);
                drop(records);
                // Nobody listening is no failure.
                let _ = self.changes.send(attempt.key);
                Self::answer(None)
            }
        }
    }

    fn fail(&self, attempt: Attempt, ledger: StoredLedger, lease_until_ms: u64) -> Answer<'_, ()> {
        let mut records = self.records();
        let stored = records.remove(&attempt.key);
        records.insert(attempt.key, with_failure(stored, attempt, ledger, lease_until_ms));
        Self::answer(())
    }

    fn watch(&self) -> broadcast::Receiver<Key> {
        self.changes.subscribe()
    }

    fn close(&self) -> Answer<'_, ()> {
        Self::answer(())
    }
}
