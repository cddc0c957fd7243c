//! Devices that boot together, reports, the central server, and the clock that wraps.

use core::time::Duration;

use wxtoken_embedded::{
    Clock, TickClock, blocking, boot_delay,
    core::{Account, Base, Endpoint, Outcome, ReportOutcome},
};

use crate::world::{Act, Dialer, SECRET, Watch, account, world};

const GRANT: &str =
    "HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n{\"access_token\":\"accesstoken000001\",\"expires_in\":7200}";
const OTHER: &str =
    "HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n{\"access_token\":\"accesstoken000002\",\"expires_in\":7200}";

#[test]
fn the_first_attempt_is_put_off_by_the_devices_own_delay() {
    let within = Duration::from_secs(60);
    for id in [1, 2, 3] {
        let world = world(&[Act::Reply(5, GRANT)]);
        let start = world.now.get();
        let mut buffer = [0; 1024];
        let mut client = blocking::Client::new(
            account(&Endpoint::STABLE_TOKEN),
            id,
            Dialer(world.clone()),
            Watch(world.clone()),
            &mut buffer,
        );
        client.put_off(id, within);
        let due = start + u64::try_from(boot_delay(id, within).as_millis()).expect("a minute");
        assert_eq!(client.poll_at().as_millis(), due);
        world.now.set(due - 1);
        assert!(client.tick().is_none());
        world.now.set(due);
        assert!(client.tick().is_some());
    }
}

#[test]
fn a_refused_token_is_replaced_by_one_fetch() {
    let world = world(&[Act::Reply(5, GRANT), Act::Reply(5, OTHER)]);
    let mut buffer = [0; 1024];
    let mut client =
        blocking::Client::new(account(&Endpoint::TOKEN), 7, Dialer(world.clone()), Watch(world.clone()), &mut buffer);
    assert!(client.tick().is_some());
    let seen = client.token().expect("held").fingerprint();
    world.now.set(world.now.get() + 60_000);
    assert_eq!(client.report_refused(seen), ReportOutcome::Refreshing);
    assert_eq!(client.token(), None);
    assert!(client.tick().is_some_and(|a| a.outcome == Outcome::Granted { generation: 2 }));
    assert_eq!(client.report_refused(seen), ReportOutcome::Replaced, "a late report of the old one");
    assert_eq!(client.token().map(|t| t.as_str()), Some("accesstoken000002"));
}

/// The same code without the secret: a device key at a central server on the LAN.
#[test]
fn a_device_without_the_secret_asks_the_central_server() {
    let world = world(&[Act::Reply(5, GRANT)]);
    let mut buffer = [0; 1024];
    let base = Base::parse("http://192.168.1.2:8080/wechat").expect("fine");
    let account = Account::new(&Endpoint::STABLE_TOKEN, "wx0123456789abcdef", "key-of-device-17").expect("fine");
    let mut client =
        blocking::Client::new(account.with_base(base), 17, Dialer(world.clone()), Watch(world.clone()), &mut buffer);
    assert!(client.tick().is_some_and(|a| a.outcome == Outcome::Granted { generation: 1 }));
    let sent = String::from_utf8(world.requests.borrow().clone()).expect("ASCII");
    assert!(sent.starts_with("POST /wechat/cgi-bin/stable_token HTTP/1.1\r\nHost: 192.168.1.2:8080\r\n"), "{sent}");
    assert!(sent.contains("key-of-device-17") && !sent.contains(SECRET));
}

#[test]
fn a_token_outlives_the_wrap_of_a_32_bit_tick() {
    let world = world(&[Act::Reply(0, GRANT), Act::Reply(0, OTHER)]);
    // An hour before the wrap, the clock having been asked in time.
    world.now.set((1 << 32) - 3_600_000);
    let ticks = world.clone();
    let mut buffer = [0; 1024];
    let clock = TickClock::new(move || ticks.now.get() as u32);
    let mut client =
        blocking::Client::new(account(&Endpoint::STABLE_TOKEN), 7, Dialer(world.clone()), clock, &mut buffer);
    assert!(client.tick().is_some());
    for _ in 0..6_880 {
        world.now.set(world.now.get() + 1_000);
        assert!(client.token().is_some() && client.tick().is_none(), "{}", world.now.get());
    }
    world.now.set(world.now.get() + 40_000);
    assert!(client.tick().is_some_and(|a| a.outcome == Outcome::Granted { generation: 2 }));
}

#[test]
fn embassy_time_tells_and_waits() {
    use wxtoken_embedded::{EmbassyClock, Timer};
    let driver = embassy_time::MockDriver::get();
    let mut clock = EmbassyClock::new();
    let start = clock.now();
    driver.advance(embassy_time::Duration::from_millis(1_500));
    let now = clock.now();
    assert_eq!(now.saturating_since(start), Duration::from_millis(1_500));
    let mut wait = std::pin::pin!(clock.wait_until(now.saturating_add(Duration::from_secs(2))));
    let mut poll = || {
        use std::{
            future::Future,
            task::{Context, Waker},
        };
        wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    };
    assert!(!poll());
    driver.advance(embassy_time::Duration::from_millis(1_999));
    assert!(!poll());
    driver.advance(embassy_time::Duration::from_millis(2));
    assert!(poll());
}
