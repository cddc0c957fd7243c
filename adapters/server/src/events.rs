//! What is told to `tracing`, and with which fields? Never a URL, a token or a secret: they are not at hand here.

use std::{net::IpAddr, path::Path, time::Duration};

use tracing::{Level, event};
use wxtoken::Reason;

use crate::{engine::Cell, store::Failing};

const TARGET: &str = "wxtoken_server";

/// One event about a credential.
macro_rules! about {
    ($level:expr, $cell:expr, $($rest:tt)+) => {
        event!(target: TARGET, $level, account = %$cell.name(), id = %$cell.who.id, kind = $cell.kind.name(), $($rest)+)
    };
}

pub(crate) fn fetching(cell: &Cell, forced: bool) {
    about!(Level::DEBUG, cell, forced, "fetching");
}

pub(crate) fn granted(cell: &Cell, generation: u32, remaining: Duration) {
    about!(Level::INFO, cell, generation, remaining_s = remaining.as_secs(), "a new credential");
}

pub(crate) fn repeated(cell: &Cell, generation: u32, remaining: Duration) {
    about!(Level::DEBUG, cell, generation, remaining_s = remaining.as_secs(), "the same credential again");
}

pub(crate) fn failed(cell: &Cell, reason: &Reason, next_in: Duration, remaining: Duration) {
    about!(Level::WARN, cell, class = reason.class(), %reason, next_in_s = next_in.as_secs(),
        remaining_s = remaining.as_secs(), "no credential from this try");
}

pub(crate) fn stale(cell: &Cell) {
    about!(Level::WARN, cell, "a reply came after its exchange was given up, and is ignored");
}

pub(crate) fn reported(cell: &Cell, outcome: &str, generation: u32) {
    about!(Level::INFO, cell, outcome, generation, "reported as refused");
}

pub(crate) fn rotated(cell: &Cell, outcome: &str) {
    about!(Level::INFO, cell, outcome, "a new one is wanted");
}

pub(crate) fn probed(cell: &Cell, refused: Option<bool>) {
    about!(Level::DEBUG, cell, refused, "somebody came back for it; the platform was asked about it");
}

pub(crate) fn taken_up(cell: &Cell, generation: u32, remaining: Duration) {
    about!(
        Level::INFO,
        cell,
        generation,
        remaining_s = remaining.as_secs(),
        "a credential that another server fetched"
    );
}

pub(crate) fn left_to_another(cell: &Cell, wait: Duration) {
    about!(Level::DEBUG, cell, wait_s = wait.as_secs(), "an exchange may still be under way elsewhere");
}

pub(crate) fn not_believed(cell: &Cell, why: &str) {
    about!(Level::WARN, cell, why, "what the store holds is ignored");
}

pub(crate) fn accounts(accounts: usize, restored: usize, removed: usize) {
    event!(target: TARGET, Level::INFO, accounts, restored, removed, "accounts are loaded");
}

pub(crate) fn store_failing(why: &Failing) {
    event!(target: TARGET, Level::ERROR, %why, "the store fails; everything goes on in memory");
}

pub(crate) fn store_well_again(saved: usize) {
    event!(target: TARGET, Level::INFO, saved, "the store works again");
}

pub(crate) fn set_aside(from: &str, to: &str, why: &str) {
    event!(target: TARGET, Level::ERROR, store = from, kept_as = to, why, "the store is damaged; it was set aside");
}

pub(crate) fn not_reloaded(why: &dyn std::fmt::Display) {
    event!(target: TARGET, Level::ERROR, %why, "the configuration is not taken up; everything stays as it was");
}

pub(crate) fn reloaded(accounts: usize, clients: usize, wants_restart: bool) {
    event!(target: TARGET, Level::INFO, accounts, clients, "the configuration was read again");
    if wants_restart {
        event!(target: TARGET, Level::WARN, "listen, [unix], store, audit, [upstream], or whether there is [tls], has changed; that takes a restart");
    }
}

pub(crate) fn crowded(address: IpAddr, connections: usize) {
    event!(target: TARGET, Level::WARN, from = %address, connections, "an address has all the connections that it may have; further ones are cut off, and this is said once");
}

pub(crate) fn asked(client: &str, from: Option<IpAddr>, account: &str, what: &str, granted: bool) {
    let from = from.map(tracing::field::display);
    event!(target: TARGET, Level::DEBUG, client, from, account, what, granted, "asked");
}

pub(crate) fn called(client: &str, account: &str, path: &str, status: u16, errcode: Option<i32>) {
    event!(target: TARGET, Level::DEBUG, client, account, path, status, errcode, "a call was forwarded");
}

pub(crate) fn wrong_key(from: Option<IpAddr>, delay: Duration) {
    let from = from.map(tracing::field::display);
    event!(target: TARGET, Level::WARN, from, delay_ms = delay.as_millis() as u64, "a key that nobody has");
}

pub(crate) fn audit_fails(path: &Path, error: &std::io::Error) {
    event!(target: TARGET, Level::ERROR, path = %path.display(), %error, "the audit log cannot be written; it is tried again");
}

pub(crate) fn audit_lost(lines: u64) {
    event!(target: TARGET, Level::ERROR, lines, "lines are missing in the audit log: it took them too slowly, or not at all");
}

pub(crate) fn certificate(until: std::time::SystemTime) {
    event!(target: TARGET, Level::INFO, valid_until = %humantime::format_rfc3339_seconds(until), "the certificate was read again");
}

pub(crate) fn certificate_kept(why: &str) {
    event!(target: TARGET, Level::ERROR, why, "the new certificate is not taken up; the one before is kept");
}

pub(crate) fn certificate_expired(until: std::time::SystemTime) {
    event!(target: TARGET, Level::ERROR, valid_until = %humantime::format_rfc3339_seconds(until), "the certificate is expired");
}

pub(crate) fn no_handshake(from: Option<IpAddr>, why: &dyn std::fmt::Display) {
    let from = from.map(tracing::field::display);
    event!(target: TARGET, Level::DEBUG, from, %why, "no TLS connection came about");
}

pub(crate) fn wrong_user(uid: u32) {
    event!(target: TARGET, Level::WARN, uid, "a process of a user who is not let in came to the Unix socket");
}

pub(crate) fn not_accepted(error: &std::io::Error) {
    event!(target: TARGET, Level::ERROR, %error, "a connection could not be accepted");
}
