//! Where does what must outlive a power failure lie? A simulated chip of NOR flash, in a file of the host.
//!
//! **EMULATOR ONLY.** The emulated board's flash is RAM that forgets. A real board hands
//! [`Memory`](wxtoken_embedded::flash::Memory) the driver of its own chip, which implements the same traits: a few sectors
//! of the processor's flash that the linker script leaves out (`embassy-stm32`, `esp-storage`, `rp2040-flash`), or a serial
//! chip beside it (`w25q32jv`, `spi-memory`).
//!
//! The rules are those of such a chip: erasing sets every bit of a sector, writing only clears bits, in whole words and one
//! word after the other. The host keeps each word as soon as it is written, so an emulator that is killed is a power cut
//! between two words, or in the middle of an erase.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use super::semihosting::file::File;

const SECTOR: usize = 4096;
const WORD: usize = 4;
/// So many sectors: one to write into and one to move to.
const SECTORS: usize = 2;
/// How much is erased at a time, between two of which power may be cut.
const STRIP: usize = 64;

/// The chip.
pub struct Flash(File);

impl Flash {
    /// Its bytes.
    pub const CAPACITY: u32 = (SECTOR * SECTORS) as u32;

    /// The chip whose content is in this file; `None` when it is not there, or not [`CAPACITY`](Self::CAPACITY) bytes long.
    pub fn open(name: &str) -> Option<Self> {
        let file = File::open(name)?;
        (file.len()? == Self::CAPACITY as usize).then_some(Self(file))
    }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, room: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, room.len())?;
        done(self.0.read(offset as usize, room))
    }

    fn capacity(&self) -> usize {
        Self::CAPACITY as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        for at in (from as usize..to as usize).step_by(STRIP) {
            done(self.0.write(at, &[0xff; STRIP]))?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (index, word) in bytes.chunks_exact(WORD).enumerate() {
            let at = offset as usize + index * WORD;
            let mut kept = [0; WORD];
            done(self.0.read(at, &mut kept))?;
            for (old, new) in kept.iter_mut().zip(word) {
                *old &= new;
            }
            done(self.0.write(at, &kept))?;
        }
        Ok(())
    }
}

const fn done(well: bool) -> Result<(), NorFlashErrorKind> {
    if well { Ok(()) } else { Err(NorFlashErrorKind::Other) }
}
