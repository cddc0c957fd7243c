//! What is said when something is refused? Problem details (RFC 9457), with who must act in `act`.

use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use serde_json::json;

use super::{Reply, TurnedAway, reply};
use crate::{NoToken, words::who};

/// Why a request is not granted.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    act: &'static str,
    retry_after_s: Option<u64>,
    /// The methods that a path is asked with.
    allow: Option<&'static str>,
    /// Of a forwarded call: whether the platform may have executed it.
    executed: Option<bool>,
}

impl Problem {
    pub(crate) const NO_KEY: Self =
        Self::new(StatusCode::UNAUTHORIZED, "no-key", "the key is missing or not known", "caller");
    pub(crate) const NOT_ALLOWED: Self =
        Self::new(StatusCode::FORBIDDEN, "not-allowed", "this key does not allow that", "operator");
    pub(crate) const NO_ROUTE: Self =
        Self::new(StatusCode::NOT_FOUND, "no-such-path", "there is nothing at this path", "caller");
    pub(crate) const NO_TICKET: Self = Self::new(
        StatusCode::NOT_FOUND,
        "ticket-not-kept",
        "this ticket is not kept for this account; its operator names it in `tickets`",
        "operator",
    );
    pub(crate) const BODY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "bad-body",
        "the body is not the JSON object that this path takes; /openapi.json has it",
        "caller",
    );
    pub(crate) const BODY_TOO_LARGE: Self =
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "the body has more than 4096 bytes", "caller");
    pub(crate) const BODY_TOO_SLOW: Self =
        Self::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "the body did not come within 10 seconds", "caller");
    pub(crate) const WAIT: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "bad-wait",
        "`wait` is a whole number of seconds, given once; more than 60 count as 60",
        "caller",
    );

    pub(crate) const CALL_PATH: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "bad-call-path",
        "the path of a call is /cgi-bin/ and plain segments: nothing empty, no dots alone, nothing percent-encoded",
        "caller",
    );
    pub(crate) const LENGTH: Self = Self::new(
        StatusCode::LENGTH_REQUIRED,
        "length-required",
        "a call's body of more than 65536 bytes is sent with a Content-Length: WeChat wants one",
        "caller",
    );
    pub(crate) const CALL_TOO_SLOW: Self =
        Self::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "the body did not come within 30 seconds", "caller");

    pub(crate) const METRICS_QUERY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "bad-metrics-query",
        "`accounts` is a whole number, given once; more than 10000 counts as 10000",
        "caller",
    );
    pub(crate) const STATUS_QUERY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "bad-status-query",
        "`after` is a name, `limit` a whole number (more than 1000 counts as 1000), `state` one of ok, refreshing, waiting, failing, down; each once",
        "caller",
    );

    /// A problem of the type `urn:wxtoken:problem:KIND`: what programs tell it by, so a kind once published stays.
    pub(crate) const fn new(status: StatusCode, kind: &'static str, title: &'static str, act: &'static str) -> Self {
        Self { status, kind, title, detail: String::new(), act, retry_after_s: None, allow: None, executed: None }
    }

    /// The path is there, and is asked with these methods.
    pub(crate) fn method(allow: &'static str) -> Self {
        let (status, title) = (StatusCode::METHOD_NOT_ALLOWED, "this path is asked with another method");
        Self { allow: Some(allow), ..Self::new(status, "method-not-allowed", title, "caller") }
    }

    /// Nobody is let in.
    pub(crate) fn turned_away(why: TurnedAway) -> Self {
        let (kind, title, act, seconds) = match why {
            TurnedAway::Unknown => return Self::NO_KEY,
            TurnedAway::TooFast(seconds) => {
                let title = "this client asks more often than it may; it must keep what it reads until refresh_after";
                ("too-fast", title, "caller", seconds)
            }
            TurnedAway::TooMany(seconds) => {
                ("too-many-wrong-keys", "too many wrong keys are being tried", "caller", seconds)
            }
        };
        Self::new(StatusCode::TOO_MANY_REQUESTS, kind, title, act).retry_after(seconds)
    }

    pub(crate) fn too_many_streams_of_yours() -> Self {
        let title = "this client has as many streams open as one may have";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-streams-of-yours", title, "caller").retry_after(30)
    }

    pub(crate) fn too_many_streams() -> Self {
        let title = "as many streams are open as there may be";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-streams", title, "operator").retry_after(30)
    }

    fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// There is nothing valid to hand out.
    pub(crate) fn no_token(why: &NoToken) -> Self {
        Self {
            detail: why.to_string(),
            // Rounded up: who comes a moment early comes twice.
            retry_after_s: Some(why.next_in.as_secs().saturating_add(1)),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "no-credential",
                "there is no valid credential now",
                who(why.act()),
            )
        }
    }

    /// No place for one more forwarded call.
    pub(crate) fn too_many_calls() -> Self {
        let title = "as many calls are under way as are forwarded at a time; call again";
        Self { retry_after_s: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-calls", title, "nobody") }
    }

    /// The platform did not answer a forwarded call. Whether it may have executed it is what the caller must know.
    pub(crate) fn unanswered(slow: bool, executed: bool, detail: String) -> Self {
        let (status, kind) = match slow {
            true => (StatusCode::GATEWAY_TIMEOUT, "platform-silent"),
            false => (StatusCode::BAD_GATEWAY, "platform-not-reached"),
        };
        Self { detail, executed: Some(executed), ..Self::new(status, kind, "WeChat did not answer the call", "nobody") }
    }

    pub(crate) fn into_reply(self) -> Reply {
        let mut body = json!({
            "type": format!("urn:wxtoken:problem:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "act": self.act,
        });
        if let (false, Some(body)) = (self.detail.is_empty(), body.as_object_mut()) {
            body.insert("detail".to_owned(), self.detail.into());
        }
        if let (Some(executed), Some(body)) = (self.executed, body.as_object_mut()) {
            body.insert("executed".to_owned(), (if executed { "maybe" } else { "no" }).into());
        }
        let mut reply = reply(self.status, "application/problem+json", &body);
        if self.status == StatusCode::UNAUTHORIZED {
            reply.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(methods) = self.allow {
            reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        reply
    }
}
