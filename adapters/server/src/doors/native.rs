//! What does the server's own interface answer? Credentials with what is left of them at this moment, and what became of
//! a report.

use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{Asking, Reply, json, problem::Problem};
use crate::{Credential, Engine, Reported, Seen};

/// How long a reader waits for a credential that is being fetched: longer than one exchange may take.
const WAIT: Duration = Duration::from_secs(15);

/// The credential, and how long it is good for: whole seconds, reckoned now.
pub(super) async fn read(engine: &Engine, credential: &Credential) -> Result<Reply, Problem> {
    let now = engine.clock().now();
    let mut snapshot = credential.snapshot();
    if snapshot.valid(now).is_none() {
        snapshot = credential.wait(WAIT).await.map_err(|why| Problem::no_token(&why))?;
    }
    let now = engine.clock().now();
    let Some(held) = snapshot.valid(now) else {
        return Err(Problem::no_token(&credential.why_not(now)));
    };
    let refresh_after = snapshot.next_fetch_at().saturating_since(now).min(snapshot.remaining(now));
    let field = if credential.kind() == crate::Kind::Token { "access_token" } else { "ticket" };
    Ok(json(
        StatusCode::OK,
        &json!({
            field: held.as_str(),
            "expires_in": snapshot.remaining(now).as_secs(),
            "generation": held.generation(),
            "refresh_after": refresh_after.as_secs(),
        }),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    access_token: Option<String>,
    sha256: Option<String>,
    /// What the platform said. For the caller's own record: the codes that matter were sorted out by the caller.
    #[serde(rename = "errcode")]
    _errcode: Option<i64>,
}

pub(super) fn report(credential: &Credential, body: &[u8]) -> Result<Reply, Problem> {
    let report: Report = serde_json::from_slice(body).map_err(|_| Problem::BODY)?;
    let seen = match (report.access_token, report.sha256) {
        (Some(text), None) => Seen::text(&text),
        (None, Some(digits)) => Seen::Sha256(crate::config::hex(&digits).ok_or(Problem::BODY)?),
        _ => return Err(Problem::BODY),
    };
    Ok(outcome(credential.report(seen)))
}

pub(super) fn rotate(credential: &Credential) -> Reply {
    outcome(credential.rotate())
}

fn outcome(reported: Reported) -> Reply {
    let mut body = json!({ "outcome": reported.outcome.name(), "generation": reported.generation });
    if let (crate::ReportOutcome::HeldOff(wait), Some(body)) = (reported.outcome, body.as_object_mut()) {
        body.insert("retry_after".to_owned(), (wait.as_secs() + 1).into());
    }
    json(StatusCode::OK, &body)
}

/// The accounts that are this client's.
pub(super) fn accounts(engine: &Engine, asking: &Asking) -> Reply {
    let mut accounts: Vec<_> = asking.client.accounts().filter_map(|name| engine.find(name)).collect();
    accounts.sort_by(|a, b| a.name().cmp(b.name()));
    let now = engine.clock().now();
    let described = accounts.iter().map(|account| {
        let credentials = account.kinds().filter_map(|kind| account.credential(kind)).map(|credential| {
            let snapshot = credential.snapshot();
            json!({
                "kind": credential.kind().name(),
                "valid": snapshot.valid(now).is_some(),
                "expires_in": snapshot.remaining(now).as_secs(),
                "generation": snapshot.generation(),
            })
        });
        json!({
            "name": account.name(),
            "kind": account.kind().name(),
            "id": account.id(),
            "credentials": credentials.collect::<Vec<_>>(),
        })
    });
    json(StatusCode::OK, &json!({ "accounts": described.collect::<Vec<_>>() }))
}

/// Whether the server lives, and whether its store does. Names nobody: it is asked without a key.
pub(super) fn health(engine: &Engine) -> Reply {
    let store = engine.store_trouble();
    let (status, word) =
        if store.is_some() { ("degraded", store.as_ref().map_or("", |why| why.class())) } else { ("ok", "ok") };
    json(StatusCode::OK, &json!({ "status": status, "store": word }))
}

/// Whether every account has a valid token. Numbers only.
pub(super) fn ready(engine: &Engine) -> Reply {
    let now = engine.clock().now();
    let (mut accounts, mut ready) = (0_usize, 0_usize);
    engine.for_each_token(|snapshot| {
        accounts += 1;
        ready += usize::from(snapshot.valid(now).is_some());
    });
    let status = if ready == accounts { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, &json!({ "accounts": accounts, "ready": ready }))
}
