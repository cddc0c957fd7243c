//! What does a reader get? The credential, or how long the one it has is good for, or, if it wants to wait, the next one.

use std::time::Duration;

use wxtoken::Instant;

use super::{
    super::{
        Doors, PATIENCE, Reply,
        etag::{Condition, Tag},
        problem::Problem,
    },
    handed::Handed,
};
use crate::{Credential, Reported};

/// The longest that anybody waits.
const LONGEST: u64 = 60;

/// `?wait=S`: whole seconds; more than 60 count as 60.
pub(super) fn wait(query: Option<&str>) -> Result<Option<Duration>, Problem> {
    let mut wait = None;
    for (name, value) in query.into_iter().flat_map(|query| form_urlencoded::parse(query.as_bytes())) {
        if name == "wait" {
            if wait.is_some() || value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Problem::WAIT);
            }
            // What does not fit is more than 60.
            wait = Some(Duration::from_secs(value.parse().unwrap_or(LONGEST).min(LONGEST)));
        }
    }
    Ok(wait)
}

impl Doors {
    pub(super) async fn read(
        &self,
        credential: &Credential,
        condition: Condition<'_>,
        wait: Option<Duration>,
    ) -> Result<Reply, Problem> {
        let now = self.engine.clock().now();
        let snapshot = credential.snapshot();
        let Some(handed) = Handed::of(self, credential.kind(), &snapshot, now) else {
            let until = now.saturating_add(wait.unwrap_or(PATIENCE));
            return self.read_later(credential, condition, until, None).await;
        };
        let tag = Tag::of(handed.held());
        if !condition.names(&tag) {
            return Ok(handed.whole(&tag));
        }
        match wait {
            Some(wait) if !wait.is_zero() => {
                let known = handed.held().generation();
                self.read_later(credential, condition, now.saturating_add(wait), Some(known)).await
            }
            _ => Ok(handed.unchanged(&tag)),
        }
    }

    /// Waits until there is one; of a reader that has the one of the generation `known`, until there is another.
    async fn read_later(
        &self,
        credential: &Credential,
        condition: Condition<'_>,
        until: Instant,
        known: Option<u32>,
    ) -> Result<Reply, Problem> {
        let (clock, kind) = (self.engine.clock(), credential.kind());
        let mut changed = credential.changed();
        loop {
            // Before the look, so that a change between the two wakes us.
            changed.borrow_and_update();
            let (now, snapshot) = (clock.now(), credential.snapshot());
            if let Some(handed) = Handed::of(self, kind, &snapshot, now) {
                let tag = Tag::of(handed.held());
                let generation = handed.held().generation();
                // What `*` names is any, so it is not asked of another one.
                let has =
                    condition.names(&tag) && !(condition.is_any() && known.is_some_and(|known| known != generation));
                if !has {
                    return Ok(handed.whole(&tag));
                }
                if known.is_none() || now >= until || self.is_closing() {
                    return Ok(handed.unchanged(&tag));
                }
                tokio::select! {
                    _ = changed.changed() => {}
                    () = clock.sleep_until(until) => {}
                    () = self.closed() => {}
                }
            } else {
                // Ends by itself when the server does: the fetch that it waits for is finished first.
                let waited = credential.wait(until.saturating_since(now)).await;
                drop(waited.map_err(|why| Problem::no_token(&why))?);
            }
        }
    }

    /// After a report: what the credential has become, as a reader would get it.
    pub(super) async fn read_after(&self, credential: &Credential, reported: Reported) -> Result<Reply, Problem> {
        let snapshot = credential.wait(PATIENCE).await.map_err(|why| Problem::no_token(&why))?;
        let now = self.engine.clock().now();
        let handed = Handed::of(self, credential.kind(), &snapshot, now);
        handed.map(|handed| handed.after(reported)).ok_or_else(|| Problem::no_token(&credential.why_not(now)))
    }
}
