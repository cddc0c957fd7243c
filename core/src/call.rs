//! What is called with a credential: method, path, query and body, and where the credential goes?
//!
//! ```text
//!  Call ── request(base, token) ──▶ CallRequest ──▶ the wire ──▶ ErrcodeReader ──▶ Healing: done, report, wait, give up
//!    ▲                                                                                │
//!    └──────────────────── written anew for each attempt, with the token of then ─────┘
//! ```

use core::fmt;

use crate::{Base, Method, Token};

mod errcode;
mod healing;
mod request;

pub use errcode::{Errcode, ErrcodeReader};
pub use healing::{GaveUp, Healing, MAX_ATTEMPTS, Todo};
pub use request::CallRequest;

/// One API call, without the credential: that is put in when an attempt is written, so a second attempt cannot carry the
/// first one's.
///
/// Borrowed data, checked when it is made. `Debug` shows method, path and lengths, and neither query nor body.
///
/// ```
/// use wxtoken_core::Call;
/// let alarm = Call::post("/cgi-bin/message/send", br#"{"touser":"u","msgtype":"text","agentid":7}"#)?;
/// let upload = Call::stream("/cgi-bin/media/upload", "multipart/form-data; boundary=b", 10_000_000)?
///     .with_query(&[("type", "image")])?;
/// let component = Call::get("/cgi-bin/component/something")?.with_credential("component_access_token")?;
/// # let _ = (alarm, upload, component);
/// # Ok::<(), wxtoken_core::BadCall>(())
/// ```
#[derive(Clone, Copy)]
pub struct Call<'a> {
    method: Method,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Body<'a>,
    content_type: &'a str,
    credential: &'a str,
    base: Option<Base<'a>>,
    idempotent: bool,
    any_reply: bool,
}

/// The body of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body<'a> {
    /// None: a GET.
    None,
    /// These bytes.
    Bytes(&'a [u8]),
    /// So many bytes, which the driver gets from a source of its own, piece by piece.
    Stream {
        /// How many, exactly: the platform answers 412 to a body without a length.
        len: u64,
        /// The source can begin anew. Without it a call whose token was refused ends with [`GaveUp::BodySpent`].
        replayable: bool,
    },
}

impl Body<'_> {
    /// Its length in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an empty body and none are different things")]
    pub const fn len(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream { len, .. } => *len,
        }
    }

    const fn is_replayable(&self) -> bool {
        !matches!(self, Self::Stream { replayable: false, .. })
    }
}

impl<'a> Call<'a> {
    /// A GET of `path`, which begins with a slash and holds no query. Taken to be idempotent.
    ///
    /// # Errors
    /// [`BadCall::Path`].
    pub fn get(path: &'a str) -> Result<Self, BadCall> {
        Self::new(Method::Get, path, Body::None, "").map(|call| call.with_idempotence(true))
    }

    /// A POST of `json` to `path`. WeCom wants characters as they are and refuses `\uXXXX`. Taken not to be idempotent.
    ///
    /// # Errors
    /// [`BadCall::Path`].
    pub fn post(path: &'a str, json: &'a [u8]) -> Result<Self, BadCall> {
        Self::new(Method::Post, path, Body::Bytes(json), "application/json")
    }

    /// A POST of `len` bytes that the driver gets from a source, which can begin anew. Taken not to be idempotent.
    ///
    /// # Errors
    /// [`BadCall::Path`], [`BadCall::ContentType`].
    pub fn stream(path: &'a str, content_type: &'a str, len: u64) -> Result<Self, BadCall> {
        Self::new(Method::Post, path, Body::Stream { len, replayable: true }, content_type)
    }

    fn new(method: Method, path: &'a str, body: Body<'a>, content_type: &'a str) -> Result<Self, BadCall> {
        let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#');
        if !path.starts_with(['/']) || !path.bytes().all(plain) {
            return Err(BadCall::Path);
        }
        if !content_type.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return Err(BadCall::ContentType);
        }
        let credential = "access_token";
        Ok(Self {
            method,
            path,
            query: &[],
            body,
            content_type,
            credential,
            base: None,
            idempotent: false,
            any_reply: false,
        })
    }

    /// With these names and values in the query, percent-encoded when they are written.
    ///
    /// # Errors
    /// [`BadCall::Credential`] when one of them has the credential's name.
    pub fn with_query(self, query: &'a [(&'a str, &'a str)]) -> Result<Self, BadCall> {
        Self { query, ..self }.checked()
    }

    /// With the credential in the query parameter `name`; `access_token` unless said.
    ///
    /// # Errors
    /// [`BadCall::Credential`] when it is empty, or the query has the name already.
    pub fn with_credential(self, name: &'a str) -> Result<Self, BadCall> {
        Self { credential: name, ..self }.checked()
    }

    fn checked(self) -> Result<Self, BadCall> {
        let taken = self.query.iter().any(|(name, _)| *name == self.credential);
        if taken || self.credential.is_empty() { Err(BadCall::Credential) } else { Ok(self) }
    }

    /// At `base` instead of the account's: for an account whose token comes from a central server, which does not take
    /// API calls.
    #[must_use]
    pub const fn with_base(mut self, base: Base<'a>) -> Self {
        self.base = Some(base);
        self
    }

    /// Whether executing it twice is as good as once. Only then is it sent again after an attempt that may have been
    /// executed and was not answered.
    #[must_use]
    pub const fn with_idempotence(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Whose reply may be something else than a JSON object: a photo, a code to scan. Without it such a reply (a page of a
    /// captive portal, an empty body) is no answer, and no success.
    #[must_use]
    pub const fn with_any_reply(mut self) -> Self {
        self.any_reply = true;
        self
    }

    /// With a source that cannot begin anew: what it gave to an attempt is gone.
    #[must_use]
    pub const fn sent_once(mut self) -> Self {
        if let Body::Stream { len, .. } = self.body {
            self.body = Body::Stream { len, replayable: false };
        }
        self
    }

    /// The request of one attempt, with this token, at `base` unless the call names its own.
    #[must_use]
    pub fn request<'t>(&self, base: Base<'a>, token: &'t Token) -> CallRequest<'a, 't> {
        CallRequest::new(*self, self.base.unwrap_or(base), token)
    }

    /// GET or POST.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The path.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> Body<'a> {
        self.body
    }

    /// The base it goes to instead of the account's.
    #[must_use]
    pub const fn base(&self) -> Option<Base<'a>> {
        self.base
    }

    /// Whether executing it twice is as good as once.
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Whether its reply may be something else than a JSON object.
    #[must_use]
    pub const fn takes_any_reply(&self) -> bool {
        self.any_reply
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Stream { len, replayable } => write!(f, "Stream({len}, replayable: {replayable})"),
        }
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query.len())
            .field("body", &self.body)
            .field("idempotent", &self.idempotent)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Body<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=u64} bytes", self.len());
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Call<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{} {=str} ({})", self.method, self.path, self.body);
    }
}

/// What is wrong with a call: a mistake in the program that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BadCall {
    /// The path does not begin with a slash, or has a space, a control character, `?`, `#`, or something beyond ASCII.
    Path,
    /// The content type has a control character or something beyond ASCII.
    ContentType,
    /// The credential's parameter has no name, or the query has a parameter of that name.
    Credential,
}

impl fmt::Display for BadCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => {
                "the path of a call begins with a slash and is plain ASCII without ? and #; the query is apart"
            }
            Self::ContentType => "the content type has a character that no header may have",
            Self::Credential => "the query names the credential's parameter; leave it out, it is put in by itself",
        })
    }
}

impl core::error::Error for BadCall {}

#[cfg(test)]
mod tests;
