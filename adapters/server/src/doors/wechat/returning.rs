//! Has this client come back for what it was given? Then the platform may have refused it.
//!
//! A table of fixed size: what is forgotten costs a hint, never memory. Clients and credentials stand in it by a hash.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use wxtoken::Instant;

use crate::store::Key;

/// Threads that start together ask together, before any of them can have been refused: this long after the first of them
/// was answered nobody has come back. Longer would let an SDK that loops turn so long; shorter costs a probe, no more.
const TOGETHER: Duration = Duration::from_millis(200);
/// A client that comes back for one token more often than this is told to stop: it loops although the platform accepts
/// the token, or it keeps nothing.
const PER_SECOND: u64 = 50;
const BURST: u64 = 500;

const SETS: usize = 16_384;
const WAYS: usize = 4;

/// What a request is, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Nothing was given yet, or something else, or just now to others of its threads.
    First,
    /// The very same was given to it before.
    Again,
    /// The same, too often.
    TooOften,
}

#[derive(Default)]
pub(crate) struct Returning {
    /// Made when the first client comes.
    sets: Mutex<Vec<[Given; WAYS]>>,
    hasher: RandomState,
}

/// What one client was given last of one credential.
#[derive(Clone, Copy, Default)]
struct Given {
    /// 0: nothing.
    pair: u64,
    generation: u32,
    first_at: u64,
    last_at: u64,
    /// When, at the rate allowed, the requests up to now would be over.
    paid_until: u64,
}

impl Returning {
    /// Takes down that a client is about to be given this generation.
    pub(super) fn came(&self, client: &str, credential: Key, generation: u32, now: Instant) -> Came {
        let pair = self.hasher.hash_one((client, credential.as_bytes())).max(1);
        let now = now.as_millis();
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.is_empty() {
            sets.resize(SETS, [Given::default(); WAYS]);
        }
        let place = usize::try_from(pair % SETS as u64).unwrap_or(0);
        let Some(set) = sets.get_mut(place) else { return Came::First };
        let Some(way) = set.iter().position(|given| given.pair == pair) else {
            // Whoever has been away the longest makes room.
            if let Some(oldest) = set.iter_mut().min_by_key(|given| given.last_at) {
                *oldest = Given { pair, generation, first_at: now, last_at: now, paid_until: now };
            }
            return Came::First;
        };
        let given = &mut set[way];
        given.last_at = now;
        if given.generation != generation {
            (given.generation, given.first_at) = (generation, now);
            return Came::First;
        }
        if now.saturating_sub(given.first_at) < TOGETHER.as_millis() as u64 {
            return Came::First;
        }
        let paid_until = given.paid_until.max(now) + 1000 / PER_SECOND;
        if paid_until - now > 1000 / PER_SECOND * BURST {
            return Came::TooOften;
        }
        given.paid_until = paid_until;
        Came::Again
    }
}
