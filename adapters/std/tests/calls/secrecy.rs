//! Whatever comes of a call, nothing that is printed of it holds a token, nor what the peer wrote.

use std::io::Cursor;

use wxtoken::{Call, CallResponse};

use crate::{script::Script, world::World};

#[test]
fn nothing_that_is_printed_of_a_call_holds_a_token() {
    let world = World::sleeping();
    // A peer that sends everything back that it was told.
    let script = Script::new(|n, with| {
        let echo = |code: i32| format!("{{\"errcode\":{code},\"errmsg\":\"{with} rid: {with}\"}}");
        Ok(CallResponse::new(
            if n % 7 == 0 { 502 } else { 200 },
            Cursor::new(match n % 7 {
                1 => echo(40_001),
                2 => echo(48_001),
                3 => echo(-1),
                4 => format!("<html>{with}"),
                5 => format!("{{\"token\":\"{with}"),
                6 => format!("{{\"token\":\"{with}\"}}"),
                _ => with.to_owned(),
            }),
        )
        .with_header("content-type", with))
    });
    let client = script.primed(&world);
    let mut printed = String::new();
    for n in 0..40 {
        let call = Call::post("/x", b"{}").expect("fine");
        match client.call(&call) {
            Ok(reply) => printed += &format!("{reply:?} {:?}", reply.json::<u8>().map_err(|e| format!("{e} {e:?}"))),
            Err(error) => {
                if let Some(refused) = error.refused() {
                    printed += &String::from_utf8_lossy(refused.body());
                }
                printed += &format!("{error} {error:?} {:?}\n", error.reason());
            }
        }
        world.advance_s(if n % 3 == 0 { 60 } else { 0 });
    }
    printed += &format!("{:?} {client:?}", CallResponse::new(200, &b"accesstoken"[..]));
    assert!(printed.contains("48001") && printed.contains("502"), "{printed}");
    assert!(!printed.contains("accesstoken"), "{printed}");
}
