//! Whom does the processor call when a device wants something? The vector table behind the processor's own exceptions.
//!
//! An image that uses an interrupt names its handler with [`serve`](crate::serve!); the others keep none of the code.
//! What is served by nobody and comes all the same ends in `DefaultHandler` of `cortex-m-rt`.

use cortex_m::{interrupt::InterruptNumber, peripheral::NVIC};

/// The interrupts that are used, by their numbers in application note 385.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Interrupt {
    /// The second of the two CMSDK timers.
    Timer1 = 9,
    /// The Ethernet chip's line.
    Ethernet = 13,
}

// SAFETY: the numbers are constant, each stands for one interrupt, and the largest is below the 32 that there are.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self as u16
    }
}

impl Interrupt {
    /// Lets it through, at once if it is pending.
    pub fn enable(self) {
        // SAFETY: critical sections here mask all interrupts at the processor, so that none of them can be broken by this.
        unsafe { NVIC::unmask(self) }
    }

    /// Keeps it back.
    pub fn disable(self) {
        NVIC::mask(self);
    }
}

type Handler = unsafe extern "C" fn();

unsafe extern "C" {
    // Provided by `device.x` for those that no image serves.
    safe fn Timer1();
    safe fn Ethernet();
    safe fn DefaultHandler();
}

const LEN: usize = 32;

const fn vectors() -> [Handler; LEN] {
    let mut vectors: [Handler; LEN] = [DefaultHandler; LEN];
    vectors[Interrupt::Timer1 as usize] = Timer1;
    vectors[Interrupt::Ethernet as usize] = Ethernet;
    vectors
}

// SAFETY: `cortex-m-rt` expects the table under this name and in this section, and reads it as what it is: addresses of
// functions without arguments. Nothing else has this name.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".vector_table.interrupts")]
static __INTERRUPTS: [Handler; LEN] = vectors();

/// Names the function that serves an interrupt, once in an image:
/// `serve!(Ethernet => lan9118::on_interrupt)`.
#[macro_export]
macro_rules! serve {
    ($($interrupt:ident => $handler:path),+ $(,)?) => {$(
        const _: () = {
            // It is one of them.
            const _: $crate::board::interrupts::Interrupt = $crate::board::interrupts::Interrupt::$interrupt;
            // SAFETY: the vector table is the only one that knows this name, and it calls it as what it is.
            #[unsafe(no_mangle)]
            extern "C" fn $interrupt() {
                $handler();
            }
        };
    )+};
}
