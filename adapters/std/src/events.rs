//! What is told to `tracing`, and with which fields? Never a URL, a token or a secret: they are not at hand here.

use std::time::Duration;

use tracing::{Level, event};

use crate::{call::CallError, error::Reason, identity::Identity};

const TARGET: &str = "wxtoken";

pub(crate) fn fetching(who: &Identity, forced: bool) {
    event!(target: TARGET, Level::DEBUG, account = who.id(), endpoint = who.endpoint().name(), forced, "fetching a token");
}

pub(crate) fn granted(who: &Identity, generation: u32, remaining: Duration) {
    event!(target: TARGET, Level::INFO, account = who.id(), endpoint = who.endpoint().name(), generation,
        remaining_s = remaining.as_secs(), "a new token");
}

pub(crate) fn repeated(who: &Identity, generation: u32, remaining: Duration) {
    event!(target: TARGET, Level::DEBUG, account = who.id(), endpoint = who.endpoint().name(), generation,
        remaining_s = remaining.as_secs(), "the same token again");
}

pub(crate) fn failed(who: &Identity, reason: &Reason, next_in: Duration, remaining: Duration) {
    event!(target: TARGET, Level::WARN, account = who.id(), endpoint = who.endpoint().name(), class = reason.class(),
        %reason, next_in_s = next_in.as_secs(), remaining_s = remaining.as_secs(), "no token from this try");
}

pub(crate) fn stale(who: &Identity) {
    event!(target: TARGET, Level::WARN, account = who.id(), endpoint = who.endpoint().name(),
        "a reply came after its exchange was given up, and is ignored");
}

pub(crate) fn reported(who: &Identity, outcome: crate::Reported) {
    event!(target: TARGET, Level::INFO, account = who.id(), endpoint = who.endpoint().name(), ?outcome,
        "a caller reported its token as refused");
}

pub(crate) fn restored(who: &Identity, generation: u32, remaining: Duration) {
    event!(target: TARGET, Level::INFO, account = who.id(), endpoint = who.endpoint().name(), generation,
        remaining_s = remaining.as_secs(), "a token from the cache file");
}

/// The path holds no credential.
pub(crate) fn called(who: &Identity, path: &str, attempts: u8, error: Option<&CallError>) {
    match error {
        None => event!(target: TARGET, Level::DEBUG, account = who.id(), path, attempts, "a call was accepted"),
        Some(error) => {
            event!(target: TARGET, Level::WARN, account = who.id(), path, attempts, errcode = error.errcode(), %error,
                "a call was not accepted");
        }
    }
}
