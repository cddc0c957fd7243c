//! API calls as a program makes them: on a scripted transport and a clock that is moved by hand, and against the stand-in
//! for the platform, whose clock is then the client's, too.
#![cfg(not(shuttle))]

mod crowd;
mod errors;
mod healing;
mod late;
mod media;
mod messages;
mod museum;
mod script;
mod secrecy;
mod streams;
mod time;
#[path = "../client/world.rs"]
#[allow(dead_code, reason = "shared with the tests of the client, which use all of it")]
mod world;
