//! What does a device still know after a reboot: its token, and how much of the day's budget is used?
//!
//! # Layout
//! Two items of a [`sequential_storage`] map in a range of NOR flash of your own, of two sectors at least: the ledger, 20
//! bytes, written *before* each request is sent, so that a reboot loop cannot exceed the daily cap; and the token, at most
//! 541 bytes, written after each new one. Each item has its checksum, and the one before it stays readable until the new
//! one is whole: a power cut at any byte of a write leaves the old or the new one.
//!
//! # The time of day
//! A token is dated in wall time. Without it (`wall` answers `None`) no token is written or taken up, the ledger is kept
//! with the time that was left of its day, and each boot costs one fetch at most: spread these with
//! [`put_off`](crate::blocking::Client::put_off). Time without power is then unknown and counts as none, so tick at least
//! hourly: the day's progress is written down each hour, and a device that ran out of budget gets a new one even though
//! it reboots every other hour.
//!
//! # Wear
//! Measured over a simulated month with tokens of 512 bytes in two sectors of 4 KiB: `stable_token`, 12.5 fetches a day,
//! writes 8.5 KB and erases each sector 1.03 times a day, so that 10,000 cycles last 27 years; with the whole cap of 500
//! fetches used up every day it is 22.5 KB and 2.93 erases, 9 years. Fetches that failed before they were sent write
//! nothing. More sectors divide the wear.
//!
//! # What is stored in the clear
//! The token, for its two hours: whoever can read the flash has it, as they have the secret that is compiled in. Encrypt
//! the flash, or give such a device a key of a central server instead of the secret.

use core::{
    future::Future,
    ops::Range,
    pin::pin,
    task::{Context, Poll, Waker},
};

use embedded_storage_async::nor_flash::NorFlash;
use sequential_storage::{
    Error,
    cache::{Cache, Uncached},
    map::{MapConfig, MapStorage, Value},
};
use wxtoken_core::{Account, Instant, Keeper};

mod bridge;
mod entry;
mod mark;
mod mend;

pub use bridge::Blocking;
use entry::{LedgerEntry, TokenEntry};
use mark::Marks;

const TOKEN_KEY: u8 = 1;
const LEDGER_KEY: u8 = 2;
/// Ends of a day, or expiries, nearer than this are the same one, seen through clocks of seconds.
const SAME_MS: u64 = 5_000;

/// Token and ledger of one account in NOR flash. Give it to a client by `with_memory`.
///
/// `F` is an asynchronous flash, or a blocking one inside [`Blocking`]; `W` answers the time of day in seconds since the
/// Unix epoch, `None` while it is unknown. The scratch it is given must hold 576 bytes; the client's own buffer does.
pub struct Memory<F: NorFlash, W> {
    map: MapStorage<u8, F, Cache<Uncached, Uncached, Uncached, u8>>,
    wall: W,
    marks: Marks,
    ledger: Option<Written>,
    /// Generation and Unix second of the expiry of the token in flash.
    token: Option<(u32, u64)>,
    failures: u32,
}

/// The ledger in flash, as the keeper would date it.
#[derive(Clone, Copy)]
struct Written {
    fetches: u16,
    forced: u8,
    ends_at: Instant,
}

/// The range of flash is not usable: not whole sectors, sectors below 1 KiB, fewer than four of less than 2 KiB, or fewer
/// than two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BadRange;

impl core::fmt::Display for BadRange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the flash range must be two or more whole sectors of 2 KiB or more, or four or more of 1 KiB")
    }
}

impl core::error::Error for BadRange {}

impl<F: NorFlash, W: FnMut() -> Option<u64>> Memory<F, W> {
    /// A memory in `range` (byte offsets) of `flash`, which nothing else may use. What another account left there is
    /// ignored.
    ///
    /// # Errors
    /// [`BadRange`].
    pub fn new(flash: F, range: Range<u32>, account: &Account<'_>, wall: W) -> Result<Self, BadRange> {
        let sector = F::ERASE_SIZE as u32;
        let sectors = range.end.saturating_sub(range.start).checked_div(sector).unwrap_or(0);
        // One sector stays empty to move items into, and the rest must hold the old token beside the new one.
        if sectors < 2 || sector < 1024 || (sector < 2048 && sectors < 4) {
            return Err(BadRange);
        }
        let config = MapConfig::try_new(range).map_err(|_| BadRange)?;
        Ok(Self {
            map: MapStorage::new(flash, config, Cache::new_uncached()),
            wall,
            marks: Marks::of(account),
            ledger: None,
            token: None,
            failures: 0,
        })
    }

    /// How many writes failed since the start. The client goes on without them.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.map.destroy().0
    }

    async fn load(&mut self, keeper: &mut Keeper, now: Instant, scratch: &mut [u8]) {
        let range = self.map.flash_range();
        if mend::mend(self.map.flash(), range, scratch).await.is_err() {
            self.failures = self.failures.saturating_add(1);
        }
        let unix_s = (self.wall)();
        if let Some(unix_s) = unix_s {
            keeper.wall_clock(now, unix_s);
        }
        if let Ok(Some(entry)) = self.map.fetch_item::<LedgerEntry>(scratch, &LEDGER_KEY).await {
            if entry.mark == self.marks.account {
                keeper.restore_ledger(now, entry.ledger(unix_s));
                let ledger = keeper.ledger(now);
                let ends_at = now.saturating_add(ledger.resets_in);
                self.ledger = Some(Written { fetches: ledger.fetches, forced: ledger.forced, ends_at });
            }
        }
        let Some(unix_s) = unix_s else {
            return;
        };
        if let Ok(Some(entry)) = self.map.fetch_item::<TokenEntry<'_>>(scratch, &TOKEN_KEY).await {
            let mine = entry.mark == self.marks.credential;
            if mine && entry.token(unix_s).is_some_and(|stored| keeper.restore(now, &stored.snapshot())) {
                self.token = Some((entry.generation, entry.expires_at));
            }
        }
    }

    /// `progress`: also when only time has gone by.
    async fn write_ledger(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8], progress: bool) {
        let ledger = keeper.ledger(now);
        let ends_at = now.saturating_add(ledger.resets_in);
        let unix_s = (self.wall)();
        if let Some(written) = self.ledger {
            let same_day = written.ends_at.as_millis().abs_diff(ends_at.as_millis()) <= SAME_MS;
            let covered = written.fetches >= ledger.fetches && written.forced >= ledger.forced;
            // An attempt that was not sent is taken off the ledger again, and stays counted in flash: the next one is
            // covered by it, so a day without network wears nothing.
            if same_day && covered && !progress {
                return;
            }
        }
        let entry = LedgerEntry::new(self.marks.account, &ledger, unix_s);
        if self.store(scratch, LEDGER_KEY, &entry).await {
            self.ledger = Some(Written { fetches: ledger.fetches, forced: ledger.forced, ends_at });
        }
    }

    async fn write_progress(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        // Also when the day has ended since: in flash it has not.
        if self.ledger.is_some_and(|written| written.fetches > 0) && (self.wall)().is_none() {
            self.write_ledger(keeper, now, scratch, true).await;
        }
    }

    async fn write_token(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        let Some(unix_s) = (self.wall)() else {
            return;
        };
        let entry = match keeper.snapshot(now) {
            Some(snapshot) => TokenEntry::new(self.marks.credential, &snapshot, unix_s),
            // It was refused or has expired: after a reboot nobody may take it up again.
            None if self.token.is_some() => TokenEntry::none(self.marks.credential),
            None => return,
        };
        let wanted = entry.is_some().then_some((entry.generation, entry.expires_at));
        let near = |a: u64, b: u64| a.abs_diff(b).saturating_mul(1000) <= SAME_MS;
        if matches!((self.token, wanted), (Some(old), Some(new)) if old.0 == new.0 && near(old.1, new.1)) {
            return;
        }
        if self.store(scratch, TOKEN_KEY, &entry).await {
            self.token = wanted;
        }
    }

    async fn store<'v>(&mut self, scratch: &mut [u8], key: u8, value: &impl Value<'v>) -> bool {
        let mut result = self.map.store_item(scratch, &key, value).await;
        if matches!(result, Err(Error::Corrupted { .. } | Error::LogicBug { .. } | Error::FullStorage)) {
            // Never seen with a range of its own. Better to begin anew than to be without a memory for ever.
            result = match self.map.erase_all().await {
                Ok(()) => self.map.store_item(scratch, &key, value).await,
                Err(error) => Err(error),
            };
            (self.ledger, self.token) = (None, None);
        }
        if result.is_err() {
            self.failures = self.failures.saturating_add(1);
            #[cfg(feature = "defmt")]
            defmt::warn!("flash: item {=u8} could not be written; a reboot would cost a fetch", key);
        }
        result.is_ok()
    }
}

impl<F: NorFlash, W: FnMut() -> Option<u64>> crate::asynch::Remember for Memory<F, W> {
    async fn recall(&mut self, keeper: &mut Keeper, now: Instant, scratch: &mut [u8]) {
        self.load(keeper, now, scratch).await;
    }

    async fn before_sending(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        self.write_ledger(keeper, now, scratch, false).await;
    }

    async fn settle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        self.write_token(keeper, now, scratch).await;
    }

    async fn idle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        self.write_progress(keeper, now, scratch).await;
    }
}

impl<F: embedded_storage::nor_flash::NorFlash, W: FnMut() -> Option<u64>> crate::blocking::Remember
    for Memory<Blocking<F>, W>
{
    fn recall(&mut self, keeper: &mut Keeper, now: Instant, scratch: &mut [u8]) {
        at_once(self.load(keeper, now, scratch));
    }

    fn before_sending(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        at_once(self.write_ledger(keeper, now, scratch, false));
    }

    fn settle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        at_once(self.write_token(keeper, now, scratch));
    }

    fn idle(&mut self, keeper: &Keeper, now: Instant, scratch: &mut [u8]) {
        at_once(self.write_progress(keeper, now, scratch));
    }
}

/// Runs a future over a [`Blocking`] flash, which is never pending.
fn at_once(work: impl Future<Output = ()>) {
    let mut work = pin!(work);
    let done = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    debug_assert!(matches!(done, Poll::Ready(())), "a blocking flash does not wait");
}
