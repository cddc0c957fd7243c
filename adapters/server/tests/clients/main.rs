//! The clients of a token server, on a real one: its doors over loopback, before the stand-in platform, on a clock that is
//! stepped for all of them.

mod embedded_client;
mod house;
mod std_client;
