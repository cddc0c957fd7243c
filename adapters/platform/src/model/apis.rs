//! What does a call that carries a token get? The APIs behind the token: each checks it, and whose it is.

use serde::Serialize;
use serde_json::Value;

use super::account::Kind;
use super::body::Body;
use super::ledger::Standing;
use super::quota::Span;
use super::refusal;
use super::request::Request;
use super::{Model, Outcome};

pub(super) const WORK_MESSAGE: &str = "/cgi-bin/message/send";

/// Messages kept for reading back; the oldest goes first.
const KEPT: usize = 10_000;

/// A message that the platform took over, to be read back by a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// The account's name.
    pub account: String,
    /// The API's path.
    pub path: String,
    /// When it was taken over, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The platform's number for it, unique in a run.
    pub id: u64,
    /// The JSON that was posted.
    pub body: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    CallbackIp,
    DomainIp,
    Template,
    Customer,
    WorkMessage,
    Upload,
}

impl Api {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/cgi-bin/getcallbackip" => Self::CallbackIp,
            "/cgi-bin/get_api_domain_ip" => Self::DomainIp,
            "/cgi-bin/message/template/send" => Self::Template,
            "/cgi-bin/message/custom/send" => Self::Customer,
            WORK_MESSAGE => Self::WorkMessage,
            "/cgi-bin/media/upload" => Self::Upload,
            _ => return None,
        })
    }

    /// Whether the account's host has the API at all. Both hosts are one here, but a token of the other product is
    /// as good as made up.
    const fn exists_for(self, kind: Kind) -> bool {
        match self {
            Self::CallbackIp | Self::DomainIp | Self::Upload => true,
            Self::Template | Self::Customer => !matches!(kind, Kind::Work),
            Self::WorkMessage => matches!(kind, Kind::Work),
        }
    }
}

impl Model {
    pub(super) fn call(&mut self, now: u64, request: &Request) -> Outcome {
        let stranger = self.kind_of_stranger(&request.path);
        let refuse = |entry, kind, code| Outcome { entry, kind, result: Err(code) };
        let Some(api) = Api::of(&request.path) else {
            return refuse(None, stranger, 40_066);
        };
        let Some(token) = request.param("access_token") else {
            return refuse(None, stranger, 41_001);
        };
        // A made-up token gets 40001 on cgi-bin (published probe); WeCom's word for it is 40014.
        let made_up = |kind| if kind == Kind::Work { 40_014 } else { 40_001 };
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
        if api == Api::Template && kind == Kind::MiniProgram {
            return Err(48_001);
        }
        let quota = entry.account.quotas.api_per_day;
        let used = entry.api_today.entry(request.path.clone()).or_default();
        if !used.take(Span::Day, now, quota) {
            return Err(45_009);
        }
        match api {
            Api::CallbackIp | Api::DomainIp => {
                // Addresses of the range reserved for documentation (RFC 5737): nobody can mistake them for real.
                let body = Body::default().with("ip_list", vec!["192.0.2.1", "192.0.2.2"]);
                Ok(if kind == Kind::Work { body.with("errcode", 0).with("errmsg", "ok") } else { body })
            }
            Api::Upload => self.upload(now, request, kind),
            Api::Template | Api::Customer | Api::WorkMessage => self.message(now, request, api, index),
        }
    }

    fn upload(&mut self, now: u64, request: &Request, kind: Kind) -> Result<Body, i32> {
        if !request.is_post() {
            return Err(43_002);
        }
        let media = match (request.param("type"), kind) {
            (Some(media @ ("image" | "voice" | "video")), _) => media,
            (Some("thumb"), Kind::Official | Kind::MiniProgram) => "thumb",
            (Some("file"), Kind::Work) => "file",
            _ => return Err(40_004),
        };
        if !has_media_part(request) {
            return Err(41_005);
        }
        let mut media_id = String::new();
        self.rng.fill_token(&mut media_id, 64);
        let created_at = now / 1_000;
        Ok(if kind == Kind::Work {
            // WeCom spells the time as a string.
            Body::default()
                .with("errcode", 0)
                .with("errmsg", "ok")
                .with("type", media)
                .with("media_id", media_id)
                .with("created_at", created_at.to_string())
        } else {
            Body::default().with("type", media).with("media_id", media_id).with("created_at", created_at)
        })
    }

    fn message(&mut self, now: u64, request: &Request, api: Api, index: usize) -> Result<Body, i32> {
        let entry = &mut self.entries[index];
        let body = read_message(request)?;
        let given = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
        match api {
            Api::Template if !given("touser") => return Err(40_003),
            Api::Template if !given("template_id") => return Err(40_037),
            Api::Customer if !given("touser") => return Err(40_003),
            Api::Customer if !given("msgtype") => return Err(40_008),
            Api::WorkMessage => {
                // The documents ask for the characters themselves and refuse escapes.
                if request.body.windows(2).any(|pair| pair == b"\\u") {
                    return Err(40_033);
                }
                if !["touser", "toparty", "totag"].into_iter().any(given) {
                    return Err(40_031);
                }
                if !given("msgtype") {
                    return Err(40_008);
                }
                let agent = &body["agentid"];
                let named = agent.as_u64().or_else(|| agent.as_str().and_then(|text| text.parse().ok()));
                if entry.account.agent.is_some() && named != entry.account.agent {
                    return Err(301_002);
                }
            }
            _ => {}
        }
        entry.counters.messages += 1;
        let id = self.rng.next() >> 12;
        if self.messages.len() == KEPT {
            self.messages.pop_front();
        }
        self.messages.push_back(Message {
            account: entry.name.clone(),
            path: request.path.clone(),
            at_ms: now,
            id,
            body,
        });
        let ok = Body::default().with("errcode", 0).with("errmsg", "ok");
        Ok(match api {
            Api::Template => ok.with("msgid", id),
            Api::WorkMessage => ok.with("invaliduser", "").with("msgid", id.to_string()),
            _ => ok,
        })
    }
}

fn read_message(request: &Request) -> Result<Value, i32> {
    if !request.is_post() {
        return Err(43_002);
    }
    if request.body.is_empty() {
        return Err(44_002);
    }
    serde_json::from_slice::<Value>(&request.body).ok().filter(Value::is_object).ok_or(47_001)
}

/// Whether the body is a form with a part named `media` that has a file name, between the boundaries it announces.
fn has_media_part(request: &Request) -> bool {
    let Some(content_type) = &request.content_type else {
        return false;
    };
    let Some((_, boundary)) = content_type.split_once("boundary=") else {
        return false;
    };
    let boundary = boundary.split(';').next().unwrap_or_default().trim().trim_matches('"');
    let text = String::from_utf8_lossy(&request.body);
    content_type.starts_with("multipart/form-data")
        && !boundary.is_empty()
        && text.trim_end().ends_with(&format!("--{boundary}--"))
        && text.split(&format!("--{boundary}")).any(|part| {
            let head = part.split("\r\n\r\n").next().unwrap_or_default();
            (head.contains("name=\"media\"") || head.contains("name=media;")) && head.contains("filename")
        })
}
