//! What time is it, and how long does waiting take? Injected, so that a test passes three days in a minute.

use std::{future::Future, pin::Pin, time::Duration};

use tokio::sync::watch;
use wxtoken::{Clock as _, Instant};

/// What [`Clock::sleep_until`] returns.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Time, by which everything in the server is scheduled but the limits of one exchange, which are the network's.
pub trait Clock: Send + Sync + 'static {
    /// Monotonic, and counting suspend: a token ages while a machine sleeps.
    fn now(&self) -> Instant;

    /// Time of day since the Unix epoch, if it is known. For what is written to disk and for the day of the ledger.
    fn unix_time(&self) -> Option<Duration>;

    /// Names the run of the system within which instants can be compared, for instance Linux's boot id.
    fn boot_id(&self) -> Option<String> {
        None
    }

    /// Ends when `now` has come to `at`.
    fn sleep_until(&self, at: Instant) -> Sleep<'_>;
}

/// 2024-01-01. A clock that says less was never set: it is taken as unknown rather than believed.
const PLAUSIBLE: Duration = Duration::from_secs(1_704_067_200);
/// A suspended system stops the timers, though not this clock: nobody sleeps longer than this without looking.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The clock of the operating system; see [`wxtoken::SystemClock`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl SystemClock {
    /// The clock of the operating system.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        wxtoken::SystemClock::new().now()
    }

    fn unix_time(&self) -> Option<Duration> {
        wxtoken::SystemClock::new().unix_time().filter(|time| *time >= PLAUSIBLE)
    }

    fn boot_id(&self) -> Option<String> {
        wxtoken::SystemClock::new().boot_id()
    }

    fn sleep_until(&self, at: Instant) -> Sleep<'_> {
        let clock = *self;
        Box::pin(async move {
            loop {
                let left = at.saturating_since(clock.now());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
            }
        })
    }
}

/// A clock for tests and simulations: it stands still until it is stepped.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    time: watch::Sender<Time>,
    boot_id: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Time {
    now: Instant,
    unix: Option<Duration>,
}

impl VirtualClock {
    /// A clock that shows an hour after its origin, and this time of day.
    #[must_use]
    pub fn new(unix: Duration) -> Self {
        let now = Instant::from_millis(3_600_000);
        Self { time: watch::Sender::new(Time { now, unix: Some(unix) }), boot_id: Some("virtual".to_owned()) }
    }

    /// Steps it forward, and wakes whoever slept for that.
    pub fn advance(&self, by: Duration) {
        self.time.send_modify(|time| {
            time.now = time.now.saturating_add(by);
            time.unix = time.unix.map(|unix| unix.saturating_add(by));
        });
    }

    /// Sets the time of day, which does not move [`Clock::now`]; `None`: it is not known.
    pub fn set_unix_time(&self, unix: Option<Duration>) {
        self.time.send_modify(|time| time.unix = unix);
    }

    /// The same time on a machine that has been started anew: instants cannot be compared with those before.
    #[must_use]
    pub fn rebooted(&self, boot_id: &str) -> Self {
        let unix = self.time.borrow().unix;
        Self {
            time: watch::Sender::new(Time { now: Instant::from_millis(5_000), unix }),
            boot_id: Some(boot_id.to_owned()),
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.time.borrow().now
    }

    fn unix_time(&self) -> Option<Duration> {
        self.time.borrow().unix
    }

    fn boot_id(&self) -> Option<String> {
        self.boot_id.clone()
    }

    fn sleep_until(&self, at: Instant) -> Sleep<'_> {
        let mut time = self.time.subscribe();
        Box::pin(async move {
            // The sender lives as long as `self` does.
            let _ = time.wait_for(|time| time.now >= at).await;
        })
    }
}
