//! How does a program learn what may be asked here? From one document, which tests hold against the routes.

use http_body_util::{Either, Full};
use hyper::{
    Response,
    body::Bytes,
    header::{self, HeaderValue},
};

use super::Reply;

/// OpenAPI 3.1. Written by hand; whoever adds a route adds it here, or a test says so.
const DOCUMENT: &str = include_str!("openapi.json");

/// The document. It says nothing about this server's accounts, so it is given without a key.
pub(super) fn document() -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(Bytes::from_static(DOCUMENT.as_bytes()))));
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

#[cfg(test)]
mod tests;
