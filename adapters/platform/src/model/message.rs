//! Which messages does the platform take over? Each is looked at, and kept for reading back.

use serde::Serialize;
use serde_json::Value;

use super::body::Body;
use super::request::Request;
use super::{Entry, Model, repeat};

/// Messages kept for reading back; the oldest goes first.
const KEPT: usize = 10_000;

/// The types of message that customer messages and WeCom messages have in the documents.
const PUBLIC_TYPES: [&str; 11] = [
    "text",
    "image",
    "voice",
    "video",
    "music",
    "news",
    "mpnews",
    "mpnewsarticle",
    "msgmenu",
    "wxcard",
    "miniprogrampage",
];
const WORK_TYPES: [&str; 11] = [
    "text",
    "image",
    "voice",
    "video",
    "file",
    "textcard",
    "news",
    "mpnews",
    "markdown",
    "miniprogram_notice",
    "template_card",
];

/// Those of them that carry a file.
const FILES: [&str; 4] = ["image", "voice", "video", "file"];

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
pub(super) enum Channel {
    Template,
    Customer,
    Work,
}

impl Channel {
    /// The errcode of the first thing that is wrong with the message, if anything is.
    fn look_at(self, entry: &Entry, request: &Request, body: &Value) -> Result<(), i32> {
        let given = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
        let one_of = |types: &[&str]| body["msgtype"].as_str().is_some_and(|kind| types.contains(&kind));
        match self {
            Self::Template if !given("touser") => Err(40_003),
            Self::Template if !given("template_id") => Err(40_037),
            Self::Customer if !given("touser") => Err(40_003),
            // 小程序 have one type more.
            Self::Customer if !one_of(&PUBLIC_TYPES) && !one_of(&["link"]) => Err(40_008),
            // The documents ask for the characters themselves and refuse escapes.
            Self::Work if request.body.windows(2).any(|pair| pair == b"\\u") => Err(40_033),
            Self::Work if !["touser", "toparty", "totag"].into_iter().any(given) => Err(40_031),
            Self::Work if !one_of(&WORK_TYPES) => Err(40_008),
            Self::Work => {
                let agent = &body["agentid"];
                let named = agent.as_u64().or_else(|| agent.as_str().and_then(|text| text.parse().ok()));
                if entry.account.agent.is_some() && named != entry.account.agent { Err(301_002) } else { Ok(()) }
            }
            Self::Template | Self::Customer => Ok(()),
        }
    }
}

impl Model {
    pub(super) fn message(&mut self, now: u64, request: &Request, channel: Channel, index: usize) -> Result<Body, i32> {
        let body = read(request)?;
        let entry = &mut self.entries[index];
        channel.look_at(entry, request, &body)?;
        // A message with a file names it under its own type: `"image":{"media_id":".."}`.
        let file =
            body["msgtype"].as_str().filter(|kind| FILES.contains(kind)).filter(|_| channel != Channel::Template);
        if let Some(kind) = file {
            let media_id = body[kind]["media_id"].as_str().unwrap_or_default();
            if !self.shelf.has(now, &entry.account, media_id) {
                return Err(40_007);
            }
        }
        if let Some(first) = repeat::of(self.messages.iter(), now, channel, &entry.name, &body) {
            return Ok(accepted(channel, first.id));
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
        Ok(accepted(channel, id))
    }
}

fn accepted(channel: Channel, id: u64) -> Body {
    let ok = Body::default().with("errcode", 0).with("errmsg", "ok");
    match channel {
        Channel::Template => ok.with("msgid", id),
        Channel::Work => ok.with("invaliduser", "").with("msgid", id.to_string()),
        Channel::Customer => ok,
    }
}

fn read(request: &Request) -> Result<Value, i32> {
    if !request.is_post() {
        return Err(43_002);
    }
    if request.body.is_empty() {
        return Err(44_002);
    }
    serde_json::from_slice::<Value>(&request.body).ok().filter(Value::is_object).ok_or(47_001)
}
