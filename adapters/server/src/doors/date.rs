//! What time of day is it, as HTTP writes it?

use std::{cell::Cell, time::Duration};

/// As long as each of them is.
const LENGTH: usize = 29;

/// The text of a `Date` field.
#[derive(Clone, Copy)]
pub(crate) struct Date([u8; LENGTH]);

impl Date {
    /// Written once a second by each thread.
    pub(crate) fn of(unix: Duration) -> Self {
        thread_local! {
            static LAST: Cell<(u64, Date)> = const { Cell::new((u64::MAX, Date([b' '; LENGTH]))) };
        }
        let (at, date) = LAST.get();
        if at == unix.as_secs() {
            return date;
        }
        let mut date = Self([b' '; LENGTH]);
        // The formatter refuses a year of five digits.
        let seconds = unix.as_secs().min(253_402_300_799);
        let text = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds));
        date.0.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        LAST.set((unix.as_secs(), date));
        date
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_text() {
        for _ in 0..2 {
            assert_eq!(Date::of(Duration::from_millis(1_800_000_000_999)).text(), "Fri, 15 Jan 2027 08:00:00 GMT");
            assert_eq!(Date::of(Duration::from_secs(1_800_000_001)).text(), "Fri, 15 Jan 2027 08:00:01 GMT");
            assert_eq!(Date::of(Duration::MAX).text(), "Fri, 31 Dec 9999 23:59:59 GMT");
        }
    }
}
