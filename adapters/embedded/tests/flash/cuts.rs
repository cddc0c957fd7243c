//! Power fails ten thousand times, anywhere.

use std::cell::Cell;

use crate::{
    nor::{Dice, Nor},
    world::{Device, NOON, UNLIMITED, account},
};

/// What the flash must hold: what was written last, or what was being written when power failed.
#[derive(Default)]
struct Truth {
    tokens: [Option<String>; 2],
    /// Fetches counted, and the Unix day (in Beijing) they belong to.
    fetches: u16,
    day: u64,
}

fn day(unix_s: u64) -> u64 {
    (unix_s + 8 * 3600) / 86_400
}

/// Lives on one flash until power has failed `cuts` times.
fn life<const SECTOR: usize>(sectors: usize, seed: u64, cuts: u32) {
    let mut flash = Nor::<SECTOR>::new(sectors, seed);
    let power = flash.power.clone();
    let mut dice = Dice(!seed);
    let unix = Cell::new(NOON + dice.below(86_400));
    let mut truth = Truth::default();
    let mut serial = 0_u32;
    for boot in 0..cuts {
        power.set(Some(1 + dice.below(if boot % 5 == 0 { 100 } else { 1_500 })));
        let mut device = Device::boot(&mut flash, &account(&UNLIMITED), || Some(unix.get()));
        // A boot that was cut short in a repair is not asked what it knows.
        if power.get() == Some(0) {
            continue;
        }
        let token = device.token().map(str::to_owned);
        assert!(truth.tokens.contains(&token), "seed {seed}, boot {boot}: {token:?}, not {:?}", truth.tokens);
        truth.tokens = [token.clone(), token];
        let fetches = device.ledger().fetches;
        let forgotten = truth.day == day(unix.get()) && fetches < truth.fetches;
        assert!(!forgotten, "seed {seed}, boot {boot}: {fetches} < {}", truth.fetches);
        loop {
            device.now += 31_000;
            unix.set(unix.get() + 31);
            let now = device.instant();
            device.keeper.rotate(now);
            if !device.send() {
                continue;
            }
            if power.get() == Some(0) {
                break;
            }
            (truth.fetches, truth.day) = (device.ledger().fetches, day(unix.get()));
            serial += 1;
            let token = format!("t{serial}{}", "x".repeat(dice.below(500) as usize));
            truth.tokens[1] = Some(token.clone());
            device.receive(&token);
            if power.get() == Some(0) {
                break;
            }
            truth.tokens = [Some(token.clone()), Some(token)];
        }
    }
}

#[test]
fn nothing_is_lost_torn_or_forgotten_in_ten_thousand_power_cuts() {
    for seed in 0..100 {
        match seed % 10 {
            0 => life::<4096>(2, seed, 100),
            1..=3 => life::<1024>(4, seed, 100),
            _ => life::<2048>(2, seed, 100),
        }
    }
}
