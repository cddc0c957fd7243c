//! What does a call do when its token is refused? It says which one, and calls once more with a different one:
//! `cargo run -p wxtoken-examples --bin healing-call`.
//!
//! Another program rotates the token behind our back; the call heals itself with one fetch.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use wxtoken::{Call, Client, Clock, Endpoint, Instant};
use wxtoken_platform::{Account, Overlap, Platform};

const APPID: &str = "wx0123456789abcdef";

/// A clock that is stepped by hand, as the platform's is: nobody waits a minute for an example.
#[derive(Clone, Default)]
struct Stepped(Arc<AtomicU64>);

impl Clock for Stepped {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn unix_time(&self) -> Option<Duration> {
        None
    }
}

/// The reply, as this program wants it.
#[derive(serde::Deserialize)]
struct Addresses {
    ip_list: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let account = Account::official(APPID, "a secret").overlap(Overlap::None);
    let platform = Platform::builder().account(account).speed(0.0).start()?;
    let clock = Stepped::default();
    let client =
        Client::builder(&Endpoint::TOKEN, APPID, "a secret").base(platform.http_url()).clock(clock.clone()).build()?;
    let call = Call::get("/cgi-bin/getcallbackip")?;

    let addresses: Addresses = client.call(&call)?.json()?;
    println!("first call: {} addresses", addresses.ip_list.len());
    platform.advance(Duration::from_secs(60));
    // A minute later: a younger token would be tried once more before it is given up.
    clock.0.fetch_add(60_000, Ordering::SeqCst);
    platform.rotate_elsewhere(APPID)?;
    let addresses: Addresses = client.call(&call)?.json()?;
    println!("after another program rotated the token: {} addresses", addresses.ip_list.len());
    println!("{}", client.status());

    // No token and no retry mends this one: the receiver is missing.
    match client.call(&Call::post("/cgi-bin/message/template/send", b"{}")?) {
        Err(error) => println!("a message to nobody: {error}"),
        Ok(_) => return Err("accepted".into()),
    }
    Ok(())
}

#[test]
fn it_runs() {
    main().expect("it runs");
}
