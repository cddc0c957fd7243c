//! How are the accounts, for people and their dashboards? Whoever has a key sees how its own are, and who looks after the
//! server sees all. Nothing of this holds a credential.

mod described;
mod events;

use std::{ops::ControlFlow, sync::Arc};

use hyper::{StatusCode, http::request::Parts};
use serde_json::{Value, json};

pub(super) use self::described::{State, described, worst};
use super::{Asking, Doors, Reply, json, problem::Problem};
use crate::{account::Entry, config::Permission};

/// The most accounts that one answer describes.
const MOST: usize = 1000;

/// `?after=NAME&limit=N&state=WORD`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    after: String,
    limit: Option<usize>,
    state: Option<State>,
}

impl Asked {
    fn read(query: Option<&str>) -> Result<Self, Problem> {
        let mut asked = Self::default();
        let (mut after, mut limit, mut state) = (None, None, None);
        for (name, value) in query.into_iter().flat_map(|query| form_urlencoded::parse(query.as_bytes())) {
            let place = match &*name {
                "after" => &mut after,
                "limit" => &mut limit,
                "state" => &mut state,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(Problem::STATUS_QUERY);
            }
        }
        asked.after = after.unwrap_or_default().into_owned();
        if let Some(limit) = limit {
            let is_number = !limit.is_empty() && limit.bytes().all(|byte| byte.is_ascii_digit());
            // What does not fit is more than the most.
            let limit = limit.parse().ok().filter(|_| is_number).or_else(|| is_number.then_some(MOST));
            asked.limit = Some(limit.ok_or(Problem::STATUS_QUERY)?);
        }
        if let Some(state) = state {
            asked.state = Some(State::named(&state).ok_or(Problem::STATUS_QUERY)?);
        }
        Ok(asked)
    }
}

impl Doors {
    pub(super) fn status(&self, head: &Parts, asking: &Asking) -> Result<Reply, Problem> {
        let asked = Asked::read(head.uri.query())?;
        let limit = asked.limit.unwrap_or(MOST).min(MOST);
        let now = self.engine.clock().now();
        let mut counts = [0_u64; State::ALL.len()];
        let mut page: Vec<Arc<Entry>> = Vec::new();
        let mut more = false;
        self.engine.for_each_account(|entry| {
            if asking.sees(&entry.name) {
                let state = worst(entry, now);
                if let Some(count) = counts.get_mut(state as usize) {
                    *count += 1;
                }
                if *entry.name > *asked.after && asked.state.is_none_or(|wanted| wanted == state) {
                    if page.len() < limit {
                        page.push(entry.clone());
                    } else {
                        more = true;
                    }
                }
            }
            ControlFlow::Continue(())
        });
        let accounts: Vec<Value> = page.iter().map(|entry| described(&self.engine, asking, entry, now)).collect();
        let mut body = json!({
            "accounts": accounts,
            "next": page.last().filter(|_| more).map(|last| &*last.name),
            "total": counts.iter().sum::<u64>(),
            "states": State::ALL.map(|state| (state.name(), counts[state as usize])).into_iter().collect::<States>(),
        });
        if let (true, Some(body)) = (asking.client.may(Permission::Admin), body.as_object_mut()) {
            body.insert("server".to_owned(), self.server());
        }
        Ok(json(StatusCode::OK, &body))
    }

    /// How the server itself is.
    fn server(&self) -> Value {
        let store = self.engine.store_trouble();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime": self.engine.clock().now().saturating_since(self.started).as_secs(),
            "accounts": self.engine.len(),
            "fetching": self.engine.fetching(),
            "store": store.as_ref().map_or("ok", |why| why.class()),
            "store_trouble": store.as_ref().map(ToString::to_string),
        })
    }
}

type States = std::collections::BTreeMap<&'static str, u64>;

#[cfg(test)]
pub(super) mod tests;
