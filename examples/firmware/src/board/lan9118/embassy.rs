//! How does embassy-net move frames? It sleeps until the chip interrupts.
//!
//! The handler only closes the interrupt line and wakes the stack's task. The task takes every frame there is, and opens
//! the line again before it sleeps; a line that is active by then interrupts at once, so nothing is missed.

use core::task::Context;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;

use super::{Lan9118, MAX_FRAME, Received, Register, Registers, Sending, phy::PHY_INTERRUPT};
use crate::board::interrupts::Interrupt;

/// Switched on, active high, push-pull.
const LINE: u32 = (1 << 8) | (1 << 4) | 1;
/// A frame lies in the receive FIFO.
const RECEIVED: u32 = 1 << 3;
/// The transmit FIFO has room again.
const ROOM: u32 = 1 << 9;
/// What these two mean: more than 0 frames; more than 24 times 64 bytes, which hold the longest.
const LEVELS: u32 = 24 << 24;
const ALWAYS: u32 = RECEIVED | PHY_INTERRUPT;

static WAKER: AtomicWaker = AtomicWaker::new();

/// Serves the chip's interrupt.
pub fn on_interrupt() {
    Interrupt::Ethernet.disable();
    WAKER.wake();
}

/// The chip, which wakes a task when it has news.
pub struct Interrupting(Lan9118);

impl Lan9118 {
    /// Lets the chip interrupt. The image must hand [`Interrupt::Ethernet`] to [`on_interrupt`].
    #[must_use]
    pub fn interrupting(mut self) -> Interrupting {
        self.registers.write(Register::FifoLevels, LEVELS);
        self.registers.write(Register::InterruptEnable, ALWAYS);
        self.registers.write(Register::InterruptConfig, LINE);
        Interrupting(self)
    }
}

impl Registers {
    /// Whether a frame can be sent. If not, the chip interrupts when one can.
    fn has_room(&mut self) -> bool {
        if self.can_send() {
            return true;
        }
        // What stands there is old, and would wake the task for nothing, again and again.
        self.write(Register::InterruptStatus, ROOM);
        self.write(Register::InterruptEnable, ALWAYS | ROOM);
        // It may have come just before.
        self.can_send()
    }
}

fn sleep(context: &Context<'_>) {
    WAKER.register(context.waker());
    Interrupt::Ethernet.enable();
}

impl Driver for Interrupting {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, context: &mut Context<'_>) -> Option<(Received<'_>, Sending<'_>)> {
        let registers = &mut self.0.registers;
        registers.write(Register::InterruptEnable, ALWAYS);
        // Before the FIFO is looked at: the next frame raises it again.
        registers.write(Register::InterruptStatus, RECEIVED);
        let ready = registers.has_room() && registers.frames_waiting() > 0;
        let frame = if ready { self.0.receive() } else { None };
        if frame.is_none() {
            sleep(context);
        }
        frame
    }

    fn transmit(&mut self, context: &mut Context<'_>) -> Option<Sending<'_>> {
        if !self.0.registers.has_room() {
            sleep(context);
            return None;
        }
        self.0.transmit()
    }

    fn link_state(&mut self, context: &mut Context<'_>) -> LinkState {
        let state = if self.0.is_link_up() { LinkState::Up } else { LinkState::Down };
        sleep(context);
        state
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = MAX_FRAME;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.0.address)
    }
}

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        self.fill(len, fill)
    }
}
