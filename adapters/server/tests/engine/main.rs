//! The engine over the stand-in platform, on a clock that tests step.

mod life;
mod replicas;
mod reports;
mod restart;
mod tickets;
mod world;
