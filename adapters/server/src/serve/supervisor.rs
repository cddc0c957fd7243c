//! Who tells the server what to do, and is told how it is? Signals, and systemd where it is the one who started us.

use std::{io, time::Duration};

use crate::Engine;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Reload,
    Stop,
}

#[cfg(unix)]
pub(super) struct Supervisor {
    hangup: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    /// How often the watchdog wants to hear of us.
    watchdog: Option<Duration>,
}

#[cfg(unix)]
impl Supervisor {
    /// From now on signals are orders and end nothing by themselves.
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            // Twice as often as it must be.
            watchdog: sd_notify::watchdog_enabled().map(|limit| limit / 2),
        })
    }

    pub(super) async fn next(&mut self, engine: &Engine) -> Order {
        loop {
            let alive = async {
                match self.watchdog {
                    Some(every) => tokio::time::sleep(every).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.hangup.recv() => return Order::Reload,
                _ = self.terminate.recv() => return Order::Stop,
                _ = self.interrupt.recv() => return Order::Stop,
                () = alive => {
                    // Takes the scheduler's lock: a scheduler that hangs is not alive.
                    let _ = engine.fetching();
                    tell(&[sd_notify::NotifyState::Watchdog]);
                }
            }
        }
    }

    pub(super) fn ready(&self, engine: &Engine) {
        let status = format!("{} accounts", engine.len());
        tell(&[sd_notify::NotifyState::Ready, sd_notify::NotifyState::Status(&status)]);
    }

    pub(super) fn reloading(&self) {
        // systemd wants the time of a reload's beginning with it.
        if let Ok(time) = sd_notify::NotifyState::monotonic_usec_now() {
            tell(&[sd_notify::NotifyState::Reloading, time]);
        }
    }

    pub(super) fn stopping(&self) {
        tell(&[sd_notify::NotifyState::Stopping]);
    }
}

/// Where nobody listens there is nobody to tell.
#[cfg(unix)]
fn tell(state: &[sd_notify::NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}

#[cfg(not(unix))]
pub(super) struct Supervisor;

#[cfg(not(unix))]
impl Supervisor {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self, _: &Engine) -> Order {
        // Without Ctrl-C there is nothing to wait for; the process is ended by its system then.
        match tokio::signal::ctrl_c().await {
            Ok(()) => Order::Stop,
            Err(_) => std::future::pending().await,
        }
    }

    pub(super) fn ready(&self, _: &Engine) {}

    pub(super) fn reloading(&self) {}

    pub(super) fn stopping(&self) {}
}
