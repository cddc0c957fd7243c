//! `wxtoken demo server`: does one token server keep two hundred readers in tokens through a bad day? The real server with
//! its store, asked over loopback in both of its shapes, before the stand-in platform.

mod day;
mod house;
mod reader;
mod table;

use super::live::Live;
use super::{Promise, Trouble};

/// Plays the day. Returns what tells of it, the table and the promises.
pub(crate) fn play(seed: u64, live: Live<'_>) -> Result<(Live<'_>, String, Vec<Promise>), Trouble> {
    let mut day = day::Day::new(seed, live)?;
    day.play()?;
    let table = table::of(&day);
    Ok(day.finish(table))
}
