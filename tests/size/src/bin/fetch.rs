//! What does one fetch cost without the keeper, which is all the rivals do? Request, exchange, reply.
#![no_std]
#![no_main]

use core::hint::black_box;

use wxtoken_embedded::{
    Exchange,
    blocking::run,
    core::{Fetch, Reply, Token},
};
use wxtoken_size::{BUFFER_LEN, account, socket::Socket};

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut buffer = [0; BUFFER_LEN];
    loop {
        let _ = black_box(fetch_once(&mut buffer));
    }
}

fn fetch_once(buffer: &mut [u8]) -> Result<(Token, u32), i32> {
    let account = account();
    let mut exchange = Exchange::new(&account.request(some_fetch()), buffer, false).map_err(|_| 0)?;
    run(&mut Socket, &mut exchange, || black_box(true));
    let response = exchange.outcome().map_err(|_| 0)?;
    match Reply::read(response.body(), account.endpoint().token_field()).map_err(|_| 0)? {
        Reply::Grant(grant) => Ok((grant.token(), grant.expires_in())),
        Reply::Refused(refused) => Err(refused.errcode()),
        _ => Err(0),
    }
}

/// A leave that no keeper gave, since a keeper would be measured too.
fn some_fetch() -> Fetch {
    // SAFETY: a fetch is a number and a bool, for which all zeros are a value. Nothing here is ever run.
    black_box(unsafe { core::mem::zeroed() })
}
