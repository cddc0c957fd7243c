//! How long does the flash last?

use std::cell::Cell;

use wxtoken_embedded::core::Endpoint;

use crate::{
    nor::Nor,
    world::{Device, NOON, ROTATING, account},
};

static STABLE: Endpoint = Endpoint::STABLE_TOKEN;

/// Erases a day of the sector that wears most, and bytes written a day.
fn a_month(endpoint: &'static Endpoint, mut grant: impl FnMut(u64) -> bool) -> (f64, u64) {
    let mut flash = Nor::<4096>::new(2, 1);
    let start = Cell::new(NOON);
    let now = Cell::new(0_u64);
    let mut device = Device::boot(&mut flash, &account(endpoint), || Some(start.get() + now.get() / 1000));
    let mut serial = 0_u64;
    while device.now < 30 * 86_400_000 {
        if device.send() {
            serial += 1;
            if grant(serial) {
                device.receive(&format!("{serial:0512}"));
            } else {
                let ticket = device.keeper.in_flight().expect("sent");
                let at = device.instant();
                device.keeper.handle_failure(ticket, at, wxtoken_embedded::core::Failure::MaybeSent);
                device.settle();
            }
        }
        device.now = device.keeper.poll_at().as_millis().max(device.now);
        now.set(device.now);
    }
    assert_eq!(device.memory.failures(), 0);
    drop(device);
    (f64::from(*flash.erases.iter().max().expect("two")) / 30.0, flash.bytes_written / 30)
}

#[test]
fn a_sector_of_ten_thousand_cycles_lasts_as_long_as_is_promised() {
    let (erases, bytes) = a_month(&STABLE, |_| true);
    println!(
        "stable_token: {erases:.2} erases a day and sector, {bytes} bytes a day, {:.0} years",
        10_000.0 / erases / 365.0
    );
    assert!(erases < 1.3, "{erases}");
    let (erases, bytes) = a_month(&ROTATING, |n| n % 40 == 0);
    println!("every day's cap used up: {erases:.2}, {bytes} bytes, {:.0} years", 10_000.0 / erases / 365.0);
    assert!(erases < 4.0, "{erases}");
}
