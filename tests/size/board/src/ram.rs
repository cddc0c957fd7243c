//! How many bytes does a program keep for as long as it runs?

use cortex_m_semihosting::hprintln;
use wxtoken_embedded::{
    DEFAULT_BUFFER_LEN, Exchange, asynch, blocking,
    core::{Account, Instant, Keeper, Token},
};

use crate::world::{Network, Time, account};

pub(crate) fn print() {
    hprintln!("ram keeper {}", size_of::<Keeper>());
    hprintln!("ram token {}", size_of::<Token>());
    hprintln!("ram account {}", size_of::<Account<'_>>());
    hprintln!("ram exchange {}", size_of::<Exchange<'_>>());
    hprintln!("ram buffer {}", DEFAULT_BUFFER_LEN);
    // Its connector and its clock are somebody else's: here they are of no size, or a function's address.
    hprintln!("ram client {}", size_of::<blocking::Client<'_, Network, fn() -> Instant>>());
    hprintln!("ram client-async {}", size_of::<asynch::Client<'_, Network, Time>>());
    let mut buffer = [0; DEFAULT_BUFFER_LEN];
    let mut client = asynch::Client::new(account(), 0, Network(b""), Time, &mut buffer);
    hprintln!("ram future {}", size_of_val(&client.next()));
}
