//! Which lock and which threads: std's, or shuttle's when `--cfg shuttle` wants to try every interleaving.
//!
//! A panic while a lock is held (a subscriber, a transport) must not make every later caller panic too, so a poisoned
//! guard is taken as it is: what it protects is changed only by calls that finish.

use std::time::Duration;

#[cfg(shuttle)]
use shuttle::sync as inner;
#[cfg(not(shuttle))]
use std::sync as inner;

pub(crate) use inner::MutexGuard;

/// A mutual exclusion whose `lock` cannot fail.
pub(crate) struct Mutex<T>(inner::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(inner::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Where threads wait for news; see [`Mutex`] for why nothing here fails.
pub(crate) struct Condvar(inner::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(inner::Condvar::new())
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits for news, at most `limit`; `None` waits for news alone. May return early.
    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>, limit: Option<Duration>) -> MutexGuard<'a, T> {
        match limit {
            None => self.0.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner),
            Some(limit) => self.0.wait_timeout(guard, limit).unwrap_or_else(std::sync::PoisonError::into_inner).0,
        }
    }
}

/// Starts a thread that ends by itself. `false` when the system has none left to give.
pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> bool {
    #[cfg(shuttle)]
    use shuttle::thread;
    #[cfg(not(shuttle))]
    use std::thread;
    thread::Builder::new().name(name.to_owned()).spawn(body).is_ok()
}
