//! The store of one server: an embedded redb file that needs no other service.
//!
//! One thread owns the file. Calls that come while it is writing are carried out together, in one transaction with one
//! sync of the disk, so that a cold start of thousands of accounts does not wait for thousands of syncs. A write that
//! fails drops the file; the next call opens it again, so a disk that has room again is used again without a restart.

mod file;

use std::{
    any::Any,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    thread,
};

use tokio::sync::{broadcast, mpsc, oneshot};

use self::file::{File, Table};
use super::{
    Answer, Attempt, Claim, Claimed, Coordinator, Failing, Key, Record, StoredLedger,
    lease::{judge, with_claim, with_commit, with_failure},
};

/// How many calls may wait for the thread before the disk counts as stuck. Each is about one record long.
const ROOM: usize = 4096;
/// How many calls share one transaction.
const BATCH: usize = 512;

/// The store of one server, in one file. Cheap to ask: every call is a message to its thread.
pub struct Redb {
    jobs: mpsc::Sender<Job>,
    /// Never rings: while this process holds the file nobody else changes it.
    changes: broadcast::Sender<Key>,
}

/// What was found where the store should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opened {
    /// A new store was made.
    New,
    /// The store of an earlier run.
    Existing,
    /// Something that is no store, or a damaged one: it lies here now, and a new one was made.
    SetAside {
        /// Where it lies.
        kept_as: PathBuf,
        /// What was wrong with it.
        why: String,
    },
    /// It can only be read, or not even that: what could be read is used, and nothing is saved.
    Unusable(Failing),
}

/// Why a server cannot start with this store. Everything else is lived with.
#[derive(Debug)]
#[non_exhaustive]
pub enum CannotOpen {
    /// Another process uses it.
    InUse,
    /// The folder does not exist.
    NoFolder,
    /// The path names a folder.
    IsFolder,
    /// No thread could be started.
    Thread(io::Error),
}

impl fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => {
                f.write_str("another process uses it; stop that one, or give each server a store of its own")
            }
            Self::NoFolder => f.write_str("its folder does not exist; make it"),
            Self::IsFolder => f.write_str("it is a folder; name a file"),
            Self::Thread(error) => write!(f, "no thread can be started: {error}"),
        }
    }
}

impl std::error::Error for CannotOpen {}

enum Job {
    Read(Vec<Key>, oneshot::Sender<Result<Vec<Option<Record>>, Failing>>),
    Claim(Claim, oneshot::Sender<Result<Claimed, Failing>>),
    Commit(Attempt, Record, oneshot::Sender<Result<Option<Record>, Failing>>),
    Fail(Attempt, StoredLedger, u64, oneshot::Sender<Result<(), Failing>>),
    Close(oneshot::Sender<Result<(), Failing>>),
}

impl Redb {
    /// Opens or makes the store. What is damaged is set aside; what cannot be written is lived with, and said.
    ///
    /// # Errors
    /// [`CannotOpen`], where going on would hide a mistake of the operator.
    pub fn open(path: &Path) -> Result<(Self, Opened), CannotOpen> {
        Self::open_with(path, file::Options::default())
    }

    fn open_with(path: &Path, options: file::Options) -> Result<(Self, Opened), CannotOpen> {
        let (file, opened) = File::open(path.to_owned(), options)?;
        let (jobs, queue) = mpsc::channel(ROOM);
        let thread = thread::Builder::new().name("wxtoken-store".to_owned());
        thread.spawn(move || work(file, queue)).map_err(CannotOpen::Thread)?;
        Ok((Self { jobs, changes: broadcast::Sender::new(1) }, opened))
    }

    fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, Failing>>) -> Job,
    ) -> Answer<'static, T> {
        let (reply, answer) = oneshot::channel();
        // Sent here and not when the answer is first waited for: the order of the calls is the order of the jobs.
        let sent = self.jobs.try_send(job(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Failing::Stuck,
            mpsc::error::TrySendError::Closed(_) => Failing::Closed,
        });
        Box::pin(async move {
            sent?;
            answer.await.unwrap_or(Err(Failing::Closed))
        })
    }
}

impl fmt::Debug for Redb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redb")
    }
}

impl Coordinator for Redb {
    fn read(&self, keys: Vec<Key>) -> Answer<'_, Vec<Option<Record>>> {
        self.ask(|reply| Job::Read(keys, reply))
    }

    fn claim(&self, claim: Claim) -> Answer<'_, Claimed> {
        self.ask(|reply| Job::Claim(claim, reply))
    }

    fn commit(&self, attempt: Attempt, record: Record) -> Answer<'_, Option<Record>> {
        self.ask(|reply| Job::Commit(attempt, record, reply))
    }

    fn fail(&self, attempt: Attempt, ledger: StoredLedger, lease_until_ms: u64) -> Answer<'_, ()> {
        self.ask(|reply| Job::Fail(attempt, ledger, lease_until_ms, reply))
    }

    fn watch(&self) -> broadcast::Receiver<Key> {
        self.changes.subscribe()
    }

    fn close(&self) -> Answer<'_, ()> {
        self.ask(Job::Close)
    }
}

/// The thread's life: until it is told to close, or nobody is left to ask.
fn work(mut file: File, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.blocking_recv() {
        let (mut batch, mut next) = (Vec::new(), Some(first));
        let closing = loop {
            match next {
                Some(Job::Close(reply)) => break Some(reply),
                Some(job) => batch.push(job),
                None => break None,
            }
            next = if batch.len() < BATCH { queue.try_recv().ok() } else { None };
        };
        carry_out(&mut file, batch);
        if let Some(reply) = closing {
            // Let go of the file before it is said.
            drop(file);
            let _ = reply.send(Ok(()));
            return;
        }
    }
}

/// An answer that waits for the transaction to be on disk.
type Told = Box<dyn FnOnce(Result<(), Failing>)>;

/// Carries the jobs out in their order, and answers when they are on disk.
fn carry_out(file: &mut File, jobs: Vec<Job>) {
    let mut told: Vec<Told> = Vec::with_capacity(jobs.len());
    let only_reads = jobs.iter().all(|job| matches!(job, Job::Read(..)));
    let mut jobs = jobs.into_iter();
    // A damaged page can make redb panic. That must not end the thread, nor go unnoticed.
    let done = catch_unwind(AssertUnwindSafe(|| {
        if only_reads {
            for job in jobs.by_ref() {
                if let Job::Read(keys, reply) = job {
                    // Whoever asked may have stopped waiting.
                    let _ = reply.send(file.read(&keys));
                }
            }
            Ok(())
        } else {
            file.write(|table| jobs.by_ref().try_for_each(|job| apply(table, job).map(|answer| told.push(answer))))
        }
    }));
    let done = done.unwrap_or_else(|panic| Err(file.panicked(words(&*panic))));
    // Those that an error left undone share its fate.
    told.extend(jobs.map(refuse));
    for answer in told {
        answer(done.clone());
    }
}

fn apply(table: &mut Table<'_>, job: Job) -> Result<Told, file::Fault> {
    Ok(match job {
        Job::Read(keys, reply) => {
            let records = keys.iter().map(|key| table.get(key)).collect::<Result<_, _>>()?;
            after(reply, records)
        }
        Job::Claim(claim, reply) => {
            let stored = table.get(&claim.key)?;
            let verdict = judge(stored.as_ref(), &claim, true);
            if let Claimed::Granted(_) = verdict {
                table.put(&claim.key, &with_claim(stored, &claim))?;
            }
            after(reply, verdict)
        }
        Job::Commit(attempt, record, reply) => match with_commit(table.get(&attempt.key)?, attempt, record) {
            Err(newer) => after(reply, Some(*newer)),
            Ok(record) => {
                table.put(&attempt.key, &record)?;
                after(reply, None)
            }
        },
        Job::Fail(attempt, ledger, until, reply) => {
            let record = with_failure(table.get(&attempt.key)?, attempt, ledger, until);
            table.put(&attempt.key, &record)?;
            after(reply, ())
        }
        Job::Close(reply) => after(reply, ()),
    })
}

/// The answer of a job that was carried out, if it comes onto the disk.
fn after<T: 'static>(reply: oneshot::Sender<Result<T, Failing>>, value: T) -> Told {
    Box::new(move |done| {
        // Whoever asked may have stopped waiting.
        let _ = reply.send(done.map(|()| value));
    })
}

/// The answer of a job that was not carried out.
fn refuse(job: Job) -> Told {
    fn no<T: 'static>(reply: oneshot::Sender<Result<T, Failing>>) -> Told {
        Box::new(move |done| {
            let _ = reply.send(Err(done.err().unwrap_or(Failing::Closed)));
        })
    }
    match job {
        Job::Read(_, reply) => no(reply),
        Job::Claim(_, reply) => no(reply),
        Job::Commit(_, _, reply) => no(reply),
        Job::Fail(_, _, _, reply) => no(reply),
        Job::Close(reply) => after(reply, ()),
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
