//! What does the platform see of a call, and what does it send back?

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::content::Content;

/// One call as the platform sees it, read to its end.
///
/// `Debug` shows neither the query's values nor the body: both carry secrets. Of a file it shows name and length.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, decoded, in the order of the wire.
    pub query: Vec<(String, String)>,
    /// The `Host` header, if one was sent.
    pub host: Option<String>,
    /// The body; empty when there was none, and when it was a form with a file.
    pub body: Vec<u8>,
    /// The file of a form, if the form was well-formed to its end and had a part named `media` with a file name.
    pub upload: Option<Upload>,
    /// The `Content-Type` header, if one was sent.
    pub content_type: Option<String>,
    /// The address that the call came from.
    pub client_ip: IpAddr,
    /// Whether the call stated a `Content-Length`. A chunked call did not.
    pub has_content_length: bool,
    /// Whether the call came over TLS.
    pub secure: bool,
}

impl Request {
    /// A GET of `target`, which is a path with an optional query, from 127.0.0.1 over TLS.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target, Vec::new())
    }

    /// A POST of `body` to `target` with a `Content-Length`, from 127.0.0.1 over TLS.
    #[must_use]
    pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", target, body.into())
    }

    /// A call of any method; otherwise as [`Request::post`].
    #[must_use]
    pub fn new(method: &str, target: &str, body: Vec<u8>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            host: None,
            body,
            upload: None,
            content_type: None,
            client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            has_content_length: true,
            secure: true,
        }
    }

    /// The same call with a file in a form.
    #[must_use]
    pub fn with_upload(mut self, upload: Upload) -> Self {
        self.upload = Some(upload);
        self
    }

    /// The same call from another address.
    #[must_use]
    pub const fn from_ip(mut self, ip: IpAddr) -> Self {
        self.client_ip = ip;
        self
    }

    /// The same call with its body sent in chunks, thus without a `Content-Length`.
    #[must_use]
    pub const fn chunked(mut self) -> Self {
        self.has_content_length = false;
        self
    }

    /// The same call over plain HTTP.
    #[must_use]
    pub const fn plain(mut self) -> Self {
        self.secure = false;
        self
    }

    /// The same call with a `Content-Type`.
    #[must_use]
    pub fn with_content_type(mut self, value: &str) -> Self {
        self.content_type = Some(value.to_owned());
        self
    }

    /// The first query parameter of this name, if it is not empty.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn is_post(&self) -> bool {
        self.method == "POST"
    }
}

/// One file of a form, as the call brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upload {
    /// The name that the form gives to it.
    pub filename: String,
    /// The `Content-Type` of its part.
    pub content_type: Option<String>,
    /// Its bytes.
    pub content: Content,
}

impl Upload {
    /// These bytes under this name.
    #[must_use]
    pub fn new(filename: &str, bytes: &[u8]) -> Self {
        Self { filename: filename.to_owned(), content_type: None, content: Content::new(bytes) }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("body_bytes", &self.body.len())
            .field("upload", &self.upload)
            .field("client_ip", &self.client_ip)
            .field("has_content_length", &self.has_content_length)
            .field("secure", &self.secure)
            .finish_non_exhaustive()
    }
}

/// One answer of the platform, before it is put on a wire.
///
/// `Debug` shows the body's length only: it may carry a token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status. Refusals come with 200, as the real platform's do.
    pub status: u16,
    /// Headers besides those of the framing.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// A file that is the body instead.
    pub content: Option<Content>,
}

impl Reply {
    pub(crate) const fn new(status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Self {
        Self { status, headers, body, content: None }
    }

    /// The value of a header, if it is there.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; what is no UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `Null` when it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body's `errcode`; 0 when it has none, which is how the platform spells success.
    #[must_use]
    pub fn errcode(&self) -> i64 {
        self.json()["errcode"].as_i64().unwrap_or(0)
    }

    /// The body's `access_token`, if it has one.
    #[must_use]
    pub fn token(&self) -> Option<String> {
        self.json()["access_token"].as_str().map(str::to_owned)
    }

    /// The body's `expires_in` in seconds, if it has one.
    #[must_use]
    pub fn expires_in(&self) -> Option<u64> {
        self.json()["expires_in"].as_u64()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}
