//! What may go wrong with a call, and with which calls?

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::Rng;

/// One way in which a call goes wrong.
///
/// Unless its text says "not executed", the call is executed first: a token is minted, quotas are used, and only the
/// way back fails. [`FaultScope::executed`] overrides either. Bytes are those of the plaintext, before TLS. In JSON
/// (control port) the variant is the field `kind` in snake_case, next to its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// Executed at once; the reply is held back for `ms` milliseconds.
    Latency {
        /// Milliseconds.
        ms: u64,
        /// Whose milliseconds.
        #[serde(default)]
        by: TimeBase,
    },
    /// Held for `ms` milliseconds and only then executed, also when the caller has gone away by then.
    Delayed {
        /// Milliseconds.
        ms: u64,
        /// Whose milliseconds. With virtual ones and a standing clock the call runs when the clock is advanced past
        /// its time, before the advance returns.
        #[serde(default)]
        by: TimeBase,
    },
    /// Executed; then the connection is closed (FIN) without a byte of reply.
    ReplyLost,
    /// Closed (FIN) after `after` bytes of the body.
    Cut {
        /// Bytes of body that still arrive; the head always does.
        after: usize,
    },
    /// Reset (RST) before a byte of reply.
    ResetBefore,
    /// Reset (RST) after `after` bytes of the body.
    ResetMidBody {
        /// Bytes of body that are sent before the reset. A reset may overtake what was sent before it, so the client
        /// can see fewer.
        after: usize,
    },
    /// The reply arrives `bytes` at a time, one piece every `every_ms` real milliseconds.
    Trickle {
        /// Bytes a piece; 0 counts as 1.
        bytes: usize,
        /// Real milliseconds between two pieces.
        every_ms: u64,
    },
    /// Executed; nothing is ever sent. The connection stays open until the client leaves or the platform stops.
    Silence,
    /// Not executed: an HTML error page with this status, as of a proxy in front.
    Status {
        /// Status code, 100..=999; anything else counts as 502.
        status: u16,
    },
    /// Not executed: status 200 with an HTML page, as of a captive portal.
    Html,
    /// Not executed: status 200 with bytes that are neither JSON nor UTF-8.
    Garbage,
    /// Not executed: status 200 with a well-formed JSON refusal (-1) of about this many bytes.
    Oversize {
        /// Bytes of body, up to 64 MiB.
        bytes: usize,
    },
    /// Not executed: a live token is refused, in the words that a bad one gets. Only calls that carry a live token are
    /// meant. With [`FaultScope::younger_than_ms`] and one call it is the token that the platform does not know
    /// everywhere yet; with [`FaultScope::lasting_ms`], a platform that refuses every token for a while.
    TokenRefused {
        /// The errcode; 40001 unless said, WeCom 40014.
        errcode: Option<i32>,
    },
    /// Not executed: status 302 to this location.
    Redirect {
        /// The `Location` header. One that no header can carry counts as `/`.
        location: String,
    },
    /// Not executed: exactly these bytes instead of the reply, framing included, then FIN.
    Raw {
        /// What is sent, head and all. In JSON a string or an array of numbers.
        #[serde(deserialize_with = "text_or_bytes")]
        bytes: Vec<u8>,
    },
    /// Not executed: the reply's head as ever, and this body instead of its own.
    Body {
        /// The body. In JSON a string or an array of numbers.
        #[serde(deserialize_with = "text_or_bytes")]
        bytes: Vec<u8>,
    },
    /// The reply claims `Content-Encoding: gzip` although its body is plain.
    GzipClaimed,
    /// More bytes follow the body that `Content-Length` announced.
    LongerBody {
        /// Bytes too many.
        extra: usize,
    },
    /// A second `Content-Length`.
    DuplicateLength {
        /// What is added to the second one's value. 0 makes two that agree.
        differing_by: usize,
    },
    /// The reply is chunked.
    Chunked {
        /// Bytes a chunk; 0 counts as 1.
        chunk: usize,
        /// Whether chunks carry an extension.
        #[serde(default)]
        extensions: bool,
        /// Whether trailers follow the last chunk.
        #[serde(default)]
        trailers: bool,
        /// Whether a `Content-Length` contradicts it all.
        #[serde(default)]
        with_length: bool,
    },
    /// This many `103 Early Hints` precede the reply.
    Informational {
        /// How many; at most 1000 are sent.
        count: usize,
    },
    /// The reply has no length at all and ends with the connection.
    UntilClose,
    /// The reply is complete, then the connection ends without TLS's `close_notify`. Over plain HTTP, an ordinary
    /// close.
    NoCloseNotify,
}

fn text_or_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Bytes(Vec<u8>),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Text(text) => text.into_bytes(),
        Either::Bytes(bytes) => bytes,
    })
}

/// Whose milliseconds a wait is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeBase {
    /// The machine's.
    #[default]
    Real,
    /// The platform's clock, which may run faster or stand still.
    Virtual,
}

impl Fault {
    /// Whether the platform executes the call although this happens to it.
    pub(crate) const fn executes(&self) -> bool {
        !matches!(
            self,
            Self::Status { .. }
                | Self::Html
                | Self::Garbage
                | Self::Oversize { .. }
                | Self::TokenRefused { .. }
                | Self::Redirect { .. }
                | Self::Raw { .. }
                | Self::Body { .. }
        )
    }
}

/// Which calls a fault happens to. Only calls of the platform count, never those of the control port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultScope {
    next: Option<u32>,
    skip: u32,
    path: String,
    probability: f64,
    seed: u64,
    executed: Option<bool>,
    younger_than_ms: Option<u64>,
    lasting_ms: Option<u64>,
}

impl Default for FaultScope {
    fn default() -> Self {
        Self {
            next: None,
            skip: 0,
            path: String::new(),
            probability: 1.0,
            seed: 0,
            executed: None,
            younger_than_ms: None,
            lasting_ms: None,
        }
    }
}

impl FaultScope {
    /// Every call from now on.
    #[must_use]
    pub fn every_call() -> Self {
        Self::default()
    }

    /// The next call only.
    #[must_use]
    pub fn next_call() -> Self {
        Self::next(1)
    }

    /// The next `calls` calls that the rest of the scope fits.
    #[must_use]
    pub fn next(calls: u32) -> Self {
        Self { next: Some(calls), ..Self::default() }
    }

    /// Only calls whose path begins so.
    #[must_use]
    pub fn on_path(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.path);
        self
    }

    /// Lets the first `calls` fitting calls pass.
    #[must_use]
    pub const fn after(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Each fitting call with this probability, drawn from a generator of this seed; 0 never, 1 always.
    #[must_use]
    pub const fn with_probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = probability;
        self.seed = seed;
        self
    }

    /// Only calls that carry a live token younger than `ms` milliseconds of the platform's clock.
    #[must_use]
    pub const fn younger_than_ms(mut self, ms: u64) -> Self {
        self.younger_than_ms = Some(ms);
        self
    }

    /// Only for `ms` milliseconds of the platform's clock, counted from when the fault is ordered.
    #[must_use]
    pub const fn lasting_ms(mut self, ms: u64) -> Self {
        self.lasting_ms = Some(ms);
        self
    }

    /// Whether the call is executed, whatever the fault's own habit is.
    #[must_use]
    pub const fn executed(mut self, yes: bool) -> Self {
        self.executed = Some(yes);
        self
    }
}

struct Order {
    fault: Fault,
    scope: FaultScope,
    until: u64,
    rng: Rng,
}

impl Order {
    /// Whether the fault needs a live token of some age, and the call has none of it.
    fn misses_its_token(&self, age_ms: Option<u64>) -> bool {
        let needs = matches!(self.fault, Fault::TokenRefused { .. }) || self.scope.younger_than_ms.is_some();
        let youth = self.scope.younger_than_ms.unwrap_or(u64::MAX);
        needs && age_ms.is_none_or(|age| age >= youth)
    }
}

/// What is to happen to one call.
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    pub(crate) executes: bool,
}

/// The faults in force. The first that fits a call happens to it; a call has at most one.
#[derive(Default)]
pub(crate) struct Faults(Vec<Order>);

impl Faults {
    pub(crate) fn add(&mut self, now: u64, fault: Fault, scope: FaultScope) {
        let rng = Rng::new(scope.seed);
        let until = scope.lasting_ms.map_or(u64::MAX, |ms| now.saturating_add(ms));
        self.0.push(Order { fault, scope, until, rng });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// `age_ms` is that of the live token that the call carries, if it carries one.
    pub(crate) fn pick(&mut self, now: u64, path: &str, age_ms: Option<u64>) -> Option<Planned> {
        self.0.retain(|order| now < order.until);
        let mut picked = None;
        for order in &mut self.0 {
            if order.misses_its_token(age_ms) {
                continue;
            }
            let scope = &mut order.scope;
            if picked.is_some() || scope.next == Some(0) || !path.starts_with(&scope.path) {
                continue;
            }
            if scope.skip > 0 {
                scope.skip -= 1;
                continue;
            }
            if !order.rng.chance(scope.probability) {
                continue;
            }
            if let Some(left) = &mut scope.next {
                *left -= 1;
            }
            picked = Some(Planned {
                executes: scope.executed.unwrap_or_else(|| order.fault.executes()),
                fault: order.fault.clone(),
            });
        }
        self.0.retain(|order| order.scope.next != Some(0));
        picked
    }
}
