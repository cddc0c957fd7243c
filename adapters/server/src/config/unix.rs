//! Where is the server reached by programs of its own machine, and by whose?

use std::path::{Path, PathBuf};

use serde::Deserialize;

const MODE: u32 = 0o660;

#[derive(Debug, Deserialize)]
pub(super) struct Table {
    path: Option<PathBuf>,
    mode: Option<String>,
    uids: Option<Vec<u32>>,
}

impl Table {
    pub(super) fn read(self, folder: &Path) -> Result<UnixSpec, String> {
        if !cfg!(unix) {
            return Err("there are no Unix sockets on this system; take the table out".to_owned());
        }
        let path = folder.join(self.path.ok_or("`path` is missing; write for instance \"/run/wxtoken/sock\"")?);
        let mode = match self.mode {
            None => MODE,
            Some(text) => u32::from_str_radix(&text, 8)
                .ok()
                .filter(|mode| *mode <= 0o777)
                .ok_or_else(|| format!("mode: {text:?} is not the mode of a file; write for instance \"0660\""))?,
        };
        Ok(UnixSpec { path, mode, uids: self.uids })
    }
}

/// The socket of `[unix]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnixSpec {
    /// Its file.
    pub path: PathBuf,
    /// The file's mode.
    pub mode: u32,
    /// The users whose processes are let in; `None`: the server's own and root.
    pub uids: Option<Vec<u32>>,
}
