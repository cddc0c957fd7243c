//! What is a gateway's job? It keeps a token fresh, and tells a field engineer what stands in the way.
//!
//! It knows neither board nor network. What is decided stands here, once; [`blocking`] and [`asynch`] are the two loops
//! around it.

pub mod asynch;
pub mod blocking;
mod verdict;

use wxtoken_embedded::{Attempt, core::Outcome};

pub use verdict::Verdict;

/// When the job ends, which on a device in the field is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// After so many different tokens.
    pub tokens: u32,
    /// After so many attempts.
    pub attempts: u32,
}

/// What has come of the job so far.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    end: Option<End>,
    tokens: u32,
    attempts: u32,
}

impl Job {
    /// A job that lasts for ever, or until `end`.
    #[must_use]
    pub const fn new(end: Option<End>) -> Self {
        Self { end, tokens: 0, attempts: 0 }
    }

    /// Takes note of an attempt to fetch, and says who must act. `Some` when the job has come to its end.
    fn fetched(&mut self, attempt: &Attempt) -> Option<Verdict> {
        self.attempts = self.attempts.saturating_add(1);
        self.tokens = self.tokens.saturating_add(u32::from(matches!(attempt.outcome, Outcome::Granted { .. })));
        let verdict = Verdict::of(attempt);
        verdict.advise();
        let ended = |end: &End| self.tokens >= end.tokens || self.attempts >= end.attempts;
        self.end.as_ref().is_some_and(ended).then_some(verdict)
    }
}
