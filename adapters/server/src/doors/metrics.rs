//! What does a monitoring system scrape? Numbers in the OpenMetrics text format: of each account that the key sees, and for
//! who looks after the server of the server itself. Labels are names of accounts and fixed words, never a credential.

mod requests;
mod scrape;

use std::ops::ControlFlow;

use http_body_util::{Either, Full};
use hyper::{
    Response,
    body::Bytes,
    header::{self, HeaderValue},
    http::request::Parts,
};
use prometheus_client::{encoding::text, registry::Registry};

pub(super) use self::requests::{Requests, Route};
use self::scrape::{Scrape, Served};
use super::{Asking, Doors, Reply, problem::Problem, status::worst};
use crate::config::Permission;

/// So many accounts are told apart, unless more are asked for: each is some hundreds of bytes for each of its credentials.
const APART: usize = 1000;
/// The most that can be asked for.
const MOST_APART: usize = 10_000;

/// `?accounts=N`.
fn apart(query: Option<&str>) -> Result<usize, Problem> {
    let mut asked = None;
    for (name, value) in query.into_iter().flat_map(|query| form_urlencoded::parse(query.as_bytes())) {
        if name == "accounts" {
            if asked.is_some() || value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Problem::METRICS_QUERY);
            }
            // What does not fit is more than the most.
            asked = Some(value.parse().unwrap_or(MOST_APART).min(MOST_APART));
        }
    }
    Ok(asked.unwrap_or(APART))
}

impl Doors {
    pub(super) fn metrics(&self, head: &Parts, asking: &Asking) -> Result<Reply, Problem> {
        let apart = apart(head.uri.query())?;
        let now = self.engine.clock().now();
        let mut scrape = Scrape::default();
        self.engine.for_each_account(|entry| {
            if asking.sees(&entry.name) {
                if let Some(count) = scrape.states.get_mut(worst(entry, now) as usize) {
                    *count += 1;
                }
                if scrape.accounts < apart {
                    scrape.accounts += 1;
                    let account = self.engine.account(entry);
                    let credentials = account.kinds().filter_map(|kind| account.credential(kind));
                    scrape.credentials.extend(
                        credentials
                            .map(|credential| (entry.name.clone(), credential.kind().name(), credential.status())),
                    );
                }
            }
            ControlFlow::Continue(())
        });
        if asking.client.may(Permission::Admin) {
            let tallies = &self.engine.inner.tallies;
            scrape.served = Some(Served {
                uptime: now.saturating_since(self.started),
                fetching: self.engine.fetching(),
                store_trouble: self.engine.store_trouble().map(|why| why.class()),
                fetches: tallies.fetches.all(),
                reports: tallies.reports.all(),
                rotations: tallies.rotations.all(),
                requests: self.requests.all(),
            });
        }
        let (mut registry, mut written) = (Registry::default(), String::new());
        registry.register_collector(Box::new(scrape));
        // Writing to a String cannot fail.
        let _ = text::encode(&mut written, &registry);
        let mut reply = Response::new(Either::Left(Full::new(Bytes::from(written))));
        let content_type = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        reply.headers_mut().insert(header::CONTENT_TYPE, content_type);
        reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(reply)
    }
}

#[cfg(test)]
mod tests;
