//! Who must act when a call was not accepted, and may it be sent again?

use std::{fmt, io::ErrorKind};

use wxtoken_core::{Act, BadCall, GaveUp, Lang, Product, Refusal};
use zeroize::Zeroizing;

use super::words;
use crate::{error::Error, error::Reason, media::BadMedia, transport::TransportError};

/// Why [`Client::call`](crate::Client::call) has no reply, by who must act. `Display` is one English line with the remedy
/// in it. Neither secret nor token nor any text of the peer is in here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// Whoever wrote the call: neither another token nor trying again mends it. It was not executed.
    Caller(CallReason),
    /// Whoever configures the program. It was not executed.
    Configuration(CallReason),
    /// An administrator of the account, in its console. It was not executed.
    Person(CallReason),
    /// Nobody, it passes: call again later. It was not executed, or executing it twice does no harm.
    Unavailable(CallReason),
    /// Whoever decides whether it is sent again: it **may have been executed**.
    Unanswered(CallReason),
    /// Whoever wrote the program: it **was executed**, and what came back could not be taken.
    Untaken(CallReason),
}

/// What happened to a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallReason {
    /// The call cannot be one.
    BadCall(BadCall),
    /// The call's base is plain http to a host that is not loopback, and nobody allowed that: the token would be readable
    /// on the way.
    PlainHttp,
    /// The platform would not take the file.
    BadMedia(BadMedia),
    /// The API is not one of the account's product: WeCom's for an official account, say. Its token would be refused there
    /// like a bad one.
    WrongProduct,
    /// The platform refused, and neither waiting nor another token mends it.
    Refused(Box<Refused>),
    /// There was no token, or no other one when it was refused.
    NoToken {
        /// Why.
        error: Box<Error>,
        /// The errcode by which the token was refused, if it was.
        errcode: Option<i32>,
    },
    /// It was tried as often as is good, or as time allows.
    GaveUp(Box<GivenUp>),
    /// The body could not be read; `UnexpectedEof` when it was shorter than announced.
    Source(ErrorKind),
    /// The reply could not be written.
    Sink(ErrorKind),
    /// The reply is longer than [`MAX_CALL_REPLY_LEN`](crate::MAX_CALL_REPLY_LEN).
    TooLong,
    /// The reply is not what the program's type takes.
    Json {
        /// The line, from 1.
        line: u64,
        /// The column, from 1; 0 at a line's end.
        column: u64,
    },
}

/// How a call that was given up stood in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GivenUp {
    /// Why it was given up.
    pub why: GaveUp,
    /// The errcode of the last reply, if there was one.
    pub errcode: Option<i32>,
    /// What the last attempt met, if it had no reply.
    pub transport: Option<TransportError>,
    /// Bytes of the body that the last attempt gave to the transport.
    pub sent: u64,
    /// Bytes of the reply that the last attempt got.
    pub received: u64,
}

/// The platform's "no" to a call. `Debug` and `Display` show nothing that it wrote.
#[derive(Clone)]
pub struct Refused {
    refusal: Refusal,
    product: Product,
    body: Zeroizing<Vec<u8>>,
}

impl Refused {
    pub(super) const fn new(refusal: Refusal, product: Product, body: Zeroizing<Vec<u8>>) -> Self {
        Self { refusal, product, body }
    }

    /// What the platform said. Codes that only one API knows have no meaning there; [`explain`](Self::explain) knows some.
    #[must_use]
    pub const fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// The number the platform sent.
    #[must_use]
    pub const fn errcode(&self) -> i32 {
        self.refusal.errcode()
    }

    /// The whole reply, with asterisks for the token should that be in it. **It is the peer's text**: not for a log.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Who must act.
    #[must_use]
    pub fn act(&self) -> Act {
        // A fetch that is refused with an unknown code may pass. A call is refused for what is in it.
        let unknown = self.refusal.meaning() == wxtoken_core::Meaning::Unknown;
        if unknown { Act::Never } else { self.refusal.act() }
    }

    /// Writes what happened and what to do, in one line, for a person.
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn explain<W: fmt::Write>(&self, lang: Lang, out: &mut W) -> fmt::Result {
        if self.refusal.meaning() != wxtoken_core::Meaning::Unknown {
            return self.refusal.explain(lang, out);
        }
        let colon = if lang == Lang::Zh { "：" } else { ": " };
        write!(out, "errcode {}{colon}{}", self.errcode(), words::of(self.product, self.errcode(), lang))?;
        match (self.refusal.trace(), lang) {
            (Some(trace), Lang::Zh) => write!(out, "；追踪号：{trace}"),
            (Some(trace), _) => write!(out, "; trace {trace}"),
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused({}, {} bytes)", self.errcode(), self.body.len())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.explain(Lang::En, f)
    }
}

impl CallError {
    /// `idempotent`: executing the call twice does no harm.
    pub(crate) fn new(reason: CallReason, idempotent: bool) -> Self {
        match &reason {
            CallReason::BadCall(_) | CallReason::BadMedia(_) | CallReason::WrongProduct | CallReason::Source(_) => {
                Self::Caller(reason)
            }
            CallReason::PlainHttp => Self::Configuration(reason),
            CallReason::Sink(_) | CallReason::TooLong | CallReason::Json { .. } => Self::Untaken(reason),
            CallReason::Refused(refused) => Self::by(refused.act(), reason),
            CallReason::NoToken { error, .. } => Self::by(error.act(), reason),
            CallReason::GaveUp(given_up) => match (given_up.why, given_up.transport) {
                (why, _) if why.maybe_executed() && !idempotent => Self::Unanswered(reason),
                (GaveUp::Status(300..500), _) => Self::Configuration(reason),
                (_, Some(TransportError::Unsupported)) => Self::Caller(reason),
                (_, Some(error)) => Self::by(Reason::Transport(error).act(), reason),
                _ => Self::Unavailable(reason),
            },
        }
    }

    const fn by(act: Act, reason: CallReason) -> Self {
        match act {
            Act::Never => Self::Caller(reason),
            Act::Configuration => Self::Configuration(reason),
            Act::Person => Self::Person(reason),
            _ => Self::Unavailable(reason),
        }
    }

    /// What happened.
    #[must_use]
    pub const fn reason(&self) -> &CallReason {
        match self {
            Self::Caller(reason)
            | Self::Configuration(reason)
            | Self::Person(reason)
            | Self::Unavailable(reason)
            | Self::Unanswered(reason)
            | Self::Untaken(reason) => reason,
        }
    }

    /// What the platform said, if it was the platform that refused this call.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        match self.reason() {
            CallReason::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// The errcode of the last reply, if it had one.
    #[must_use]
    pub fn errcode(&self) -> Option<i32> {
        match self.reason() {
            CallReason::Refused(refused) => Some(refused.errcode()),
            CallReason::NoToken { errcode, .. } => *errcode,
            CallReason::GaveUp(given_up) => given_up.errcode,
            _ => None,
        }
    }

    /// Whether the platform may have executed the call all the same.
    #[must_use]
    pub const fn maybe_executed(&self) -> bool {
        match self.reason() {
            CallReason::GaveUp(given_up) => given_up.why.maybe_executed(),
            CallReason::Sink(_) | CallReason::TooLong | CallReason::Json { .. } => true,
            _ => false,
        }
    }
}

impl fmt::Display for CallReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadCall(why) => why.fmt(f),
            Self::BadMedia(why) => why.fmt(f),
            Self::WrongProduct => f.write_str(
                "the account's product has no such API; template and customer messages are for 公众号 and 小程序, work messages for WeCom",
            ),
            Self::PlainHttp => f.write_str(
                "plain http would show the token on the way; use https://, a loopback address, or allow it explicitly",
            ),
            Self::Refused(refused) => refused.fmt(f),
            Self::NoToken { error, errcode: None } => error.fmt(f),
            Self::NoToken { error, errcode: Some(code) } => {
                write!(f, "the token was refused with errcode {code} and no other could be had: {error}")
            }
            Self::GaveUp(given_up) => given_up.fmt(f),
            Self::Source(ErrorKind::UnexpectedEof) => f.write_str("the body ended before its announced length"),
            Self::Source(kind) => write!(f, "the body could not be read: {kind}"),
            Self::Sink(kind) => write!(f, "the reply could not be written: {kind}"),
            Self::TooLong => f.write_str("the reply is too long to be held in memory; take it with a sink"),
            Self::Json { line, column } => {
                write!(f, "the reply is not what the program expects (line {line}, column {column})")
            }
        }
    }
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.why, self.transport) {
            (GaveUp::Unanswered | GaveUp::NotSent, Some(error)) => error.fmt(f)?,
            (GaveUp::NotSent | GaveUp::Unanswered | GaveUp::Busy, None) | (GaveUp::Busy, _) => self.why.fmt(f)?,
            (GaveUp::Status(status), _) => Reason::Status(status).fmt(f)?,
            (why, _) => why.fmt(f)?,
        }
        if self.received > 0 {
            write!(f, "; {} bytes of the reply had come", self.received)?;
        } else if self.transport.is_some() && self.sent > 0 {
            write!(f, "; {} bytes had been sent", self.sent)?;
        }
        match self.errcode {
            Some(code) => write!(f, " (errcode {code})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = match self {
            Self::Caller(_) => "the call must be changed: ",
            // It says so itself.
            Self::Configuration(CallReason::NoToken { errcode: None, .. })
            | Self::Person(CallReason::NoToken { errcode: None, .. })
            | Self::Unavailable(CallReason::NoToken { errcode: None, .. }) => "",
            Self::Configuration(_) => "the configuration must be mended: ",
            Self::Person(_) => "an administrator must act: ",
            Self::Unavailable(_) => "not executed, call again later: ",
            Self::Unanswered(_) => "it may have been executed, look before it is sent again: ",
            Self::Untaken(_) => "it was executed, but ",
        };
        write!(f, "{head}{}", self.reason())
    }
}

impl std::error::Error for CallError {}

impl From<BadCall> for CallError {
    fn from(why: BadCall) -> Self {
        Self::Caller(CallReason::BadCall(why))
    }
}
