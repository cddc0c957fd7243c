//! How long has the device been running? TIMER0 of the board counts the processor's clock in 32 bits, which wraps every
//! 172 s; here it is widened, and asked in whatever unit somebody needs.
//!
//! [`alarm`] (feature `async`) makes of it a time driver for `embassy-time`. A program without an executor takes
//! [`start`]'s clock, and [`nap`]s.

#[cfg(feature = "async")]
pub mod alarm;
mod timer;

use core::cell::RefCell;

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use critical_section::Mutex;
use wxtoken_embedded::{Clock as _, TickClock};

use super::CORE_CLOCK_HZ;
use timer::{TIMER0, Timer};

const CYCLES_PER_MS: u32 = CORE_CLOCK_HZ / 1000;
/// Both counts start 10 ms before their wrap, so that the mistake which otherwise shows after 49.7 days of uptime, or 172 s
/// in the counter's case, shows in every run.
const HEAD_START_MS: u32 = 10;
const FIRST_TICK: u32 = u32::MAX - HEAD_START_MS;

static ELAPSED: Mutex<RefCell<Option<Elapsed>>> = Mutex::new(RefCell::new(None));

/// Cycles since the start. To be asked more often than the counter wraps.
struct Elapsed {
    counter: Timer,
    /// What the counter said when it was last asked.
    seen: u32,
    cycles: u64,
    /// What a cycle counts for.
    speed: u32,
}

impl Elapsed {
    fn start() -> Self {
        let counter = TIMER0.run_down_from(HEAD_START_MS * CYCLES_PER_MS);
        let seen = counter.value();
        Self { counter, seen, cycles: 0, speed: 1 }
    }

    fn cycles(&mut self) -> u64 {
        let value = self.counter.value();
        // It counts down.
        let passed = self.seen.wrapping_sub(value);
        self.seen = value;
        self.cycles += u64::from(passed) * u64::from(self.speed);
        self.cycles
    }
}

/// Zero before the start.
fn elapsed<T: Default>(ask: impl FnOnce(&mut Elapsed) -> T) -> T {
    critical_section::with(|cs| ELAPSED.borrow_ref_mut(cs).as_mut().map(ask).unwrap_or_default())
}

fn start_counter() {
    critical_section::with(|cs| {
        ELAPSED.borrow_ref_mut(cs).get_or_insert_with(Elapsed::start);
    });
}

/// The clock of this board. Copies agree, if each is asked at least once in 49.7 days.
pub type Clock = TickClock<fn() -> u32>;

/// Starts the counter, and a tick that ends naps, and returns the clock. It must be asked once in 172 s at least.
pub fn start(mut systick: SYST) -> Clock {
    start_counter();
    systick.enable_interrupt();
    run_systick(&mut systick);
    let mut clock: Clock = TickClock::new(ticks);
    // Asked once before it is copied: of two copies, one first asked before a wrap and one after it would differ by 49.7
    // days for ever.
    clock.now();
    clock
}

/// A tick a millisecond.
fn run_systick(systick: &mut SYST) {
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(CYCLES_PER_MS - 1);
    systick.clear_current();
    systick.enable_counter();
}

/// **EMULATOR ONLY.** Lets time pass `times` as fast from now on, so that a test need not last for hours.
pub fn hurry(times: u32) {
    elapsed(|elapsed| {
        // What has passed so far has passed at the old speed.
        elapsed.cycles();
        elapsed.speed = times;
    });
}

/// **EMULATOR ONLY.** As if it had been running for so many seconds more.
pub fn age(seconds: u32) {
    elapsed(|elapsed| elapsed.cycles += u64::from(seconds) * u64::from(CORE_CLOCK_HZ));
}

/// Sleeps until the next interrupt, which is the next tick at the latest.
pub fn nap() {
    cortex_m::asm::wfi();
}

/// Milliseconds since the start, 0 before it.
#[must_use]
pub fn millis() -> u64 {
    elapsed(Elapsed::cycles) / u64::from(CYCLES_PER_MS)
}

/// The 32-bit millisecond tick that most boards have.
fn ticks() -> u32 {
    // What does not fit is what a tick loses.
    FIRST_TICK.wrapping_add(millis() as u32)
}

defmt::timestamp!("{=u64:ms}", millis());

/// It has woken the processor, which is all it is for.
#[exception]
fn SysTick() {}
