//! How does the server answer an SDK that takes it for WeChat? In WeChat's own shape: its paths, its parameters, HTTP 200,
//! and an errcode when there is nothing to give.
//!
//! `secret` is the client's key, `appid` or `corpid` the account's id; the account's real secret is not involved. An SDK
//! cannot say that a token was refused: it only comes back for another one. [`Returning`] notices that, one probe decides
//! (see [`Credential::doubt`]), and one fetch at most follows. Never is the answer 40001, 40014 or 42001: on these SDKs
//! fetch a token and call again, some of them without end.

mod asked;
mod returning;
mod said;

use std::{sync::Arc, time::Duration};

use hyper::{Method, http::request::Parts};
use serde_json::json;
use wxtoken::core::{Endpoint, Repeat};

pub(super) use self::returning::Returning;
use self::{asked::Asked, said::Said};
use super::{Asking, Doors, Incoming, PATIENCE, Peer, Problem, Reply, body::small};
use crate::{
    Account, AccountKind, Credential, Held, Kind, NoToken, ReportOutcome, Snapshot, audit::Deed, config::Permission,
    engine::Doubt,
};

/// Where every fetch retires the token before it, that one is said to live this much longer than until the next fetch.
const OVERLAP: Duration = Duration::from_secs(60);

/// Whose words are spoken, and which accounts are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Platform,
    Work,
}

impl Side {
    const fn has(self, kind: AccountKind) -> bool {
        matches!(kind, AccountKind::Work) == matches!(self, Self::Work)
    }
}

impl Doors {
    /// Answers what is asked below `/cgi-bin/`. What is wrong is an answer in WeChat's shape, too.
    pub(super) async fn wechat<B: Incoming>(&self, peer: &Peer, head: &Parts, path: &[&str], body: B) -> Reply {
        self.as_wechat(peer, head, path, body).await.unwrap_or_else(Said::into_reply)
    }

    async fn as_wechat<B: Incoming>(&self, peer: &Peer, head: &Parts, path: &[&str], body: B) -> Result<Reply, Said> {
        let posted = match head.method {
            Method::POST => true,
            Method::GET | Method::HEAD => false,
            _ => return Err(Said::METHOD),
        };
        let query = head.uri.query().unwrap_or("");
        match (path, posted) {
            (["token"], _) => self.token(peer, &asked(query, body).await?, Side::Platform, &Endpoint::TOKEN).await,
            (["stable_token"], true) => {
                self.token(peer, &asked(query, body).await?, Side::Platform, &Endpoint::STABLE_TOKEN).await
            }
            (["stable_token"], false) => Err(Said::POST),
            (["gettoken"], _) => self.token(peer, &asked(query, body).await?, Side::Work, &Endpoint::WORK).await,
            (["ticket", "getticket"], _) => self.ticket(&asked(query, body).await?, Side::Platform, None).await,
            (["get_jsapi_ticket"], _) => self.ticket(&asked(query, body).await?, Side::Work, Some(Kind::Jsapi)).await,
            (["ticket", "get"], _) => self.ticket(&asked(query, body).await?, Side::Work, None).await,
            _ => self.called(peer, head, query, body).await,
        }
    }

    /// A call of an SDK that has one base for tokens and calls. Whose it is says the token in it, which is no more than what
    /// WeChat itself asks for; it is forwarded for a client that could have fetched that token and lists the path.
    async fn called<B: Incoming>(&self, peer: &Peer, head: &Parts, query: &str, body: B) -> Result<Reply, Said> {
        let path = head.uri.path();
        let asked = Asked::read(query, &[])?;
        let token = asked.access_token().map_err(|_| Said::NO_ROUTE)?;
        let account = self.engine.with_token(token).ok_or(Said::STRANGE_TOKEN)?;
        let asking =
            self.asking_by_token(peer, account.name(), path).ok_or(Said::NO_ROUTE)?.map_err(Said::turned_away)?;
        // Nothing was called yet, so it may be told as an errcode.
        self.valid(&account.token()).await?;
        // Without an answer an SDK must not be told an errcode upon which it calls again: it raises on a status.
        Ok(self.pass_on(&asking, &account, path, head, body).await.unwrap_or_else(Problem::into_reply))
    }

    async fn token(&self, peer: &Peer, asked: &Asked, side: Side, endpoint: &Endpoint) -> Result<Reply, Said> {
        let (id, secret) = asked.credentials(side)?;
        // One and the same answer whatever was wrong: nothing is learned about which accounts there are.
        let asking = self.asking(peer, secret).await.map_err(Said::turned_away)?;
        let account = self.of_id(&asking, id, side, endpoint)?;
        if !asking.may(Permission::Read, account.name()) {
            return Err(Said::SECRET);
        }
        let token = account.token();
        token.count_reader(self.engine.clock().now());
        let forced = asked.force_refresh && asking.may(Permission::Rotate, account.name());
        let given = if forced { self.forced(&token).await } else { self.handed_out(&asking, &token).await };
        let (what, outcome) = (if forced { "rotate" } else { "read" }, if given.is_ok() { "given" } else { "none" });
        let generation = token.snapshot().generation();
        asking.did(account.name(), Deed { kind: Kind::Token, what, outcome, generation });
        let (snapshot, held) = given?;
        let expires_in = self.told_life(&account, &snapshot).as_secs();
        Ok(match side {
            Side::Platform => said::granted(&json!({ "access_token": held.as_str(), "expires_in": expires_in })),
            Side::Work => said::granted(&json!({
                "errcode": 0,
                "errmsg": "ok",
                "access_token": held.as_str(),
                "expires_in": expires_in,
            })),
        })
    }

    /// The one account of this id that the client may ask for. Where an appid is kept at both of the platform's token
    /// endpoints, the path says which is meant.
    fn of_id(&self, asking: &Asking, id: &str, side: Side, endpoint: &Endpoint) -> Result<Account, Said> {
        let mut accounts = self.engine.with_id(id);
        // Whoever may not read learns nothing either, not even that there are several.
        accounts.retain(|account| {
            side.has(account.kind()) && asking.client.has(account.name()) && asking.client.may(Permission::Read)
        });
        if accounts.len() > 1 && side == Side::Platform {
            let at_it = accounts.iter().filter(|account| account.endpoint().name() == endpoint.name()).count();
            if at_it > 0 {
                accounts.retain(|account| account.endpoint().name() == endpoint.name());
            }
        }
        match accounts.len() {
            0 | 1 => accounts.pop().ok_or(Said::SECRET),
            _ => Err(Said::AMBIGUOUS),
        }
    }

    /// What is handed out to a client that may have it, unless the client is back for what it was just given and the
    /// platform refuses that.
    async fn handed_out(&self, asking: &Asking, token: &Credential) -> Result<(Arc<Snapshot>, Arc<Held>), Said> {
        let (snapshot, held) = self.valid(token).await?;
        let now = self.engine.clock().now();
        let came = self.returning.came(&asking.client.name, token.key(), held.generation(), now);
        match came {
            returning::Came::First => return Ok((snapshot, held)),
            returning::Came::TooOften => return Err(Said::TOO_OFTEN),
            returning::Came::Again => {}
        }
        match token.doubt(&held).await {
            Doubt::Unfounded => return Ok((snapshot, held)),
            Doubt::Kept(until) => self.engine.clock().sleep_until(until).await,
            Doubt::Past => {}
        }
        let (snapshot, held) = self.valid(token).await?;
        let now = self.engine.clock().now();
        // Whatever this says: it is another one, or the client was told to wait already.
        let _ = self.returning.came(&asking.client.name, token.key(), held.generation(), now);
        Ok((snapshot, held))
    }

    /// A new one, if one may be fetched: else the one there is, as WeChat does it.
    async fn forced(&self, token: &Credential) -> Result<(Arc<Snapshot>, Arc<Held>), Said> {
        let mut changed = token.changed();
        let reported = token.rotate();
        if reported.outcome == ReportOutcome::Refreshing {
            let until = self.engine.clock().now().saturating_add(PATIENCE);
            let another = async {
                while token.snapshot().generation() == reported.generation && token.is_coming() {
                    if changed.changed().await.is_err() {
                        return;
                    }
                }
            };
            tokio::select! {
                () = another => {}
                () = self.engine.clock().sleep_until(until) => {}
            }
        }
        self.valid(token).await
    }

    async fn valid(&self, credential: &Credential) -> Result<(Arc<Snapshot>, Arc<Held>), Said> {
        let mut snapshot = credential.snapshot();
        if snapshot.valid(self.engine.clock().now()).is_none() {
            snapshot = credential.wait(PATIENCE).await.map_err(|why: NoToken| Said::nothing(&why))?;
        }
        let now = self.engine.clock().now();
        match snapshot.valid(now).cloned() {
            Some(held) => Ok((snapshot, held)),
            None => Err(Said::nothing(&credential.why_not(now))),
        }
    }

    /// The seconds that are left. Where the next fetch retires the token, it is told to end soon after that: an SDK that
    /// believed in the whole life would call with a dead token until then.
    fn told_life(&self, account: &Account, snapshot: &Snapshot) -> Duration {
        let now = self.engine.clock().now();
        let remaining = snapshot.remaining(now);
        match account.endpoint().repeat() {
            Repeat::Rotates => remaining.min(snapshot.next_fetch_at().saturating_since(now).saturating_add(OVERLAP)),
            _ => remaining,
        }
    }

    /// A ticket. There is no key in this request: whoever has the account's token may have its ticket, as at WeChat.
    async fn ticket(&self, asked: &Asked, side: Side, kind: Option<Kind>) -> Result<Reply, Said> {
        let token = asked.access_token()?;
        let account = self.engine.with_token(token).filter(|account| side.has(account.kind()));
        let account = account.ok_or(Said::STRANGE_TOKEN)?;
        let kind = match kind {
            Some(kind) => kind,
            None => asked.ticket_kind(side)?,
        };
        let credential = account.credential(kind).ok_or(Said::NO_TICKET)?;
        credential.count_reader(self.engine.clock().now());
        let (snapshot, held) = self.valid(&credential).await?;
        let expires_in = snapshot.remaining(self.engine.clock().now()).as_secs();
        Ok(said::granted(&json!({
            "errcode": 0,
            "errmsg": "ok",
            "ticket": held.as_str(),
            "expires_in": expires_in,
        })))
    }
}

async fn asked<B: Incoming>(query: &str, body: B) -> Result<Asked, Said> {
    let body = small(body).await.map_err(|_| Said::BODY)?;
    Asked::read(query, &body)
}

#[cfg(test)]
mod tests;
