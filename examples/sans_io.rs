//! How is the core driven without any adapter? With a socket and ten lines: `cargo run -p wxtoken-examples --bin sans-io`.
//!
//! This is what a driver on other ground (an executor, a modem, a vendor's HTTP stack) looks like. The HTTP reading here
//! is as simple as the stand-in platform allows; a real driver takes an HTTP library for it.

use std::{
    error::Error,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use embedded_io_adapter::ToSocket;
use wxtoken_core::{Account, Action, Base, Endpoint, Failure, Instant, Keeper, Request};
use wxtoken_platform::{Account as PlatformAccount, Platform};

/// The request writer wants an `embedded_io::Write`; std's sockets are `std::io::Write`.
mod embedded_io_adapter {
    use std::io::Write;

    pub(crate) struct ToSocket<W>(pub(crate) W);

    impl<W> embedded_io::ErrorType for ToSocket<W> {
        type Error = std::io::Error;
    }

    impl<W: Write> embedded_io::Write for ToSocket<W> {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, std::io::Error> {
            self.0.write(bytes)
        }

        fn flush(&mut self) -> Result<(), std::io::Error> {
            self.0.flush()
        }
    }
}

/// One exchange: the status and the body, or how it failed.
fn exchange(request: &Request<'_, '_>) -> Result<(u16, Vec<u8>), Failure> {
    let to = (request.base().host_str(), request.base().port());
    let mut socket = TcpStream::connect(to).map_err(|_| Failure::NotSent)?;
    let limit = Some(Duration::from_millis(u64::from(wxtoken_core::EXCHANGE_LIMIT_MS)));
    socket.set_read_timeout(limit).map_err(|_| Failure::NotSent)?;
    // From the first byte on the platform may have executed it.
    request.write_http(&mut ToSocket(&mut socket), false).map_err(|_| Failure::MaybeSent)?;
    socket.flush().map_err(|_| Failure::MaybeSent)?;
    let mut reply = Vec::new();
    socket.take(16 * 1024).read_to_end(&mut reply).map_err(|_| Failure::MaybeSent)?;
    let text = String::from_utf8_lossy(&reply);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(Failure::MaybeSent)?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or(Failure::MaybeSent)?;
    Ok((status, body.as_bytes().to_vec()))
}

/// The ten lines. Returns when to come again.
fn drive(account: &Account<'_>, keeper: &mut Keeper, now: Instant) -> Instant {
    match keeper.poll(now) {
        Action::Wait(until) => until,
        Action::Fetch(fetch) => {
            match exchange(&account.request(fetch)) {
                Ok((status, body)) => keeper.handle_response(fetch.ticket(), now, status, &body),
                Err(failure) => keeper.handle_failure(fetch.ticket(), now, failure),
            };
            keeper.poll_at()
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let platform =
        Platform::builder().account(PlatformAccount::work("ww0123456789abcdef", "a secret")).speed(0.0).start()?;
    let base = platform.http_url().to_string();
    let account = Account::new(&Endpoint::WORK, "ww0123456789abcdef", "a secret")?.with_base(Base::parse(&base)?);
    let mut keeper = Keeper::new(account.endpoint(), 1);

    // A day of virtual time: the clock is stepped to where the keeper wants to be asked again.
    let mut now = Instant::ZERO;
    while now.as_millis() < 86_400_000 {
        let next = drive(&account, &mut keeper, now);
        platform.advance(next.saturating_since(now));
        now = next;
    }
    let fetches = platform.counters().account("ww0123456789abcdef").fetched_in_all();
    println!("{} tokens in a day, {fetches} fetches, {keeper:?}", keeper.generation());
    if keeper.generation() >= 11 { Ok(()) } else { Err("a day needs twelve tokens".into()) }
}

#[test]
fn it_runs() {
    main().expect("it runs");
}
