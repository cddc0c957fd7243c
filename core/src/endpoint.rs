//! Where is a credential fetched, in which dialect and under which rules: constant data, no code.
//!
//! A new kind of credential (a ticket, a component token) is a new constant here; the keeper, the request writer and
//! the reply reader learn nothing new.

use crate::{Base, Policy, Product};

mod ticket;

/// Whether token servers can be asked. A device that asks the platform itself need not carry what that takes: where this is
/// false the optimiser drops it.
pub(crate) const TOKEN_SERVER: bool = cfg!(feature = "token-server");

/// The HTTP method of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Method {
    /// Parameters in the query, no body.
    Get,
    /// A JSON body with a Content-Length (the platform answers 412 to a chunked one).
    Post,
}

impl Method {
    /// The name as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Where a parameter travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Place {
    /// In the query string, percent-encoded.
    Query,
    /// In the JSON object of the body.
    Body,
    /// At the end of the path: the name as it stands, then the value, percent-encoded.
    Path,
    /// In the header `Authorization`, as `Bearer VALUE`. It has no name.
    Bearer,
}

/// What a parameter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Value {
    /// This text.
    Literal(&'static str),
    /// The account's id: appid, corpid, suite id.
    Id,
    /// The account's secret.
    Secret,
    /// Whether this fetch is a forced refresh: a JSON `true` or `false`.
    Force,
    /// The n-th extra value the caller supplies per request: a token above a ticket, a pushed ticket, a type.
    Extra(u8),
}

/// One parameter of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Param {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) value: Value,
}

impl Param {
    /// A parameter in the query string.
    #[must_use]
    pub const fn query(name: &'static str, value: Value) -> Self {
        Self { name, place: Place::Query, value }
    }

    /// A member of the JSON body.
    #[must_use]
    pub const fn body(name: &'static str, value: Value) -> Self {
        Self { name, place: Place::Body, value }
    }

    /// A further piece of the path: `name`, which begins with a slash or goes on where the path ended, and a value.
    #[must_use]
    pub const fn path(name: &'static str, value: Value) -> Self {
        Self { name, place: Place::Path, value }
    }

    /// The key in the header `Authorization`.
    #[must_use]
    pub const fn bearer(value: Value) -> Self {
        Self { name: "", place: Place::Bearer, value }
    }
}

/// What a repeated fetch does to the credential before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Repeat {
    /// Mints a new one; the one before lives on for at most five minutes, and nobody knows how reliably.
    Rotates,
    /// Returns the same one with its remaining seconds until the last 300 s, then a new one, both valid. A forced
    /// fetch mints a new one at once.
    SameUntilLast300s,
    /// Returns the same one while it is valid; the reply may announce the full life again, which is not true.
    SameWhileValid,
}

/// One kind of credential: its path, parameters, reply field and rules.
///
/// Constant data. Three constants cover official accounts, mini programs and WeCom apps, four more the tickets fetched
/// with their tokens; [`Endpoint::custom`] and the `with_*` methods make others at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Endpoint {
    pub(crate) name: &'static str,
    pub(crate) product: Product,
    pub(crate) hosts: &'static [Base<'static>],
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) params: &'static [Param],
    pub(crate) token_field: &'static str,
    pub(crate) repeat: Repeat,
    pub(crate) policy: Policy,
}

/// The hosts of 公众平台 in the order to try them, from its document on interface domain names.
const PLATFORM_HOSTS: &[Base<'static>] = &[Base::API, Base::API2, Base::SHANGHAI, Base::SHENZHEN, Base::HONG_KONG];

impl Endpoint {
    /// `/cgi-bin/stable_token`, the default for official accounts (公众号) and mini programs (小程序):
    /// repeating a fetch is harmless. Source: the platform's getStableAccessToken document.
    pub const STABLE_TOKEN: Self = Self {
        name: "stable_token",
        product: Product::Platform,
        hosts: PLATFORM_HOSTS,
        method: Method::Post,
        path: "/cgi-bin/stable_token",
        params: &[
            Param::body("grant_type", Value::Literal("client_credential")),
            Param::body("appid", Value::Id),
            Param::body("secret", Value::Secret),
            Param::body("force_refresh", Value::Force),
        ],
        token_field: "access_token",
        repeat: Repeat::SameUntilLast300s,
        policy: Policy::STABLE,
    };

    /// `/cgi-bin/token`: every fetch kills the token before it within five minutes.
    /// Source: the platform's getAccessToken document.
    pub const TOKEN: Self = Self {
        name: "token",
        product: Product::Platform,
        hosts: PLATFORM_HOSTS,
        method: Method::Get,
        path: "/cgi-bin/token",
        params: &[
            Param::query("grant_type", Value::Literal("client_credential")),
            Param::query("appid", Value::Id),
            Param::query("secret", Value::Secret),
        ],
        token_field: "access_token",
        repeat: Repeat::Rotates,
        policy: Policy::ROTATING,
    };

    /// WeCom (企业微信, once 企业号) `/cgi-bin/gettoken`, one credential for each corp and app secret.
    /// Source: WeCom developer document 91039.
    pub const WORK: Self = Self {
        name: "gettoken",
        product: Product::Work,
        hosts: &[Base::WORK],
        method: Method::Get,
        path: "/cgi-bin/gettoken",
        params: &[Param::query("corpid", Value::Id), Param::query("corpsecret", Value::Secret)],
        token_field: "access_token",
        repeat: Repeat::SameWhileValid,
        policy: Policy::REPEATING,
    };

    /// Of the feature `token-server`: a wxtoken token server (中控服务器), which fetches for many: the id is the account's name there, the secret is the
    /// client's key, and the base must be given. It is told of a refused token in the exchange that asks for the next one,
    /// and says itself when to come back.
    #[cfg(feature = "token-server")]
    pub const TOKEN_SERVER: Self = Self {
        name: "token_server",
        product: Product::Platform,
        hosts: &[],
        method: Method::Get,
        path: "/v1/accounts/",
        params: &[Param::path("", Value::Id), Param::path("/token", Value::Literal("")), Param::bearer(Value::Secret)],
        token_field: "access_token",
        repeat: Repeat::SameUntilLast300s,
        policy: Policy::TOKEN_SERVER,
    };

    /// The same for a WeCom application, whose errcodes are others.
    #[cfg(feature = "token-server")]
    pub const WORK_TOKEN_SERVER: Self = Self { product: Product::Work, ..Self::TOKEN_SERVER };

    /// An endpoint that is not in this list: `name` is for logs, `path` begins with a slash and needs no encoding,
    /// `token_field` is the member of the reply that holds the credential. Hosts and policy follow from `product` and
    /// `repeat`.
    #[must_use]
    pub const fn custom(
        name: &'static str,
        product: Product,
        method: Method,
        path: &'static str,
        params: &'static [Param],
        token_field: &'static str,
        repeat: Repeat,
    ) -> Self {
        let hosts: &'static [Base<'static>] = match product {
            Product::Work => &[Base::WORK],
            Product::Platform | Product::Open => PLATFORM_HOSTS,
        };
        let policy = match repeat {
            Repeat::Rotates => Policy::ROTATING,
            Repeat::SameUntilLast300s => Policy::STABLE,
            Repeat::SameWhileValid => Policy::REPEATING,
        };
        Self { name, product, hosts, method, path, params, token_field, repeat, policy }
    }

    /// The same endpoint under another policy.
    #[must_use]
    pub const fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// A short name for logs and tables: the last segment of the path, or the kind of a ticket.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whose error codes its replies speak.
    #[must_use]
    pub const fn product(&self) -> Product {
        self.product
    }

    /// The official hosts in the order to try them. On a rotating endpoint do not go to the next host after an
    /// exchange that may have been executed: that mints two tokens.
    #[must_use]
    pub const fn hosts(&self) -> &'static [Base<'static>] {
        self.hosts
    }

    /// The official host that comes first.
    #[must_use]
    pub const fn default_base(&self) -> Base<'static> {
        match self.hosts {
            [first, ..] => *first,
            [] => Base::API,
        }
    }

    /// The HTTP method of a fetch.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The path below the base, beginning with a slash.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// The parameters in the order they are written.
    #[must_use]
    pub const fn params(&self) -> &'static [Param] {
        self.params
    }

    /// Whether it is a token server, which takes reports of refused tokens.
    #[must_use]
    pub const fn takes_reports(&self) -> bool {
        TOKEN_SERVER && matches!(self.params, [.., Param { place: Place::Bearer, .. }])
    }

    /// How many [`Extra`](Value::Extra) values a request needs; with one, the credential is fetched with a token.
    #[must_use]
    pub const fn extras(&self) -> u8 {
        let (mut rest, mut most) = (self.params, 0);
        while let [param, more @ ..] = rest {
            most = match param.value {
                Value::Extra(n) if n >= most => n.saturating_add(1),
                _ => most,
            };
            rest = more;
        }
        most
    }

    /// The member of the reply that holds the credential.
    #[must_use]
    pub const fn token_field(&self) -> &'static str {
        self.token_field
    }

    /// What a repeated fetch does.
    #[must_use]
    pub const fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// The numbers a keeper of this endpoint starts with.
    #[must_use]
    pub const fn policy(&self) -> Policy {
        self.policy
    }
}
