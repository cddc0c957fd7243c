//! How is standard output written, so that a reader who leaves early causes no panic?

use std::fmt;
use std::io::{self, IsTerminal as _, StdoutLock, Write as _};

/// Standard output whose every failure is an error value.
pub(crate) struct Output {
    out: StdoutLock<'static>,
    terminal: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        let out = io::stdout();
        Self { terminal: out.is_terminal(), out: out.lock() }
    }

    /// Whether a person is looking.
    pub(crate) const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// One line, visible at once: a program may be waiting for it.
    pub(crate) fn line(&mut self, text: impl fmt::Display) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }
}
