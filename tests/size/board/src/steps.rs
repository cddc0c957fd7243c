//! Which steps are measured? The same for stack and instructions, each behind a call that is not inlined.

use core::hint::black_box;

use wxtoken_embedded::{
    DEFAULT_BUFFER_LEN, Exchange, asynch, blocking,
    core::{Account, Action, Fetch, Instant, Keeper, Outcome},
};

use crate::world::{Network, Socket, Time, now, poll_once};

pub(crate) type Buffer = [u8; DEFAULT_BUFFER_LEN];
pub(crate) type Blocking<'a> = blocking::Client<'a, Network, fn() -> Instant>;
pub(crate) type Asynchronous<'a> = asynch::Client<'a, Network, Time>;

#[inline(never)]
pub(crate) fn poll(keeper: &mut Keeper) -> Action {
    keeper.poll(now())
}

#[inline(never)]
pub(crate) fn request(account: &Account<'_>, fetch: Fetch, buffer: &mut Buffer) {
    let mut room = &mut buffer[..];
    let _ = black_box(account.request(fetch).write_http(&mut room, false));
}

/// Renders the request, sends it, reads head and body.
#[inline(never)]
pub(crate) fn exchange(account: &Account<'_>, fetch: Fetch, buffer: &mut Buffer, reply: &'static [u8]) {
    if let Ok(mut exchange) = Exchange::new(&account.request(fetch), buffer, false) {
        blocking::run(&mut Socket(reply), &mut exchange, || black_box(true));
        let _ = black_box(exchange.outcome());
    }
}

#[inline(never)]
pub(crate) fn response(keeper: &mut Keeper, fetch: Fetch, body: &[u8]) -> Outcome {
    keeper.handle_response(fetch.ticket(), now(), 200, body)
}

/// Whether it brought a token.
#[inline(never)]
pub(crate) fn tick(client: &mut Blocking<'_>) -> bool {
    black_box(client.tick().is_some_and(|attempt| matches!(attempt.outcome, Outcome::Granted { .. })))
}

/// Whether it brought a token.
#[inline(never)]
pub(crate) fn tick_async(client: &mut Asynchronous<'_>) -> bool {
    black_box(poll_once(client.tick()).is_some_and(|attempt| matches!(attempt.outcome, Outcome::Granted { .. })))
}

/// A keeper that holds nothing and has just been told to fetch.
pub(crate) fn fetching(keeper: &mut Keeper) -> Fetch {
    match poll(keeper) {
        Action::Fetch(fetch) => fetch,
        Action::Wait(_) => panic!("a new keeper fetches"),
    }
}
