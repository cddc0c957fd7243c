//! Do the images do on the board what they promise? Boots them in an emulator against the stand-in platform, once or more
//! for each case, reads their logs, and prints a table.
//!
//! It exits with 0 only if every case went as it should.
#![forbid(unsafe_code)]

mod alarms;
mod args;
mod board;
mod cases;
mod central;
mod cutter;
mod dice;
mod images;
mod log;
mod qmp;
mod report;
mod secrecy;
mod trial;
mod workers;

use std::process::ExitCode;

use args::Args;
use clap::Parser as _;
use report::Summary;

fn main() -> ExitCode {
    let args = Args::parse();
    let mut images = Vec::new();
    for (name, path) in &args.image {
        match images::Image::open(name, path) {
            Ok(image) => images.push(image),
            Err(why) => {
                eprintln!("{name}: {why}");
                return ExitCode::from(2);
            }
        }
    }
    let cases = cases::all();
    let mut work = Vec::new();
    // Case by case, so that one that is wrong shows in all images at once.
    for case in cases.iter().filter(|case| args.wants(&case.name)) {
        work.extend(images.iter().filter(|image| case.of.includes(image)).map(|image| (case, image)));
    }
    let mut summary = Summary::begin(&work);
    workers::run(&work, args.jobs, |case, image, report| summary.row(case, image, &report, args.decoded));
    if summary.end() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
