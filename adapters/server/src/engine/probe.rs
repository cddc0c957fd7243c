//! Is this token still good? One cheap call with it decides, when somebody who was given it seems to have been refused.
//!
//! WeChat's own shape has no way to say "this one was refused": a client that comes back for what it was just given is
//! all there is to go by. So the answer must be cheap and bounded: one call at a time for each credential, however many
//! come back; what it said is believed for a moment; and a credential that is doubted all day is looked at once a minute.

use std::time::Duration;

use tokio::sync::Mutex;
use wxtoken::{
    Endpoint, Instant, MAX_REPLY_LEN, Request,
    core::{self, Action, Errcode, ErrcodeReader, Keeper, Method, Param, Product, Repeat, Value},
};

use super::Credential;
use crate::{engine::ReportOutcome, events, snapshot::Held};

/// The probe may take this long: somebody waits for it, and without an answer the token is served as it is.
const LIMIT: Duration = Duration::from_secs(5);
/// What a probe said is believed for so long: a herd that comes back together costs one.
const BELIEVED: Duration = Duration::from_secs(2);
/// So many probes that found nothing may follow each other, then one in each interval.
const BURST: u32 = 5;
const INTERVAL: Duration = Duration::from_secs(60);

static PLATFORM: Endpoint = endpoint(Product::Platform);
static WORK: Endpoint = endpoint(Product::Work);

const fn endpoint(product: Product) -> Endpoint {
    const PARAMS: &[Param] = &[Param::query("access_token", Value::Extra(0))];
    let path = "/cgi-bin/getcallbackip";
    Endpoint::custom("getcallbackip", product, Method::Get, path, PARAMS, "ip_list", Repeat::SameWhileValid)
}

/// What became of a doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Nothing speaks against it, or nothing could be found out now: it is served as it is.
    Unfounded,
    /// The platform refuses it, and it is kept because it is young: it is to be tried once more, not before then.
    Kept(Instant),
    /// The platform refuses it, and it was dropped; or another is current already.
    Past,
}

/// A token that is refused and kept is tried again after this: the platform may not know it everywhere yet.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known from probes of one credential.
#[derive(Debug, Default)]
pub(super) struct Probing(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// What was said of which generation, and until when that is believed.
    said: Option<(u32, Instant, Doubt)>,
    /// When the budget is whole again.
    whole_at: Instant,
}

impl Credential {
    /// Finds out whether `held`, which this credential has handed out, is still good. Costs one exchange at most; a
    /// refusal goes the way of a report.
    pub(crate) async fn doubt(&self, held: &Held) -> Doubt {
        let probing = self.cell.probing();
        // Whoever waits here finds the answer that the one before got.
        let mut known = probing.0.lock().await;
        let now = self.inner.clock.now();
        if self.snapshot().valid(now).is_none_or(|current| current.generation() != held.generation()) {
            return Doubt::Past;
        }
        if let Some((_, _, said)) = known.said.filter(|&(of, until, _)| of == held.generation() && now < until) {
            return said;
        }
        if known.whole_at.saturating_since(now) > INTERVAL.saturating_mul(BURST - 1) {
            return Doubt::Unfounded;
        }
        let refused = self.probe(held).await;
        let now = self.inner.clock.now();
        events::probed(&self.cell, refused);
        let (said, until) = match refused {
            Some(true) if self.report(held.fingerprint()).outcome != ReportOutcome::Kept => (Doubt::Past, now),
            // The others of the herd must not take away by a probe of their own what is granted once.
            Some(true) => (Doubt::Kept(now.saturating_add(PAUSE)), now.saturating_add(PAUSE)),
            _ => {
                known.whole_at = known.whole_at.max(now).saturating_add(INTERVAL);
                (Doubt::Unfounded, now.saturating_add(BELIEVED))
            }
        };
        known.said = Some((held.generation(), until, said));
        said
    }

    /// Whether the platform refuses this token; `None`: it did not say.
    async fn probe(&self, held: &Held) -> Option<bool> {
        let endpoint = if self.cell.who.product() == Product::Work { &WORK } else { &PLATFORM };
        let account = self.cell.who.account_at(endpoint)?;
        // A fetch that no other keeper knows of: a request is written for one.
        let Action::Fetch(fetch) = Keeper::new(endpoint, 0).poll(Instant::ZERO) else { return None };
        let extras = [held.as_str()];
        let request: Request<'_, '_> = core::Account::request_with(&account, fetch, &extras);
        let reply = tokio::time::timeout(LIMIT, self.inner.transport.exchange(request)).await.ok()?.ok()?;
        let mut reader = ErrcodeReader::new();
        reader.push(&reply.body);
        match reader.finish() {
            Errcode::Is(40_001 | 40_014 | 42_001) => Some(true),
            Errcode::Is(0) | Errcode::Absent if reply.status == 200 => Some(false),
            // A list of addresses that is longer than what is read of it.
            Errcode::Unclear if reply.status == 200 && reply.body.len() > MAX_REPLY_LEN => Some(false),
            _ => None,
        }
    }
}
