//! How is a timer of the CMSDK (DDI 0479) read and set? It counts down, reloads itself at zero, and may then interrupt.

/// One timer, by its address.
pub(super) struct Timer(usize);

/// Counts.
pub(super) const TIMER0: Timer = Timer(0x4000_0000);
/// Interrupts.
#[cfg(feature = "async")]
pub(super) const TIMER1: Timer = Timer(0x4000_1000);

/// The registers, by their offset in bytes.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Register {
    Control = 0x0,
    Value = 0x4,
    Reload = 0x8,
    #[cfg(feature = "async")]
    InterruptClear = 0xc,
}

const RUN: u32 = 1;
#[cfg(feature = "async")]
const INTERRUPT: u32 = 1 << 3;

impl Timer {
    /// Starts it at `value`, and after zero at `u32::MAX` again and again. No interrupts.
    pub(super) fn run_down_from(self, value: u32) -> Self {
        self.write(Register::Reload, u32::MAX);
        self.write(Register::Value, value);
        self.write(Register::Control, RUN);
        self
    }

    /// What it says now.
    pub(super) fn value(&self) -> u32 {
        let address = (self.0 + Register::Value as usize) as *const u32;
        // SAFETY: the address is that of a register of a timer which this board has there; reading it changes nothing.
        unsafe { address.read_volatile() }
    }

    /// Interrupts in so many cycles, and so on, until something else is said; not 0.
    #[cfg(feature = "async")]
    pub(super) fn interrupt_in(&self, cycles: u32) {
        // Which sets the value, too.
        self.write(Register::Reload, cycles);
        self.write(Register::Control, RUN | INTERRUPT);
    }

    /// Takes the interrupt back.
    #[cfg(feature = "async")]
    pub(super) fn clear_interrupt(&self) {
        self.write(Register::InterruptClear, 1);
    }

    fn write(&self, register: Register, value: u32) {
        let address = (self.0 + register as usize) as *mut u32;
        // SAFETY: the address is that of a register of a timer which this board has there and only this module touches;
        // nothing that is written makes it touch the processor's memory.
        unsafe { address.write_volatile(value) }
    }
}
