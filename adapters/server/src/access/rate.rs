//! How often may a client ask? At a pace, with a burst that it may save up, by the generic cell rate algorithm.

use std::{fmt, sync::Arc};

use governor::{
    Quota, RateLimiter, clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

use crate::{clock::Clock, config::RateSpec};

pub(super) struct Rate {
    limiter: RateLimiter<NotKeyed, InMemoryState, Engines, NoOpMiddleware<Nanos>>,
    clock: Engines,
}

impl Rate {
    pub(super) fn new(spec: RateSpec, clock: &Arc<dyn Clock>) -> Self {
        let clock = Engines(clock.clone());
        let quota = Quota::per_second(spec.per_second()).allow_burst(spec.burst());
        Self { limiter: RateLimiter::direct_with_clock(quota, clock.clone()), clock }
    }

    /// Counts a request; the error is the whole seconds, rounded up, until the next one is granted.
    pub(super) fn ask(&self) -> Result<(), u64> {
        self.limiter.check().map_err(|not_until| {
            let wait = not_until.wait_time_from(clock::Clock::now(&self.clock));
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rate").finish_non_exhaustive()
    }
}

/// The engine's clock, as the limiter reads one.
#[derive(Clone)]
struct Engines(Arc<dyn Clock>);

impl clock::Clock for Engines {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.now().as_millis().saturating_mul(1_000_000))
    }
}
