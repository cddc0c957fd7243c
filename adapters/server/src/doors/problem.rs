//! What is said when something is refused? Problem details (RFC 9457), with who must act in `act`.

use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use serde_json::json;
use wxtoken::Act;

use super::{Reply, reply};
use crate::NoToken;

/// Why a request is not granted.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    act: &'static str,
    retry_after_s: Option<u64>,
}

impl Problem {
    pub(crate) const NO_KEY: Self = Self::new(StatusCode::UNAUTHORIZED, "the key is missing or not known", "caller");
    pub(crate) const NOT_ALLOWED: Self = Self::new(StatusCode::FORBIDDEN, "this key does not allow that", "operator");
    pub(crate) const NO_ROUTE: Self = Self::new(StatusCode::NOT_FOUND, "there is nothing at this path", "caller");
    pub(crate) const NO_TICKET: Self = Self::new(
        StatusCode::NOT_FOUND,
        "this ticket is not kept for this account; its operator names it in `tickets`",
        "operator",
    );
    pub(crate) const METHOD: Self =
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path is asked with another method", "caller");
    pub(crate) const BODY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "the body is not {\"access_token\": TEXT} or {\"sha256\": 64 HEX DIGITS}, at most 4096 bytes",
        "caller",
    );

    const fn new(status: StatusCode, title: &'static str, act: &'static str) -> Self {
        Self { status, title, detail: String::new(), act, retry_after_s: None }
    }

    /// There is nothing valid to hand out.
    pub(crate) fn no_token(why: &NoToken) -> Self {
        let act = match why.act() {
            Act::Configuration | Act::Never => "operator",
            Act::Person => "administrator",
            _ => "nobody",
        };
        Self {
            detail: why.to_string(),
            // Rounded up: who comes a moment early comes twice.
            retry_after_s: Some(why.next_in.as_secs().saturating_add(1)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "there is no valid credential now", act)
        }
    }

    pub(crate) fn into_reply(self) -> Reply {
        let mut body = json!({ "title": self.title, "status": self.status.as_u16(), "act": self.act });
        if let (false, Some(body)) = (self.detail.is_empty(), body.as_object_mut()) {
            body.insert("detail".to_owned(), self.detail.into());
        }
        let mut reply = reply(self.status, "application/problem+json", &body);
        if self.status == StatusCode::UNAUTHORIZED {
            reply.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }
}
