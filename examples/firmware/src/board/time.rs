//! How long has the device been running? Milliseconds of SysTick, in 32 bits, which whoever asks widens.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use wxtoken_embedded::{Clock as _, TickClock};

use super::CORE_CLOCK_HZ;

/// The count starts 10 ms before its wrap, so that the mistake which otherwise shows after 49.7 days of uptime shows in
/// every run.
const FIRST_TICK: u32 = u32::MAX - 10;

static TICKS: AtomicU32 = AtomicU32::new(FIRST_TICK);
/// What a tick counts for.
static STEP_MS: AtomicU32 = AtomicU32::new(1);

/// The clock of this board. Copies agree, if each is asked at least once in 49.7 days.
pub type Clock = TickClock<fn() -> u32>;

/// Starts the tick and returns the clock that counts it.
pub fn start(mut systick: SYST) -> Clock {
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(CORE_CLOCK_HZ / 1000 - 1);
    systick.clear_current();
    systick.enable_interrupt();
    systick.enable_counter();
    let mut clock: Clock = TickClock::new(ticks);
    // Asked once before it is copied: of two copies, one first asked before a wrap and one after it would differ by 49.7
    // days for ever.
    clock.now();
    clock
}

/// **EMULATOR ONLY.** Lets time pass `times` as fast, so that a test need not last for hours.
pub fn hurry(times: u32) {
    STEP_MS.store(times, Ordering::Relaxed);
}

/// Sleeps until the next interrupt, which is the next tick at the latest.
pub fn nap() {
    cortex_m::asm::wfi();
}

fn ticks() -> u32 {
    TICKS.load(Ordering::Relaxed)
}

defmt::timestamp!("{=u32:ms}", ticks().wrapping_sub(FIRST_TICK));

#[exception]
fn SysTick() {
    TICKS.fetch_add(STEP_MS.load(Ordering::Relaxed), Ordering::Relaxed);
}
