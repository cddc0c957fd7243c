//! What did the day cost? One row an account.

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::actor::Actor;
use super::stage::{Stage, seconds, span};

const HEAD: [&str; 10] = [
    "account",
    "endpoint",
    "fetches\nof limit",
    "64 cold\ncallers",
    "without a token\nin its outage",
    "dead token\nserved",
    "no token\nto serve",
    "calls,\nmade again",
    "calls\nfailed",
    "alarms,\narrived once",
];

const NOTES: &str = "\
fetches        those that reached the platform, of the client's own limit; the platform allows 2000 on /cgi-bin/token
dead token     from the moment somebody else took the token away until a caller of ours was refused
no token       C: after each expiry, since WeCom repeats a token until it is dead and only then makes the next; callers
               waited, none failed. D: while a person had to act, when its calls failed
alarms         sent in the middle of each trouble, and counted by their text on the platform; the sender of one that did
               not arrive was told that it was not executed
Validity was asked of the platform once a second.";

pub(crate) fn of(stage: &Stage<'_>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(HEAD);
    for actor in &stage.actors {
        table.add_row(row(stage, actor).into_iter().enumerate().map(|(column, text)| {
            let alignment = if column < 2 { CellAlignment::Left } else { CellAlignment::Right };
            Cell::new(text).set_alignment(alignment)
        }));
    }
    format!("{table}\n{NOTES}")
}

fn row(stage: &Stage<'_>, actor: &Actor) -> [String; 10] {
    let status = actor.client.as_ref().map(wxtoken::Client::status);
    let (endpoint, limit) = status.map_or(("", 0), |status| (status.endpoint, status.daily_limit));
    let none = || "-".to_owned();
    [
        actor.label.to_owned(),
        endpoint.to_owned(),
        format!("{} of {limit}", actor.fetched(&stage.platform)),
        actor.cold_fetches.map_or_else(none, |n| format!("{n} fetch{}", if n == 1 { "" } else { "es" })),
        actor.survived.map_or_else(none, |o| format!("{} of {}", seconds(o.without_ms), span(o.lasted_ms))),
        seconds(actor.track.dead_ms),
        seconds(actor.track.nothing_ms),
        format!("{}, {}", actor.calls.made, actor.calls.retried),
        actor.calls.failed.to_string(),
        format!("{}, {}", actor.alarms.len(), actor.alarms.iter().filter(|alarm| alarm.arrived == 1).count()),
    ]
}
