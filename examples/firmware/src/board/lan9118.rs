//! How do Ethernet frames reach the wire? The driver of the SMSC LAN9118, 32-bit accesses only.
//!
//! Register names and bits are those of the LAN9118 data sheet. The chip keeps whole frames in its own FIFOs, so there
//! is no DMA and nothing to align. What a stack asks of it stands beside: polled for smoltcp, by interrupt for
//! embassy-net.

#[cfg(feature = "async")]
mod embassy;
mod phy;
mod smoltcp;

use core::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "async")]
pub use embassy::{Interrupting, on_interrupt};

/// Where the chip is mapped on this board.
const BASE: usize = 0x4020_0000;

/// The registers, by their offset in bytes.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "async"), expect(dead_code, reason = "without an executor nothing waits for interrupts"))]
#[repr(usize)]
enum Register {
    RxData = 0x00,
    TxData = 0x20,
    RxStatus = 0x40,
    TxStatus = 0x48,
    IdRev = 0x50,
    InterruptConfig = 0x54,
    InterruptStatus = 0x58,
    InterruptEnable = 0x5c,
    ByteTest = 0x64,
    FifoLevels = 0x68,
    RxConfig = 0x6c,
    TxConfig = 0x70,
    HardwareConfig = 0x74,
    RxFifoInfo = 0x7c,
    TxFifoInfo = 0x80,
    MacCommand = 0xa4,
    MacData = 0xa8,
}

const BYTE_ORDER: u32 = 0x8765_4321;
const CHIP: u32 = 0x0118;
const SOFT_RESET: u32 = 1;
/// 5 KB of the chip's memory to sending, which leaves 10,560 bytes to receiving.
const FIFO_SPLIT: u32 = 5 << 16;
const TX_ON: u32 = 1 << 1;
const RX_ERROR: u32 = 1 << 15;
/// The frame is one piece: its first and its last at once.
const WHOLE_FRAME: u32 = (1 << 13) | (1 << 12);
const MAC_BUSY: u32 = 1 << 31;
const MAC_READ: u32 = 1 << 30;
const MAC_CONTROL: u32 = 1;
const MAC_ADDRESS_HIGH: u32 = 2;
const MAC_ADDRESS_LOW: u32 = 3;
/// Full duplex, transmitter on, receiver on.
const MAC_RUN: u32 = (1 << 20) | (1 << 3) | (1 << 2);
/// How often a flag is looked at before the chip counts as dead.
const PATIENCE: u32 = 100_000;

/// The longest frame, without its checksum: 14 bytes of header, 1500 of payload.
const MAX_FRAME: usize = 1514;
const CHECKSUM: usize = 4;
/// The command words in front of each frame in the transmit FIFO.
const COMMANDS: usize = 8;

/// The right to use the registers; there is one.
struct Registers(());

impl Registers {
    fn take() -> Option<Self> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        (!TAKEN.swap(true, Ordering::Relaxed)).then_some(Self(()))
    }

    fn read(&mut self, register: Register) -> u32 {
        let address = (BASE + register as usize) as *const u32;
        // SAFETY: every offset is a multiple of 4 inside the chip's 256 bytes, which this board maps at BASE; `take` gave
        // them to one owner only, and `&mut self` makes each access its own.
        unsafe { address.read_volatile() }
    }

    fn write(&mut self, register: Register, value: u32) {
        let address = (BASE + register as usize) as *mut u32;
        // SAFETY: as in `read`. Nothing that is written makes the chip touch the processor's memory: it has no DMA.
        unsafe { address.write_volatile(value) }
    }

    /// Waits until the bits of `mask` are zero.
    fn settle(&mut self, register: Register, mask: u32) -> Result<(), ChipError> {
        (0..PATIENCE).any(|_| self.read(register) & mask == 0).then_some(()).ok_or(ChipError::Stuck)
    }

    fn mac_read(&mut self, index: u32) -> Result<u32, ChipError> {
        self.write(Register::MacCommand, MAC_BUSY | MAC_READ | index);
        self.settle(Register::MacCommand, MAC_BUSY)?;
        Ok(self.read(Register::MacData))
    }

    fn mac_write(&mut self, index: u32, value: u32) -> Result<(), ChipError> {
        self.write(Register::MacData, value);
        self.write(Register::MacCommand, MAC_BUSY | index);
        self.settle(Register::MacCommand, MAC_BUSY)
    }

    /// How many frames wait in the receive FIFO.
    fn frames_waiting(&mut self) -> u32 {
        (self.read(Register::RxFifoInfo) >> 16) & 0xff
    }

    /// Moves the next good frame into `room` and returns its length. Bad ones are drained and dropped.
    fn receive(&mut self, room: &mut [u8; MAX_FRAME]) -> Option<usize> {
        while self.frames_waiting() > 0 {
            let status = self.read(Register::RxStatus);
            let on_wire = ((status >> 16) & 0x3fff) as usize;
            for at in 0..on_wire.div_ceil(4) {
                let word = self.read(Register::RxData).to_le_bytes();
                // What does not fit is read all the same: the FIFO has no other way forward.
                for (place, byte) in room.iter_mut().skip(at * 4).zip(word) {
                    *place = byte;
                }
            }
            let len = on_wire.saturating_sub(CHECKSUM);
            if status & RX_ERROR == 0 && len > 0 && len <= MAX_FRAME {
                return Some(len);
            }
        }
        None
    }

    fn can_send(&mut self) -> bool {
        // The statuses of what was sent are of no use here, and a full FIFO of them would stop the transmitter.
        while (self.read(Register::TxFifoInfo) >> 16) & 0xff > 0 {
            self.read(Register::TxStatus);
        }
        (self.read(Register::TxFifoInfo) & 0xffff) as usize >= MAX_FRAME.next_multiple_of(4) + COMMANDS
    }

    fn send(&mut self, frame: &[u8]) {
        // At most MAX_FRAME, which has 11 bits.
        let len = frame.len() as u32;
        self.write(Register::TxData, WHOLE_FRAME | len);
        self.write(Register::TxData, len);
        for piece in frame.chunks(4) {
            let mut word = [0; 4];
            word.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
            self.write(Register::TxData, u32::from_le_bytes(word));
        }
    }
}

/// Why the chip does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
#[non_exhaustive]
pub enum ChipError {
    /// It is in use already.
    Taken,
    /// Something else answers at its address, or nothing.
    NotThere,
    /// It does not come out of reset, or its MAC stays busy.
    Stuck,
}

/// Room for one frame in each direction.
pub struct Frames {
    rx: [u8; MAX_FRAME],
    tx: [u8; MAX_FRAME],
}

impl Frames {
    /// Empty ones.
    #[must_use]
    pub const fn new() -> Self {
        Self { rx: [0; MAX_FRAME], tx: [0; MAX_FRAME] }
    }
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

/// The chip.
pub struct Lan9118 {
    registers: Registers,
    frames: &'static mut Frames,
    address: [u8; 6],
    link: bool,
}

impl Lan9118 {
    /// Resets the chip and switches it on, all frames for its own address and broadcasts let in.
    ///
    /// # Errors
    /// [`ChipError`]; there is no network then.
    pub fn start(frames: &'static mut Frames) -> Result<Self, ChipError> {
        let mut registers = Registers::take().ok_or(ChipError::Taken)?;
        if registers.read(Register::ByteTest) != BYTE_ORDER || registers.read(Register::IdRev) >> 16 != CHIP {
            return Err(ChipError::NotThere);
        }
        registers.write(Register::HardwareConfig, SOFT_RESET);
        registers.settle(Register::HardwareConfig, SOFT_RESET)?;
        registers.write(Register::HardwareConfig, FIFO_SPLIT);
        registers.write(Register::RxConfig, 0);
        registers.mac_write(MAC_CONTROL, MAC_RUN)?;
        registers.write(Register::TxConfig, TX_ON);
        // The chip has loaded its address from its EEPROM.
        let [a, b, c, d] = registers.mac_read(MAC_ADDRESS_LOW)?.to_le_bytes();
        let [e, f, ..] = registers.mac_read(MAC_ADDRESS_HIGH)?.to_le_bytes();
        registers.watch_link()?;
        let link = registers.link()?;
        Ok(Self { registers, frames, address: [a, b, c, d, e, f], link })
    }

    /// Its Ethernet address.
    #[must_use]
    pub const fn address(&self) -> [u8; 6] {
        self.address
    }

    /// Whether a cable with a live other end is plugged in. The transceiver is asked only after it has said that
    /// something changed, so this may be called as often as one likes.
    pub fn is_link_up(&mut self) -> bool {
        if self.registers.has_link_changed() {
            // A MAC that stays busy tells nothing new.
            self.link = self.registers.link().unwrap_or(self.link);
        }
        self.link
    }

    /// The next good frame, and room for its answer: stacks want both at once.
    fn receive(&mut self) -> Option<(Received<'_>, Sending<'_>)> {
        if !self.registers.can_send() {
            return None;
        }
        let Self { registers, frames: Frames { rx, tx }, .. } = self;
        let len = registers.receive(rx)?;
        Some((Received(rx.get_mut(..len)?), Sending { registers, room: tx }))
    }

    fn transmit(&mut self) -> Option<Sending<'_>> {
        let Self { registers, frames, .. } = self;
        registers.can_send().then_some(Sending { registers, room: &mut frames.tx })
    }
}

/// A frame that arrived.
pub struct Received<'a>(&'a mut [u8]);

/// Room for a frame that will be sent.
pub struct Sending<'a> {
    registers: &'a mut Registers,
    room: &'a mut [u8; MAX_FRAME],
}

impl Sending<'_> {
    fn fill<R>(self, len: usize, fill: impl FnOnce(&mut [u8]) -> R) -> R {
        // A stack asks for no more than the transmission unit that it was told; a shorter frame than asked for would
        // panic inside its own writer.
        let frame = &mut self.room[..len];
        let result = fill(frame);
        self.registers.send(frame);
        // It may have carried the secret.
        frame.fill(0);
        result
    }
}
