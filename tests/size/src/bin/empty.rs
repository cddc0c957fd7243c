//! What does every image cost? Vectors, start-up code, a `main` that does nothing. Subtracted from all others.
#![no_std]
#![no_main]

use wxtoken_size as _;

#[cortex_m_rt::entry]
fn main() -> ! {
    loop {
        core::hint::black_box(());
    }
}
