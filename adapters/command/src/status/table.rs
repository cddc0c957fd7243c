//! How does it look? A row a credential, and below it what is wrong and what to do.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

use crate::lang::{Lang, pick};

const HEAD_EN: [&str; 8] = [
    "account",
    "credential",
    "state",
    "life left",
    "next fetch",
    "generation",
    "fetches\nof limit",
    "readers\na minute",
];
const HEAD_ZH: [&str; 8] =
    ["账号", "凭据", "状态", "剩余有效期", "下次获取", "代次", "今日获取\n/上限", "每分钟\n读取"];

/// Eight steps of a bar, so that a glance does.
const BAR: usize = 8;

pub(super) fn of(all: &Value, terminal: bool, lang: Lang) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(match lang {
        Lang::Zh => HEAD_ZH,
        _ => HEAD_EN,
    });
    let mut troubles = String::new();
    for account in all["accounts"].as_array().into_iter().flatten() {
        let name = account["name"].as_str().unwrap_or("");
        for credential in account["credentials"].as_array().into_iter().flatten() {
            table.add_row(row(name, credential, terminal, lang).into_iter().enumerate().map(|(nth, text)| {
                Cell::new(text).set_alignment(if nth < 3 { CellAlignment::Left } else { CellAlignment::Right })
            }));
            let refusal = &credential["refusal"];
            if let Some(text) = refusal[pick(lang, "en", "zh")].as_str() {
                // A String takes all that is written.
                let _ = write!(troubles, "\n{name}, {}: {text}", credential["kind"].as_str().unwrap_or(""));
            }
        }
    }
    format!("{table}{troubles}\n{}", summary(all, lang))
}

fn row(name: &str, credential: &Value, terminal: bool, lang: Lang) -> [String; 8] {
    let number = |key: &str| credential[key].as_u64();
    let (left, life) = (number("expires_in").unwrap_or(0), number("life").unwrap_or(0));
    let bar = match (terminal, (left * BAR as u64).checked_div(life)) {
        (true, Some(full)) => format!("{:<BAR$} ", "█".repeat((full as usize).min(BAR))),
        _ => String::new(),
    };
    let ledger = &credential["ledger"];
    [
        name.to_owned(),
        credential["kind"].as_str().unwrap_or("").to_owned(),
        state(credential["state"].as_str().unwrap_or(""), lang).to_owned(),
        if life == 0 { "-".to_owned() } else { format!("{bar}{}", span(left)) },
        number("next_fetch_in").map_or_else(|| "-".to_owned(), span),
        number("generation").unwrap_or(0).to_string(),
        format!("{} / {}", ledger["fetches"].as_u64().unwrap_or(0), ledger["limit"].as_u64().unwrap_or(0)),
        number("readers_per_minute").unwrap_or(0).to_string(),
    ]
}

/// How many there are, and of the server what an admin may know.
fn summary(all: &Value, lang: Lang) -> String {
    let of = |name: &str| all["states"][name].as_u64().unwrap_or(0);
    let (total, down, failing) = (all["total"].as_u64().unwrap_or(0), of("down"), of("failing"));
    let mut text = match lang {
        Lang::Zh => format!("{total} 个账号：{down} 个没有有效凭据，{failing} 个最近一次获取失败"),
        _ => format!("{total} accounts: {down} without a valid credential, {failing} whose last fetch failed"),
    };
    let server = &all["server"];
    if let Some(version) = server["version"].as_str() {
        let (uptime, store) = (span(server["uptime"].as_u64().unwrap_or(0)), server["store"].as_str().unwrap_or(""));
        // A String takes all that is written.
        let _ = match lang {
            Lang::Zh => write!(text, "；服务器 {version}，已运行 {uptime}，存储 {store}"),
            _ => write!(text, "; server {version}, up for {uptime}, store {store}"),
        };
        if let Some(why) = server["store_trouble"].as_str() {
            let _ = write!(text, "\n{}{why}", pick(lang, "the store: ", "存储："));
        }
    }
    text
}

fn state(name: &str, lang: Lang) -> &str {
    match (lang, name) {
        (Lang::Zh, "ok") => "正常",
        (Lang::Zh, "refreshing") => "获取中",
        (Lang::Zh, "waiting") => "等待",
        (Lang::Zh, "failing") => "获取失败",
        (Lang::Zh, "down") => "无凭据",
        _ => name,
    }
}

/// `1 h 55 min`, `12 min`, `40 s`.
fn span(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, min, _) => format!("{min} min"),
        (0, h, min, _) => format!("{h} h {min} min"),
        (days, h, ..) => format!("{days} d {h} h"),
    }
}
