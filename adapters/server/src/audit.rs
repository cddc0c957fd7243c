//! Who did what? One line of JSON for each credential that was handed out, reported or replaced and each call that was
//! forwarded, in a file of its own. It names generations, and never a credential or a key.
//!
//! No answer waits for the disk: lines go through a bounded queue to a thread that writes. What does not fit into the queue,
//! or cannot be written, is counted, and the count is the next line that can.

mod writer;

use std::{
    fmt,
    net::IpAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, SyncSender},
    },
    time::Duration,
};

use self::writer::{Order, Writer};
use crate::{access::Client, kind::Kind};

/// How many lines may wait for the disk: some seconds' worth of a busy server, and less than a megabyte.
const ROOM: usize = 8_192;

/// Where lines go; nowhere, unless the configuration names a file.
#[derive(Clone, Default)]
pub(crate) struct Audit(Option<Arc<Queue>>);

struct Queue {
    orders: SyncSender<Order>,
    lost: Arc<AtomicU64>,
}

/// What somebody did.
pub(crate) struct Line {
    /// Since the Unix epoch, where the time is known.
    pub(crate) at: Option<Duration>,
    pub(crate) client: Arc<Client>,
    pub(crate) from: Option<IpAddr>,
    pub(crate) account: Arc<str>,
    pub(crate) deed: Deed,
}

/// What was done, and to which credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deed {
    pub(crate) kind: Kind,
    /// `read`, `report`, `rotate`, `call`.
    pub(crate) what: &'static str,
    pub(crate) outcome: &'static str,
    /// The number of the credential, or of the last one there was.
    pub(crate) generation: u32,
}

impl Audit {
    /// Goes on with the file at `path`, or begins it, readable by its owner only.
    ///
    /// # Errors
    /// What the system reports of the file, or of the thread.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let (orders, queue) = mpsc::sync_channel(ROOM);
        let lost = Arc::<AtomicU64>::default();
        let writer = Writer::open(path, lost.clone())?;
        std::thread::Builder::new().name("wxtoken-audit".to_owned()).spawn(move || writer.work(&queue))?;
        Ok(Self(Some(Arc::new(Queue { orders, lost }))))
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Takes down a line, if lines are taken down and there is room.
    pub(crate) fn note(&self, line: impl FnOnce() -> Line) {
        if let Some(queue) = &self.0
            && queue.orders.try_send(Order::Write(line())).is_err()
        {
            queue.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The file may have been put away, and is to be opened, or begun, anew.
    pub(crate) async fn reopen(&self) {
        self.order(Order::Reopen).await;
    }

    /// Returns when all that was taken down is written.
    pub(crate) async fn flush(&self) {
        let (done, written) = tokio::sync::oneshot::channel();
        self.order(Order::Flush(done)).await;
        // A writer that is gone writes nothing more.
        let _ = written.await;
    }

    /// Waits for room on a thread that may wait. When this returns the order has its place in the queue: one that follows
    /// comes after it.
    async fn order(&self, order: Order) {
        if let Some(queue) = self.0.clone() {
            // A writer that is gone takes no orders.
            let _ = tokio::task::spawn_blocking(move || queue.orders.send(order)).await;
        }
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Audit").field(&self.is_on()).finish()
    }
}

#[cfg(test)]
mod tests;
