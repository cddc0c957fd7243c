//! Does the water rise? **EMULATOR ONLY**: a gauge that trips when the settings of the run say so.
//!
//! A real board has a float switch at a pin, or asks a probe at a bus. It keeps what has happened until somebody asks: a
//! flag that the pin's interrupt sets, or (with an executor) a task that waits for the edge and sends to a channel.

use core::time::Duration;

use wxtoken_embedded::{Clock, core::Instant};

use super::wall;
use crate::{
    gateway::{Trip, blocking},
    provision::Settings,
};

/// The gauge.
#[derive(Clone, Copy, Debug)]
pub struct Sensor<'a, K> {
    settings: Settings<'a>,
    clock: K,
    booted_at: Instant,
    tripped: usize,
}

impl<'a, K: Clock> Sensor<'a, K> {
    /// A gauge that trips so many seconds from now as the settings say, by the clock of the job.
    #[must_use]
    pub fn new(settings: Settings<'a>, mut clock: K) -> Self {
        let booted_at = clock.now();
        Self { settings, clock, booted_at, tripped: 0 }
    }

    fn trips_at(&self) -> Option<Instant> {
        let second = self.settings.trips().nth(self.tripped)?;
        Some(self.booted_at.saturating_add(Duration::from_secs(second.into())))
    }
}

impl<K: Clock> blocking::Sensor for Sensor<'_, K> {
    fn trip(&mut self) -> Option<Trip> {
        let now = self.clock.now();
        let at = self.trips_at().filter(|&at| at <= now)?;
        self.tripped += 1;
        // Each time a little higher.
        let level_mm = 40 + u16::try_from(self.tripped).unwrap_or(0);
        // It may have happened a while ago.
        let unix_s = wall::unix_time().map(|unix_s| unix_s.saturating_sub(now.saturating_since(at).as_secs()));
        Some(Trip { at, unix_s, level_mm })
    }
}

#[cfg(feature = "async")]
impl<T: wxtoken_embedded::Timer> crate::gateway::asynch::Sensor for Sensor<'_, T> {
    async fn trip(&mut self) -> Trip {
        loop {
            if let Some(trip) = blocking::Sensor::trip(self) {
                return trip;
            }
            match self.trips_at() {
                Some(at) => self.clock.wait_until(at).await,
                None => core::future::pending().await,
            }
        }
    }
}
