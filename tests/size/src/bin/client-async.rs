//! What does the asynchronous client cost, with an executor of ten lines?
#![no_std]
#![no_main]

use core::hint::black_box;

use wxtoken_embedded::{
    asynch::Client,
    core::{Fingerprint, Token},
};
use wxtoken_size::{
    BUFFER_LEN, account,
    executor::{Time, block_on},
    socket::Network,
    text,
};

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut buffer = [0; BUFFER_LEN];
    let account = account();
    let mut client = Client::new(account, black_box(0), Network, Time, &mut buffer);
    block_on(async {
        loop {
            black_box(client.next().await);
            black_box(client.poll_at());
            black_box(client.token().map(Token::as_str));
            black_box(client.report_refused(black_box(Fingerprint::of(text()))).await);
        }
    })
}
