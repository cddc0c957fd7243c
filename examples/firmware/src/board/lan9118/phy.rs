//! Is the cable plugged in? The chip's transceiver, asked through the MAC's MII registers.

use super::{ChipError, PATIENCE, Register, Registers};

const MII_ACCESS: u32 = 6;
const MII_DATA: u32 = 7;
const MII_BUSY: u32 = 1;
const MII_WRITE: u32 = 1 << 1;
/// The address of the transceiver inside the chip, in its place in an access.
const INTERNAL: u32 = 1 << 11;

/// The registers of the transceiver.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Phy {
    BasicStatus = 1,
    InterruptSource = 29,
    InterruptMask = 30,
}

/// In the basic status: there is a link.
const LINK: u32 = 1 << 2;
/// In source and mask of its interrupts: the link is down; negotiation is complete, and so the link up.
const WENT_DOWN: u32 = 1 << 4;
const NEGOTIATED: u32 = 1 << 6;
/// The chip's own interrupt bit for the transceiver.
pub(super) const PHY_INTERRUPT: u32 = 1 << 18;

impl Registers {
    /// Lets the transceiver speak up when the link changes.
    pub(super) fn watch_link(&mut self) -> Result<(), ChipError> {
        self.mac_write(MII_DATA, WENT_DOWN | NEGOTIATED)?;
        self.mii(Phy::InterruptMask, MII_WRITE)
    }

    /// Whether it has spoken up since it was last asked by [`link`](Self::link).
    pub(super) fn has_link_changed(&mut self) -> bool {
        self.read(Register::InterruptStatus) & PHY_INTERRUPT != 0
    }

    /// Whether there is a link, now. It takes the transceiver's interrupt back.
    pub(super) fn link(&mut self) -> Result<bool, ChipError> {
        self.mii_read(Phy::InterruptSource)?;
        // A lost link stays lost in this bit until it has been read once.
        self.mii_read(Phy::BasicStatus)?;
        Ok(self.mii_read(Phy::BasicStatus)? & LINK != 0)
    }

    fn mii_read(&mut self, register: Phy) -> Result<u32, ChipError> {
        self.mii(register, 0)?;
        self.mac_read(MII_DATA)
    }

    fn mii(&mut self, register: Phy, direction: u32) -> Result<(), ChipError> {
        self.mac_write(MII_ACCESS, INTERNAL | ((register as u32) << 6) | direction | MII_BUSY)?;
        for _ in 0..PATIENCE {
            if self.mac_read(MII_ACCESS)? & MII_BUSY == 0 {
                return Ok(());
            }
        }
        Err(ChipError::Stuck)
    }
}
