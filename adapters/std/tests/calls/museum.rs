//! Bugs that others shipped with their API calls, at the level of this crate.

use wxtoken::Call;

use crate::{
    script::{Script, errcode, ok, tokens},
    world::{World, token},
};

/// wechatpy called itself again on 40001, without a bound: 64 threads made 2635 fetches. co-wechat-api looped for ever on a
/// wrong secret.
#[test]
fn no_22_unbounded_recursion_on_a_refused_token() {
    let world = World::sleeping();
    let script = Script::new(|_, _| errcode(40_001));
    let client = script.primed(&world);
    let call = Call::get("/cgi-bin/getcallbackip").expect("fine");
    client.call(&call).expect_err("every token is refused");
    assert_eq!(script.sent(), tokens(&[1, 2]), "once more, and no more");
    // An hour of a program that calls every second.
    for _ in 0..3_600 {
        client.call_within(&call, std::time::Duration::ZERO).expect_err("every token is refused");
        world.advance_s(1);
    }
    assert!(script.fetches() < 20, "{} fetches in an hour", script.fetches());
}

/// wecom-agent and easywechat built the URL once: the retry sent the token that had just been refused.
#[test]
fn no_24_a_retry_sends_the_old_token() {
    for body in [None, Some(&b"{}"[..])] {
        let world = World::sleeping();
        let script = Script::new(|_, with| if with == token(1) { errcode(40_001) } else { ok() });
        let client = script.primed(&world);
        let call = body.map_or_else(|| Call::get("/x"), |body| Call::post("/x", body)).expect("fine");
        client.call(&call).expect("healed");
        assert_eq!(script.sent(), tokens(&[1, 2]));
        client.call(&call).expect("with the token that works");
        assert_eq!(script.sent(), tokens(&[1, 2, 2]));
    }
}
