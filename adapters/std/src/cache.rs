//! Where does a token survive a restart, and how do processes on one machine share it? In a file beside a lock.
//!
//! Whoever is about to fetch takes the lock, reads the file once more, and fetches only if that is still needed. The
//! file is replaced in one step (written aside, synced, renamed, its directory synced), so that a reader, or a process
//! killed at any point, sees the old one or the new one. Nothing here ever fails a caller: what cannot be read is
//! ignored, what cannot be written is left, each with one log line until it works again.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tracing::warn;
use zeroize::Zeroizing;

use crate::error::ConfigError;

mod entry;

pub(crate) use entry::{Moment, Stored, ToStore};

/// A real file is below 1 KiB; more is not ours.
const MAX_FILE_LEN: u64 = 16 * 1024;

/// How long to wait for another process: longer than its exchange can take. After that the lock is taken to be
/// stuck, and the fetch is made without it.
pub(crate) const LOCK_LIMIT: Duration = Duration::from_secs(12);
/// How often to try for the lock: file locks cannot be waited for with a deadline.
pub(crate) const LOCK_PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct Cache {
    path: PathBuf,
    lock_path: PathBuf,
    temporary: PathBuf,
    account: String,
    read_trouble: AtomicBool,
    write_trouble: AtomicBool,
}

/// The lock is held; it ends with this, or with the process.
pub(crate) struct Locked {
    _file: File,
}

pub(crate) enum TryLock {
    Locked(Locked),
    /// Another process, or another client in this one, is at it.
    Busy,
    /// The file system has no place for a lock file, or no locks.
    Impossible,
}

impl Cache {
    /// `digest` tells the account from every other, without its secret.
    pub(crate) fn new(path: PathBuf, digest: &[u8]) -> Result<Self, ConfigError> {
        if path.file_name().is_none() || path.is_dir() {
            return Err(ConfigError::CachePath);
        }
        Ok(Self {
            lock_path: with_suffix(&path, ".lock"),
            temporary: with_suffix(&path, ".tmp"),
            path,
            account: entry::hex(digest),
            read_trouble: AtomicBool::new(false),
            write_trouble: AtomicBool::new(false),
        })
    }

    /// Whether it is this file.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        self.path == path
    }

    pub(crate) fn try_lock(&self) -> TryLock {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        owner_only(&mut options);
        let locked = options.open(&self.lock_path).map_err(TryLockError::Error).and_then(|file| {
            file.try_lock()?;
            Ok(Locked { _file: file })
        });
        match locked {
            Ok(locked) => TryLock::Locked(locked),
            Err(TryLockError::WouldBlock) => TryLock::Busy,
            Err(TryLockError::Error(error)) => {
                self.cannot_write(&error);
                TryLock::Impossible
            }
        }
    }

    pub(crate) fn lock_is_stuck(&self) {
        warn!(target: "wxtoken", lock = %self.lock_path.display(),
            "another process has held the cache's lock for too long; fetching without it");
    }

    /// What the file holds for this account, if it can be believed now. The clocks are read after the file: were it
    /// replaced in between, it would seem to come from the future.
    pub(crate) fn read(&self, now: impl FnOnce() -> Moment) -> Option<(Moment, Stored)> {
        let why = match self.bytes() {
            Ok(bytes) => {
                let now = now();
                match entry::decode(&bytes, &self.account, &now) {
                    Ok(stored) => {
                        self.read_trouble.store(false, Ordering::Relaxed);
                        return Some((now, stored));
                    }
                    Err(why) => why.to_owned(),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        if !self.read_trouble.swap(true, Ordering::Relaxed) {
            warn!(target: "wxtoken", cache = %self.path.display(), why, "the cache file is ignored");
        }
        None
    }

    fn bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        // Asked first: opening a pipe would wait for its other end.
        let metadata = fs::metadata(&self.path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        if metadata.len() > MAX_FILE_LEN {
            return Err(io::Error::other("it is too long"));
        }
        self.tighten(&metadata);
        let file = File::open(&self.path)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_LEN as usize + 1));
        file.take(MAX_FILE_LEN).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Replaces the file. Only with the lock held: the temporary file has one name, so that a killed process leaves
    /// at most one behind.
    pub(crate) fn write(&self, _locked: &Locked, what: &ToStore<'_>, now: &Moment) {
        let Some(bytes) = entry::encode(what, &self.account, now) else {
            return;
        };
        match self.replace(&bytes) {
            Ok(()) => self.write_trouble.store(false, Ordering::Relaxed),
            Err(error) => {
                // Whatever part was written holds a token: do not leave it about.
                let _ = fs::remove_file(&self.temporary);
                self.cannot_write(&error);
            }
        }
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        match fs::remove_file(&self.temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        owner_only(&mut options);
        let mut file = options.open(&self.temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&self.temporary, &self.path)?;
        sync_directory(&self.path)
    }

    fn cannot_write(&self, error: &io::Error) {
        if !self.write_trouble.swap(true, Ordering::Relaxed) {
            warn!(target: "wxtoken", cache = %self.path.display(), %error,
                "the cache file cannot be written; tokens are served all the same, and a restart costs a fetch");
        }
    }

    #[cfg(unix)]
    fn tighten(&self, metadata: &fs::Metadata) {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode();
        if mode & 0o077 != 0 {
            let mended = fs::set_permissions(&self.path, fs::Permissions::from_mode(0o600)).is_ok();
            warn!(target: "wxtoken", cache = %self.path.display(), mode = format_args!("{:o}", mode & 0o777), mended,
                "others could read the cache file and the token in it");
        }
    }

    #[cfg(not(unix))]
    fn tighten(&self, _metadata: &fs::Metadata) {}
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn owner_only(_options: &mut OpenOptions) {}

/// Until the directory is synced, a power cut may bring the old file back: harmless, but it would cost a fetch.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
