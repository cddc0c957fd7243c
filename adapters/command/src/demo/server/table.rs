//! What did the day cost? One row an account.

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::day::{Day, NEED};
use super::house::{A, ACCOUNTS, B, C};
use super::reader::Shape;

const HEAD: [&str; 9] = [
    "account",
    "endpoint",
    "readers,\nWeChat's shape",
    "reads",
    "fetches\nof least",
    "calls",
    "refused and\nmade again",
    "calls\nfailed",
    "reader minutes\nwithout a token",
];

const NOTES: &str = "\
readers        half ask in the server's own shape, half as SDKs do whose base URL was changed
fetches        those that reached the platform; least: a token lives two hours, so a day needs twelve
refused        a token that somebody else had taken away: each reader noticed it in the same moment
Validity was asked of the platform once a minute for every reader.";

pub(crate) fn of(day: &Day<'_>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(HEAD);
    for account in [A, B, C] {
        table.add_row(row(day, account).into_iter().enumerate().map(|(column, text)| {
            let alignment = if column < 2 { CellAlignment::Left } else { CellAlignment::Right };
            Cell::new(text).set_alignment(alignment)
        }));
    }
    format!("{table}\n{NOTES}")
}

fn row(day: &Day<'_>, account: usize) -> [String; 9] {
    let tally = day.tally(account);
    let readers: Vec<_> = day.readers.iter().filter(|reader| reader.account == account).collect();
    let sdks = readers.iter().filter(|reader| reader.shape == Shape::WeChat).count();
    [
        ACCOUNTS[account].label.to_owned(),
        ACCOUNTS[account].path.to_owned(),
        format!("{}, {sdks}", readers.len()),
        tally.reads.to_string(),
        format!("{} of {NEED}", day.house.fetches(account)),
        tally.calls.to_string(),
        tally.healed.to_string(),
        tally.failed.to_string(),
        (tally.without + tally.dead).to_string(),
    ]
}
