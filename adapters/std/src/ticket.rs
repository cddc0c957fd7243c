//! What signs a web page? A ticket: a credential of the second level, fetched with a client's token, kept by the same
//! machine and shared in the same way.
//!
//! ```text
//!   ticket() ──▶ the ticket's keeper ──▶ a token from the client ──▶ one exchange ──▶ the ticket
//!                                          ▲   the token was refused: report it │
//!                                          └── once more, with a different one ◀┘
//! ```

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use serde::{Serialize, Serializer};
use wxtoken_core::{BadPage, Endpoint, Failure, Fingerprint, Keeper, Nonce, PageSignature, Policy};

use crate::{
    attempt::Nothing,
    builder::allowed,
    cache::Cache,
    client::{Client, Reported},
    error::{ConfigError, Error, Reason},
    held::TokenRef,
    random,
    shared::{Api, Shared},
    state::{Refresher, State},
    status::Status,
    transport::Response,
};

/// Keeps one ticket valid and hands it out, or signs pages with it. Cheap to clone; all clones share one ticket, one
/// schedule and one ledger, and the token of the [`Client`] it was made of. Made by [`Client::ticket`].
///
/// The platform repeats a ticket as if it were new each time, and gives few: so ask this client for every page, keep its
/// ticket in a [`cache`](TicketBuilder::cache) across restarts, and have one such client for all who sign.
#[derive(Clone)]
pub struct TicketClient {
    tickets: Client,
    tokens: Client,
}

impl Client {
    /// A client for a ticket of this client's account, fetched with this client's token:
    /// [`Endpoint::JSAPI_TICKET`] and [`Endpoint::WX_CARD_TICKET`] of an official account,
    /// [`Endpoint::WORK_JSAPI_TICKET`] and [`Endpoint::WORK_AGENT_TICKET`] of a WeCom app.
    ///
    /// ```no_run
    /// # use wxtoken::{Client, Endpoint};
    /// # let client = Client::official("wx0123456789abcdef", "secret")?;
    /// let tickets = client.ticket(&Endpoint::JSAPI_TICKET).cache("/var/lib/shop/ticket.json").build()?;
    /// let page = tickets.sign("https://shop.example.com/item?id=7#photos")?;
    /// println!("wx.config({})", serde_json::to_string(&page)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ticket(&self, endpoint: &'static Endpoint) -> TicketBuilder {
        TicketBuilder {
            tokens: self.clone(),
            endpoint,
            base: None,
            cache: None,
            policy: None,
            // As long as the token may take, and the ticket after it.
            wait: self.wait().saturating_mul(2),
            background: None,
        }
    }
}

impl TicketClient {
    /// A valid ticket, waiting for one as long as the builder's [`wait`](TicketBuilder::wait) says. **It is a secret**: the
    /// page gets the signature.
    ///
    /// # Errors
    /// As [`Client::token`]; when it is the token that could not be had, [`Reason::Token`] says why.
    pub fn ticket(&self) -> Result<TokenRef, Error> {
        self.ticket_within(self.tickets.wait())
    }

    /// The same with another wait. Zero means: what is held, and otherwise an error, without waiting. Any other wait,
    /// however short, is worth a try if one is due; that may take a fetch of the token as well.
    ///
    /// # Errors
    /// As [`ticket`](Self::ticket).
    pub fn ticket_within(&self, wait: Duration) -> Result<TokenRef, Error> {
        let result = self.tickets.token_within(wait);
        let lacked_token = matches!(&result, Err(error) if matches!(error.reason(), Some(Reason::Token(_))));
        if lacked_token && !wait.is_zero() && self.tokens.token_within(Duration::ZERO).is_ok() {
            // What the wait was for has come meanwhile.
            self.tickets.configuration_changed();
            return self.tickets.token_within(wait);
        }
        result
    }

    /// Signs the page at `url`, as its script has it in `location.href`; what follows a `#` is left out. With a nonce and
    /// the time of now, so each signature is another one.
    ///
    /// The page's domain must be among the account's JS 接口安全域名 (WeCom: 可信域名).
    ///
    /// # Errors
    /// [`SignError`]. An address that cannot be a page's costs no fetch.
    pub fn sign(&self, url: &str) -> Result<SignedPage, SignError> {
        let shared = self.tickets.shared();
        if *shared.who.endpoint() == Endpoint::WX_CARD_TICKET {
            return Err(SignError::NotForPages);
        }
        let url = PageSignature::signed_part(url).map_err(SignError::Page)?;
        let timestamp_s = shared.clock.unix_time().ok_or(SignError::Time)?.as_secs();
        let nonce = Nonce::from_bits(u128::from_ne_bytes(random::bytes()) as u64);
        let ticket = self.ticket().map_err(SignError::Ticket)?;
        let signature = PageSignature::new(&ticket, nonce.as_str(), timestamp_s, url).map_err(SignError::Page)?;
        Ok(SignedPage { app_id: shared.who.id().to_owned(), timestamp_s, nonce, signature, url: url.to_owned() })
    }

    /// A page's signature was refused as invalid although its address was right: the ticket `seen` is dropped, as
    /// [`Client::report_refused`] does with a token.
    pub fn report_refused(&self, seen: impl Into<Fingerprint>) -> Reported {
        self.tickets.report_refused(seen)
    }

    /// What kept the ticket, or the token below it, from being fetched was mended: waits caused by failures end now.
    pub fn configuration_changed(&self) {
        self.tokens.configuration_changed();
        self.tickets.configuration_changed();
    }

    /// How the ticket is doing. Does not fetch.
    #[must_use]
    pub fn status(&self) -> Status {
        self.tickets.status()
    }

    /// The client of the token below.
    #[must_use]
    pub const fn tokens(&self) -> &Client {
        &self.tokens
    }
}

impl fmt::Debug for TicketClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketClient").field("tickets", &self.tickets).finish_non_exhaustive()
    }
}

/// Sets up a [`TicketClient`]. Account, secret, transport, clock and limits are the client's.
#[derive(Debug)]
pub struct TicketBuilder {
    tokens: Client,
    endpoint: &'static Endpoint,
    base: Option<String>,
    cache: Option<PathBuf>,
    policy: Option<Policy>,
    wait: Duration,
    background: Option<bool>,
}

impl TicketBuilder {
    /// Asks another host than the one the client's calls go to.
    #[must_use]
    pub fn base(mut self, url: impl Into<String>) -> Self {
        self.base = Some(url.into());
        self
    }

    /// Keeps the ticket in this file, another than the token's; see [`Builder::cache`](crate::Builder::cache). Without it, a
    /// restart within the life of a ticket is told a full life of it, and may sign with a dead one for up to an hour.
    #[must_use]
    pub fn cache(mut self, path: impl Into<PathBuf>) -> Self {
        self.cache = Some(path.into());
        self
    }

    /// Other numbers than [`Policy::TICKET`].
    #[must_use]
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// How long [`TicketClient::ticket`] waits when there is no valid ticket. Default: twice what the client waits.
    #[must_use]
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Whether a thread refreshes in the background. Default: as the client has it.
    #[must_use]
    pub const fn background(mut self, background: bool) -> Self {
        self.background = Some(background);
        self
    }

    /// Checks everything and builds the client. Nothing is sent, no thread is started and no file is opened.
    ///
    /// # Errors
    /// [`ConfigError`] names what is wrong.
    pub fn build(self) -> Result<TicketClient, ConfigError> {
        let tokens = self.tokens.shared();
        if self.endpoint.extras() != 1 || self.endpoint.product() != tokens.who.endpoint().product() {
            return Err(ConfigError::NotItsTicket);
        }
        let who = tokens.who.at(self.endpoint, self.base.as_deref().or(tokens.api.base.as_deref()))?;
        allowed(who.base(), tokens.api.plain_http)?;
        if let (Some(path), Some(taken)) = (&self.cache, &tokens.cache)
            && taken.is_at(path)
        {
            return Err(ConfigError::CacheTaken);
        }
        let cache = self.cache.map(|path| Cache::new(path, who.digest())).transpose()?;
        let policy = self.policy.unwrap_or_else(|| self.endpoint.policy());
        let keeper = Keeper::with_policy(self.endpoint, policy, who.seed());
        let background = self.background.unwrap_or_else(|| tokens.lock().refresher != Refresher::None);
        let refresher = if background { Refresher::Wanted } else { Refresher::None };
        let way = (Arc::clone(&tokens.clock), Arc::clone(&tokens.transport));
        let api = Api { base: None, plain_http: tokens.api.plain_http };
        let below = Some(Below(self.tokens.clone()));
        let state = State::new(keeper, refresher);
        let shared = Shared::new(who, way, cache, below, (api, tokens.exchange_limit), state);
        Ok(TicketClient { tickets: Client::new(shared, self.wait), tokens: self.tokens })
    }
}

/// The shortest wait that is worth a try.
const SHORTEST: Duration = Duration::from_millis(1);

/// Where the token below a ticket comes from.
pub(crate) struct Below(Client);

impl Below {
    /// A valid token. It is had before the ticket's exchange begins, whose time it must not cost.
    pub(crate) fn token(&self) -> Result<TokenRef, Nothing> {
        self.one_try().map_err(|error| lacking(&error, Failure::NotSent))
    }

    /// What is held, or what one try brings: the ticket's keeper is the one layer that waits and tries again. A try of
    /// somebody else that is under way is waited for.
    fn one_try(&self) -> Result<TokenRef, Error> {
        let shared = self.0.shared();
        let until = shared.now().saturating_add(self.0.wait());
        loop {
            match self.0.token_within(SHORTEST) {
                Err(Error::Deadline { .. }) if shared.now() < until => drop(shared.wait(shared.lock(), until)),
                result => return result,
            }
        }
    }

    /// The exchange, made by `send`; once more with a different token if the platform refuses the first.
    pub(crate) fn exchange(
        &self,
        token: TokenRef,
        endpoint: &Endpoint,
        send: impl Fn(&TokenRef) -> Result<Response, Nothing>,
    ) -> Result<Response, Nothing> {
        let reply = send(&token)?;
        let Some(refusal) = endpoint.refuses_token(reply.body()) else { return Ok(reply) };
        let refused = |refusal| Nothing { failure: Failure::MaybeSent, reason: Reason::Refused(Box::new(refusal)) };
        self.0.report_refused(&token);
        let other = self.one_try().map_err(|error| lacking(&error, Failure::MaybeSent))?;
        if *other == *token {
            // So young that it is believed once more; but not before the wait of the ticket's keeper.
            return Err(refused(refusal));
        }
        let reply = send(&other)?;
        match endpoint.refuses_token(reply.body()) {
            None => Ok(reply),
            Some(refusal) => {
                self.0.report_refused(&other);
                Err(refused(refusal))
            }
        }
    }
}

fn lacking(error: &Error, failure: Failure) -> Nothing {
    let reason = error.reason().cloned().unwrap_or(Reason::Lost);
    Nothing { failure, reason: Reason::Token(Box::new(reason)) }
}

/// What a page needs to configure the JS-SDK. Serialises to the names `wx.config` takes: `appId`, `timestamp`, `nonceStr`,
/// `signature`; and `url`, the address that was signed, by which an "invalid signature" is looked into. None is a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SignedPage {
    /// The appid, or the corpid (`wx.agentConfig` calls it `corpid` and wants the `agentid` besides).
    #[serde(rename = "appId")]
    pub app_id: String,
    /// When it was signed, in seconds since the Unix epoch.
    #[serde(rename = "timestamp")]
    pub timestamp_s: u64,
    /// The nonce.
    #[serde(rename = "nonceStr", serialize_with = "text")]
    pub nonce: Nonce,
    /// The signature.
    #[serde(serialize_with = "text")]
    pub signature: PageSignature,
    /// The address that was signed.
    pub url: String,
}

fn text<T: fmt::Display, S: Serializer>(shown: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(shown)
}

/// Why a page was not signed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SignError {
    /// There is no ticket; who must act, is in it.
    Ticket(Error),
    /// Whoever asked: the address cannot be a page's.
    Page(BadPage),
    /// Whoever wrote the program: a `wx_card` ticket signs cards, by another rule.
    NotForPages,
    /// Whoever runs this machine: the time of day is not known.
    Time,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ticket(error) => write!(f, "no ticket to sign with: {error}"),
            Self::Page(why) => why.fmt(f),
            Self::NotForPages => f.write_str("a wx_card ticket signs cards, not pages; pages want jsapi_ticket"),
            Self::Time => f.write_str("the time of day is not known, and it is a part of the signature; set the clock"),
        }
    }
}

impl std::error::Error for SignError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Ticket(error) => Some(error),
            Self::Page(why) => Some(why),
            Self::NotForPages | Self::Time => None,
        }
    }
}
