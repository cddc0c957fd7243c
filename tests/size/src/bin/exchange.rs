//! What does a blocking fetch cost with the keeper around it? Core, exchange and the pump over `embedded-io`.
#![no_std]
#![no_main]

use core::hint::black_box;

use wxtoken_embedded::{
    Exchange,
    blocking::run,
    core::{Account, Action, Failure, Fetch, Fingerprint, Keeper, Outcome, Token},
};
use wxtoken_size::{BUFFER_LEN, account, now, socket::Socket, text};

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut buffer = [0; BUFFER_LEN];
    let account = account();
    let mut keeper = Keeper::new(account.endpoint(), black_box(0));
    loop {
        match keeper.poll(now()) {
            Action::Fetch(fetch) => {
                black_box(fetch_once(&account, &mut keeper, fetch, &mut buffer));
            }
            Action::Wait(until) => {
                black_box(until);
            }
        }
        black_box(keeper.token(now()).map(Token::as_str));
        black_box(keeper.report_refused(now(), black_box(Fingerprint::of(text()))));
    }
}

fn fetch_once(account: &Account<'_>, keeper: &mut Keeper, fetch: Fetch, buffer: &mut [u8]) -> Outcome {
    let Ok(mut exchange) = Exchange::new(&account.request(fetch), buffer, false) else {
        return keeper.handle_failure(fetch.ticket(), now(), Failure::NotSent);
    };
    run(&mut Socket, &mut exchange, || black_box(true));
    match exchange.outcome() {
        Ok(reply) => keeper.handle_response(fetch.ticket(), now(), reply.status(), reply.body()),
        Err(_) => keeper.handle_failure(fetch.ticket(), now(), exchange.failure()),
    }
}
