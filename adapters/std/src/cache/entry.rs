//! What stands in the cache file, and when is it believed?
//!
//! One JSON object with a checksum over all of it. Instants of this run of the system stand beside wall time: when the
//! two disagree about the life left, the one that leaves less is believed.

use std::{fmt::Write, time::Duration};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wxtoken_core::{Instant, Ledger, Snapshot, Token};
use zeroize::Zeroizing;

/// The version of the format.
const FORMAT: u32 = 1;
/// Clocks of one machine may be stepped by this much without anybody lying.
const TOLERANCE: Duration = Duration::from_secs(5);
/// Room for the longest token and everything around it, so that encoding never grows and leaves a copy.
const ROOM: usize = 2048;

/// Now, on all clocks there are.
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) unix: Option<Duration>,
    pub(crate) boot_id: Option<String>,
}

/// What is written.
pub(crate) struct ToStore<'a> {
    /// `None` keeps the ledger alone.
    pub(crate) token: Option<Snapshot<'a>>,
    pub(crate) ledger: Ledger,
}

/// What was read and is believed.
pub(crate) struct Stored {
    token: Option<(Token, Duration, Duration, u32)>,
    pub(crate) ledger: Ledger,
}

impl Stored {
    pub(crate) fn token(&self) -> Option<Snapshot<'_>> {
        let (token, remaining, life, generation) = self.token.as_ref()?;
        Some(Snapshot { token, remaining: *remaining, life: *life, generation: *generation })
    }
}

#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    wxtoken: u32,
    account: &'a str,
    /// Wall times are milliseconds since the Unix epoch.
    saved_at_ms: u64,
    token: Option<&'a str>,
    generation: u32,
    life_ms: u64,
    expires_at_ms: u64,
    /// Within this run of the system, milliseconds of the clock that counts suspend.
    boot_id: Option<&'a str>,
    boot_expires_at_ms: u64,
    fetches: u16,
    forced: u8,
    ledger_ends_at_ms: u64,
    /// SHA-256 of the same object with this member empty.
    check: &'a str,
}

/// `None` when the time of day is unknown: without it nothing written now could be dated later.
pub(crate) fn encode(what: &ToStore<'_>, account: &str, now: &Moment) -> Option<Zeroizing<Vec<u8>>> {
    let unix = now.unix?;
    let (remaining, life, generation) = what
        .token
        .as_ref()
        .map_or_else(Default::default, |snapshot| (snapshot.remaining, snapshot.life, snapshot.generation));
    let mut entry = Entry {
        wxtoken: FORMAT,
        account,
        saved_at_ms: millis(unix),
        token: what.token.as_ref().map(|snapshot| snapshot.token.as_str()),
        generation,
        life_ms: millis(life),
        expires_at_ms: millis(unix.saturating_add(remaining)),
        boot_id: now.boot_id.as_deref(),
        boot_expires_at_ms: now.now.saturating_add(remaining).as_millis(),
        fetches: what.ledger.fetches,
        forced: what.ledger.forced,
        ledger_ends_at_ms: millis(unix.saturating_add(what.ledger.resets_in)),
        check: "",
    };
    let check = checksum(&entry)?;
    entry.check = &check;
    let mut bytes = json(&entry)?;
    bytes.push(b'\n');
    Some(bytes)
}

/// Reads a file. The error says why it is ignored, never what stands in it.
pub(crate) fn decode(bytes: &[u8], account: &str, now: &Moment) -> Result<Stored, &'static str> {
    let mut entry: Entry<'_> = serde_json::from_slice(bytes).map_err(|_| "it is torn, or not a cache of ours")?;
    if entry.wxtoken != FORMAT {
        return Err("it is of another version");
    }
    let check = std::mem::take(&mut entry.check);
    if checksum(&entry).is_none_or(|right| right != check) {
        return Err("it is torn: its checksum is wrong");
    }
    if entry.account != account {
        return Err(
            "it belongs to another account, another app of the same corp, or another base; use one file for each",
        );
    }
    let unix = now.unix.ok_or("the time of day is unknown")?;
    if Duration::from_millis(entry.saved_at_ms) > unix.saturating_add(TOLERANCE) {
        return Err("it is from the future; was the clock set back?");
    }
    let ledger = Ledger {
        fetches: entry.fetches,
        forced: entry.forced,
        resets_in: Duration::from_millis(entry.ledger_ends_at_ms).saturating_sub(unix),
    };
    let ledger = if ledger.resets_in.is_zero() { Ledger::default() } else { ledger };
    Ok(Stored { token: token(&entry, now, unix)?, ledger })
}

fn token(
    entry: &Entry<'_>,
    now: &Moment,
    unix: Duration,
) -> Result<Option<(Token, Duration, Duration, u32)>, &'static str> {
    let Some(text) = entry.token else {
        return Ok(None);
    };
    let token = Token::new(text).map_err(|_| "its token is not one")?;
    let life = Duration::from_millis(entry.life_ms);
    let by_wall = Duration::from_millis(entry.expires_at_ms).saturating_sub(unix);
    if by_wall > life.saturating_add(TOLERANCE) {
        return Err("its token has more life left than it ever had; was the clock set back?");
    }
    let same_run = entry.boot_id.is_some() && entry.boot_id == now.boot_id.as_deref();
    let by_boot = Instant::from_millis(entry.boot_expires_at_ms).saturating_since(now.now);
    let remaining = if same_run { by_wall.min(by_boot) } else { by_wall };
    Ok(Some((token, remaining, life, entry.generation)))
}

fn checksum(entry: &Entry<'_>) -> Option<String> {
    Some(hex(&Sha256::digest(json(entry)?.as_slice())))
}

fn json(entry: &Entry<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *bytes, entry).ok()?;
    Some(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // A String takes all that is written.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
