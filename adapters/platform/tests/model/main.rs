//! Does the pure model keep the platform's rules? Timelines: just before, at and after each instant that matters.

mod apis;
mod bench;
mod gate;
mod media;
mod quotas;
mod refusals;
mod repeats;
mod rotating;
mod secrecy;
mod stable;
mod tickets;
mod wording;
mod work;
