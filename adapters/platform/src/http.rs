//! How does an HTTP request become the model's, and the model's reply an HTTP response?

use std::net::IpAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};

use crate::download::{Download, Outgoing};
use crate::engine::Engine;
use crate::fault::{Fault, Planned};
use crate::form::{self, Unread};
use crate::model::{Reply, Request, Upload};
use crate::tap::Capture;

/// The largest body that a fault makes up.
const MAX_OVERSIZE: usize = 64 << 20;

/// What a call answered without being executed says, where its fault does not.
const BUSY: &str = r#"{"errcode":-1,"errmsg":"system error"}"#;

/// The largest bodies in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// One that is held in memory.
    pub(crate) body: usize,
    /// A form, which is not.
    pub(crate) form: usize,
}

/// Answers one call of the platform.
pub(crate) async fn answer(
    engine: Arc<Engine>,
    capture: Capture,
    from: (IpAddr, bool),
    limits: Limits,
    request: hyper::Request<Incoming>,
) -> Response<Outgoing> {
    let (head, body) = request.into_parts();
    let header = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let content_type = header(CONTENT_TYPE).map(str::to_owned);
    // Read to its end before anything else: whoever answers early makes the client's writing fail.
    let Ok((body, upload)) = read(body, content_type.as_deref(), limits).await else {
        tracing::debug!("request body too large or broken off");
        return closing(Reply::plain(413, String::new()));
    };
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut call = Request::new(head.method.as_str(), target, body);
    call.upload = upload;
    call.host = header(HOST).map(str::to_owned);
    call.content_type = content_type;
    call.has_content_length = head.headers.contains_key(CONTENT_LENGTH);
    (call.client_ip, call.secure) = from;

    let Some(Planned { fault, executes }) = engine.plan(&call) else {
        let reply = engine.execute(call, None).await;
        tracing::debug!("answered");
        return reply.map_or_else(|| closing(Reply::plain(500, String::new())), response);
    };
    tracing::debug!(executes, "a fault happens to this call");
    // Before the execution, after which a test may step the clock at any moment.
    let arrived_at = engine.lock().now();
    let refusal = match fault {
        Fault::TokenRefused { errcode } => Some(engine.refuse(&call, errcode)),
        _ => None,
    };
    let executed = if executes { engine.execute(call, Some(&fault)).await } else { None };
    let mut reply = executed.unwrap_or_else(|| Reply::plain(200, BUSY.to_owned()));
    match fault {
        Fault::Delayed { .. } => response(reply),
        Fault::TokenRefused { .. } => response(refusal.unwrap_or(reply)),
        Fault::Latency { ms, by } => {
            engine.pause(arrived_at, ms, by).await;
            response(reply)
        }
        Fault::Status { status } => response(Reply::html(if (100..=999).contains(&status) { status } else { 502 })),
        Fault::Html => response(Reply::html(200)),
        Fault::Garbage => {
            reply.content = None;
            reply.body = (0..=255).rev().chain([b'{', 0xff, 0x00, b'"']).collect();
            response(reply)
        }
        Fault::Oversize { bytes } => {
            let filler = "x".repeat(bytes.min(MAX_OVERSIZE));
            let body = format!(r#"{{"errcode":-1,"errmsg":"{filler}"}}"#);
            response(Reply::plain(200, body))
        }
        Fault::Body { bytes } => {
            reply.content = None;
            reply.body = bytes;
            response(reply)
        }
        Fault::Redirect { location } => {
            let mut response = response(Reply::html(302));
            let location = HeaderValue::try_from(location).unwrap_or(HeaderValue::from_static("/"));
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Fault::GzipClaimed => {
            let mut response = response(reply);
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        on_the_wire => {
            // From here on this connection's output goes into a buffer, of which the delivery makes the fault.
            capture.begin(on_the_wire);
            closing(reply)
        }
    }
}

async fn read(body: Incoming, content_type: Option<&str>, limits: Limits) -> Result<(Vec<u8>, Option<Upload>), Unread> {
    if let Some(boundary) = content_type.and_then(|value| multer::parse_boundary(value).ok()) {
        let upload = form::read(Limited::new(body, limits.form), boundary).await?;
        return Ok((Vec::new(), upload));
    }
    let body = Limited::new(body, limits.body).collect().await.map_err(|_| Unread)?;
    Ok((body.to_bytes().to_vec(), None))
}

fn response(reply: Reply) -> Response<Outgoing> {
    let mut response = Response::new(match reply.content {
        Some(content) => Either::Right(Download::new(content)),
        None => Either::Left(Full::new(Bytes::from(reply.body))),
    });
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn closing(reply: Reply) -> Response<Outgoing> {
    let mut response = response(reply);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

impl Reply {
    pub(crate) fn plain(status: u16, body: String) -> Self {
        let headers = vec![("content-type", "application/json; encoding=utf-8".to_owned())];
        Self::new(status, headers, body.into_bytes())
    }

    fn html(status: u16) -> Self {
        let body = format!(
            "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        );
        let headers = vec![("content-type", "text/html".to_owned()), ("server", "nginx".to_owned())];
        Self::new(status, headers, body.into_bytes())
    }
}
