//! How do many threads share one credential? By cloning the client: `cargo run -p wxtoken-examples --bin threads`.
//!
//! It asks the stand-in platform, so it needs no account. For the real one leave out `base`.

use std::{error::Error, thread};

use wxtoken::{Client, Endpoint};
use wxtoken_platform::{Account, Platform};

fn main() -> Result<(), Box<dyn Error>> {
    let platform = Platform::builder().account(Account::official("wx0123456789abcdef", "a secret")).start()?;

    let client = Client::builder(&Endpoint::STABLE_TOKEN, "wx0123456789abcdef", "a secret")
        .base(platform.http_url().to_string()) // leave this line out to ask WeChat
        .build()?;

    thread::scope(|scope| {
        for n in 0..8 {
            let client = client.clone();
            scope.spawn(move || match client.token() {
                Ok(token) => println!("thread {n}: a token of {} bytes", token.len()),
                Err(error) => println!("thread {n}: {error}"),
            });
        }
    });

    println!("{}", client.status());
    let fetches = platform.counters().account("wx0123456789abcdef").fetched_in_all();
    println!("fetches the platform saw: {fetches}");
    if fetches == 1 { Ok(()) } else { Err("eight threads should cost one fetch".into()) }
}

#[test]
fn it_runs() {
    main().expect("it runs");
}
