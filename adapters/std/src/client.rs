//! What does a program hold? A client: ask it for a token before each call, tell it when one was refused.

use std::{fmt, sync::Arc, time::Duration};

use wxtoken_core::{Endpoint, Fingerprint, Instant, ReportOutcome};

use crate::{
    builder::Builder, error::ConfigError, error::Error, events, held::TokenRef, shared::Shared, state::Refresher,
    status::Status,
};

/// Keeps one account's credential valid and hands it out. Cheap to clone; all clones share one token, one schedule and
/// one budget. `Send + Sync`, and free of async: on an async runtime, call it where blocking is allowed, or rely on
/// [`token_within`](Self::token_within) with a zero wait, which never blocks while a token is held.
///
/// Nothing is fetched before the first [`token`](Self::token). From then on, unless it was left out, one thread
/// refreshes in the background until the last clone is dropped.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    wait: Duration,
    // Last clone dropped: the refresher, which also holds `shared`, must end.
    owner: Arc<Owner>,
}

struct Owner {
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
    }
}

/// What a report of a refused token led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reported {
    /// The report was about an older token: ask for the current one and call once more.
    Replaced,
    /// The token was dropped and another is being fetched: ask for it and call once more, if it is a different one.
    Refreshing,
    /// The token is so young that the platform may not know it everywhere yet: call once more with it.
    Kept,
    /// The token was dropped, but nothing may be fetched for this long. A report never shortens a wait.
    HeldOff(Duration),
}

impl Client {
    /// A client for an official account (公众号), from `/cgi-bin/stable_token`.
    ///
    /// # Errors
    /// [`ConfigError`] when the id or the secret cannot be one. Nothing is sent yet.
    pub fn official(appid: impl Into<String>, secret: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(&Endpoint::STABLE_TOKEN, appid, secret).build()
    }

    /// A client for a mini program (小程序), from `/cgi-bin/stable_token`.
    ///
    /// # Errors
    /// As [`official`](Self::official).
    pub fn mini_program(appid: impl Into<String>, secret: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(&Endpoint::STABLE_TOKEN, appid, secret).build()
    }

    /// A client for one app of a WeCom corp (企业微信), from `/cgi-bin/gettoken`. Each app has its own secret and
    /// needs its own client.
    ///
    /// # Errors
    /// As [`official`](Self::official).
    pub fn work(corpid: impl Into<String>, app_secret: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(&Endpoint::WORK, corpid, app_secret).build()
    }

    /// A client of a wxtoken token server (中控服务器), which fetches for many: `base` is where it is
    /// (`https://tokens.lan:8440`), `account` the account's name there, `key` the key that its operator gave out. The
    /// account's secret stays at the server. A refused token is reported in the exchange that asks for the next one, the
    /// server says when to come back, and while it cannot be reached a valid token goes on being used. API calls go to the
    /// platform; for a WeCom application build the client from [`Endpoint::WORK_TOKEN_SERVER`] instead.
    ///
    /// # Errors
    /// [`ConfigError`] when one of them cannot be one; plain `http://` only to loopback, unless the
    /// [builder](Self::builder) allows it. Nothing is sent yet.
    pub fn token_server(
        base: impl Into<String>,
        account: impl Into<String>,
        key: impl Into<String>,
    ) -> Result<Self, ConfigError> {
        Self::builder(&Endpoint::TOKEN_SERVER, account, key).base(base).build()
    }

    /// A client for any endpoint, with everything that can be set.
    pub fn builder(endpoint: &'static Endpoint, id: impl Into<String>, secret: impl Into<String>) -> Builder {
        Builder::new(endpoint, id.into(), secret.into())
    }

    pub(crate) fn new(shared: Arc<Shared>, wait: Duration) -> Self {
        Self { owner: Arc::new(Owner { shared: Arc::clone(&shared) }), shared, wait }
    }

    pub(crate) const fn wait(&self) -> Duration {
        self.wait
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// A valid token, waiting for one as long as the builder's [`wait`](Builder::wait) says (15 s by default).
    ///
    /// While the token held is valid this never waits, except that a client without a background refresher refreshes
    /// here when that is due. A held token costs 30 to 40 ns, of which 25 to 30 read the clock, and no allocation
    /// (measured on an x86-64 virtual machine by `cargo bench -p wxtoken`; a test counts the allocations).
    ///
    /// # Errors
    /// [`Error`] says who must act. When the next try comes too late for the wait, it fails at once.
    pub fn token(&self) -> Result<TokenRef, Error> {
        self.token_within(self.wait)
    }

    /// The same with another wait. Zero means: what is held, and otherwise an error, without waiting. Any other wait,
    /// however short, is worth a try if one is due.
    ///
    /// Without a background refresher the caller makes the exchange itself, and can then come back later than `wait`
    /// by as much as the transport takes (10 s at most with the built-in one).
    ///
    /// # Errors
    /// As [`token`](Self::token).
    pub fn token_within(&self, wait: Duration) -> Result<TokenRef, Error> {
        self.shared.token_within(wait)
    }

    /// The life left of a token this client handed out; zero when it is over. Computed now, not when it was fetched.
    #[must_use]
    pub fn remaining(&self, token: &TokenRef) -> Duration {
        token.expires_at().saturating_since(self.shared.now())
    }

    /// An API call was refused with 40001, 40014 or 42001 while it used `seen` (a `&TokenRef`, a `&Token` or its
    /// [`Fingerprint`]).
    ///
    /// Only the token that was seen is dropped: a thousand late reports of an old one cost nothing. Call once more,
    /// and only with what [`Reported`] says; never loop.
    pub fn report_refused(&self, seen: impl Into<Fingerprint>) -> Reported {
        let seen = seen.into();
        let reported = self.news(|keeper, now| keeper.report_refused(now, seen));
        events::reported(&self.shared.who, reported);
        reported
    }

    /// A new token is wanted although the held one works: it leaked, or an operator says so. On `stable_token` this
    /// is a forced refresh, within its budget of 20 a day. The held one is served meanwhile.
    pub fn rotate(&self) -> Reported {
        self.news(|keeper, now| keeper.rotate(now))
    }

    /// The allow-list, the network or the account's console was mended: a wait caused by a failure ends now.
    pub fn configuration_changed(&self) {
        let now = self.shared.now();
        let mut state = self.shared.lock();
        state.keeper.configuration_changed(now);
        state.sync(now);
        drop(state);
        self.shared.changed();
    }

    /// How this client is doing. Does not fetch.
    #[must_use]
    pub fn status(&self) -> Status {
        let now = self.shared.now();
        let state = self.shared.lock();
        Status {
            endpoint: self.shared.who.endpoint().name(),
            account: self.shared.who.id().to_owned(),
            base: self.shared.who.base().to_owned(),
            remaining: Some(state.keeper.remaining(now)).filter(|left| !left.is_zero()),
            generation: state.keeper.generation(),
            source: state.source,
            next_in: state.poll_at().saturating_since(now),
            fetching: state.busy(),
            background: state.refresher != Refresher::None,
            ledger: state.keeper.ledger(now),
            daily_limit: state.keeper.policy().daily_limit(),
            trouble: state.trouble(),
        }
    }

    fn news(&self, tell: impl FnOnce(&mut wxtoken_core::Keeper, Instant) -> ReportOutcome) -> Reported {
        let now = self.shared.now();
        let mut state = self.shared.lock();
        let outcome = tell(&mut state.keeper, now);
        state.sync(now);
        drop(state);
        self.shared.changed();
        match outcome {
            ReportOutcome::Replaced => Reported::Replaced,
            ReportOutcome::Kept => Reported::Kept,
            ReportOutcome::HeldOff(at) => Reported::HeldOff(at.saturating_since(now)),
            _ => Reported::Refreshing,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("account", &self.shared.who)
            .field("clones", &Arc::strong_count(&self.owner))
            .finish_non_exhaustive()
    }
}
