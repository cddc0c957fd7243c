//! What does it cost to read a token? Processor time for one request, beside nginx that returns a fixed text of the same
//! length and Redis that returns the same 512 bytes, under the same load in turns.
//!
//! 64 connections that are kept, one request under way on each. Every server has the first processor for itself, the load
//! has the second. `WXTOKEN_ROUNDS` and `WXTOKEN_REQUESTS` make it longer or shorter. Fails when a target is missed.

#[path = "../common/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod measure;
#[path = "../common/process.rs"]
mod process;
#[cfg(target_os = "linux")]
mod rivals;
#[path = "../common/server.rs"]
mod server;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    measure::run()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("processor time is read from /proc, which is Linux's");
}
