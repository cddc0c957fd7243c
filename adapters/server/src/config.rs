//! What did the operator write, and is it sound? One TOML file, read whole before anything of it takes effect.
//!
//! Every problem is told, not only the first, each with its place and its remedy; an unknown key names the nearest known
//! one. A secret never stands in the file, and nothing of one ever stands in a problem.

mod calls;
mod file;
mod keys;
mod pieces;
mod secret;
mod tls;
mod unix;

use std::{
    fmt,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
};

use ipnet::IpNet;
use sha2::{Digest as _, Sha256};

pub use self::{calls::CallPath, file::template, secret::Environment, tls::TlsSpec, unix::UnixSpec};
pub(crate) use self::{calls::is_call, file::hex};
use crate::{account::AccountSpec, upstream::Roots};

/// A configuration that was checked. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The certificate of the server, if it speaks TLS.
    pub tls: Option<TlsSpec>,
    /// The socket for programs of this machine, if there is one.
    pub unix: Option<UnixSpec>,
    /// The store's file.
    pub store: PathBuf,
    /// The file of the audit log, if there is to be one.
    pub audit: Option<PathBuf>,
    /// How the platform is reached.
    pub upstream: Upstream,
    /// Whose credentials are kept.
    pub accounts: Vec<AccountSpec>,
    /// Who may ask for them.
    pub clients: Vec<ClientSpec>,
}

/// How the platform is reached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upstream {
    /// Whose certificates are trusted.
    pub roots: Roots,
    /// How many exchanges with one host may be under way.
    pub concurrency: NonZeroUsize,
}

/// Who may ask, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientSpec {
    /// What logs call it.
    pub name: String,
    /// The SHA-256 of each of its keys: one, or two while they are being exchanged.
    pub keys: Vec<[u8; 32]>,
    /// The names of its accounts; `*` stands for all, those of later configurations too.
    pub accounts: Vec<String>,
    /// What it may do with them.
    pub may: Vec<Permission>,
    /// The API calls that are forwarded for it, with a token that it never sees; none unless listed.
    pub call: Vec<CallPath>,
    /// The networks it may come from; empty: from anywhere.
    pub networks: Vec<IpNet>,
    /// How often it may ask; `None`: as often as it likes.
    pub rate: Option<RateSpec>,
}

/// How often a client may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSpec {
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

impl RateSpec {
    /// So many requests a second, and so many at once after a pause; `None` when either is 0.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Option<Self> {
        Some(Self { per_second: NonZeroU32::new(per_second)?, burst: NonZeroU32::new(burst)? })
    }

    /// Requests a second.
    #[must_use]
    pub const fn per_second(self) -> NonZeroU32 {
        self.per_second
    }

    /// Requests at once.
    #[must_use]
    pub const fn burst(self) -> NonZeroU32 {
        self.burst
    }
}

impl ClientSpec {
    /// A client that has this key, and may do this with these accounts.
    #[must_use]
    pub fn new(name: &str, key: &str, accounts: &[&str], may: &[Permission]) -> Self {
        Self {
            name: name.to_owned(),
            keys: vec![Sha256::digest(key).into()],
            accounts: accounts.iter().map(|&account| account.to_owned()).collect(),
            may: may.to_vec(),
            call: Vec::new(),
            networks: Vec::new(),
            rate: None,
        }
    }
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Read credentials.
    Read,
    /// Report one as refused.
    Report,
    /// Ask for a new one.
    Rotate,
    /// See how every account of the server is, and rotate any of them. It reads no credential.
    Admin,
}

impl Permission {
    const ALL: [Self; 4] = [Self::Read, Self::Report, Self::Rotate, Self::Admin];

    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Report => "report",
            Self::Rotate => "rotate",
            Self::Admin => "admin",
        }
    }
}

impl Config {
    /// Reads and checks the file at `path`. Relative paths in it start at its folder. Secrets are read from the
    /// environment given, from files and from systemd credentials.
    ///
    /// # Errors
    /// [`BadConfig`] with every problem.
    pub fn load(path: &Path, environment: &Environment<'_>) -> Result<Self, BadConfig> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            BadConfig::one(path, format!("it cannot be read: {error}; `wxtoken serve --init` writes one to start from"))
        })?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        file::read(&text, folder, environment).map_err(|problems| BadConfig { path: path.to_owned(), problems })
    }
}

/// What is wrong with a configuration. Whoever wrote it must act; nothing of it took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadConfig {
    path: PathBuf,
    problems: Vec<String>,
}

impl BadConfig {
    fn one(path: &Path, problem: String) -> Self {
        Self { path: path.to_owned(), problems: vec![problem] }
    }

    /// Each problem, with its place and its remedy.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.problems.as_slice() {
            [problem] => write!(f, "{path}: {problem}"),
            problems => {
                write!(f, "{path} has {} problems:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for BadConfig {}

#[cfg(test)]
mod tests;
