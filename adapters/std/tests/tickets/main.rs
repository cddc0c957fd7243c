//! Tickets as a program gets them: on a scripted transport and a clock that is moved by hand, and against the stand-in for
//! the platform.
#![cfg(not(shuttle))]

mod chain;
mod desk;
mod life;
mod platform;
mod refusals;
mod sign;
#[path = "../client/world.rs"]
#[allow(dead_code, reason = "shared with the tests of the client, which use all of it")]
mod world;
