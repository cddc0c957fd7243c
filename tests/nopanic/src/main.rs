//! Does it link? Then no panic can be reached in the core's keeper, endpoint, account, request, call, token, refusal and page
//! signature.
//!
//! The panic handler calls a function that exists nowhere. The whole program is optimised at once; if the compiler can
//! show that no call to the handler is reachable, handler and call vanish and the program links. If one remains, the
//! linker misses `wxtoken_panic_is_reachable`. Every input passes through `black_box`, so that nothing is proven only
//! for the values written here: lengths, numbers, times, even the inside of a keeper are unknown to the compiler.
//!
//! The program is built, not run: it has no entry that does anything useful.

#![no_std]
#![no_main]

use core::hint::black_box;

mod call;
mod js_sdk;
mod keeper;
mod refusal;
#[cfg(feature = "with-reply")]
mod reply;
mod request;
mod sink;
mod token;

/// The entry by its bare-metal name; nothing is set up before it, because nothing is ever run.
// SAFETY: the linker looks for `_start`; no other symbol of this program has the name.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    request::drive();
    keeper::drive();
    call::drive();
    js_sdk::drive();
    token::drive();
    refusal::drive();
    #[cfg(feature = "with-reply")]
    reply::drive();
    #[cfg(feature = "seeded-panic")]
    black_box([1_u8, 2, 3][black_box(0_usize)]);
    black_box(&SIZE_OF_KEEPER);
    loop {
        // The loop must not be optimised into "never arrives here", which would make all of the above unneeded.
        black_box(());
    }
}

#[cfg(not(feature = "list-remaining"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn wxtoken_panic_is_reachable() -> !;
    }
    // SAFETY: never called; the symbol is defined nowhere, so a program in which this line survives does not link.
    unsafe { wxtoken_panic_is_reachable() }
}

#[cfg(feature = "list-remaining")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    black_box(info);
    loop {}
}

/// As long as a keeper is large on this target: `readelf -s` then tells the number without running anything.
static SIZE_OF_KEEPER: [u8; size_of::<wxtoken_core::Keeper>()] = [0; size_of::<wxtoken_core::Keeper>()];

/// A text of which the compiler knows neither content nor length.
fn text() -> &'static str {
    black_box("text")
}

// memcpy and its like come from the C library on a hosted target, and from compiler_builtins elsewhere.
#[cfg(target_os = "linux")]
#[link(name = "c")]
unsafe extern "C" {}
