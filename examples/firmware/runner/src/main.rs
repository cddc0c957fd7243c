//! Does the image do on the board what it promises? Boots it in an emulator against the stand-in platform, once for each
//! case, reads its log, and prints a table.
//!
//! ```text
//! wxtoken-firmware-runner IMAGE                 every case
//! wxtoken-firmware-runner IMAGE NAME...         only cases whose name contains one of these; their logs are shown
//! ```
//!
//! It exits with 0 only if every case went as it should.
#![forbid(unsafe_code)]

mod board;
mod cases;
mod log;
mod trial;

use std::{env, fs, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(image) = arguments.next() else {
        eprintln!("usage: wxtoken-firmware-runner IMAGE [NAME...]");
        return ExitCode::from(2);
    };
    let names: Vec<String> = arguments.collect();
    let reader = match fs::read(&image).map_err(|error| error.to_string()).and_then(|elf| log::Reader::new(&elf)) {
        Ok(reader) => reader,
        Err(why) => {
            eprintln!("{image}: {why}");
            return ExitCode::from(2);
        }
    };
    let wanted = |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part.as_str()));
    let (mut ran, mut failed) = (0, 0);
    println!("{:<44} {:>4}  {:>6}  result", "case", "exit", "ms");
    for case in cases::all().iter().filter(|case| wanted(case.name)) {
        ran += 1;
        let report = trial::run(case, &image, &reader);
        let code = report.code.map_or("-".to_owned(), |code| code.to_string());
        let verdict = if report.complaints.is_empty() { "ok" } else { "FAILED" };
        println!("{:<44} {code:>4}  {:>6}  {verdict}", case.name, report.took.as_millis());
        if !names.is_empty() || !report.complaints.is_empty() {
            report.lines.iter().for_each(|line| println!("    {line}"));
        }
        report.complaints.iter().for_each(|complaint| println!("  ! {complaint}"));
        failed += usize::from(!report.complaints.is_empty());
    }
    println!("{ran} cases, {failed} failed");
    if failed == 0 && ran > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
