//! Who asks the server? A reader that holds a token, comes back for another when it was told to, and spends it on calls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;
use wxtoken_platform::Running;
use zeroize::Zeroizing;

use super::super::clock::MIDNIGHT_MS;
use super::super::wire::Business;
use super::house::{ACCOUNTS, C, key};

/// In which shape it asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The server's own interface.
    Native,
    /// WeChat's, as an SDK whose base URL was changed.
    WeChat,
}

/// SDKs come back when this is left, in milliseconds: what wechatpy does.
const SDK_MARGIN_MS: u64 = 60_000;

/// So often a reader looks before it goes without.
const LOOKS: usize = 3;

pub(crate) struct Reader {
    pub(crate) account: usize,
    pub(crate) shape: Shape,
    key: String,
    held: Option<Held>,
    /// The one it held before.
    before: Option<Zeroizing<String>>,
    pub(crate) tally: Tally,
}

struct Held {
    text: Zeroizing<String>,
    etag: Option<String>,
    /// When it comes back for another, in milliseconds since midnight.
    again_ms: u64,
    until_ms: u64,
}

/// What became of what it did.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) reads: u64,
    pub(crate) calls: u64,
    /// Succeeded with the next token, after the first was refused.
    pub(crate) healed: u64,
    pub(crate) failed: u64,
    /// Minutes in which it had nothing, or something that was over.
    pub(crate) without: u64,
    /// Minutes in which what it held had been taken away elsewhere.
    pub(crate) dead: u64,
}

/// What readers reach.
pub(crate) struct World<'a> {
    pub(crate) agent: &'a Agent,
    /// `None` while the server is down.
    pub(crate) server: Option<String>,
    pub(crate) business: &'a Business,
    pub(crate) platform: &'a Running,
    /// One more than the account that somebody asks the server for now; 0 when nobody asks.
    pub(crate) asked: AtomicUsize,
}

impl World<'_> {
    /// Milliseconds since midnight.
    fn now_ms(&self) -> u64 {
        self.platform.now_ms().saturating_sub(MIDNIGHT_MS)
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: Zeroizing<String>,
    expires_in: u64,
    refresh_after: Option<u64>,
}

pub(crate) fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
    let idle = config.max_idle_connections(512).max_idle_connections_per_host(256);
    idle.timeout_global(Some(Duration::from_secs(20))).build().new_agent()
}

impl Reader {
    pub(crate) fn new(account: usize, shape: Shape) -> Self {
        Self { account, shape, key: key(account), held: None, before: None, tally: Tally::default() }
    }

    /// Comes back for another token, if it is time; once more, if what came was over when it was there: on its way time has
    /// passed.
    fn look(&mut self, world: &World<'_>) {
        for _ in 0..LOOKS {
            if self.held.as_ref().is_none_or(|held| world.now_ms() >= held.again_ms) {
                self.read(world);
            }
            if self.held.as_ref().is_some_and(|held| world.now_ms() < held.until_ms) {
                return;
            }
        }
    }

    /// Looks, and asks the platform what that is worth.
    pub(crate) fn minute(&mut self, world: &World<'_>) {
        self.look(world);
        match self.text() {
            Some(text) if world.platform.token_is_valid(ACCOUNTS[self.account].id, text) => {}
            Some(_) if self.held.as_ref().is_some_and(|held| world.now_ms() < held.until_ms) => self.tally.dead += 1,
            _ => self.tally.without += 1,
        }
    }

    /// One call; a refused token is brought back, and the call made once more. Returns whether it succeeded in the end.
    pub(crate) fn call(&mut self, world: &World<'_>) -> bool {
        self.look(world);
        self.tally.calls += 1;
        let first = self.spend(world);
        if first == Some(0) {
            return true;
        }
        if let Some(errcode @ (40_001 | 40_014 | 42_001)) = first {
            self.refused(world, errcode);
            if self.spend(world) == Some(0) {
                self.tally.healed += 1;
                return true;
            }
        }
        self.tally.failed += 1;
        false
    }

    /// Reports the token before the one it holds, as one does whose refused call took long. Returns the outcome.
    pub(crate) fn report_late(&self, world: &World<'_>) -> Option<String> {
        self.report(world, self.before.as_ref()?, 40_001)
    }

    fn text(&self) -> Option<&str> {
        self.held.as_ref().map(|held| held.text.as_str())
    }

    fn spend(&self, world: &World<'_>) -> Option<i64> {
        let text = self.text()?;
        if self.account == C { world.business.message(text) } else { world.business.addresses(text) }
    }

    /// The native shape says which one was refused. WeChat's cannot: it only comes back.
    fn refused(&mut self, world: &World<'_>, errcode: i64) {
        if let (Shape::Native, Some(held)) = (self.shape, &self.held) {
            self.report(world, &held.text, errcode);
        }
        self.read(world);
    }

    fn report(&self, world: &World<'_>, text: &str, errcode: i64) -> Option<String> {
        let url = format!("{}/v1/accounts/{}/token/report", world.server.as_ref()?, ACCOUNTS[self.account].name);
        let body = Zeroizing::new(serde_json::json!({ "access_token": text, "errcode": errcode }).to_string());
        let request = world.agent.post(&url).header("authorization", format!("Bearer {}", self.key));
        let mut reply = request.send(body.as_bytes()).ok()?;
        let body: serde_json::Value = serde_json::from_slice(&reply.body_mut().read_to_vec().ok()?).ok()?;
        Some(body["outcome"].as_str()?.to_owned())
    }

    /// What cannot be read leaves what is held as it is.
    fn read(&mut self, world: &World<'_>) {
        let Some(server) = &world.server else { return };
        self.tally.reads += 1;
        world.asked.store(self.account + 1, Ordering::Relaxed);
        let read = match self.shape {
            Shape::Native => self.read_native(world, server),
            Shape::WeChat => self.read_as_sdk(world, server),
        };
        world.asked.store(0, Ordering::Relaxed);
        if let Some(held) = read {
            let before = self.held.replace(held).map(|held| held.text);
            if before.as_ref().is_some_and(|before| Some(before.as_str()) != self.text()) {
                self.before = before;
            }
        }
    }

    fn read_native(&self, world: &World<'_>, server: &str) -> Option<Held> {
        let url = format!("{server}/v1/accounts/{}/token", ACCOUNTS[self.account].name);
        let mut request = world.agent.get(&url).header("authorization", format!("Bearer {}", self.key));
        if let Some(etag) = self.held.as_ref().and_then(|held| held.etag.as_deref()) {
            request = request.header("if-none-match", etag);
        }
        let mut reply = request.call().ok()?;
        let header = |name: &str| reply.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let seconds = |name: &str| header(name).and_then(|text| text.parse::<u64>().ok());
        let etag = header("etag");
        if reply.status() == 304 {
            let (left, after) = (seconds("wxtoken-expires-in")?, seconds("wxtoken-refresh-after")?);
            return Some(Held::new(self.held.as_ref()?.text.clone(), etag, world.now_ms(), left, after));
        }
        let answer: Answer = serde_json::from_slice(&Zeroizing::new(reply.body_mut().read_to_vec().ok()?)).ok()?;
        let after = answer.refresh_after?;
        Some(Held::new(answer.access_token, etag, world.now_ms(), answer.expires_in, after))
    }

    fn read_as_sdk(&self, world: &World<'_>, server: &str) -> Option<Held> {
        let id = ACCOUNTS[self.account].id;
        let request = if self.account == C {
            world.agent.get(format!("{server}/cgi-bin/gettoken")).query("corpid", id).query("corpsecret", &self.key)
        } else {
            let request = world.agent.get(format!("{server}/cgi-bin/token")).query("grant_type", "client_credential");
            request.query("appid", id).query("secret", &self.key)
        };
        let mut reply = request.call().ok()?;
        let answer: Answer = serde_json::from_slice(&Zeroizing::new(reply.body_mut().read_to_vec().ok()?)).ok()?;
        let after = answer.expires_in.saturating_sub(SDK_MARGIN_MS / 1_000);
        Some(Held::new(answer.access_token, None, world.now_ms(), answer.expires_in, after))
    }
}

impl Held {
    fn new(text: Zeroizing<String>, etag: Option<String>, now_ms: u64, expires_in: u64, after: u64) -> Self {
        Self { text, etag, again_ms: now_ms + after * 1_000, until_ms: now_ms + expires_in * 1_000 }
    }
}
