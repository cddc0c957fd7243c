//! What can happen to a gateway, and what must it then do and say? A file for each kind of trouble.

mod alarm;
mod board;
mod central;
mod handshake;
mod once;
mod plain;
mod power;
mod recovery;
mod refusals;
mod time;
mod tls;
mod wire;

use std::io;

use wxtoken_platform::Fault;

use crate::{images::Of, trial::Trial};

/// One case.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Which images it concerns.
    pub(crate) of: Of,
    /// The platform's faults that it shows.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test looks whether one is missing"))]
    pub(crate) faults: Vec<Fault>,
    /// What is done, and what is expected of it.
    pub(crate) play: Play,
}

/// A case as a function. Its error means that the trial could not be made.
pub(crate) type Play = Box<dyn Fn(&mut Trial<'_>) -> io::Result<()> + Send + Sync>;

impl Case {
    fn new(name: &str, play: impl Fn(&mut Trial<'_>) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), of: Of::All, faults: Vec::new(), play: Box::new(play) }
    }
}

/// The images' exit codes, see the table in the README.
mod code {
    pub(super) const FRESH: i32 = 0;
    pub(super) const BAD_SETTINGS: i32 = 2;
    pub(super) const CONFIGURATION: i32 = 10;
    pub(super) const ADDRESS: i32 = 11;
    pub(super) const PERSON: i32 = 12;
    pub(super) const BUSY: i32 = 13;
    pub(super) const NO_CONNECTION: i32 = 20;
    pub(super) const CUT: i32 = 21;
    pub(super) const TIMED_OUT: i32 = 22;
    pub(super) const FOREIGN: i32 = 23;
    pub(super) const MALFORMED: i32 = 24;
    pub(super) const CERTIFICATE: i32 = 25;
    pub(super) const NO_TLS: i32 = 26;
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    let once = [plain::all(), refusals::all(), wire::all(), recovery::all(), tls::all(), alarm::once()];
    let mut all: Vec<Case> = once.into_iter().flatten().map(Case::from).collect();
    let others = [alarm::all(), board::all(), central::all(), handshake::all(), power::all(), time::all()];
    all.extend(others.into_iter().flatten());
    all
}

#[cfg(test)]
mod tests;
