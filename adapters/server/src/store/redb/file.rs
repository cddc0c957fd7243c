//! What is the state of the store's file, and what becomes of it when it fails? It is opened again; what is damaged is
//! renamed first, never overwritten.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use redb::{
    Builder, Database, ReadOnlyDatabase, ReadableDatabase as _, ReadableTable as _, StorageError, TableDefinition,
    TableError,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{CannotOpen, Opened};
use crate::{
    events,
    store::{Failing, Key, Record},
};

const RECORDS: TableDefinition<'static, &[u8; 32], &[u8]> = TableDefinition::new("credentials");
/// redb would take a gigabyte. The upper pages of a hundred thousand records fit into this.
const CACHE: usize = 4 << 20;
/// Before each record, so that a bit that flipped on the disk is not believed.
const CHECK: usize = 8;

/// What tests change.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    /// Every write fails like this.
    #[cfg(test)]
    pub(super) fail: Option<&'static std::sync::Mutex<Option<io::ErrorKind>>>,
}

/// Why a write did not come about.
pub(super) enum Fault {
    Damaged(String),
    Failing(Failing),
}

pub(super) struct File {
    path: PathBuf,
    options: Options,
    state: State,
}

enum State {
    Open(Database),
    ReadOnly(ReadOnlyDatabase),
    /// Not open; the next call tries again.
    Shut,
}

impl File {
    pub(super) fn open(path: PathBuf, options: Options) -> Result<(Self, Opened), CannotOpen> {
        if path.is_dir() {
            return Err(CannotOpen::IsFolder);
        }
        if path.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            return Err(CannotOpen::NoFolder);
        }
        let is_new = fs::metadata(&path).map_or(true, |data| data.len() == 0);
        let mut file = Self { path, options, state: State::Shut };
        let opened = match file.try_open() {
            Ok(()) if is_new => Opened::New,
            Ok(()) => Opened::Existing,
            Err(Cause::InUse) => return Err(CannotOpen::InUse),
            Err(Cause::Damaged(why)) => match file.set_aside(&why) {
                Err(failing) => Opened::Unusable(failing),
                Ok(kept_as) => match file.try_open() {
                    Ok(()) => Opened::SetAside { kept_as, why },
                    Err(cause) => Opened::Unusable(cause.failing()),
                },
            },
            Err(cause @ Cause::Failing(_)) => {
                file.try_read_only();
                Opened::Unusable(cause.failing())
            }
        };
        Ok((file, opened))
    }

    fn try_open(&mut self) -> Result<(), Cause> {
        make_private(&self.path)?;
        // It may panic on a file that was damaged, or written by something else.
        let opened = std::panic::catch_unwind(|| {
            let database = builder().create(&self.path).map_err(cause)?;
            look_through(&database)?;
            Ok(database)
        });
        let unreadable = |_| Err(Cause::Damaged("it cannot be read as a store".to_owned()));
        self.state = State::Open(opened.unwrap_or_else(unreadable)?);
        Ok(())
    }

    fn try_read_only(&mut self) {
        if let Ok(Ok(database)) = std::panic::catch_unwind(|| builder().open_read_only(&self.path)) {
            self.state = State::ReadOnly(database);
        }
    }

    /// Opens it if it is shut, after a failure say.
    fn ready(&mut self) -> Result<(), Failing> {
        if !matches!(self.state, State::Shut) {
            return Ok(());
        }
        match self.try_open() {
            Ok(()) => Ok(()),
            Err(Cause::Damaged(why)) => {
                self.set_aside(&why)?;
                self.try_open().map_err(Cause::failing)
            }
            Err(cause) => Err(cause.failing()),
        }
    }

    pub(super) fn read(&mut self, keys: &[Key]) -> Result<Vec<Option<Record>>, Failing> {
        self.ready()?;
        let read = match &self.state {
            State::Open(database) => read(database, keys),
            State::ReadOnly(database) => read(database, keys),
            State::Shut => return Err(Failing::Closed),
        };
        read.map_err(|error| self.failed(Cause::from(error)))
    }

    /// Lets `work` write in one transaction, which is on disk when this returns `Ok`.
    pub(super) fn write(&mut self, work: impl FnOnce(&mut Table<'_>) -> Result<(), Fault>) -> Result<(), Failing> {
        if let State::ReadOnly(_) = self.state {
            // Perhaps it has been mended meanwhile. What could be read was read at the start.
            self.state = State::Shut;
        }
        self.ready()?;
        let State::Open(database) = &self.state else { return Err(Failing::Closed) };
        let done = write(database, self.options, work);
        done.map_err(|cause| self.failed(cause))
    }

    /// After an error redb wants to be opened anew; what is damaged is set aside first.
    fn failed(&mut self, cause: Cause) -> Failing {
        self.state = State::Shut;
        match cause {
            Cause::Damaged(why) => self.set_aside(&why).err().unwrap_or(Failing::Damaged),
            cause => cause.failing(),
        }
    }

    pub(super) fn panicked(&mut self, words: String) -> Failing {
        self.failed(Cause::Damaged(words))
    }

    /// Renames the file to a name that is free, and tells.
    fn set_aside(&self, why: &str) -> Result<PathBuf, Failing> {
        let modified = fs::metadata(&self.path).and_then(|data| data.modified()).ok();
        let stamp = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or(Duration::ZERO);
        for nth in 0..1000_u32 {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".damaged-{}", stamp.as_secs()));
            if nth > 0 {
                name.push(format!("-{nth}"));
            }
            let kept_as = PathBuf::from(name);
            if fs::symlink_metadata(&kept_as).is_ok() {
                continue;
            }
            return match fs::rename(&self.path, &kept_as) {
                Ok(()) => {
                    events::set_aside(&self.path.display().to_string(), &kept_as.display().to_string(), why);
                    Ok(kept_as)
                }
                Err(_) => Err(Failing::Damaged),
            };
        }
        Err(Failing::Damaged)
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

/// Reads all there is, so that damage shows before anything is written. A new store gets its table: readers come before
/// the first writer.
fn look_through(database: &Database) -> Result<(), Cause> {
    let transaction = database.begin_read().map_err(cause)?;
    match transaction.open_table(RECORDS) {
        Ok(table) => table.iter().map_err(cause)?.try_for_each(|entry| entry.map(drop)).map_err(cause),
        Err(TableError::TableDoesNotExist(_)) => {
            let transaction = database.begin_write().map_err(cause)?;
            transaction.open_table(RECORDS).map(drop).map_err(no_table)?;
            transaction.commit().map_err(cause)
        }
        Err(error) => Err(no_table(error)),
    }
}

/// A new file is readable by its owner only, from its first moment.
fn make_private(path: &Path) -> Result<(), Cause> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(cause(StorageError::Io(error))),
    }
}

fn read(database: &impl redb::ReadableDatabase, keys: &[Key]) -> Result<Vec<Option<Record>>, redb::Error> {
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let table = match transaction.open_table(RECORDS) {
        Ok(table) => table,
        Err(TableError::Storage(error)) => return Err(error.into()),
        // A file that can only be read, and holds nothing of ours.
        Err(_) => return Ok(vec![None; keys.len()]),
    };
    keys.iter().map(|key| Ok(table.get(key.as_bytes())?.and_then(|value| checked(value.value())))).collect()
}

fn write(
    database: &Database,
    options: Options,
    work: impl FnOnce(&mut Table<'_>) -> Result<(), Fault>,
) -> Result<(), Cause> {
    #[cfg(test)]
    if let Some(kind) = options.fail.and_then(|fail| *fail.lock().expect("not poisoned")) {
        return Err(cause(StorageError::Io(kind.into())));
    }
    let _ = options;
    let transaction = database.begin_write().map_err(cause)?;
    {
        let table = transaction.open_table(RECORDS).map_err(no_table)?;
        work(&mut Table(table)).map_err(|fault| match fault {
            Fault::Damaged(why) => Cause::Damaged(why),
            Fault::Failing(failing) => Cause::Failing(failing),
        })?;
    }
    transaction.commit().map_err(cause)
}

/// The records, within a transaction.
pub(super) struct Table<'t>(redb::Table<'t, &'static [u8; 32], &'static [u8]>);

impl Table<'_> {
    pub(super) fn get(&self, key: &Key) -> Result<Option<Record>, Fault> {
        Ok(self.0.get(key.as_bytes())?.and_then(|value| checked(value.value())))
    }

    pub(super) fn put(&mut self, key: &Key, record: &Record) -> Result<(), Fault> {
        let record = record.encode();
        let mut value = Zeroizing::new(Vec::with_capacity(CHECK + record.len()));
        value.extend_from_slice(&check(&record));
        value.extend_from_slice(&record);
        self.0.insert(key.as_bytes(), value.as_slice())?;
        Ok(())
    }
}

/// A record whose check holds. Another one is as good as none: it costs one fetch.
fn checked(value: &[u8]) -> Option<Record> {
    let (sum, record) = value.split_at_checked(CHECK)?;
    if check(record) == sum { Record::decode(record) } else { None }
}

fn check(record: &[u8]) -> [u8; CHECK] {
    let digest: [u8; 32] = Sha256::digest(record).into();
    let mut sum = [0; CHECK];
    sum.copy_from_slice(&digest[..CHECK]);
    sum
}

/// Why something failed, by what is done about it.
enum Cause {
    InUse,
    Damaged(String),
    Failing(Failing),
}

impl Cause {
    fn failing(self) -> Failing {
        match self {
            Self::InUse => Failing::System("another process uses it".to_owned()),
            Self::Damaged(_) => Failing::Damaged,
            Self::Failing(failing) => failing,
        }
    }
}

fn cause(error: impl Into<redb::Error>) -> Cause {
    error.into().into()
}

/// A table of ours that has other types is not ours.
fn no_table(error: TableError) -> Cause {
    match error {
        TableError::Storage(error) => cause(error),
        other => Cause::Damaged(other.to_string()),
    }
}

impl From<redb::Error> for Cause {
    fn from(error: redb::Error) -> Self {
        use redb::Error;
        match error {
            Error::Corrupted(why) => Self::Damaged(why),
            Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => Self::InUse,
            error @ (Error::UpgradeRequired(_) | Error::RepairAborted) => Self::Damaged(error.to_string()),
            Error::Io(error) => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                    Self::Failing(Failing::Full)
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Failing(Failing::ReadOnly),
                // What redb says of a file that does not begin like one of its own, or ends too early.
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged(error.to_string()),
                _ => Self::Failing(Failing::System(error.to_string())),
            },
            other => Self::Failing(Failing::System(other.to_string())),
        }
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        match cause(error) {
            Cause::Damaged(why) => Self::Damaged(why),
            cause => Self::Failing(cause.failing()),
        }
    }
}
