//! How many instructions does a step take? The emulator lets one pass each nanosecond, and SysTick counts forties of them.
//!
//! A step runs a thousand times. What it needs to start from the same state is run a thousand times without it, and
//! subtracted.

use core::hint::black_box;

use cortex_m::{
    Peripherals,
    peripheral::{SYST, syst::SystClkSource},
};
use cortex_m_semihosting::hprintln;
use wxtoken_embedded::{DEFAULT_BUFFER_LEN, core::Keeper};

use crate::{
    replies::{BODY, USUAL},
    steps::{self, Blocking},
    world::{Network, account, now},
};

const TIMES: u32 = 1000;
/// At 1 ns an instruction and 25 MHz.
const INSTRUCTIONS_A_TICK: u32 = 40;
const RELOAD: u32 = 0x00ff_ffff;

/// Ticks of a thousand runs.
#[inline(never)]
fn ticks(step: &mut dyn FnMut()) -> u32 {
    let began = SYST::get_current();
    for _ in 0..TIMES {
        step();
    }
    // It counts down, and is long enough for 671 million instructions.
    began.wrapping_sub(SYST::get_current()) & RELOAD
}

/// Prints what a step takes beyond what prepares it.
fn print_one(name: &str, mut step: impl FnMut(), mut preparation: impl FnMut()) {
    let both = ticks(&mut step);
    let alone = ticks(&mut preparation);
    hprintln!("instructions {} {}", name, both.saturating_sub(alone) * INSTRUCTIONS_A_TICK / TIMES);
}

pub(crate) fn print() {
    let mut systick = Peripherals::take().expect("the first and only time").SYST;
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(RELOAD);
    systick.clear_current();
    systick.enable_counter();

    let mut buffer = [0; DEFAULT_BUFFER_LEN];
    let account = account();
    let new = Keeper::new(account.endpoint(), 1);
    let mut waiting = new.clone();
    let fetch = steps::fetching(&mut waiting);
    let mut holding = waiting.clone();
    black_box(steps::response(&mut holding, fetch, BODY.as_bytes()));

    print_one("token", || _ = black_box(black_box(&holding).token(now())), || _ = black_box(now()));
    print_one("poll-early", || _ = black_box(steps::poll(black_box(&mut holding))), || {});
    let copy_of = |keeper: &Keeper, then: &mut dyn FnMut(&mut Keeper)| then(black_box(&mut keeper.clone()));
    print_one(
        "poll-due",
        || copy_of(&new, &mut |keeper| _ = black_box(steps::poll(keeper))),
        || copy_of(&new, &mut |_| ()),
    );
    print_one("request", || steps::request(&account, fetch, black_box(&mut buffer)), || {});
    print_one("exchange", || steps::exchange(&account, fetch, black_box(&mut buffer), USUAL.1), || {});
    print_one(
        "response",
        || copy_of(&waiting, &mut |keeper| _ = black_box(steps::response(keeper, fetch, black_box(BODY.as_bytes())))),
        || copy_of(&waiting, &mut |_| ()),
    );
    let mut buffer_too = [0; DEFAULT_BUFFER_LEN];
    print_one(
        "tick",
        || assert!(steps::tick(black_box(&mut new_client(&mut buffer))), "a token comes"),
        || _ = black_box(&mut new_client(&mut buffer_too)),
    );
}

fn new_client(buffer: &mut [u8]) -> Blocking<'_> {
    Blocking::new(account(), 1, Network(USUAL.1), now, buffer)
}
