//! Was power cut in an erase, so that a sector is neither what it was nor empty?
//!
//! `sequential-storage` 8 tells a sector's state by four bits of its first and last byte. That serves an erase that works
//! its way through a sector; cut short, a real one leaves each bit set or not, and one in three such sectors then looks
//! empty or half full, and would be written over. So before the map is asked anything, each sector must either begin with
//! the whole marker of one in use, or be empty to the last bit. All others are erased once more: what was in them had been
//! moved before the erase began, or they were about to be taken into use and hold nothing yet.

use core::ops::Range;

use embedded_storage_async::nor_flash::NorFlash;

/// What the map writes into the first word of a sector that is in use.
const IN_USE: u8 = 0;
/// What an erased byte reads as.
const ERASED: u8 = 0xff;

pub(super) async fn mend<F: NorFlash>(flash: &mut F, range: Range<u32>, scratch: &mut [u8]) -> Result<(), F::Error> {
    let sector = F::ERASE_SIZE as u32;
    let mut from = range.start;
    while from < range.end {
        let to = from.saturating_add(sector);
        let word = from..from.saturating_add(F::WRITE_SIZE as u32);
        if !all(flash, word, IN_USE, scratch).await? && !all(flash, from..to, ERASED, scratch).await? {
            flash.erase(from, to).await?;
        }
        from = to;
    }
    Ok(())
}

/// Whether every byte of `range` is `byte`.
async fn all<F: NorFlash>(flash: &mut F, range: Range<u32>, byte: u8, scratch: &mut [u8]) -> Result<bool, F::Error> {
    let whole = scratch.len() - scratch.len() % F::READ_SIZE.max(1);
    let mut at = range.start;
    while at < range.end {
        let left = range.end.saturating_sub(at) as usize;
        let Some(room) = scratch.get_mut(..left.min(whole)).filter(|room| !room.is_empty()) else {
            // Too little room even for a word: nothing can be told, and nothing will be stored either.
            return Ok(true);
        };
        flash.read(at, room).await?;
        if room.iter().any(|&b| b != byte) {
            return Ok(false);
        }
        at = at.saturating_add(room.len() as u32);
    }
    Ok(true)
}
