//! What does a clock on a wall in Beijing show? For people who read an alarm; nothing is decided by it.

use core::fmt;

/// A time of day, in seconds since the Unix epoch, shown as `2026-01-01 08:00:00` in UTC+8, or as `时间未知`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beijing(pub(super) Option<u64>);

const DAY_S: u64 = 86_400;

impl fmt::Display for Beijing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(unix_s) = self.0 else { return f.write_str("时间未知") };
        let local = unix_s.saturating_add(8 * 3600);
        let (mut days, second) = (local / DAY_S, local % DAY_S);
        let mut year = 1970;
        // A handful of steps, and nothing to get wrong.
        while days >= year_days(year) && year < 9999 {
            days -= year_days(year);
            year += 1;
        }
        let mut month = 1;
        while days >= month_days(year, month) && month < 12 {
            days -= month_days(year, month);
            month += 1;
        }
        let (day, hour, minute, second) = (days + 1, second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn year_days(year: u64) -> u64 {
    365 + is_leap(year) as u64
}

const fn month_days(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + is_leap(year) as u64,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::{String, ToString as _};

    use super::Beijing;

    fn shown(unix_s: Option<u64>) -> String {
        Beijing(unix_s).to_string()
    }

    #[test]
    fn days_months_and_leap_years() {
        for (unix_s, words) in [
            (0, "1970-01-01 08:00:00"),
            (57_599, "1970-01-01 23:59:59"),
            (57_600, "1970-01-02 00:00:00"),
            (951_753_600, "2000-02-29 00:00:00"),
            (1_709_135_999, "2024-02-28 23:59:59"),
            (1_709_222_399, "2024-02-29 23:59:59"),
            (1_709_222_400, "2024-03-01 00:00:00"),
            (1_767_225_599, "2026-01-01 07:59:59"),
            (1_767_196_800, "2026-01-01 00:00:00"),
            (4_107_513_599, "2100-02-28 23:59:59"),
            (4_107_513_600, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(shown(Some(unix_s)), words);
        }
        assert_eq!(shown(None), "时间未知");
        // Far beyond any date it ends, too.
        assert!(shown(Some(u64::MAX)).starts_with("9999-12-"));
    }
}
