//! How is the day told while it passes? Lines, and on a terminal one status line below them that is redrawn.

use std::fmt;
use std::io;

use super::clock::time_of_day;
use crate::interrupt;
use crate::output::Output;

pub(crate) struct Live<'a> {
    out: &'a mut Output,
    status_shown: bool,
}

/// Back to the start of the line, and wipe it (ECMA-48).
const WIPE: &[u8] = b"\r\x1b[2K";

impl<'a> Live<'a> {
    pub(crate) const fn new(out: &'a mut Output) -> Self {
        Self { out, status_shown: false }
    }

    pub(crate) fn line(&mut self, text: impl fmt::Display) -> io::Result<()> {
        self.wipe()?;
        self.out.line(text)
    }

    /// A new part of the day.
    pub(crate) fn chapter(&mut self, at_ms: u64, title: &str, text: &str) -> io::Result<()> {
        self.line(format_args!("\n{}  {}", time_of_day(at_ms), title.to_uppercase()))?;
        self.line(format_args!("          {text}"))
    }

    /// Something worth telling.
    pub(crate) fn event(&mut self, at_ms: u64, text: impl fmt::Display) -> io::Result<()> {
        self.line(format_args!("{}  {text}", time_of_day(at_ms)))
    }

    /// How things stand; on a terminal only.
    pub(crate) fn status(&mut self, text: impl FnOnce() -> String) -> io::Result<()> {
        if !self.out.is_terminal() {
            return Ok(());
        }
        self.out.bytes(WIPE)?;
        self.out.bytes(text().as_bytes())?;
        self.shown(true);
        Ok(())
    }

    pub(crate) fn wipe(&mut self) -> io::Result<()> {
        if self.status_shown {
            self.out.bytes(WIPE)?;
            self.shown(false);
        }
        Ok(())
    }

    fn shown(&mut self, yes: bool) {
        self.status_shown = yes;
        interrupt::status_line(yes);
    }
}
