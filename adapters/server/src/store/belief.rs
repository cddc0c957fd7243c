//! When is a stored credential believed, and for how long? Two clocks speak: the time of day, and within one run of the
//! system the clock that counts suspend. When they disagree, the one that leaves less life is believed.

use std::time::Duration;

use wxtoken::{
    Instant, Ledger, Token,
    core::{Keeper, Snapshot},
};
use zeroize::Zeroizing;

use super::{Record, StoredLedger, StoredToken};

/// Clocks of one machine, or of two that share a store, may differ by this much without anybody lying.
const TOLERANCE: Duration = Duration::from_secs(5);

/// Now, on all clocks there are.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) unix: Option<Duration>,
    pub(crate) boot_id: String,
}

impl Moment {
    /// The time of day in milliseconds; 0 when it is not known.
    pub(crate) fn unix_ms(&self) -> u64 {
        self.unix.map_or(0, millis)
    }
}

/// What is believed of a record.
pub(crate) struct Believed {
    token: Option<(Token, Duration, Duration)>,
    /// Its number counts even when the credential itself is over: the next one has a higher one.
    pub(crate) generation: u32,
    pub(crate) ledger: Ledger,
    /// Why its credential is not believed, where it is not simply over.
    pub(crate) doubt: Option<&'static str>,
}

impl Believed {
    pub(crate) fn snapshot(&self) -> Option<Snapshot<'_>> {
        let (token, remaining, life) = self.token.as_ref()?;
        Some(Snapshot { token, remaining: *remaining, life: *life, generation: self.generation })
    }
}

pub(crate) fn believe(record: &Record, at: &Moment) -> Believed {
    let (token, doubt) = match record.token.as_ref().map(|stored| life_left(stored, at).map(|left| (stored, left))) {
        None | Some(Ok((_, Duration::ZERO))) => (None, None),
        Some(Err(why)) => (None, Some(why)),
        Some(Ok((stored, left))) => match Token::new(&stored.text) {
            Ok(token) => (Some((token, left, Duration::from_millis(stored.life_ms))), None),
            Err(_) => (None, Some("its text is no credential")),
        },
    };
    let ends_at = Duration::from_millis(record.ledger.ends_at_ms);
    let resets_in = at.unix.map_or(Duration::ZERO, |unix| ends_at.saturating_sub(unix));
    let ledger = Ledger { fetches: record.ledger.fetches, forced: record.ledger.forced, resets_in };
    // Its day is over, or it cannot be dated.
    let ledger = if resets_in.is_zero() { Ledger::default() } else { ledger };
    Believed { token, generation: record.generation, ledger, doubt }
}

fn life_left(stored: &StoredToken, at: &Moment) -> Result<Duration, &'static str> {
    let dated = at.unix.filter(|_| stored.expires_at_ms != 0);
    let by_wall = dated.map(|unix| Duration::from_millis(stored.expires_at_ms).saturating_sub(unix));
    if !at.boot_id.is_empty() && at.boot_id == stored.boot_id {
        // Whatever the time of day was set to, this clock ran on.
        let by_boot = Instant::from_millis(stored.boot_expires_at_ms).saturating_since(at.now);
        return Ok(by_wall.map_or(by_boot, |by_wall| by_wall.min(by_boot)));
    }
    let (Some(unix), Some(by_wall)) = (dated, by_wall) else {
        return Err("the time of day is not known");
    };
    if Duration::from_millis(stored.saved_at_ms) > unix.saturating_add(TOLERANCE) {
        return Err("it is from the future; was the clock set back?");
    }
    if by_wall > Duration::from_millis(stored.life_ms).saturating_add(TOLERANCE) {
        return Err("it has more life left than it ever had; was the clock set back?");
    }
    Ok(by_wall)
}

/// What a keeper holds, to be stored under this number.
pub(crate) fn write_down(keeper: &Keeper, generation: u32, at: &Moment) -> Record {
    let token = keeper.snapshot(at.now).map(|snapshot| StoredToken {
        text: Zeroizing::new(snapshot.token.as_str().to_owned()),
        life_ms: millis(snapshot.life),
        saved_at_ms: at.unix_ms(),
        expires_at_ms: at.unix.map_or(0, |unix| millis(unix.saturating_add(snapshot.remaining))),
        boot_id: at.boot_id.clone(),
        boot_expires_at_ms: at.now.saturating_add(snapshot.remaining).as_millis(),
    });
    Record { generation, token, ledger: ledger(keeper, at), lease: None }
}

pub(crate) fn ledger(keeper: &Keeper, at: &Moment) -> StoredLedger {
    let ledger = keeper.ledger(at.now);
    let ends_at_ms = match at.unix {
        Some(unix) if !ledger.resets_in.is_zero() => millis(unix.saturating_add(ledger.resets_in)),
        _ => 0,
    };
    StoredLedger { fetches: ledger.fetches, forced: ledger.forced, ends_at_ms }
}

/// Whole milliseconds, saturating.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIX: Duration = Duration::from_secs(1_800_000_000);

    fn moment(now_s: u64, unix: Option<Duration>, boot_id: &str) -> Moment {
        Moment { now: Instant::from_millis(now_s * 1000), unix, boot_id: boot_id.to_owned() }
    }

    /// Saved at instant 100 s with 7000 s left.
    fn record() -> Record {
        let token = StoredToken {
            text: Zeroizing::new("token".to_owned()),
            life_ms: 7_198_000,
            saved_at_ms: millis(UNIX),
            expires_at_ms: millis(UNIX) + 7_000_000,
            boot_id: "a".to_owned(),
            boot_expires_at_ms: 7_100_000,
        };
        Record { generation: 3, token: Some(token), ..Record::default() }
    }

    fn left(at: &Moment) -> Option<u64> {
        believe(&record(), at).snapshot().map(|snapshot| snapshot.remaining.as_secs())
    }

    #[test]
    fn the_clock_that_leaves_less_is_believed() {
        let after = |s| Some(UNIX + Duration::from_secs(s));
        let back = |s| Some(UNIX - Duration::from_secs(s));
        assert_eq!(left(&moment(110, after(10), "a")), Some(6990));
        assert_eq!(left(&moment(110, after(500), "a")), Some(6500), "set forward");
        assert_eq!(left(&moment(110, back(9000), "a")), Some(6990), "set back, in the same run");
        assert_eq!(left(&moment(110, None, "a")), Some(6990), "unknown, in the same run");
        assert_eq!(left(&moment(5, after(10), "b")), Some(6990), "rebooted");
        assert_eq!(left(&moment(5, back(6), "b")), None, "rebooted, and from the future");
        assert_eq!(left(&moment(5, back(5), "b")), Some(7005), "clocks differ a little");
        assert_eq!(left(&moment(5, None, "b")), None);
        assert_eq!(left(&moment(5, after(7000), "b")), None, "over");
        assert_eq!(left(&moment(7100, after(10), "a")), None, "over by the other clock");
    }

    #[test]
    fn doubt_is_told_and_the_end_of_a_life_is_not() {
        assert!(believe(&record(), &moment(5, Some(UNIX - Duration::from_secs(60)), "b")).doubt.is_some());
        assert!(believe(&record(), &moment(5, Some(UNIX + Duration::from_secs(9000)), "b")).doubt.is_none());
    }

    #[test]
    fn a_ledger_holds_until_its_day_ends() {
        let ledger = StoredLedger { fetches: 9, forced: 2, ends_at_ms: millis(UNIX) + 1000 };
        let record = Record { ledger, ..Record::default() };
        let at = |ms| believe(&record, &moment(5, Some(UNIX + Duration::from_millis(ms)), "")).ledger;
        assert_eq!(at(999), Ledger { fetches: 9, forced: 2, resets_in: Duration::from_millis(1) });
        assert_eq!(at(1000), Ledger::default());
    }
}
