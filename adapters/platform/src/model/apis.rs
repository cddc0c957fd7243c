//! What does a call that carries a token get? The APIs behind the token: each checks it, and whose it is.

use super::account::Kind;
use super::body::Body;
use super::ledger::Standing;
use super::message::Channel;
use super::quota::Span;
use super::request::{Reply, Request};
use super::{Model, Outcome, refusal, ticket};

/// The paths that only WeCom has.
pub(super) const WORK_ONLY: [&str; 3] = [WORK_MESSAGE, "/cgi-bin/get_jsapi_ticket", "/cgi-bin/ticket/get"];

const WORK_MESSAGE: &str = "/cgi-bin/message/send";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    CallbackIp,
    DomainIp,
    Message(Channel),
    Ticket(ticket::Kind),
    Upload,
    Download,
}

impl Api {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/cgi-bin/getcallbackip" => Self::CallbackIp,
            "/cgi-bin/get_api_domain_ip" => Self::DomainIp,
            "/cgi-bin/message/template/send" => Self::Message(Channel::Template),
            "/cgi-bin/message/custom/send" => Self::Message(Channel::Customer),
            WORK_MESSAGE => Self::Message(Channel::Work),
            "/cgi-bin/media/upload" => Self::Upload,
            "/cgi-bin/media/get" => Self::Download,
            // Which of the tickets of a path it is, the fetch finds out.
            _ => Self::Ticket(ticket::Kind::ALL.into_iter().find(|kind| kind.path() == path)?),
        })
    }

    /// Whether the account's host has the API at all. Both hosts are one here, but a token of the other product is
    /// as good as made up.
    const fn exists_for(self, kind: Kind) -> bool {
        match self {
            Self::CallbackIp | Self::DomainIp | Self::Upload | Self::Download => true,
            Self::Message(channel) => matches!(channel, Channel::Work) == matches!(kind, Kind::Work),
            Self::Ticket(ticket) => ticket.is_work() == matches!(kind, Kind::Work),
        }
    }
}

/// A made-up token gets 40001 on cgi-bin (published probe); WeCom's word for it is 40014.
fn made_up(kind: Kind) -> i32 {
    if kind == Kind::Work { 40_014 } else { 40_001 }
}

impl Model {
    /// How old the token is that a call carries, in milliseconds; `None` when it carries none that is alive.
    pub(crate) fn token_age_ms(&self, now: u64, request: &Request) -> Option<u64> {
        match self.find_token(request.param("access_token")?, now)?.1 {
            Standing::Alive { age_ms } => Some(age_ms),
            Standing::Expired | Standing::Killed => None,
        }
    }

    /// Answers a call as if its token were bad, whatever it is.
    pub(crate) fn refuse_token(&mut self, now: u64, request: &Request, errcode: Option<i32>) -> Reply {
        let found = request.param("access_token").and_then(|token| self.find_token(token, now));
        let entry = found.map(|(index, _)| index);
        let kind = entry.map_or_else(|| self.kind_of_stranger(&request.path), |index| self.entries[index].account.kind);
        let outcome = Outcome { entry, kind, result: Err(errcode.unwrap_or_else(|| made_up(kind))) };
        self.count(&outcome, &request.path, false);
        self.render(now, request, outcome)
    }

    pub(super) fn call(&mut self, now: u64, request: &Request) -> Outcome {
        let stranger = self.kind_of_stranger(&request.path);
        let refuse = |entry, kind, code| Outcome { entry, kind, result: Err(code) };
        let Some(api) = Api::of(&request.path) else {
            return refuse(None, stranger, 40_066);
        };
        let Some(token) = request.param("access_token") else {
            return refuse(None, stranger, 41_001);
        };
        let Some((index, standing)) = self.find_token(token, now) else {
            return refuse(None, stranger, made_up(stranger));
        };
        let entry = &mut self.entries[index];
        let kind = entry.account.kind;
        if !api.exists_for(kind) {
            return refuse(None, stranger, made_up(stranger));
        }
        let result = match standing {
            Standing::Killed => Err(made_up(kind)),
            Standing::Expired => Err(42_001),
            Standing::Alive { age_ms } => {
                if let Some(code) = refusal::next(&mut entry.refusals, now, Some(age_ms)) {
                    Err(code)
                } else if kind == Kind::Work && !entry.gate.lists(request.client_ip) {
                    Err(60_020)
                } else {
                    self.execute(now, request, api, index)
                }
            }
        };
        Outcome { entry: Some(index), kind, result }
    }

    fn execute(&mut self, now: u64, request: &Request, api: Api, index: usize) -> Result<Body, i32> {
        let entry = &mut self.entries[index];
        let kind = entry.account.kind;
        if kind == Kind::MiniProgram && matches!(api, Api::Message(Channel::Template) | Api::Ticket(_)) {
            return Err(48_001);
        }
        let quota = entry.account.quotas.of_api(&request.path);
        let used = entry.apis.entry(request.path.clone()).or_default();
        let work = kind == Kind::Work;
        used.take(now, quota, work).map_err(|full| if full == Span::Minute && !work { 45_011 } else { 45_009 })?;
        match api {
            Api::CallbackIp | Api::DomainIp => {
                // Addresses of the range reserved for documentation (RFC 5737): nobody can mistake them for real.
                let body = Body::default().with("ip_list", vec!["192.0.2.1", "192.0.2.2"]);
                Ok(if kind == Kind::Work { body.with("errcode", 0).with("errmsg", "ok") } else { body })
            }
            Api::Upload => self.shelf.upload(now, request, &entry.account, &mut self.rng),
            Api::Download => self.shelf.download(now, request, &entry.account),
            Api::Message(channel) => self.message(now, request, channel, index),
            Api::Ticket(_) => {
                let corporation = self.corporations.entry(entry.account.id.clone()).or_default();
                ticket::grant(now, request, entry, corporation, &mut self.rng)
            }
        }
    }
}
