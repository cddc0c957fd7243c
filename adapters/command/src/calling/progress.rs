//! How far is it? A bar on standard error when a person looks at it, and nothing on a pipe; a cut is told in figures.

use std::cell::Cell;
use std::io::Write as _;

use wxtoken::{CallError, CallReason};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::interrupt;
use crate::lang::Lang;

/// The way of one file.
pub(crate) struct Progress {
    bar: ProgressBar,
    at: Cell<(u64, Option<u64>)>,
}

impl Progress {
    /// It is drawn with the first byte, and only on a terminal.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::no_length();
        // One that cannot be parsed is a mistake of ours that the tests see; the usual one serves then.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("#>-"));
        }
        interrupt::status_line(!bar.is_hidden());
        Self { bar, at: Cell::new((0, None)) }
    }

    /// So many bytes of so many.
    pub(crate) fn tell(&self, done: u64, total: Option<u64>) {
        if self.at.get().1 != total {
            match total {
                Some(total) => self.bar.set_length(total),
                None => self.bar.unset_length(),
            }
        }
        self.at.set((done, total));
        self.bar.set_position(done);
    }

    /// Leaves the bar behind as it is, and the cursor below, so that the next line stands alone.
    pub(crate) fn end(&self, complete: bool) {
        interrupt::status_line(false);
        if self.bar.is_hidden() || self.at.get() == (0, None) {
            return self.bar.finish_and_clear();
        }
        if complete {
            self.bar.finish();
        } else {
            self.bar.abandon();
        }
        // A standard error that is gone is no reason to stop.
        let _ = writeln!(std::io::stderr());
    }

    /// How far it got, for the message about a cut; nothing when it had not begun, or was refused.
    pub(crate) fn how_far_of(&self, error: &CallError, lang: Lang) -> String {
        match error.reason() {
            CallReason::GaveUp(given_up) if given_up.transport.is_some() => self.how_far(lang),
            _ => String::new(),
        }
    }

    pub(crate) fn how_far(&self, lang: Lang) -> String {
        let (done, total) = self.at.get();
        if done == 0 {
            return String::new();
        }
        let done_words = HumanBytes(done);
        match (total, lang) {
            (Some(total), Lang::Zh) => {
                format!("；已传输 {done_words} / {}（{done} / {total} 字节）", HumanBytes(total))
            }
            (Some(total), _) => format!("; it got to {done_words} of {} ({done} of {total} bytes)", HumanBytes(total)),
            (None, Lang::Zh) => format!("；已传输 {done_words}（{done} 字节）"),
            (None, _) => format!("; it got to {done_words} ({done} bytes)"),
        }
    }
}

const TEMPLATE: &str = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
