//! Is this machine's clock right, by the Date header of the host?
//!
//! Tokens are scheduled by a clock that nobody sets, but what is written to the cache and what TLS checks is time of
//! day.

use std::io::{Read, Write};
use std::time::{Duration, UNIX_EPOCH};

use wxtoken::core::Base;
use wxtoken::{Clock as _, SystemClock};

use super::Report;
use crate::exit::Stop;
use crate::lang::{Lang, pick};

/// Off by more than this is worth a warning.
const TOLERATED_S: u64 = 60;
/// More than any head has.
const HEAD_LIMIT: usize = 16 * 1024;

/// Asks for the root of the host, which carries no secret and costs no quota. The date in the reply's head, since the
/// Unix epoch.
pub(crate) fn ask(mut stream: impl Read + Write, base: &Base<'_>, limit: Duration) -> Option<Duration> {
    let clock = SystemClock::new();
    let deadline = clock.now().saturating_add(limit);
    let request = format!("HEAD / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", base.host_str());
    stream.write_all(request.as_bytes()).ok()?;
    let mut head = Vec::new();
    let mut piece = [0; 1_024];
    // A peer that sends a byte at a time is given up at the deadline, at the latest one read later.
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < HEAD_LIMIT && clock.now() < deadline {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(n) => head.extend_from_slice(piece.get(..n)?),
        }
    }
    of_head(&String::from_utf8_lossy(&head))
}

fn of_head(head: &str) -> Option<Duration> {
    let value = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then_some(value.trim())
    })?;
    httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()
}

pub(crate) fn compare(said: Option<Duration>, here: Option<Duration>, report: &mut Report<'_>) -> Result<(), Stop> {
    let lang = report.lang;
    let (Some(said), Some(here)) = (said, here) else {
        let text = pick(lang, "clock: the host sent no date to compare with", "时钟：主机未返回可比较的日期");
        return report.warn(text, None);
    };
    let off = here.abs_diff(said).as_secs();
    if off <= TOLERATED_S {
        return report.ok(&match lang {
            Lang::Zh => format!("时钟：与主机相差 {off} 秒以内"),
            _ => format!("clock: within {} s of the host's", off.max(1)),
        });
    }
    let text = match (lang, here > said) {
        (Lang::Zh, true) => format!("时钟：本机快 {off} 秒"),
        (Lang::Zh, false) => format!("时钟：本机慢 {off} 秒"),
        (_, true) => format!("clock: this machine is {off} s ahead of the host"),
        (_, false) => format!("clock: this machine is {off} s behind the host"),
    };
    let remedy =
        pick(lang, "set it (NTP): certificates and the cache depend on it", "请校准（NTP）：证书校验和缓存都依赖它");
    report.warn(&text, Some(remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_a_date_or_none() {
        let date = |head: &str| of_head(head).map(|d| d.as_secs());
        assert_eq!(date("HTTP/1.1 200 OK\r\ndate: Tue, 14 Nov 2023 22:13:20 GMT\r\n\r\n"), Some(1_700_000_000));
        assert_eq!(date("HTTP/1.1 200 OK\r\nDATE:Tue, 14 Nov 2023 22:13:20 GMT\r\n"), Some(1_700_000_000));
        for head in ["", "HTTP/1.1 200 OK\r\n\r\n", "date: yesterday\r\n", "\u{fffd}\u{fffd}"] {
            assert_eq!(date(head), None, "{head:?}");
        }
    }
}
