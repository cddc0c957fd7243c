//! Does the server do on real sockets what it says?

mod client;
mod clock;
mod control;
mod faults;
mod framing;
mod happy;
mod lifecycle;
mod media;
mod tls;
