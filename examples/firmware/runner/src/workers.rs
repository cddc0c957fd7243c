//! Who runs the cases? Some threads, each with one case at a time, while one prints what comes of it.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    },
    thread,
};

use crate::{cases::Case, images::Image, report::Report, trial};

/// Runs all of `work`, `jobs` at a time. `tell` hears of each as it ends.
pub(crate) fn run<'a>(work: &[(&'a Case, &'a Image)], jobs: usize, mut tell: impl FnMut(&'a Case, &'a Image, Report)) {
    let next = AtomicUsize::new(0);
    let (ended, results) = channel();
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, 64) {
            let (next, ended) = (&next, ended.clone());
            scope.spawn(move || {
                while let Some(&(case, image)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // The other side goes only after this one.
                    drop(ended.send((case, image, trial::run(case, image))));
                }
            });
        }
        drop(ended);
        for (case, image, report) in results {
            tell(case, image, report);
        }
    });
}
