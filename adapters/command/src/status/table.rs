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

/// `width` is that of the terminal, if it is one.
pub(super) fn of(all: &Value, width: Option<u16>, lang: Lang) -> String {
    let terminal = width.is_some();
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    if let Some(width) = width {
        // By itself it does not ask how wide the terminal is: that would take crossterm.
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.set_header(match lang {
        Lang::Zh => HEAD_ZH,
        _ => HEAD_EN,
    });
    let mut troubles = String::new();
    for account in all["accounts"].as_array().into_iter().flatten() {
        let name = &plain(&account["name"]);
        for credential in account["credentials"].as_array().into_iter().flatten() {
            table.add_row(row(name, credential, terminal, lang).into_iter().enumerate().map(|(nth, text)| {
                Cell::new(text).set_alignment(if nth < 3 { CellAlignment::Left } else { CellAlignment::Right })
            }));
            let refusal = &credential["refusal"];
            if refusal.is_object() {
                let (kind, text) = (plain(&credential["kind"]), plain(&refusal[pick(lang, "en", "zh")]));
                // A String takes all that is written.
                let _ = write!(troubles, "\n{name}, {kind}: {text}");
            }
        }
    }
    format!("{table}{troubles}\n{}", summary(all, lang))
}

fn row(name: &str, credential: &Value, terminal: bool, lang: Lang) -> [String; 8] {
    let number = |key: &str| credential[key].as_u64();
    let (left, life) = (number("expires_in").unwrap_or(0), number("life").unwrap_or(0));
    let bar = match (terminal, (u128::from(left) * BAR as u128).checked_div(life.into())) {
        (true, Some(full)) => format!("{:<BAR$} ", "█".repeat((full as usize).min(BAR))),
        _ => String::new(),
    };
    let ledger = &credential["ledger"];
    [
        name.to_owned(),
        plain(&credential["kind"]),
        state(&plain(&credential["state"]), lang).to_owned(),
        if life == 0 { "-".to_owned() } else { format!("{bar}{}", span(left)) },
        number("next_fetch_in").map_or_else(|| "-".to_owned(), span),
        number("generation").unwrap_or(0).to_string(),
        format!("{} / {}", ledger["fetches"].as_u64().unwrap_or(0), ledger["limit"].as_u64().unwrap_or(0)),
        number("readers_per_minute").unwrap_or(0).to_string(),
    ]
}

/// A text of the server's, with nothing in it that a terminal would obey.
fn plain(text: &Value) -> String {
    let text = text.as_str().unwrap_or("");
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
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
    if server.is_object() {
        let (version, store) = (plain(&server["version"]), plain(&server["store"]));
        let uptime = span(server["uptime"].as_u64().unwrap_or(0));
        // A String takes all that is written.
        let _ = match lang {
            Lang::Zh => write!(text, "；服务器 {version}，已运行 {uptime}，存储 {store}"),
            _ => write!(text, "; server {version}, up for {uptime}, store {store}"),
        };
        if server["store_trouble"].is_string() {
            let why = plain(&server["store_trouble"]);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn account(name: &str, expires_in: u64, life: u64, refusal: &Value) -> Value {
        json!({
            "accounts": [{ "name": name, "kind": "official", "state": "failing", "credentials": [{
                "kind": "token", "state": "failing", "expires_in": expires_in, "life": life, "next_fetch_in": 125,
                "generation": 3, "ledger": { "fetches": 4, "limit": 500 }, "readers_per_minute": 17, "refusal": refusal,
            }] }],
            "next": null, "total": 1, "states": { "failing": 1 },
        })
    }

    #[test]
    fn a_terminal_is_not_overrun() {
        let all = account("a-shop-with-a-name-that-is-longer-than-most", 3600, 7200, &Value::Null);
        for width in [60, 80, 100] {
            let text = of(&all, Some(width), Lang::En);
            let widest =
                text.lines().filter(|line| !line.contains("accounts: ")).map(|line| line.chars().count()).max();
            assert!(widest <= Some(width.into()), "{width}: {widest:?}\n{text}");
        }
        // Elsewhere a row is a line, for grep.
        assert!(of(&all, None, Lang::En).contains("a-shop-with-a-name-that-is-longer-than-most"));
    }

    #[test]
    fn whatever_is_said_is_drawn() {
        for (left, life, want) in
            [(u64::MAX, u64::MAX, 8), (u64::MAX, 1, 8), (3600, 7200, 4), (1, 7200, 0), (0, 7200, 0)]
        {
            let text = of(&account("shop", left, life, &Value::Null), Some(120), Lang::En);
            assert_eq!(text.matches('█').count(), want, "{left} of {life}: {text}");
        }
    }

    #[test]
    fn what_a_peer_says_does_not_order_the_terminal_about() {
        let refusal = json!({ "errcode": 40164, "act": "administrator", "en": "a\u{1b}[2Jb\rc", "zh": "" });
        let mut all = account("sh\u{1b}[31mop", 3600, 7200, &refusal);
        all["server"] = json!({ "version": "\u{9b}1m", "store_trouble": "\u{7}" });
        let text = of(&all, Some(120), Lang::En);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        assert!(text.contains("a\u{fffd}[2Jb\u{fffd}c"), "{text}");
    }
}
