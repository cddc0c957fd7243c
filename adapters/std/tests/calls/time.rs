//! The platform's clock as the client's: both are at the same time, whoever moves it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use wxtoken::{Alarm, Builder, Client, Clock, Endpoint, Instant};
use wxtoken_platform::{Account, Overlap, Platform, Running};

use crate::world::{ID, SECRET};

pub(crate) const CORP: &str = "ww0123456789abcdef";

#[derive(Clone)]
pub(crate) struct Time {
    pub(crate) platform: Arc<Running>,
    alarms: Arc<Mutex<Vec<Alarm>>>,
    /// Whoever waits gets there at once: for tests of one thread.
    sleeps: bool,
}

impl Time {
    /// Nothing moves by itself.
    pub(crate) fn still(overlap: Overlap) -> Self {
        Self::new(overlap, false)
    }

    pub(crate) fn sleeping() -> Self {
        Self::new(Overlap::None, true)
    }

    fn new(overlap: Overlap, sleeps: bool) -> Self {
        let platform = Platform::builder()
            .account(Account::official(ID, SECRET).overlap(overlap))
            .account(Account::work(CORP, SECRET))
            .speed(0.0);
        let platform = Arc::new(platform.start().expect("ports"));
        Self { platform, alarms: Arc::default(), sleeps }
    }

    pub(crate) fn advance_s(&self, seconds: u64) {
        self.platform.advance(Duration::from_secs(seconds));
        let alarms = self.alarms.lock().expect("no panic").clone();
        for alarm in alarms {
            alarm.ring();
        }
    }

    pub(crate) fn builder(&self, endpoint: &'static Endpoint) -> Builder {
        Client::builder(endpoint, ID, SECRET).base(self.platform.http_url()).clock(self.clone())
    }

    /// Tokens that were fetched, by whomever.
    pub(crate) fn fetches(&self) -> u64 {
        self.platform.counters().account(ID).fetched_in_all()
    }
}

impl Clock for Time {
    fn now(&self) -> Instant {
        Instant::from_millis(self.platform.now_ms())
    }

    fn unix_time(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.platform.now_ms()))
    }

    fn real_wait(&self, wait: Duration) -> Option<Duration> {
        if self.sleeps {
            self.platform.advance(wait);
            return Some(Duration::ZERO);
        }
        None
    }

    fn subscribe(&self, alarm: Alarm) {
        self.alarms.lock().expect("no panic").push(alarm);
    }
}
