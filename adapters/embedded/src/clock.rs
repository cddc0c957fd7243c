//! What time is it on this device, and who wakes the task up?

use wxtoken_core::{Instant, Ticks32};

/// A monotonic clock in milliseconds. It should count deep sleep, as a token ages meanwhile.
///
/// Every `FnMut() -> Instant` is one; [`TickClock`] makes one of a 32-bit tick.
pub trait Clock {
    /// Now. Never earlier than at the call before.
    fn now(&mut self) -> Instant;
}

impl<F: FnMut() -> Instant> Clock for F {
    fn now(&mut self) -> Instant {
        self()
    }
}

/// A clock that can also be waited for, the deadline of an asynchronous exchange.
#[allow(async_fn_in_trait, reason = "an executor of a device polls on one thread; a Send bound would exclude most")]
pub trait Timer: Clock {
    /// Comes back at `at` or soon after, at once if that has passed. Dropping the future ends the waiting.
    async fn wait_until(&mut self, at: Instant);
}

/// A clock made of a 32-bit millisecond tick (SysTick, `HAL_GetTick`, `xTaskGetTickCount` at 1 kHz), which wraps every
/// 49.7 days. It must be asked at least once in that time; a client that is ticked does so.
///
/// Each copy counts wraps for itself. Copies that are first asked on either side of a wrap differ by 49.7 days for ever:
/// ask the clock once, then copy it.
///
/// ```
/// use wxtoken_embedded::{Clock, TickClock};
/// let mut ticks = [u32::MAX, 4].into_iter();
/// let mut clock = TickClock::new(move || ticks.next().unwrap_or(4));
/// let before = clock.now();
/// assert_eq!(clock.now().as_millis() - before.as_millis(), 5);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TickClock<F> {
    ticks: Ticks32,
    read: F,
}

impl<F: FnMut() -> u32> TickClock<F> {
    /// A clock that reads the tick with `read`, in milliseconds.
    pub const fn new(read: F) -> Self {
        Self { ticks: Ticks32::new(), read }
    }
}

impl<F: FnMut() -> u32> Clock for TickClock<F> {
    fn now(&mut self) -> Instant {
        self.ticks.widen((self.read)())
    }
}

/// The clock and timer of `embassy-time`. Whether it counts deep sleep depends on the board's time driver.
#[cfg(feature = "embassy-time")]
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct EmbassyClock;

#[cfg(feature = "embassy-time")]
impl EmbassyClock {
    /// The clock of this image's time driver.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

#[cfg(feature = "embassy-time")]
impl Clock for EmbassyClock {
    fn now(&mut self) -> Instant {
        Instant::from_millis(embassy_time::Instant::now().as_millis())
    }
}

#[cfg(feature = "embassy-time")]
impl Timer for EmbassyClock {
    async fn wait_until(&mut self, at: Instant) {
        // Measured from now, since milliseconds may not fit into the ticks of an instant where a duration saturates.
        let left = at.as_millis().saturating_sub(self.now().as_millis());
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        embassy_time::Timer::after_millis(u64::from(left)).await;
    }
}
