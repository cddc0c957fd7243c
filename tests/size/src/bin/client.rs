//! What does the blocking client cost: account, keeper, exchange, connector, clock?
#![no_std]
#![no_main]

use core::hint::black_box;

use wxtoken_embedded::{
    blocking::Client,
    core::{Fingerprint, Token},
};
use wxtoken_size::{BUFFER_LEN, account, now, socket::Network, text};

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut buffer = [0; BUFFER_LEN];
    let account = account();
    let mut client = Client::new(account, black_box(0), Network, now, &mut buffer);
    loop {
        black_box(client.tick());
        black_box(client.poll_at());
        black_box(client.token().map(Token::as_str));
        black_box(client.report_refused(black_box(Fingerprint::of(text()))));
    }
}
