//! How is a credential written down for a reader? By hand and into one buffer: this is what nearly every request comes to.

use std::time::Duration;

use http_body_util::{Either, Full};
use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use wxtoken::Instant;

use super::super::{Doors, Reply, date::Date, etag::Tag};
use crate::{Held, Kind, Reported, Snapshot};

const EXPIRES_IN: HeaderName = HeaderName::from_static("wxtoken-expires-in");
const REFRESH_AFTER: HeaderName = HeaderName::from_static("wxtoken-refresh-after");

/// A valid credential, and how long it is good for: whole seconds, reckoned now.
pub(crate) struct Handed<'a> {
    kind: Kind,
    held: &'a Held,
    expires_in: u64,
    refresh_after: u64,
}

impl<'a> Handed<'a> {
    /// What a snapshot has that is valid now.
    pub(crate) fn of(doors: &Doors, kind: Kind, snapshot: &'a Snapshot, now: Instant) -> Option<Self> {
        let held = snapshot.valid(now)?;
        let expires_in = snapshot.remaining(now).as_secs();
        Some(Self { kind, held, expires_in, refresh_after: doors.spread.refresh_after(snapshot, now) })
    }

    pub(super) const fn held(&self) -> &Held {
        self.held
    }

    /// All of it.
    pub(super) fn whole(&self, tag: &Tag) -> Reply {
        self.reply(StatusCode::OK, tag, self.write(None))
    }

    /// All of it, below what a report of the one before led to.
    pub(super) fn after(&self, reported: Reported) -> Reply {
        self.reply(StatusCode::OK, &Tag::of(self.held), self.write(Some(reported)))
    }

    /// The reader has it already: only how long it is good for.
    pub(super) fn unchanged(&self, tag: &Tag) -> Reply {
        self.reply(StatusCode::NOT_MODIFIED, tag, Vec::new())
    }

    /// All of it as HTTP writes it, head and body: what [`whole`](Self::whole) is to hyper.
    pub(crate) fn message(&self, unix: Option<Duration>) -> Vec<u8> {
        let (mut numbers, mut length) = <([itoa::Buffer; 3], itoa::Buffer)>::default();
        let numbers = self.numbers(&mut numbers);
        let body = self.body(&numbers, None);
        let (tag, date) = (Tag::of(self.held), unix.map(Date::of));
        let head = [
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\netag: ",
            tag.as_str(),
            "\r\nwxtoken-expires-in: ",
            numbers[0],
            "\r\nwxtoken-refresh-after: ",
            numbers[2],
            "\r\ncontent-length: ",
            length.format(body.iter().map(|part| part.len()).sum::<usize>()),
            if date.is_some() { "\r\ndate: " } else { "" },
            date.as_ref().map_or("", Date::text),
            "\r\n\r\n",
        ];
        let mut message = Vec::with_capacity(head.iter().chain(&body).map(|part| part.len()).sum());
        head.iter().chain(&body).for_each(|part| message.extend_from_slice(part.as_bytes()));
        message
    }

    fn write(&self, reported: Option<Reported>) -> Vec<u8> {
        let mut numbers = <[itoa::Buffer; 3]>::default();
        self.body(&self.numbers(&mut numbers), reported).concat().into_bytes()
    }

    /// The life left, the generation and when to come back.
    fn numbers<'b>(&self, [expires_in, generation, refresh_after]: &'b mut [itoa::Buffer; 3]) -> [&'b str; 3] {
        [
            expires_in.format(self.expires_in),
            generation.format(self.held.generation()),
            refresh_after.format(self.refresh_after),
        ]
    }

    /// The parts of a body, below what a report led to, if it was one.
    fn body<'b>(&'b self, numbers: &[&'b str; 3], reported: Option<Reported>) -> [&'b str; 12] {
        [
            if reported.is_some() { "{\"outcome\":\"" } else { "{" },
            reported.map_or("", |reported| reported.outcome.name()),
            if reported.is_some() { "\"," } else { "" },
            // No credential has a character that JSON would want escaped: see `wxtoken::Token`.
            if self.kind == Kind::Token { "\"access_token\":\"" } else { "\"ticket\":\"" },
            self.held.as_str(),
            "\",\"expires_in\":",
            numbers[0],
            ",\"generation\":",
            numbers[1],
            ",\"refresh_after\":",
            numbers[2],
            "}",
        ]
    }

    fn reply(&self, status: StatusCode, tag: &Tag, body: Vec<u8>) -> Reply {
        let mut headers = HeaderMap::with_capacity(8);
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::ETAG, tag.value());
        headers.insert(EXPIRES_IN, HeaderValue::from(self.expires_in));
        headers.insert(REFRESH_AFTER, HeaderValue::from(self.refresh_after));
        let mut reply = Response::new(Either::Left(Full::new(Bytes::from(body))));
        *reply.status_mut() = status;
        *reply.headers_mut() = headers;
        reply
    }
}
