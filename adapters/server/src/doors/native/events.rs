//! How does a program hear of a new credential without asking again and again? Each of an account's credentials is an event
//! when there is another one; what it is must be read, as ever.

use std::sync::Arc;

use hyper::{header::HeaderMap, http::request::Parts};
use tokio::sync::watch;

use super::super::{
    Asking, Doors, Reply,
    problem::Problem,
    spread::Spread,
    stream::{self, Feed},
};
use crate::{Credential, Engine, Kind, access::Client, config::Permission};

const KINDS: usize = Kind::ALL.len();

impl Doors {
    pub(in crate::doors) fn events(&self, head: &Parts, asking: &Asking, name: &str) -> Result<Reply, Problem> {
        let there = asking.may(Permission::Read, name) && self.engine.find(name).is_some();
        let mut account = Account {
            name: name.to_owned(),
            engine: self.engine.clone(),
            spread: self.spread.clone(),
            told: told(&head.headers),
            followed: [const { None }; KINDS],
        };
        // Refused in the same words, whether it is another's or not there.
        if !there || !account.follow() {
            return Err(Problem::NOT_ALLOWED);
        }
        self.stream(head, asking, account)
    }
}

/// The generations that a reader knows, from the id of the last event it had.
fn told(headers: &HeaderMap) -> [u32; KINDS] {
    let id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or("");
    Kind::ALL.map(|kind| {
        let known = id.split(';').find_map(|part| part.split_once('=').filter(|(name, _)| *name == kind.name()));
        known.and_then(|(_, generation)| generation.parse().ok()).unwrap_or(0)
    })
}

/// The credentials of one account.
struct Account {
    name: String,
    engine: Engine,
    spread: Arc<Spread>,
    /// The generation of each kind that the reader knows; 0 before it knows any.
    told: [u32; KINDS],
    followed: [Option<(Credential, watch::Receiver<u32>)>; KINDS],
}

impl Account {
    /// Follows the account that has the name now, if there is one.
    fn follow(&mut self) -> bool {
        let Some(account) = self.engine.find(&self.name) else { return false };
        for ((kind, followed), told) in Kind::ALL.into_iter().zip(&mut self.followed).zip(&mut self.told) {
            let now = account.credential(kind);
            let before = followed.as_ref().map(|(credential, _)| credential.key());
            // Of another account's credential nothing is known yet.
            if before.is_some_and(|before| now.as_ref().is_none_or(|now| now.key() != before)) {
                *told = 0;
            }
            *followed = now.map(|credential| {
                let changed = credential.changed();
                (credential, changed)
            });
        }
        true
    }

    /// What the reader does not know yet. Whatever it missed, this is the state as it is.
    fn news(&mut self) -> Option<String> {
        let now = self.engine.clock().now();
        let mut news = String::new();
        for ((kind, followed), nth) in Kind::ALL.into_iter().zip(&mut self.followed).zip(0..) {
            let Some((credential, changed)) = followed else { continue };
            // Before the look, so that a change between the two wakes us.
            changed.borrow_and_update();
            let snapshot = credential.snapshot();
            let Some(held) = snapshot.valid(now) else { continue };
            let generation = held.generation();
            let Some(told) = self.told.get_mut(nth).filter(|told| **told != generation) else { continue };
            *told = generation;
            let data = format!(
                "{{\"generation\":{generation},\"expires_in\":{},\"refresh_after\":{}}}",
                snapshot.remaining(now).as_secs(),
                self.spread.refresh_after(&snapshot, now)
            );
            news.push_str(&stream::event(kind.name(), Some(&id(&self.told)), &data));
        }
        Some(news).filter(|news| !news.is_empty())
    }
}

/// Names the generations of all kinds: by it a reader that was cut off says what it knows.
fn id(told: &[u32; KINDS]) -> String {
    let known = Kind::ALL.iter().zip(told).filter(|(_, generation)| **generation > 0);
    known.map(|(kind, generation)| format!("{kind}={generation}")).collect::<Vec<_>>().join(";")
}

impl Feed for Account {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(news) = self.news() {
                return Some(news);
            }
            let [token, jsapi, wx_card, agent_config] = &mut self.followed;
            tokio::select! {
                () = change(token) => {}
                () = change(jsapi) => {}
                () = change(wx_card) => {}
                () = change(agent_config) => {}
            }
        }
    }

    fn reloaded(&mut self, client: &Arc<Client>) -> bool {
        // What has the name now may be another account.
        client.may(Permission::Read) && client.has(&self.name) && self.follow()
    }
}

async fn change(followed: &mut Option<(Credential, watch::Receiver<u32>)>) {
    match followed {
        // Its sender lives as long as the credential.
        Some((_, changed)) => drop(changed.changed().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
