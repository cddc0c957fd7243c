//! Who runs the tasks? embassy's executor, and the processor sleeps while none is ready.
//!
//! **EMULATOR ONLY** is this loop: `embassy_executor::Executor` (features `platform-cortex-m`, `executor-thread`) sleeps
//! with WFE, which QEMU takes for a pause of no length, and so keeps a core of its host busy. A real board takes that one.

use core::{
    ptr,
    sync::atomic::{AtomicBool, Ordering},
};

use embassy_executor::{Spawner, raw};
use static_cell::StaticCell;

static READY: AtomicBool = AtomicBool::new(false);

/// Runs the tasks that `init` spawns, and those that they spawn, for ever. To be called once.
pub fn run(init: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
    let executor: &'static raw::Executor = EXECUTOR.init(raw::Executor::new(ptr::null_mut()));
    init(executor.spawner());
    loop {
        READY.store(false, Ordering::Relaxed);
        // SAFETY: there is one such loop, since a StaticCell gives its place once, and no task or handler calls this.
        unsafe { executor.poll() };
        // An interrupt that comes after the question stays pending until the end of the section, and ends the sleep.
        critical_section::with(|_| {
            if !READY.load(Ordering::Relaxed) {
                cortex_m::asm::wfi();
            }
        });
    }
}

// SAFETY: embassy-executor wants a function of this name and shape, which may be called from anywhere; there is one.
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    READY.store(true, Ordering::Relaxed);
}
