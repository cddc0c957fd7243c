//! `wxtoken demo`: is a credential kept valid through a day of trouble? Played on the real client and the real wire,
//! against the stand-in platform, with a clock that is stepped.
//!
//! Every exchange is HTTP over loopback. The clock of clients and platform is one and virtual: it stands still during
//! an exchange, and where a reply would be waited for in vain it passes the time that would have taken. What is
//! reported is what was run and counted, on the platform's side wherever the platform can know.

use std::io;
use std::path::Path;
use std::time::Duration;

use wxtoken::{Clock as _, SystemClock};

use crate::args;
use crate::exit::{Exit, Stop};
use crate::output::Output;

mod actor;
mod alarm;
mod clock;
mod live;
mod record;
mod server;
mod side;
mod stage;
mod story;
mod svg;
mod table;
mod wire;

use live::Live;
use stage::Stage;

/// A promise and whether it was kept.
pub(crate) struct Promise {
    kept: bool,
    text: String,
}

pub(crate) fn run(args: &args::Demo, out: &mut Output) -> Result<Exit, Stop> {
    let started = SystemClock::new().now();
    let (live, table, promises) = match args.scene {
        args::Scene::Day => {
            let mut stage = Stage::new(args.seed, Live::new(out)).map_err(stop)?;
            story::play(&mut stage, args.seed).map_err(stop)?;
            if let Some(path) = &args.svg {
                write(path, &svg::draw(&stage))?;
            }
            let (table, promises) = (table::of(&stage), std::mem::take(&mut stage.promises));
            (stage.finish(), table, promises)
        }
        args::Scene::Server if args.svg.is_some() => {
            let text = "only the scene `day` is drawn; leave --svg out, or play that";
            return Err(Stop::With(Exit::Usage, text.to_owned()));
        }
        args::Scene::Server => server::play(args.seed, Live::new(out)).map_err(stop)?,
    };
    let real = SystemClock::new().now().saturating_since(started);
    tell(live, &table, &promises, real)
}

/// The end: what it came to, and whether that is what was promised.
fn tell(mut live: Live<'_>, table: &str, promises: &[Promise], real: Duration) -> Result<Exit, Stop> {
    live.line(format_args!("\n{table}"))?;
    for promise in promises {
        live.line(format_args!("{} {}", if promise.kept { "kept  " } else { "BROKEN" }, promise.text))?;
    }
    let broken: Vec<&str> = promises.iter().filter(|p| !p.kept).map(|p| p.text.as_str()).collect();
    live.line(format_args!(
        "\n24 hours in {:.1} s; {} promises, {} broken",
        real.as_secs_f64(),
        promises.len(),
        broken.len()
    ))?;
    if broken.is_empty() { Ok(Exit::Ok) } else { Err(Stop::With(Exit::Failed, broken_text(&broken))) }
}

fn broken_text(broken: &[&str]) -> String {
    format!("the demo broke a promise: {}", broken.join("; "))
}

fn write(path: &Path, text: &str) -> Result<(), Stop> {
    std::fs::write(path, text)
        .map_err(|error| Stop::With(Exit::Failed, format!("{} cannot be written: {error}", path.display())))
}

/// What can stop a day: its output, or this machine.
#[derive(Debug)]
pub(crate) enum Trouble {
    Output(io::Error),
    Machine(String),
}

impl From<io::Error> for Trouble {
    /// Only errors of the output come this way.
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn stop(trouble: Trouble) -> Stop {
    match trouble {
        Trouble::Output(error) => Stop::Output(error),
        Trouble::Machine(text) => Stop::With(Exit::Failed, text),
    }
}
