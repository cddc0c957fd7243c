//! What was uploaded, and where is it kept?

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// The bytes of a file that was uploaded: in memory, or in a temporary file without a name. A clone shares them.
///
/// Two are equal when their lengths and SHA-256 are. `Debug` shows the length only.
#[derive(Clone)]
pub struct Content {
    len: u64,
    sha256: [u8; 32],
    kept: Kept,
}

#[derive(Clone)]
enum Kept {
    Memory(Arc<[u8]>),
    /// The lock is for the file's one position.
    File(Arc<Mutex<File>>),
}

impl Content {
    /// These bytes, in memory.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self { len: bytes.len() as u64, sha256: Sha256::digest(bytes).into(), kept: Kept::Memory(bytes.into()) }
    }

    /// The first `len` bytes of `file`, which nobody else changes.
    pub(crate) fn in_file(file: File, len: u64, sha256: [u8; 32]) -> Self {
        Self { len, sha256, kept: Kept::File(Arc::new(Mutex::new(file))) }
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its SHA-256, in lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        self.sha256.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads bytes from `offset` on, as many as there are and `buf` holds; 0 at the end.
    ///
    /// # Errors
    /// Whatever reading the temporary file reports.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(left);
        let buf = &mut buf[..wanted];
        match &self.kept {
            Kept::Memory(bytes) => {
                let at = usize::try_from(offset).unwrap_or(usize::MAX);
                bytes.get(at..).unwrap_or_default().read(buf)
            }
            Kept::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(offset))?;
                file.read(buf)
            }
        }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        (self.len, self.sha256) == (other.len, other.sha256)
    }
}

impl Eq for Content {}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("len", &self.len).finish_non_exhaustive()
    }
}
