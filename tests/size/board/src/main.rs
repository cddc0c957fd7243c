//! What does it cost while it runs: bytes of RAM, bytes of stack, instructions?
//!
//! For the emulated board (QEMU's `mps2-an385`), which tells it nothing but the time. A line is a kind, a name without
//! spaces, and a number; `../measure.sh` makes a table of them.

#![no_std]
#![no_main]

mod instructions;
mod ram;
mod replies;
mod stack;
mod steps;
mod world;

use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};

#[cortex_m_rt::entry]
fn main() -> ! {
    ram::print();
    stack::print();
    instructions::print();
    loop {
        debug::exit(EXIT_SUCCESS);
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    cortex_m_semihosting::hprintln!("{}", info);
    loop {
        debug::exit(EXIT_FAILURE);
    }
}
