//! Which images are there, and what can each of them do?
//!
//! All of them understand the words of `provision.rs` on their command line, and end with the exit codes of the README.

use std::{fs, io, path::Path, path::PathBuf};

use crate::log::Reader;

/// One image.
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) reader: Reader,
    pub(crate) speaks_tls: bool,
}

impl Image {
    /// Opens the image called `name` at `path`.
    pub(crate) fn open(name: &str, path: &Path) -> Result<Self, String> {
        let speaks_tls = match name {
            "http" | "async" => false,
            "tls" | "async-tls" => true,
            _ => return Err("an image is called http, tls, async or async-tls".to_owned()),
        };
        let words = |error: io::Error| format!("{}: {error}", path.display());
        // The emulator runs in a folder of its own.
        let path = path.canonicalize().map_err(words)?;
        let reader = Reader::new(&fs::read(&path).map_err(words)?)?;
        Ok(Self { name: name.to_owned(), path, reader, speaks_tls })
    }
}

/// Which images a case concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    All,
    WithTls,
    WithoutTls,
}

impl Of {
    pub(crate) const fn includes(self, image: &Image) -> bool {
        match self {
            Self::All => true,
            Self::WithTls => image.speaks_tls,
            Self::WithoutTls => !image.speaks_tls,
        }
    }
}
