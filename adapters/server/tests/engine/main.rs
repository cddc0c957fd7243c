//! The engine over the stand-in platform, on a clock that tests step.

mod life;
mod reports;
mod restart;
mod world;
