//! What does the server's own interface answer? Credentials with what is left of them at this moment, and what became of
//! a report.

mod events;
mod handed;
mod read;
mod report;

use hyper::{Method, StatusCode, http::request::Parts};
use serde_json::json;

pub(super) use self::handed::Handed;
use self::report::Report;
use super::{Asking, Doors, Incoming, Reply, body, etag::Condition, json, only, problem::Problem};
use crate::{Account, Credential, Engine, Kind, Reported, audit::Deed, config::Permission};

impl Doors {
    /// Whatever is asked of one credential.
    pub(super) async fn credential<B: Incoming>(
        &self,
        head: &Parts,
        asking: &Asking,
        name: &str,
        kind: Kind,
        rest: &[&str],
        body: B,
    ) -> Result<Reply, Problem> {
        match rest {
            [] => {
                only(&head.method, &Method::GET)?;
                let (_, credential) = self.allowed(asking, name, kind, Permission::Read)?;
                credential.count_reader(self.engine.clock().now());
                let wait = read::wait(head.uri.query())?;
                let answer = self.read(&credential, Condition::of(&head.headers), wait).await;
                asking.did(name, was_read(&credential, &answer));
                answer
            }
            ["report"] => {
                only(&head.method, &Method::POST)?;
                let (account, credential) = self.allowed(asking, name, kind, Permission::Report)?;
                let report = Report::parse(&body::small(body).await?)?;
                if report.read && !asking.may(Permission::Read, name) {
                    return Err(Problem::NOT_ALLOWED);
                }
                let reported = report.make(&credential, account.product());
                asking.did(name, asked_for(kind, "report", reported));
                if !report.read {
                    return Ok(report::outcome(reported));
                }
                credential.count_reader(self.engine.clock().now());
                self.read_after(&credential, reported).await
            }
            ["rotate"] => {
                only(&head.method, &Method::POST)?;
                let (_, credential) = self.allowed(asking, name, kind, Permission::Rotate)?;
                report::says_nothing(&body::small(body).await?)?;
                let reported = credential.rotate();
                asking.did(name, asked_for(kind, "rotate", reported));
                Ok(report::outcome(reported))
            }
            _ => Err(Problem::NO_ROUTE),
        }
    }

    /// The credential, if whoever asks may do this with it. An account that is not there is refused in the same words as
    /// one that is another's.
    fn allowed(
        &self,
        asking: &Asking,
        name: &str,
        kind: Kind,
        permission: Permission,
    ) -> Result<(Account, Credential), Problem> {
        let account = self.engine.find(name).filter(|_| asking.may(permission, name));
        let account = account.ok_or(Problem::NOT_ALLOWED)?;
        let credential = account.credential(kind).ok_or(Problem::NO_TICKET)?;
        Ok((account, credential))
    }
}

/// A read, for the audit log.
fn was_read(credential: &Credential, answer: &Result<Reply, Problem>) -> Deed {
    let outcome = match answer {
        Ok(reply) if reply.status() == StatusCode::NOT_MODIFIED => "unchanged",
        Ok(_) => "given",
        Err(_) => "none",
    };
    Deed { kind: credential.kind(), what: "read", outcome, generation: credential.snapshot().generation() }
}

const fn asked_for(kind: Kind, what: &'static str, reported: Reported) -> Deed {
    Deed { kind, what, outcome: reported.outcome.name(), generation: reported.generation }
}

/// The accounts that whoever asks may see.
pub(super) fn accounts(engine: &Engine, asking: &Asking) -> Reply {
    let accounts = match asking.client.seen() {
        None => engine.accounts(),
        Some(names) => {
            let mut accounts: Vec<_> = names.filter_map(|name| engine.find(name)).collect();
            accounts.sort_by(|a, b| a.name().cmp(b.name()));
            accounts
        }
    };
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
pub(super) fn health(engine: &Engine, tls: Option<&'static str>) -> Reply {
    let store = engine.store_trouble();
    let (status, word) =
        if store.is_some() { ("degraded", store.as_ref().map_or("", |why| why.class())) } else { ("ok", "ok") };
    let mut health = json!({ "status": status, "store": word });
    if let Some(tls) = tls {
        health["tls"] = tls.into();
        if tls != "ok" {
            health["status"] = "degraded".into();
        }
    }
    json(StatusCode::OK, &health)
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

#[cfg(test)]
pub(super) mod scene;
#[cfg(test)]
mod tests;
