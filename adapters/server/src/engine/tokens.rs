//! Whose token is this? WeChat's own ticket routes carry nothing else to tell an account by.
//!
//! The last few tokens of each account are remembered by half of their SHA-256, so that a program which still holds the
//! one before is known, too. What is remembered is bounded by the number of accounts, and is no token.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
};

use sha2::{Digest as _, Sha256};

use super::cell::{Cell, guard};
use crate::kind::Kind;

/// Of each account: the current one and two before it. A replaced one lives for five minutes at most, and fetches are at
/// least half a minute apart; a program may hold a dead one for longer.
const REMEMBERED: usize = 3;

pub(super) type Hash = [u8; 16];

#[derive(Default)]
pub(crate) struct Tokens {
    /// A tree: a table in which as much is removed as put in doubles at times, to tens of megabytes.
    by_hash: Mutex<BTreeMap<Hash, Weak<Cell>>>,
}

impl Tokens {
    /// Remembers the token that this credential holds now, if it is one.
    pub(super) fn note(&self, cell: &Arc<Cell>) {
        if cell.kind != Kind::Token {
            return;
        }
        let Some(hash) = cell.snapshot().held.as_ref().map(|held| head(held.sha256())) else { return };
        let mut by_hash = guard(&self.by_hash);
        let mut hashes = guard(&cell.hashes);
        if hashes.last() != Some(&hash) {
            if hashes.len() == REMEMBERED {
                by_hash.remove(&hashes.remove(0));
            }
            // One by one: of a hundred thousand accounts the spare places would be many.
            hashes.reserve_exact(1);
            hashes.push(hash);
            by_hash.insert(hash, Arc::downgrade(cell));
        }
    }

    /// The credential that holds, or lately held, the token with this text.
    pub(super) fn find(&self, text: &str) -> Option<Arc<Cell>> {
        let hash = head(&Sha256::digest(text).into());
        guard(&self.by_hash).get(&hash)?.upgrade()
    }

    /// The credential is no more.
    pub(super) fn forget(&self, cell: &Cell) {
        let mut by_hash = guard(&self.by_hash);
        for hash in guard(&cell.hashes).drain(..) {
            by_hash.remove(&hash);
        }
    }
}

fn head(sha256: &[u8; 32]) -> Hash {
    let mut head = [0; 16];
    head.copy_from_slice(&sha256[..16]);
    head
}
