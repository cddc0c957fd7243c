//! How does a page stay true without asking again and again? Accounts of which something changed are told as they are then,
//! at most once a second; whoever was told too much to keep apart asks for all of them anew.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use hyper::http::request::Parts;
use serde_json::json;
use tokio::sync::broadcast::{self, error::RecvError};
use wxtoken::Instant;

use super::{
    super::{
        Asking, Doors, Reply,
        problem::Problem,
        stream::{self, Feed},
    },
    described,
};
use crate::{Engine, access::Client};

/// Whatever happens within this is told at once.
const PAUSE: Duration = Duration::from_secs(1);
/// The most accounts in one event.
const TOLD: usize = 100;
/// The most accounts that wait to be told.
const WAITING: usize = 4096;

impl Doors {
    pub(in crate::doors) fn status_events(&self, head: &Parts, asking: &Asking) -> Result<Reply, Problem> {
        let changes = Changes {
            engine: self.engine.clone(),
            asking: asking.clone(),
            stirs: self.engine.stirs(),
            waiting: BTreeSet::new(),
            all: true,
            next_at: Instant::ZERO,
        };
        self.stream(head, asking, changes)
    }
}

/// What one reader sees of all that changes.
struct Changes {
    engine: Engine,
    asking: Asking,
    stirs: broadcast::Receiver<Arc<str>>,
    /// The names of accounts of which something changed.
    waiting: BTreeSet<Arc<str>>,
    /// Whether the reader is to ask for all of them anew: at first, and when what it knows may be another configuration's.
    all: bool,
    /// Before this nothing is told.
    next_at: Instant,
}

impl Changes {
    fn note(&mut self, stirred: Result<Arc<str>, RecvError>) {
        match stirred {
            Ok(name) if self.asking.sees(&name) => {
                self.waiting.insert(name);
                self.all |= self.waiting.len() > WAITING;
            }
            Ok(_) => {}
            // Closed is only said when the engine is no more; then the stream ends, too.
            Err(_) => self.all = true,
        }
    }

    /// What is to be told now.
    fn news(&mut self, now: Instant) -> Option<String> {
        if self.all {
            self.all = false;
            self.waiting.clear();
            // What was on its way is in what the reader will ask for.
            self.stirs = self.stirs.resubscribe();
            return Some(stream::event("all", None, "{}"));
        }
        let mut accounts = Vec::new();
        while let Some(name) = (accounts.len() < TOLD).then(|| self.waiting.pop_first()).flatten() {
            if let Some(account) = self.engine.find(&name) {
                accounts.push(described(&self.engine, &self.asking, &account.entry, now));
            }
        }
        let data = json!({ "accounts": accounts }).to_string();
        (!accounts.is_empty()).then(|| stream::event("accounts", None, &data))
    }
}

impl Feed for Changes {
    async fn next(&mut self) -> Option<String> {
        let clock = self.engine.clock().clone();
        loop {
            let now = clock.now();
            let something = self.all || !self.waiting.is_empty();
            if something && now >= self.next_at {
                if let Some(news) = self.news(now) {
                    // A rest that did not fit is told next.
                    self.next_at = if self.waiting.is_empty() { now.saturating_add(PAUSE) } else { now };
                    return Some(news);
                }
                continue;
            }
            tokio::select! {
                stirred = self.stirs.recv() => self.note(stirred),
                () = clock.sleep_until(self.next_at), if something => {}
            }
        }
    }

    fn reloaded(&mut self, client: &Arc<Client>) -> bool {
        // Any known key sees something, if only that there is nothing for it.
        self.asking.client = client.clone();
        self.all = true;
        true
    }
}

#[cfg(test)]
mod tests;
