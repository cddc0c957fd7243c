//! The JSON reader, serde-json-core: the part that is tested and not proven.

use core::hint::black_box;

use wxtoken_core::{Endpoint, Keeper, Reply};

use crate::{keeper::now, request::some_fetch, text};

static ENDPOINT: Endpoint = Endpoint::WORK;

pub(crate) fn drive() {
    let _ = black_box(Reply::read(text().as_bytes(), text()));
    let _ = black_box(black_box(&Endpoint::JSAPI_TICKET).refuses_token(text().as_bytes()));
    let mut keeper = Keeper::new(black_box(&ENDPOINT), black_box(0));
    black_box(&mut keeper);
    if let Some(fetch) = some_fetch(&ENDPOINT) {
        black_box(keeper.handle_response(fetch.ticket(), now(), black_box(200), text().as_bytes()));
    }
}
