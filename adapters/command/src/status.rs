//! `wxtoken status`: how are the accounts that a token server keeps? What its page shows, in a terminal.

mod ask;
mod table;

use std::time::Duration;

use serde_json::Value;

use self::ask::Asker;
use crate::args::Status;
use crate::exit::{Exit, Stop};
use crate::lang::Lang;
use crate::output::Output;
use crate::{secret, words};

/// To the upper left corner, and wipe what is below (ECMA-48).
const TOP: &[u8] = b"\x1b[H\x1b[J";

pub(crate) fn run(args: &Status, lang: Lang, out: &mut Output) -> Result<Exit, Stop> {
    let key = secret::key(args.key_file.as_deref(), lang)?;
    if key.exposed {
        words::warn(&words::exposed(&key, lang));
    }
    let asker = Asker::new(args, key.text, lang)?;
    let mut seen = false;
    loop {
        let all = match asker.all() {
            // Whoever watches wants to see it come back.
            Err(Stop::With(Exit::Later, why)) if seen && let Some(seconds) = args.watch => {
                words::warn(&why);
                std::thread::sleep(Duration::from_secs(seconds));
                continue;
            }
            all => all?,
        };
        seen = true;
        if args.json {
            out.line(&all)?;
        } else {
            if args.watch.is_some() && out.is_terminal() {
                out.bytes(TOP)?;
            }
            let width = out.is_terminal().then(width);
            out.line(table::of(&all, width, lang))?;
        }
        match args.watch {
            Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
            None => return Ok(exit(&all)),
        }
    }
}

/// Columns of a terminal, which may not tell.
fn width() -> u16 {
    terminal_size::terminal_size().map_or(80, |(width, _)| width.0.max(20))
}

/// A script learns whether somebody is without a token.
fn exit(all: &Value) -> Exit {
    let down = |account: &Value| account["state"] == "down";
    if all["accounts"].as_array().is_some_and(|accounts| accounts.iter().any(down)) { Exit::Later } else { Exit::Ok }
}
