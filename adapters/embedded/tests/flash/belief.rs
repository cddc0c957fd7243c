//! What is taken up after a reboot, and what is not.

use std::cell::Cell;

use wxtoken_embedded::{
    blocking::Remember,
    core::{Account, Endpoint, Failure, Outcome},
    flash::{Blocking, Memory},
};

use crate::{
    nor::Nor,
    world::{Device, NOON, ROTATING, account},
};

/// A flash on which a device with this wall clock has fetched the token "a" at noon.
fn fetched(wall: Option<u64>) -> Nor<4096> {
    let mut flash = Nor::new(2, 1);
    let mut device = Device::boot(&mut flash, &account(&ROTATING), || wall);
    assert!(device.send());
    assert_eq!(device.receive("a"), Outcome::Granted { generation: 1 });
    assert_eq!(device.memory.failures(), 0);
    flash
}

fn recalled(flash: &mut Nor<4096>, account: &Account<'_>, wall: Option<u64>) -> (Option<String>, u64, u16) {
    let device = Device::boot(flash, account, || wall);
    let remaining = device.keeper.remaining(device.instant()).as_secs();
    (device.token().map(str::to_owned), remaining, device.ledger().fetches)
}

#[test]
fn a_reboot_costs_no_fetch() {
    let mut flash = fetched(Some(NOON));
    // 7198 s of life at noon, less the second that has begun.
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(NOON)), (Some("a".into()), 7197, 1));
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(NOON + 1000)), (Some("a".into()), 6197, 1));
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(NOON + 7196)), (Some("a".into()), 1, 1));
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(NOON + 7197)), (None, 0, 1));
}

#[test]
fn what_cannot_be_dated_is_not_taken_up() {
    let mut flash = fetched(Some(NOON));
    assert_eq!(recalled(&mut flash, &account(&ROTATING), None), (None, 0, 1), "no time of day now");
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(NOON - 6)).0, None, "from the future");
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(NOON - 5)).0, Some("a".into()), "a step of the clock");
    let mut flash = fetched(None);
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(NOON)), (None, 0, 1), "no time of day then");
    assert!(!flash.bytes.windows(10).any(|w| w == b"the secret"), "nor is the secret ever written");
}

#[test]
fn another_account_or_another_secret_does_not_get_the_token() {
    let mut flash = fetched(Some(NOON));
    let other = Account::new(&ROTATING, "wx0123456789abcdef", "another secret").expect("fine");
    assert_eq!(recalled(&mut flash, &other, Some(NOON)), (None, 0, 1), "but the ledger: the platform counts by id");
    let other = Account::new(&ROTATING, "wxfedcba9876543210", "the secret").expect("fine");
    assert_eq!(recalled(&mut flash, &other, Some(NOON)), (None, 0, 0));
    let other = Account::new(&Endpoint::STABLE_TOKEN, "wx0123456789abcdef", "the secret").expect("fine");
    assert_eq!(recalled(&mut flash, &other, Some(NOON)), (None, 0, 0));
}

/// Where the secret travels in the body it counts as well.
#[test]
fn another_secret_in_a_body_does_not_get_the_token_either() {
    let mut flash = Nor::new(2, 1);
    let mut device = Device::boot(&mut flash, &account(&Endpoint::STABLE_TOKEN), || Some(NOON));
    assert!(device.send());
    device.receive("a");
    assert_eq!(recalled(&mut flash, &account(&Endpoint::STABLE_TOKEN), Some(NOON)).0, Some("a".into()));
    let other = Account::new(&Endpoint::STABLE_TOKEN, "wx0123456789abcdef", "another secret").expect("fine");
    assert_eq!(recalled(&mut flash, &other, Some(NOON)), (None, 0, 1));
}

#[test]
fn a_day_without_network_wears_nothing() {
    let mut flash = Nor::<4096>::new(2, 1);
    let written = |flash: &Nor<4096>| flash.bytes_written;
    let mut attempts = 0;
    let mut device = Device::boot(&mut flash, &account(&ROTATING), || Some(NOON));
    while device.now < 10 * 3_600_000 {
        if device.send() {
            attempts += 1;
            let (now, ticket) = (device.instant(), device.keeper.in_flight().expect("sent"));
            device.keeper.handle_failure(ticket, now, Failure::NotSent);
            device.settle();
        }
        device.now = device.keeper.poll_at().as_millis();
    }
    drop(device);
    assert!(attempts > 500, "{attempts}");
    // The first attempt was written down, and covers all that follow.
    assert!(written(&flash) < 50, "{}", written(&flash));
}

#[test]
fn a_refused_token_is_forgotten() {
    let mut flash = fetched(Some(NOON));
    let mut device = Device::boot(&mut flash, &account(&ROTATING), || Some(NOON));
    device.now += 100_000;
    let (now, seen) = (device.instant(), device.keeper.token(device.instant()).expect("held").fingerprint());
    device.keeper.report_refused(now, seen);
    device.settle();
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(NOON)), (None, 0, 1));
}

#[test]
fn a_ledger_ends_with_its_day_and_no_clock_prolongs_it() {
    let mut flash = fetched(Some(NOON));
    let midnight = NOON + 12 * 3600;
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(midnight - 1)).2, 1);
    assert_eq!(recalled(&mut flash, &account(&ROTATING), Some(midnight + 2)).2, 0);
    let mut flash = fetched(None);
    let device = Device::boot(&mut flash, &account(&ROTATING), || None);
    assert_eq!((device.ledger().fetches, device.ledger().resets_in.as_secs()), (1, 86_400));
    let device = Device::boot(&mut flash, &account(&ROTATING), || None);
    assert_eq!(device.ledger().resets_in.as_secs(), 86_400, "time without power is unknown and counts as none");
}

/// The request is sent and the device reboots, for ever.
fn reboot_loop(wall: bool, uptime_ms: u64, hours: u64) -> u32 {
    let mut flash = Nor::<4096>::new(2, 3);
    let unix = Cell::new(NOON + 12 * 3600);
    let end = unix.get() + hours * 3600;
    let mut sent = 0;
    while unix.get() < end {
        let mut device = Device::boot(&mut flash, &account(&ROTATING), || wall.then(|| unix.get()));
        sent += u32::from(device.send());
        unix.set(unix.get() + uptime_ms / 1000);
    }
    sent
}

#[test]
fn a_reboot_loop_cannot_exceed_the_daily_cap() {
    // Without a token the reserve is there to be used; the cap is the cap.
    assert_eq!(reboot_loop(true, 20_000, 24), 500);
    assert_eq!(reboot_loop(false, 20_000, 24), 500);
}

#[test]
fn a_device_without_time_that_reboots_every_other_hour_gets_a_new_budget_all_the_same() {
    let mut flash = Nor::<4096>::new(2, 3);
    for _ in 0..600 {
        let mut device = Device::boot(&mut flash, &account(&ROTATING), || None);
        device.send();
    }
    let used_up = Device::boot(&mut flash, &account(&ROTATING), || None).ledger();
    assert!(used_up.fetches >= 450 && used_up.resets_in.as_secs() > 80_000, "{used_up:?}");
    let mut hours = 0;
    loop {
        let mut device = Device::boot(&mut flash, &account(&ROTATING), || None);
        if device.ledger().fetches == 0 || hours > 100 {
            break;
        }
        for _ in 0..2 {
            device.now += 3_600_000;
            // What a client does hourly.
            let now = device.instant();
            Remember::idle(&mut device.memory, &device.keeper, now, &mut [0; 1024]);
        }
        hours += 2;
    }
    assert!((24..=26).contains(&hours), "{hours}");
}

#[test]
fn a_range_that_cannot_work_is_refused() {
    for (start, end) in [(0, 4096), (1, 8192), (0, 8191), (8192, 0), (0, 0)] {
        let range = start..end;
        let flash = Blocking::new(Nor::<4096>::new(2, 1));
        assert!(Memory::new(flash, range.clone(), &account(&ROTATING), || None).is_err(), "{range:?}");
    }
    let flash = Blocking::new(Nor::<1024>::new(3, 1));
    assert!(Memory::new(flash, 0..3072, &account(&ROTATING), || None).is_err());
    let flash = Blocking::new(Nor::<512>::new(8, 1));
    assert!(Memory::new(flash, 0..4096, &account(&ROTATING), || None).is_err());
}

#[test]
fn a_flash_that_fails_stops_nothing() {
    let mut flash = Nor::<4096>::new(2, 1);
    flash.power.set(Some(0));
    let mut device = Device::boot(&mut flash, &account(&ROTATING), || Some(NOON));
    assert!(device.send());
    assert_eq!(device.receive("a"), Outcome::Granted { generation: 1 });
    assert_eq!(device.memory.failures(), 3, "the check at boot, the ledger, the token");
}
