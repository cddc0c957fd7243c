//! NOR flash down to its bits: writing only clears them, erasing only sets them, and power may fail between any two.

use std::{cell::Cell, rc::Rc};

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

/// SplitMix64, so that a failure can be repeated.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }
}

const WORD: usize = 4;
/// An erase takes as long as so many bytes of writing.
const ERASE_TAKES: u64 = 200;

pub(crate) struct Nor<const SECTOR: usize> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) erases: Vec<u32>,
    pub(crate) bytes_written: u64,
    /// Power fails after so many bytes; at zero it has. Shared, since the flash itself is lent out.
    pub(crate) power: Rc<Cell<Option<u64>>>,
    pub(crate) dice: Dice,
}

impl<const SECTOR: usize> Nor<SECTOR> {
    pub(crate) fn new(sectors: usize, seed: u64) -> Self {
        Self {
            bytes: vec![0xff; SECTOR * sectors],
            erases: vec![0; sectors],
            bytes_written: 0,
            power: Rc::default(),
            dice: Dice(seed),
        }
    }

    pub(crate) fn end(&self) -> u32 {
        self.bytes.len() as u32
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.power.get() == Some(0)
    }

    /// Uses power up; how much of `amount` could be done.
    fn spend(&mut self, amount: u64) -> u64 {
        let Some(power) = self.power.get() else { return amount };
        let done = amount.min(power);
        self.power.set(Some(power - done));
        done
    }
}

impl<const SECTOR: usize> ErrorType for Nor<SECTOR> {
    type Error = NorFlashErrorKind;
}

impl<const SECTOR: usize> ReadNorFlash for Nor<SECTOR> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, room: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        if self.is_dead() {
            return Err(NorFlashErrorKind::Other);
        }
        let at = offset as usize;
        room.copy_from_slice(self.bytes.get(at..at + room.len()).ok_or(NorFlashErrorKind::OutOfBounds)?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const SECTOR: usize> NorFlash for Nor<SECTOR> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        let (from, to) = (from as usize, to as usize);
        assert!(from.is_multiple_of(SECTOR) && to.is_multiple_of(SECTOR) && from <= to && to <= self.bytes.len());
        for sector in from / SECTOR..to / SECTOR {
            if self.is_dead() {
                return Err(NorFlashErrorKind::Other);
            }
            let whole = self.spend(ERASE_TAKES) == ERASE_TAKES && !self.is_dead();
            self.erases[sector] += 1;
            for at in sector * SECTOR..(sector + 1) * SECTOR {
                // Cut short, each bit has been set or not.
                self.bytes[at] |= if whole { 0xff } else { self.dice.roll() as u8 };
            }
            if !whole {
                return Err(NorFlashErrorKind::Other);
            }
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let at = offset as usize;
        assert!(at.is_multiple_of(WORD) && bytes.len().is_multiple_of(WORD) && at + bytes.len() <= self.bytes.len());
        for (index, &byte) in bytes.iter().enumerate() {
            if self.is_dead() {
                return Err(NorFlashErrorKind::Other);
            }
            let at = at + index;
            // A word whose writing power cut short may be written again, as long as it ends up right: this model has no
            // ECC. Anything else would be silent corruption.
            assert!(self.bytes[at] & byte == byte, "written over what was not erased");
            self.spend(1);
            self.bytes_written += 1;
            // Cut short, each bit of this byte has been cleared or not.
            let reached = if self.is_dead() { self.dice.roll() as u8 } else { 0 };
            self.bytes[at] &= byte | reached;
        }
        if self.is_dead() { Err(NorFlashErrorKind::Other) } else { Ok(()) }
    }
}
