//! What can be set about a client, and what is checked before the first byte is sent?

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use ureq::tls::{PemItem, RootCerts, parse_pem};
use wxtoken_core::{Base, Endpoint, Keeper, Policy, Product, Scheme};
use zeroize::Zeroizing;

use crate::{
    cache::Cache,
    client::Client,
    clock::{Clock, SystemClock},
    error::ConfigError,
    http::{Https, Limits},
    identity::Identity,
    shared::{Api, Shared},
    state::{Refresher, State},
    transport::Transport,
};

/// How long [`Client::token`] waits: longer than one exchange may take, so that a slow one is seen to its end.
const DEFAULT_WAIT: Duration = Duration::from_secs(15);

/// Sets up a [`Client`]. `Debug` shows no secret.
pub struct Builder {
    endpoint: &'static Endpoint,
    id: String,
    secret: Zeroizing<String>,
    base: Option<String>,
    api_base: Option<String>,
    plain_http: bool,
    cache: Option<PathBuf>,
    policy: Option<Policy>,
    seed: Option<u64>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    wait: Duration,
    limits: Limits,
    roots: Roots,
    proxy: Option<Zeroizing<String>>,
    background: bool,
}

/// Whose certificates are trusted.
enum Roots {
    Mozilla,
    #[cfg(feature = "platform-verifier")]
    Platform,
    Pem(Vec<u8>),
}

impl Builder {
    pub(crate) fn new(endpoint: &'static Endpoint, id: String, secret: String) -> Self {
        Self {
            endpoint,
            id,
            secret: Zeroizing::new(secret),
            base: None,
            api_base: None,
            plain_http: false,
            cache: None,
            policy: None,
            seed: None,
            transport: None,
            clock: Arc::new(SystemClock::new()),
            wait: DEFAULT_WAIT,
            limits: Limits::default(),
            roots: Roots::Mozilla,
            proxy: None,
            background: true,
        }
    }

    /// Asks another host: an official alternate, a central server, a platform for tests.
    /// `scheme://host[:port][/prefix]`; the default is the endpoint's first official host.
    #[must_use]
    pub fn base(mut self, url: impl Into<String>) -> Self {
        self.base = Some(url.into());
        self
    }

    /// Makes API calls at another host than the one that gives the credential: for a client whose token comes from a central
    /// server, which takes no calls. Written as [`base`](Self::base), and the default is that one.
    #[must_use]
    pub fn api_base(mut self, url: impl Into<String>) -> Self {
        self.api_base = Some(url.into());
        self
    }

    /// Allows a base with plain `http://` that is not loopback. **The secret and the token are then readable on the
    /// way**: only for a network you vouch for.
    #[must_use]
    pub const fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Keeps the token in this file, so that a restart costs no fetch and processes on one machine share one token.
    ///
    /// One file for each account. It is readable by its owner only, replaced atomically, and guarded by a lock file
    /// beside it (`<path>.lock`). The directory must exist. A file that cannot be used is logged once and otherwise
    /// changes nothing.
    #[must_use]
    pub fn cache(mut self, path: impl Into<PathBuf>) -> Self {
        self.cache = Some(path.into());
        self
    }

    /// Other numbers than the endpoint's own.
    #[must_use]
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Drives all jitter. The default is a digest of the account, so that its replicas agree.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Another transport than HTTPS with ureq. [`root_certificates`](Self::root_certificates) and
    /// [`proxy`](Self::proxy) then have no effect.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How long [`Client::token`] waits when there is no valid token. Default 15 s.
    #[must_use]
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// How long one exchange of the built-in transport may take, connecting included. Default, and most, 10 s: the
    /// keeper counts on it when it reckons how long a request can still be executing.
    #[must_use]
    pub fn exchange_limit(mut self, limit: Duration) -> Self {
        self.limits = Limits::within(limit);
        self
    }

    /// Trusts these certificates (PEM, one or more) and no others: a private CA, a test platform.
    /// The default is Mozilla's list, compiled in.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Roots::Pem(pem.into());
        self
    }

    /// Trusts what the operating system trusts.
    #[cfg(feature = "platform-verifier")]
    #[must_use]
    pub fn platform_certificates(mut self) -> Self {
        self.roots = Roots::Platform;
        self
    }

    /// Goes through this HTTP proxy: `http://[user:password@]host:port`. The proxy variables of the environment are
    /// not looked at.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(Zeroizing::new(url.into()));
        self
    }

    /// Whether a thread refreshes in the background. Default `true`. Without it, the caller who comes when a refresh
    /// is due makes it, and waits for it.
    #[must_use]
    pub const fn background(mut self, background: bool) -> Self {
        self.background = background;
        self
    }

    /// Checks everything and builds the client. Nothing is sent, no thread is started and no file is opened.
    ///
    /// # Errors
    /// [`ConfigError`] names what is wrong.
    pub fn build(self) -> Result<Client, ConfigError> {
        if self.endpoint.extras() > 0 {
            return Err(ConfigError::NeedsToken);
        }
        if self.endpoint.hosts().is_empty() && self.base.is_none() {
            return Err(ConfigError::NeedsBase);
        }
        let who = Identity::new(self.endpoint, self.base.as_deref(), &self.id, self.secret)?;
        let scheme = allowed(who.base(), self.plain_http)?;
        if let Some(base) = &self.api_base {
            allowed(base, self.plain_http)?;
        }
        // A token server takes no calls of this kind: they go to the platform.
        let api_base = self.api_base.or_else(|| self.endpoint.takes_reports().then(|| calls_at(self.endpoint)));
        let api = Api { base: api_base, plain_http: self.plain_http };
        let transport: Arc<dyn Transport> = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Https::new(scheme, self.roots.read()?, proxy(self.proxy)?, self.limits)),
        };
        let policy = self.policy.unwrap_or_else(|| self.endpoint.policy());
        let keeper = Keeper::with_policy(self.endpoint, policy, self.seed.unwrap_or_else(|| who.seed()));
        let refresher = if self.background { Refresher::Wanted } else { Refresher::None };
        let cache = self.cache.map(|path| Cache::new(path, who.digest())).transpose()?;
        let way = (self.clock, transport);
        let shared = Shared::new(who, way, cache, None, (api, self.limits.exchange), State::new(keeper, refresher));
        Ok(Client::new(shared, self.wait))
    }
}

/// Where calls go whose token comes from elsewhere.
fn calls_at(endpoint: &Endpoint) -> String {
    match endpoint.product() {
        Product::Work => Endpoint::WORK.default_base().to_string(),
        _ => Endpoint::STABLE_TOKEN.default_base().to_string(),
    }
}

/// The scheme of a base, if it may be used.
pub(crate) fn allowed(base: &str, plain_http: bool) -> Result<Scheme, ConfigError> {
    let base = Base::parse(base)?;
    if base.scheme() == Scheme::Http && !base.is_loopback() && !plain_http {
        return Err(ConfigError::PlainHttp);
    }
    Ok(base.scheme())
}

impl Roots {
    fn read(self) -> Result<RootCerts, ConfigError> {
        let pem = match self {
            Self::Mozilla => return Ok(RootCerts::WebPki),
            #[cfg(feature = "platform-verifier")]
            Self::Platform => return Ok(RootCerts::PlatformVerifier),
            Self::Pem(pem) => pem,
        };
        let mut certificates = Vec::new();
        for item in parse_pem(&pem) {
            match item {
                Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
                Ok(_) => {}
                Err(_) => return Err(ConfigError::RootCertificates),
            }
        }
        if certificates.is_empty() { Err(ConfigError::RootCertificates) } else { Ok(certificates.into()) }
    }
}

fn proxy(url: Option<Zeroizing<String>>) -> Result<Option<ureq::Proxy>, ConfigError> {
    url.map(|url| ureq::Proxy::new(&url).map_err(|_| ConfigError::Proxy)).transpose()
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("endpoint", &self.endpoint.name())
            .field("id", &self.id)
            .field("base", &self.base)
            .field("cache", &self.cache)
            .field("wait", &self.wait)
            .field("background", &self.background)
            .finish_non_exhaustive()
    }
}
