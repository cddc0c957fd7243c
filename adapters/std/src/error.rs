//! Who must act when there is no token, and what should they do?

use std::{fmt, time::Duration};

use wxtoken_core::{Act, BadAccount, BadBase, Malformed, Refusal};

use crate::transport::TransportError;

/// Why [`Client::token`](crate::Client::token) has no token, by who must act. `Display` is one English line with the
/// remedy in it. Neither secret nor token nor any text of the peer is in here.
///
/// The client goes on by itself after every one of these: none is final.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// Whoever configures the program: the id, the secret, the base URL or the trusted certificates are wrong.
    Configuration {
        /// What the platform or the network said.
        reason: Reason,
        /// How long until the client tries again by itself; at once after
        /// [`configuration_changed`](crate::Client::configuration_changed).
        next_in: Duration,
    },
    /// An administrator of the account, in its console: an address to allow, a secret to unfreeze.
    Person {
        /// What the platform said; [`Refusal::address`] is the address to allow.
        reason: Reason,
        /// How long until the client tries again by itself.
        next_in: Duration,
    },
    /// Nobody, it passes: the network or the platform is down, a quota is used up.
    Unavailable {
        /// What happened at the last try.
        reason: Reason,
        /// How long until the client tries again by itself.
        next_in: Duration,
    },
    /// Nobody, ask again: the time the caller gave was over while a fetch was still under way.
    Deadline {
        /// How long the caller waited.
        waited: Duration,
    },
}

/// What happened at the last try.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The platform refused.
    Refused(Box<Refusal>),
    /// There was no reply.
    Transport(TransportError),
    /// There was no reply and no error in time: the transport does not keep its limit.
    Lost,
    /// An HTTP status other than 200 and no errcode with it.
    Status(u16),
    /// The reply made no sense.
    Malformed(Malformed),
    /// The day's own limit of fetches is reached; see [`Policy::with_daily_limit`](crate::Policy::with_daily_limit).
    DailyLimit,
    /// The last token was refused or repeated until it was over, and it is too soon for another fetch.
    TooSoon,
    /// There is no token to fetch the ticket with; why not, is in it.
    Token(Box<Self>),
}

impl Error {
    /// What happened at the last try; `None` when nothing is known yet.
    #[must_use]
    pub const fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Configuration { reason, .. } | Self::Person { reason, .. } | Self::Unavailable { reason, .. } => {
                Some(reason)
            }
            Self::Deadline { .. } => None,
        }
    }

    /// What the platform said, if it was the platform that refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self.reason() {
            Some(Reason::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// Who must act.
    #[must_use]
    pub fn act(&self) -> Act {
        match self {
            Self::Configuration { .. } => Act::Configuration,
            Self::Person { .. } => Act::Person,
            Self::Unavailable { reason, .. } => reason.act(),
            Self::Deadline { .. } => Act::Retry,
        }
    }

    /// How long until the client tries again by itself; `None` when it is trying now.
    #[must_use]
    pub const fn next_in(&self) -> Option<Duration> {
        match self {
            Self::Configuration { next_in, .. } | Self::Person { next_in, .. } | Self::Unavailable { next_in, .. } => {
                Some(*next_in)
            }
            Self::Deadline { .. } => None,
        }
    }

    pub(crate) fn new(reason: Reason, next_in: Duration) -> Self {
        match reason.act() {
            Act::Configuration => Self::Configuration { reason, next_in },
            Act::Person => Self::Person { reason, next_in },
            _ => Self::Unavailable { reason, next_in },
        }
    }
}

impl Reason {
    /// Who must act.
    #[must_use]
    pub fn act(&self) -> Act {
        match self {
            Self::Refused(refusal) => refusal.act(),
            Self::Transport(TransportError::Certificate | TransportError::Proxy) => Act::Configuration,
            Self::DailyLimit | Self::TooSoon => Act::WaitUntil,
            Self::Token(reason) => reason.act(),
            Self::Status(401 | 403) => Act::Configuration,
            Self::Transport(_) | Self::Lost | Self::Status(_) | Self::Malformed(_) => Act::Retry,
        }
    }

    /// The class in one word, for a log line or a metric.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Transport(_) => "transport",
            Self::Lost => "lost",
            Self::Status(_) => "status",
            Self::Malformed(_) => "malformed",
            Self::DailyLimit => "daily_limit",
            Self::TooSoon => "too_soon",
            Self::Token(_) => "token",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Transport(error) => error.fmt(f),
            Self::Lost => f.write_str("the exchange ended neither with a reply nor with an error in time"),
            Self::Status(status @ 300..=399) => {
                write!(f, "HTTP status {status}, a redirect, is not followed; is the base URL right, is this a login page?")
            }
            Self::Status(401) => f.write_str(
                "HTTP status 401: of a token server, the key is wrong or not good from this address, and its operator gives out keys; otherwise a proxy asks for a login",
            ),
            Self::Status(403) => f.write_str(
                "HTTP status 403: of a token server, the key does not allow reading this account, which its operator can change; otherwise a proxy refuses",
            ),
            Self::Status(429) => f.write_str("HTTP status 429: more requests than this client may make; it is tried again later"),
            Self::Status(503) => {
                f.write_str("HTTP status 503: the far side has nothing now, or is overloaded; it is tried again later")
            }
            Self::Status(status @ 400..=499) => {
                write!(f, "HTTP status {status} instead of a reply; is the base URL right, does a proxy answer?")
            }
            Self::Status(status) => write!(f, "HTTP status {status} instead of a reply; it may pass by itself"),
            Self::Malformed(why) => why.fmt(f),
            Self::DailyLimit => f.write_str(
                "this client's own limit of fetches a day is reached; look in the log for why so many were needed, or raise the policy's daily limit",
            ),
            Self::TooSoon => {
                f.write_str("the last token is used up or refused, and another may not be fetched so soon; wait")
            }
            Self::Token(reason) => write!(f, "no token to fetch the ticket with: {reason}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, reason, next_in) = match self {
            Self::Configuration { reason, next_in } => ("the configuration must be mended: ", reason, next_in),
            Self::Person { reason, next_in } => ("an administrator must act: ", reason, next_in),
            Self::Unavailable { reason, next_in } => ("no token for now: ", reason, next_in),
            Self::Deadline { waited } => {
                return write!(f, "no token within {}; a fetch is under way, ask again", Span(*waited));
            }
        };
        write!(f, "{head}{reason}; next try in {}", Span(*next_in))
    }
}

impl std::error::Error for Error {}

/// A duration for people: `4 min 58 s`, `800 ms`.
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, 0, 0) => write!(f, "{} ms", self.0.subsec_millis()),
            (0, 0, s) => write!(f, "{s} s"),
            (0, m, s) => write!(f, "{m} min {s} s"),
            (h, m, _) => write!(f, "{h} h {m} min"),
        }
    }
}

/// Why no client could be built. Whoever configures the program must act; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The id or the secret cannot be one.
    Account(BadAccount),
    /// The base URL cannot be one.
    Base(BadBase),
    /// The base is plain http to a host that is not loopback, and nobody allowed that: the secret would be readable
    /// on the way.
    PlainHttp,
    /// The root certificates hold no certificate in PEM that can be read.
    RootCertificates,
    /// The proxy's address cannot be one.
    Proxy,
    /// The cache's path has no file name.
    CachePath,
    /// The cache of a ticket is the file of its token.
    CacheTaken,
    /// The endpoint is that of a ticket, which is fetched with a token: [`Client::ticket`](crate::Client::ticket).
    NeedsToken,
    /// A token server has no official host: [`Builder::base`](crate::Builder::base) says where it is.
    NeedsBase,
    /// The endpoint is not that of a ticket, or of another product than the client is.
    NotItsTicket,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(why) => why.fmt(f),
            Self::Base(why) => why.fmt(f),
            Self::PlainHttp => f.write_str(
                "plain http would show the secret on the way; use https://, a loopback address, or allow it explicitly",
            ),
            Self::RootCertificates => {
                f.write_str("the root certificates hold no readable certificate; give them in PEM format")
            }
            Self::Proxy => f.write_str("the proxy's address is not one; write http://[user:password@]host:port"),
            Self::CachePath => f.write_str("the cache's path has no file name; name a file, not a directory"),
            Self::CacheTaken => f.write_str("the ticket's cache is the token's file; give it one of its own"),
            Self::NeedsToken => f.write_str(
                "a ticket is fetched with a token; make a client for the token, and of that one the client for the ticket",
            ),
            Self::NeedsBase => f.write_str("a token server has no official host; give its base URL"),
            Self::NotItsTicket => f.write_str(
                "this client has no such ticket; official accounts have jsapi_ticket and wx_card, WeCom apps the corp's and their own",
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

impl From<BadAccount> for ConfigError {
    fn from(why: BadAccount) -> Self {
        Self::Account(why)
    }
}

impl From<BadBase> for ConfigError {
    fn from(why: BadBase) -> Self {
        Self::Base(why)
    }
}
