//! `wxtoken-embedded` on this machine, with a token server as its source: a device that holds a key and no secret.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use embedded_io::{ErrorKind, ErrorType, Read, Write};
use wxtoken::Clock as _;
use wxtoken_embedded::{
    ConnectError, Fault,
    blocking::{Client, Connect},
    core::{Account, Base, Call, Endpoint, Instant, Outcome, ReportOutcome, Token},
};

use crate::house::{House, ID, KEY, Stepped};

/// A socket as a device has one.
struct Socket(TcpStream);

impl ErrorType for Socket {
    type Error = ErrorKind;
}

fn kind(error: std::io::Error) -> ErrorKind {
    match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => ErrorKind::TimedOut,
        _ => ErrorKind::ConnectionReset,
    }
}

impl Read for Socket {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        self.0.read(room).map_err(kind)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.0.write(bytes).map_err(kind)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        self.0.flush().map_err(kind)
    }
}

/// Counts the connections.
struct Net {
    connections: u32,
}

impl Connect for Net {
    type Connection<'c> = Socket;

    fn connect(&mut self, base: Base<'_>, _: Instant) -> Result<Socket, ConnectError> {
        let address: SocketAddr = format!("{}:{}", base.host_str(), base.port()).parse().expect("an address");
        let stream = TcpStream::connect(address).map_err(|_| ConnectError::Refused)?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        self.connections += 1;
        Ok(Socket(stream))
    }
}

type Device<'a> = Client<'a, Net, Box<dyn FnMut() -> Instant>>;

fn device<'a>(clock: &Stepped, base: &'a str, account: &'a str, key: &'a str, buffer: &'a mut [u8]) -> Device<'a> {
    let base = Base::parse(base).expect("a base");
    let account = Account::new(&Endpoint::TOKEN_SERVER, account, key).expect("sound").with_base(base);
    let clock = clock.clone();
    Client::new(account, 7, Net { connections: 0 }, Box::new(move || clock.now()), buffer)
}

#[test]
fn a_device_reads_and_comes_back_when_it_was_told_to() {
    let house = House::new();
    let (url, mut buffer) = (house.url(), [0; 1024]);
    let mut device = device(&house.clock, &url, "shop", KEY, &mut buffer);
    assert_eq!(device.tick().expect("due").outcome, Outcome::Granted { generation: 1 });
    let first = device.token().expect("one").as_str().to_owned();
    assert!(house.platform.token_is_valid(ID, &first));
    let next_in = device.poll_at().saturating_since(house.clock.now()).as_secs();
    assert!((6_880..=7_040).contains(&next_in), "{next_in}");
    house.advance(next_in - 1);
    assert_eq!(device.tick(), None);
    house.advance(2);
    assert_eq!(device.tick().expect("due").outcome, Outcome::Granted { generation: 2 });
    assert!(device.token().is_some_and(|token| token.as_str() != first));
    assert_eq!((device.connector().connections, house.fetches()), (2, 2));
}

#[test]
fn a_refused_token_is_healed_by_one_exchange_with_the_server() {
    let house = House::new();
    let (url, api, mut buffer) = (house.url(), house.platform.http_url(), [0; 1024]);
    let mut device = device(&house.clock, &url, "shop", KEY, &mut buffer);
    device.tick().expect("due");
    house.advance(60);
    house.platform.revoke_all(ID).expect("known");
    let call = Call::get("/cgi-bin/getcallbackip").expect("sound").with_base(Base::parse(&api).expect("a base"));
    let reply = device.call(&call, Duration::from_secs(30), |_| {}).expect("healed");
    assert_eq!(reply.errcode(), 0);
    drop(reply);
    // A read, a call, a report that reads, and the call again.
    assert_eq!((device.connector().connections, house.fetches()), (4, 2));
}

#[test]
fn a_token_that_was_replaced_meanwhile_costs_the_platform_nothing() {
    let house = House::new();
    let (url, mut one, mut two) = (house.url(), [0; 1024], [0; 1024]);
    let mut mine = device(&house.clock, &url, "shop", KEY, &mut one);
    let mut another = device(&house.clock, &url, "shop", KEY, &mut two);
    mine.tick().expect("due");
    another.tick().expect("due");
    let old = mine.token().map(Token::fingerprint).expect("one");
    house.advance(60);
    house.platform.revoke_all(ID).expect("known");
    for device in [&mut another, &mut mine] {
        assert_eq!(device.report_refused(old), ReportOutcome::Refreshing);
        assert_eq!(device.tick().expect("due").outcome, Outcome::Granted { generation: 2 });
        assert!(device.token().is_some_and(|token| house.platform.token_is_valid(ID, token.as_str())));
    }
    assert_eq!(house.fetches(), 2);
}

#[test]
fn while_the_server_is_away_the_token_is_used_to_its_end() {
    let mut house = House::new();
    let (url, mut buffer) = (house.url(), [0; 1024]);
    let clock = house.clock.clone();
    let mut device = device(&clock, &url, "shop", KEY, &mut buffer);
    device.tick().expect("due");
    house.down();
    house.advance(device.poll_at().saturating_since(clock.now()).as_secs() + 1);
    let attempt = device.tick().expect("due");
    assert_eq!(attempt.fault, Some(Fault::Connect(ConnectError::Refused)));
    assert!(device.token().is_some());
    house.up();
    house.advance(60);
    assert_eq!(device.tick().expect("due").outcome, Outcome::Granted { generation: 2 });
    house.down();
    house.advance(7_300);
    assert!(device.token().is_none());
}

#[test]
fn a_wrong_key_is_told_by_its_status_and_waits() {
    let house = House::new();
    let (url, mut buffer) = (house.url(), [0; 1024]);
    let mut device = device(&house.clock, &url, "shop", "wxtk_wrong", &mut buffer);
    let attempt = device.tick().expect("due");
    assert_eq!(attempt.outcome, Outcome::Status(401));
    assert_eq!(device.poll_at().saturating_since(house.clock.now()).as_secs(), 60);
    assert!(!format!("{device:?} {attempt:?}").contains("wxtk_wrong"));
}
