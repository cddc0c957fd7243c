//! How do lines come into the file? A thread takes them from the queue, and flushes whenever the queue is empty.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    time::{Duration, UNIX_EPOCH},
};

use serde::Serialize;
use tokio::sync::oneshot;

use super::{Deed, Line};
use crate::events;

/// So often a file that could not be opened or written is tried again.
const AGAIN: Duration = Duration::from_secs(5);

pub(super) enum Order {
    Write(Line),
    Reopen,
    Flush(oneshot::Sender<()>),
}

pub(super) struct Writer {
    path: PathBuf,
    /// `None` after an error, until it can be opened again.
    file: Option<BufWriter<File>>,
    lost: Arc<AtomicU64>,
}

/// A line as it stands in the file.
#[derive(Serialize)]
struct Written<'a> {
    time: Option<String>,
    client: &'a str,
    from: Option<IpAddr>,
    account: &'a str,
    kind: &'static str,
    what: &'static str,
    outcome: &'static str,
    generation: u32,
}

impl<'a> From<&'a Line> for Written<'a> {
    fn from(line: &'a Line) -> Self {
        let Deed { kind, what, outcome, generation } = line.deed;
        let time = line.at.and_then(|at| UNIX_EPOCH.checked_add(at));
        Self {
            time: time.map(|time| humantime::format_rfc3339_millis(time).to_string()),
            client: &line.client.name,
            from: line.from,
            account: &line.account,
            kind: kind.name(),
            what,
            outcome,
            generation,
        }
    }
}

impl Writer {
    pub(super) fn open(path: &Path, lost: Arc<AtomicU64>) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: Some(open(path)?), lost })
    }

    /// Writes until nobody can order anything any more.
    pub(super) fn work(mut self, queue: &Receiver<Order>) {
        loop {
            let next = match queue.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.flush();
                    match queue.recv_timeout(AGAIN) {
                        Err(RecvTimeoutError::Timeout) => {
                            self.mend();
                            continue;
                        }
                        next => next.ok(),
                    }
                }
                next => next.ok(),
            };
            match next {
                None => return self.flush(),
                Some(Order::Write(line)) => self.write(&line),
                Some(Order::Reopen) => {
                    self.flush();
                    self.file = None;
                    self.mend();
                }
                Some(Order::Flush(done)) => {
                    self.flush();
                    // Whoever asked may not wait any more.
                    let _ = done.send(());
                }
            }
        }
    }

    fn write(&mut self, line: &Line) {
        self.tell_of_losses();
        self.put(&Written::from(line), 1);
    }

    /// How many lines are missing here.
    fn tell_of_losses(&mut self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 && self.put(&serde_json::json!({ "lost": lost }), lost) {
            events::audit_lost(lost);
        }
    }

    /// Puts a line there that stands for so many. Returns whether it could.
    fn put(&mut self, line: &impl Serialize, stands_for: u64) -> bool {
        let Some(file) = &mut self.file else {
            self.lost.fetch_add(stands_for, Ordering::Relaxed);
            return false;
        };
        let written =
            serde_json::to_writer(&mut *file, line).map_err(io::Error::from).and_then(|()| file.write_all(b"\n"));
        if let Err(error) = written {
            self.lost.fetch_add(stands_for, Ordering::Relaxed);
            self.fail(&error);
            return false;
        }
        true
    }

    fn flush(&mut self) {
        self.tell_of_losses();
        if let Some(Err(error)) = self.file.as_mut().map(BufWriter::flush) {
            // How many of them did not get there is not known; at least the last one.
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.fail(&error);
        }
    }

    fn fail(&mut self, error: &io::Error) {
        events::audit_fails(&self.path, error);
        if let Some(file) = self.file.take() {
            // Without another try at what cannot be written.
            drop(file.into_parts());
        }
    }

    /// Opens the file again, where it is not open.
    fn mend(&mut self) {
        if self.file.is_none() {
            match open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) => events::audit_fails(&self.path, &error),
            }
        }
    }
}

fn open(path: &Path) -> io::Result<BufWriter<File>> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(BufWriter::new)
}
