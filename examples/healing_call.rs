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

use wxtoken::{Client, Clock, Endpoint, Instant};
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

/// One API call. The URL holds the token: it is built anew for each attempt and goes into no log.
fn api_call(base: &str, token: &str) -> Result<i64, Box<dyn Error>> {
    let url = format!("{base}/cgi-bin/getcallbackip?access_token={token}");
    // The error of the HTTP library may hold the URL: keep its kind, not its text.
    let mut reply = ureq::get(&url).call().map_err(|_| "the call did not get through")?;
    let text = reply.body_mut().read_to_string()?;
    let errcode = text.split("\"errcode\":").nth(1).and_then(|rest| rest.split([',', '}']).next());
    Ok(errcode.and_then(|code| code.parse().ok()).unwrap_or(0))
}

fn call_with_one_retry(client: &Client, base: &str) -> Result<i64, Box<dyn Error>> {
    let token = client.token()?;
    let errcode = api_call(base, token.as_str())?;
    // These three mean "this token was refused"; no other code is a reason to fetch.
    if !matches!(errcode, 40001 | 40014 | 42001) {
        return Ok(errcode);
    }
    client.report_refused(&token);
    api_call(base, client.token()?.as_str())
}

fn main() -> Result<(), Box<dyn Error>> {
    let account = Account::official(APPID, "a secret").overlap(Overlap::None);
    let platform = Platform::builder().account(account).speed(0.0).start()?;
    let base = platform.http_url().to_string();
    let clock = Stepped::default();
    let client =
        Client::builder(&Endpoint::TOKEN, APPID, "a secret").base(base.clone()).clock(clock.clone()).build()?;

    println!("first call: errcode {}", call_with_one_retry(&client, &base)?);
    platform.advance(Duration::from_secs(60));
    // A minute later: a younger token would be tried once more before it is given up.
    clock.0.fetch_add(60_000, Ordering::SeqCst);
    platform.rotate_elsewhere(APPID)?;
    let errcode = call_with_one_retry(&client, &base)?;
    println!("after another program rotated the token: errcode {errcode}");
    println!("{}", client.status());
    if errcode == 0 { Ok(()) } else { Err("the call did not heal".into()) }
}

#[test]
fn it_runs() {
    main().expect("it runs");
}
