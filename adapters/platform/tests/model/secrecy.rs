//! Nothing that can be printed shows a secret or a token.

use wxtoken_platform::model::Request;

use crate::bench::{ID, SECRET, T, fetch, model, official, stable_request, token, token_request, using};

#[test]
fn debug_and_counters_show_neither_secret_nor_token() {
    let mut model = model(official());
    let reply = fetch(&mut model, T);
    let a = token(&reply);
    using(&mut model, T, &a);
    model.handle(T, &Request::get(&format!("/cgi-bin/getcallbackip/{a}?access_token={a}")));
    let counters = model.counters(T);
    let printed = format!(
        "{model:#?} {reply:?} {:?} {:?} {:?} {counters:?} {}",
        official(),
        token_request(),
        stable_request(true),
        serde_json::to_string(&counters).unwrap(),
    );
    assert!(!printed.contains(SECRET));
    assert!(!printed.contains(&a));
    // Not vacuous: what may be shown is there.
    assert!(printed.contains(ID) && printed.contains("body_bytes"));
}
