//! How does `embassy-time` know what time it is, and who wakes a task in time? Its driver for this board.
//!
//! TIMER0 tells the time; TIMER1 interrupts when the next task is due, and not before, so that the processor sleeps as long
//! as it may.

use core::{cell::RefCell, task::Waker};

use cortex_m::peripheral::SYST;
use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::{Driver, TICK_HZ};
use embassy_time_queue_utils::Queue;

use super::{CORE_CLOCK_HZ, Elapsed, elapsed, timer::TIMER1};
use crate::board::interrupts::Interrupt;

const CYCLES_PER_TICK: u64 = CORE_CLOCK_HZ as u64 / TICK_HZ;
const _: () = assert!(CYCLES_PER_TICK * TICK_HZ == CORE_CLOCK_HZ as u64, "the clock is no multiple of embassy's tick");
/// Time for the handler to come to its end first.
const SOON: u64 = CORE_CLOCK_HZ as u64 / 100_000;
/// A minute at most, in which the counter of [`super`] has not wrapped.
const LONGEST: u64 = CORE_CLOCK_HZ as u64 * 60;

/// Starts the counter and the alarm. The image must hand [`Interrupt::Timer1`] to [`on_interrupt`].
pub fn start(systick: SYST) {
    super::start_counter();
    pulse(systick);
    critical_section::with(|cs| DRIVER.set(cs));
    Interrupt::Timer1.enable();
}

/// **EMULATOR ONLY.** Lets SysTick run without interrupting anybody. QEMU looks after its user network when a timer of the
/// board ends: without this an answer waits for the next alarm, up to a minute. A real board has nothing of the kind.
fn pulse(mut systick: SYST) {
    super::run_systick(&mut systick);
}

/// Serves the alarm's interrupt.
pub fn on_interrupt() {
    TIMER1.clear_interrupt();
    critical_section::with(|cs| DRIVER.set(cs));
}

struct Alarm {
    queue: Mutex<RefCell<Queue>>,
}

impl Alarm {
    /// Wakes whoever is due, and sets the alarm for the next.
    fn set(&self, cs: CriticalSection<'_>) {
        let now = self.now();
        let next = self.queue.borrow_ref_mut(cs).next_expiration(now);
        let ticks = next.saturating_sub(now);
        let cycles = ticks.saturating_mul(CYCLES_PER_TICK).div_ceil(elapsed(|elapsed| elapsed.speed).max(1).into());
        // LONGEST has 31 bits.
        TIMER1.interrupt_in(cycles.clamp(SOON, LONGEST) as u32);
    }
}

impl Driver for Alarm {
    fn now(&self) -> u64 {
        elapsed(Elapsed::cycles) / CYCLES_PER_TICK
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            let changed = self.queue.borrow_ref_mut(cs).schedule_wake(at, waker);
            if changed {
                self.set(cs);
            }
        });
    }
}

embassy_time_driver::time_driver_impl!(static DRIVER: Alarm = Alarm { queue: Mutex::new(RefCell::new(Queue::new())) });
