//! Which tokens were handed out, and which of them are alive?
//!
//! The three endpoints differ in when they mint and in what a newer token does to the older ones; what they share is
//! here: a token dies at its expiry, or earlier when something killed it.

use std::collections::VecDeque;

/// Dead tokens are remembered, because "expired" and "not the latest" are different refusals; but not for ever.
const REMEMBERED: usize = 4_096;

pub(crate) struct Minted {
    pub(crate) token: String,
    pub(crate) minted_at: u64,
    /// Where its natural life ends.
    pub(crate) expires_at: u64,
    /// Where it ends because of a newer one or a revocation; at or before `expires_at`.
    pub(crate) killed_at: Option<u64>,
}

impl Minted {
    pub(crate) fn is_alive(&self, now: u64) -> bool {
        now < self.expires_at && self.killed_at.is_none_or(|at| now < at)
    }

    pub(crate) const fn remaining_s(&self, now: u64) -> u64 {
        self.expires_at.saturating_sub(now) / 1_000
    }

    /// Ends its life at `at`, unless it ends earlier anyway.
    pub(crate) fn kill_at(&mut self, at: u64) {
        if at < self.expires_at {
            self.killed_at = Some(self.killed_at.map_or(at, |earlier| earlier.min(at)));
        }
    }
}

/// What is known about a token that somebody presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Alive {
        age_ms: u64,
    },
    /// Its natural life is over.
    Expired,
    /// It was superseded or revoked before its time.
    Killed,
}

/// Oldest first.
#[derive(Default)]
pub(crate) struct Ledger {
    tokens: VecDeque<Minted>,
}

impl Ledger {
    pub(crate) fn push(&mut self, token: String, now: u64, life_s: u32) -> &Minted {
        if self.tokens.len() == REMEMBERED {
            self.tokens.pop_front();
        }
        self.tokens.push_back(Minted {
            token,
            minted_at: now,
            expires_at: now.saturating_add(u64::from(life_s) * 1_000),
            killed_at: None,
        });
        &self.tokens[self.tokens.len() - 1]
    }

    pub(crate) fn newest(&self) -> Option<&Minted> {
        self.tokens.back()
    }

    pub(crate) fn newest_mut(&mut self) -> Option<&mut Minted> {
        self.tokens.back_mut()
    }

    /// Their texts, oldest first.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|minted| minted.token.as_str())
    }

    /// All of them, newest first.
    pub(crate) fn newest_first_mut(&mut self) -> impl Iterator<Item = &mut Minted> {
        self.tokens.iter_mut().rev()
    }

    pub(crate) fn standing(&self, token: &str, now: u64) -> Option<Standing> {
        let found = self.tokens.iter().rev().find(|minted| minted.token == token)?;
        Some(if found.is_alive(now) {
            Standing::Alive { age_ms: now.saturating_sub(found.minted_at) }
        } else if found.killed_at.is_some() {
            Standing::Killed
        } else {
            Standing::Expired
        })
    }

    pub(crate) fn knows_alive(&self, token: &str, now: u64) -> bool {
        matches!(self.standing(token, now), Some(Standing::Alive { .. }))
    }

    pub(crate) fn alive(&self, now: u64) -> usize {
        self.tokens.iter().filter(|minted| minted.is_alive(now)).count()
    }
}
