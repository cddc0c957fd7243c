//! What do all clones of a client share under its lock? The keeper, and what it does not keep itself: the token as a
//! shared handle, the text of the last trouble, and who is fetching.

use std::{sync::Arc, time::Duration};

use wxtoken_core::{Fingerprint, Instant, Keeper, Outcome, Token, Trouble};

use crate::{
    cache::Stored,
    error::Reason,
    held::{Held, TokenRef},
    status::Source,
    transport::Response,
};

pub(crate) struct State {
    pub(crate) keeper: Keeper,
    /// The keeper's token as a handle that costs no copy; `None` whenever the keeper would hand out nothing.
    held: Option<TokenRef>,
    /// The instant from which the keeper wants to be polled: until then a held token is served without asking it.
    poll_at: Instant,
    /// Why the last exchange failed, in more detail than the keeper keeps.
    detail: Option<Reason>,
    pub(crate) source: Option<Source>,
    /// The attempt under way: reading the cache, the exchange, writing the cache. Numbered, because one whose transport
    /// hangs can be superseded and must not end its successor.
    busy: Option<u64>,
    attempts: u64,
    calls: u64,
    /// The ETag that a token server gave, and the token that it gave it with.
    tag: Option<(String, Fingerprint)>,
    pub(crate) refresher: Refresher,
    /// The last client is gone.
    pub(crate) closed: bool,
}

/// Whether a thread refreshes in the background.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresher {
    /// Left out by the user, or no thread could be started: callers refresh.
    None,
    /// Wanted, and started by the first caller: a client that nobody asks fetches nothing.
    Wanted,
    /// Started, and waiting for work.
    Idle,
    /// Started, and in an attempt. If that one's transport hangs, callers must help themselves.
    Attempting,
}

impl State {
    pub(crate) fn new(keeper: Keeper, refresher: Refresher) -> Self {
        Self {
            poll_at: keeper.poll_at(),
            keeper,
            held: None,
            detail: None,
            source: None,
            busy: None,
            attempts: 0,
            calls: 0,
            tag: None,
            refresher,
            closed: false,
        }
    }

    /// The token, if it is valid and nothing needs doing. The hot path: two comparisons and a reference count.
    pub(crate) fn at_rest(&self, now: Instant) -> Option<TokenRef> {
        if now < self.poll_at { self.valid(now) } else { None }
    }

    /// The token, if it is valid.
    pub(crate) fn valid(&self, now: Instant) -> Option<TokenRef> {
        self.held.as_ref().filter(|held| now < held.0.expires_at).cloned()
    }

    pub(crate) const fn poll_at(&self) -> Instant {
        self.poll_at
    }

    pub(crate) const fn busy(&self) -> bool {
        self.busy.is_some()
    }

    /// Whether an attempt should begin now: the keeper wants one, and nobody is at it, or whoever is has let its
    /// exchange get lost.
    pub(crate) fn due(&self, now: Instant) -> bool {
        self.poll_at <= now && (self.busy.is_none() || self.keeper.in_flight().is_some())
    }

    pub(crate) fn begin(&mut self) -> u64 {
        self.attempts += 1;
        self.busy = Some(self.attempts);
        self.attempts
    }

    /// The number of the call that begins now, by which its waits differ from other callers'.
    pub(crate) const fn next_call(&mut self) -> u64 {
        self.calls = self.calls.wrapping_add(1);
        self.calls
    }

    pub(crate) fn end(&mut self, attempt: u64) {
        if self.busy == Some(attempt) {
            self.busy = None;
        }
    }

    /// Brings the copies of the keeper's state up to date. Must follow everything that changes the keeper.
    pub(crate) fn sync(&mut self, now: Instant) {
        self.poll_at = self.keeper.poll_at();
        let generation = self.keeper.generation();
        let expires_at = now.saturating_add(self.keeper.remaining(now));
        self.held = match (self.keeper.token(now), self.held.take()) {
            (None, _) => None,
            (Some(token), Some(held)) if *token == *held && held.0.expires_at == expires_at => Some(held),
            (Some(token), _) => Some(TokenRef(Arc::new(Held { token: token.clone(), expires_at, generation }))),
        };
    }

    /// Takes up what the cache file holds. Returns whether its token is held now.
    pub(crate) fn restore(&mut self, now: Instant, stored: &Stored) -> bool {
        self.keeper.restore_ledger(now, stored.ledger);
        // The file of a client that could not write for a while is older than what is held here, refused or not.
        let newer = stored.token().filter(|token| token.generation >= self.keeper.generation());
        let taken = newer.is_some_and(|token| self.keeper.restore(now, &token));
        if taken {
            self.source = Some(Source::Cached);
        }
        self.sync(now);
        taken
    }

    /// The tag of the token that is held, if a token server gave it one; empty if not.
    pub(crate) fn tag(&self) -> String {
        let held = self.held.as_ref().map(|held| held.fingerprint());
        let tag = self.tag.as_ref().filter(|(_, of)| Some(*of) == held);
        tag.map_or_else(String::new, |(tag, _)| tag.clone())
    }

    pub(crate) fn is_tagged(&self) -> bool {
        !self.tag().is_empty()
    }

    /// Keeps the tag of what an exchange brought.
    pub(crate) fn take_tag(&mut self, now: Instant, outcome: &Outcome, reply: Option<&Response>) {
        let brought = matches!(outcome, Outcome::Granted { .. } | Outcome::Repeated);
        if let (true, Some(reply), Some(of)) = (brought, reply, self.keeper.token(now).map(Token::fingerprint))
            && !reply.tag.is_empty()
        {
            self.tag = Some((reply.tag.clone(), of));
        }
    }

    /// Takes down what an exchange brought.
    pub(crate) fn outcome(&mut self, outcome: &Outcome, nothing: Option<Reason>) {
        self.detail = match outcome {
            Outcome::Granted { .. } | Outcome::Repeated => {
                self.source = Some(Source::Fetched);
                None
            }
            Outcome::Refused(refusal) => Some(Reason::Refused(Box::new(refusal.clone()))),
            Outcome::Malformed(why) => Some(Reason::Malformed(*why)),
            Outcome::Status(status) => Some(Reason::Status(*status)),
            Outcome::Failed(_) => nothing,
            _ => return,
        };
    }

    /// What went wrong last, if the last exchange failed.
    pub(crate) fn trouble(&self) -> Option<Reason> {
        match (self.keeper.trouble()?, &self.detail) {
            (Trouble::Lost, _) | (_, None) => Some(Reason::Lost),
            (_, Some(reason)) => Some(reason.clone()),
        }
    }

    /// Why there is no token and none will be fetched before the next try.
    pub(crate) fn why_not(&self, now: Instant) -> (Reason, Duration) {
        let next_in = self.poll_at.saturating_since(now);
        let reason = self.trouble().unwrap_or_else(|| {
            let spent = self.keeper.ledger(now).fetches >= self.keeper.policy().daily_limit();
            if spent { Reason::DailyLimit } else { Reason::TooSoon }
        });
        (reason, next_in)
    }
}
