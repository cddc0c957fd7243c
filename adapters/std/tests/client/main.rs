//! The shared client as a program sees it, on a scripted transport and a clock that is moved by hand.
#![cfg(not(shuttle))]

mod cache;
mod errors;
mod flight;
mod hot_path;
mod reports;
mod world;
