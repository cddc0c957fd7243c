//! What came of the cases? A row for each as soon as it has ended, and the sum of them.

use std::{collections::BTreeMap, time::Duration};

use crate::{board, cases::Case, images::Image, log};

/// What came of one case with one image.
#[derive(Default)]
pub(crate) struct Report {
    /// How the last boot ended; `None` when its power was cut.
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
    /// How many alarms arrived, of how many that were raised.
    pub(crate) alarms: (usize, usize),
    /// Why none can.
    pub(crate) no_alarm: Option<&'static str>,
    /// What the image said, boot after boot.
    pub(crate) lines: Vec<String>,
    /// What is worth knowing besides.
    pub(crate) notes: Vec<String>,
    /// What was not as it should be; empty is good.
    pub(crate) complaints: Vec<String>,
}

/// The sum.
pub(crate) struct Summary {
    began: std::time::Instant,
    wide: usize,
    all: usize,
    ran: usize,
    failed: Vec<String>,
    by_image: BTreeMap<String, Sum>,
}

/// What came of all cases with one image.
#[derive(Default)]
struct Sum {
    ran: usize,
    failed: usize,
    /// The most that any boot said it had needed, in bytes; no heap without TLS.
    stack: Option<u64>,
    heap: Option<u64>,
}

impl Summary {
    /// Prints the head of the table.
    pub(crate) fn begin(work: &[(&Case, &Image)]) -> Self {
        let wide = work.iter().map(|(case, _)| case.name.chars().count()).max().unwrap_or(0).max(4);
        println!(
            "{:>9}  {:<wide$}  {:<9}  {:<6}  {:>6}  {:>6}  {:>4}",
            "", "case", "image", "result", "ms", "alarms", "exit"
        );
        let (failed, by_image) = (Vec::new(), BTreeMap::new());
        Self { began: board::now(), wide, all: work.len(), ran: 0, failed, by_image }
    }

    /// Prints the row of one case.
    pub(crate) fn row(&mut self, case: &Case, image: &Image, report: &Report, decoded: bool) {
        self.ran += 1;
        let wide = self.wide;
        let well = report.complaints.is_empty();
        let code = report.code.map_or("-".to_owned(), |code| code.to_string());
        let (name, verdict, ms) = (&case.name, if well { "ok" } else { "FAILED" }, report.took.as_millis());
        let (arrived, raised) = report.alarms;
        let why = report.no_alarm.map(|why| format!("  no alarm: {why}")).unwrap_or_default();
        let (at, alarms) = (format!("{}/{}", self.ran, self.all), format!("{arrived}/{raised}"));
        println!("{at:>9}  {name:<wide$}  {:<9}  {verdict:<6}  {ms:>6}  {alarms:>6}  {code:>4}{why}", image.name);
        if decoded || !well {
            report.lines.iter().for_each(|line| println!("    {line}"));
        }
        report.notes.iter().for_each(|note| println!("  - {note}"));
        report.complaints.iter().for_each(|complaint| println!("  ! {complaint}"));
        let sum = self.by_image.entry(image.name.clone()).or_default();
        sum.ran += 1;
        let most =
            |before, after| report.lines.iter().filter_map(|line| log::number_between(line, before, after)).max();
        sum.stack = sum.stack.max(most("at most ", " bytes of stack"));
        sum.heap = sum.heap.max(most("of heap are in use, at most ", " of "));
        if !well {
            sum.failed += 1;
            self.failed.push(format!("{name}, {}", image.name));
        }
    }

    /// Prints the sum; whether all is well.
    pub(crate) fn end(self) -> bool {
        println!();
        for (image, Sum { ran, failed, stack, heap }) in &self.by_image {
            let stack = stack.map(|bytes| format!("; at most {bytes} bytes of stack")).unwrap_or_default();
            let heap = heap.map(|bytes| format!(", {bytes} of heap")).unwrap_or_default();
            println!("{image}: {ran} cases, {failed} failed{stack}{heap}");
        }
        self.failed.iter().for_each(|which| println!("FAILED: {which}"));
        let took = board::now().saturating_duration_since(self.began).as_secs();
        println!("{} cases in {took} s, {} failed", self.ran, self.failed.len());
        self.failed.is_empty() && self.ran > 0
    }
}
