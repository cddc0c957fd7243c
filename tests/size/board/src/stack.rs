//! How deep does the stack get? It is painted below the caller, the step runs, and what is still painted was not reached.
//!
//! What is passed to a step (keeper, client, buffer) is not on the painted part. A step's connection is, with the frames of
//! whoever implements it: here next to nothing, on a device as much as its network stack wants.

use cortex_m_semihosting::hprintln;
use wxtoken_embedded::{
    DEFAULT_BUFFER_LEN,
    core::{Instant, Keeper},
};

use crate::{
    replies::{self, Canned},
    steps::{self, Asynchronous, Blocking},
    world::{Network, Time, account, now},
};

const PAINT: u32 = 0xc5c5_5c5c;

unsafe extern "C" {
    /// The end of everything else in RAM, to which the stack grows down.
    static _stack_end: u32;
}

/// Bytes of stack that `step` needs.
#[inline(never)]
fn depth_of(step: &mut dyn FnMut()) -> usize {
    let top = cortex_m::register::msp::read();
    let bottom = (&raw const _stack_end) as u32;
    for place in (bottom..top).step_by(4) {
        // SAFETY: these words lie between all static data and this function's own frame, so nobody's data is in them; no
        // interrupt is enabled that could push a frame meanwhile.
        unsafe { (place as *mut u32).write_volatile(PAINT) };
    }
    step();
    // SAFETY: as above; what the step left there is only compared.
    let untouched =
        (bottom..top).step_by(4).take_while(|&place| unsafe { (place as *const u32).read_volatile() } == PAINT);
    (top - bottom) as usize - 4 * untouched.count()
}

pub(crate) fn print() {
    let mut buffer = [0; DEFAULT_BUFFER_LEN];
    let account = account();
    let mut keeper = Keeper::new(account.endpoint(), 1);
    let mut fetch = None;
    hprintln!("stack poll {}", depth_of(&mut || fetch = Some(steps::fetching(&mut keeper))));
    let fetch = fetch.expect("just set");
    hprintln!("stack request {}", depth_of(&mut || steps::request(&account, fetch, &mut buffer)));
    worst("exchange", |reply| depth_of(&mut || steps::exchange(&account, fetch, &mut buffer, reply)));
    worst("response", |reply| {
        let body = reply.windows(4).position(|end| end == b"\r\n\r\n").map_or(reply, |head| &reply[head + 4..]);
        let mut keeper = keeper.clone();
        depth_of(&mut || _ = steps::response(&mut keeper, fetch, body))
    });
    worst("tick", |reply| {
        let mut client = Blocking::new(account, 1, Network(reply), now as fn() -> Instant, &mut buffer);
        depth_of(&mut || _ = steps::tick(&mut client))
    });
    worst("tick-async", |reply| {
        let mut client = Asynchronous::new(account, 1, Network(reply), Time, &mut buffer);
        depth_of(&mut || _ = steps::tick_async(&mut client))
    });
}

/// Prints the greatest depth over all replies, and the reply that needs it.
fn worst(name: &str, mut depth: impl FnMut(&'static [u8]) -> usize) {
    let mut worst: (usize, &str) = (0, "");
    for &(reply, bytes) in replies::ALL as &[Canned] {
        let depth = depth(bytes);
        if depth > worst.0 {
            worst = (depth, reply);
        }
    }
    hprintln!("stack {} {} {}", name, worst.0, worst.1);
}
