//! What does the core cost by itself? Keeper, account, request and reply, for somebody else's transport.
#![no_std]
#![no_main]

use core::hint::black_box;

use wxtoken_embedded::core::{Action, Failure, Fingerprint, Keeper, Token};
use wxtoken_size::{BUFFER_LEN, account, now, text};

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut buffer = [0; BUFFER_LEN];
    let account = account();
    let mut keeper = Keeper::new(account.endpoint(), black_box(0));
    loop {
        match keeper.poll(now()) {
            Action::Fetch(fetch) => {
                let mut room = &mut buffer[..];
                let outcome = match account.request(fetch).write_http(&mut room, false) {
                    Err(_) => keeper.handle_failure(fetch.ticket(), now(), black_box(Failure::NotSent)),
                    Ok(()) => {
                        // Sent, and the reply came into the same buffer.
                        let reply = black_box(&mut buffer[..]);
                        keeper.handle_response(fetch.ticket(), now(), black_box(200), reply)
                    }
                };
                black_box(outcome);
            }
            Action::Wait(until) => {
                black_box(until);
            }
        }
        black_box(keeper.token(now()).map(Token::as_str));
        black_box(keeper.report_refused(now(), black_box(Fingerprint::of(text()))));
    }
}
