//! Which alarms wait, and when is the next one tried? Told the time, it does nothing by itself.
//!
//! - A few are kept, in RAM; when there are too many the oldest goes.
//! - They are sent one after the other, in the order in which they came.
//! - While nothing can be sent they wait without limit: an outage is no reason to forget an alarm.
//! - What the platform puts off is tried again, ever less often, for about a day; then it is given up.

use core::time::Duration;

use heapless::Deque;
use wxtoken_embedded::{boot_delay, core::Instant};

use super::{
    alarm::{Alarm, Number, Trip},
    delivery::{Delivery, Patience},
};

/// So many are kept.
pub const KEPT: usize = 8;
/// So often an alarm is tried that the platform puts off: six waits that double, and then an hour each, which outlasts a
/// day's quota.
pub const MAX_TRIES: u8 = 31;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// The first wait after nothing could be sent. It doubles up to a minute.
const UNSENT: Duration = Duration::from_secs(5);

/// The alarms that wait.
#[derive(Clone, Debug)]
pub struct Alarms {
    device: u64,
    boot: u32,
    waiting: Deque<Alarm, KEPT>,
    count: u32,
    /// None is tried before this.
    next_at: Instant,
    /// How often in a row nothing could be sent.
    unsent: u8,
}

/// What becomes of an alarm that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It has arrived.
    Arrived,
    /// Nothing was sent; it waits until then.
    Unsent(Instant),
    /// The platform put it off, this for the so-manieth time; it waits until then.
    PutOff(u8, Instant),
    /// It will not be tried again.
    GivenUp,
}

impl Alarms {
    /// None yet. `device` is the serial number, `boot` a number that no other boot has.
    #[must_use]
    pub const fn new(device: u64, boot: u32) -> Self {
        Self { device, boot, waiting: Deque::new(), count: 0, next_at: Instant::ZERO, unsent: 0 }
    }

    /// Takes an alarm in. The second is the one that had to go for it, if there were too many.
    pub fn raise(&mut self, trip: Trip) -> (Alarm, Option<Alarm>) {
        self.count = self.count.saturating_add(1);
        let alarm = Alarm::new(Number { device: self.device, boot: self.boot, count: self.count }, trip);
        let lost = if self.waiting.is_full() { self.waiting.pop_front() } else { None };
        // There is room now.
        let _ = self.waiting.push_back(alarm);
        (alarm, lost)
    }

    /// The one to be sent now, if one is due.
    #[must_use]
    pub fn due(&self, now: Instant) -> Option<Alarm> {
        self.waiting.front().copied().filter(|_| now >= self.next_at)
    }

    /// When one is due; `None` while none waits.
    #[must_use]
    pub fn due_at(&self) -> Option<Instant> {
        self.waiting.front().map(|_| self.next_at)
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The alarm was tried, from `begun` until `now`, and this came of it.
    pub fn tried(&mut self, number: Number, begun: Instant, now: Instant, delivery: Delivery) -> Fate {
        // Others may have come meanwhile, and this one may have had to go for them.
        let alarm = self.waiting.front_mut().filter(|alarm| alarm.number == number);
        let fate = match (delivery, alarm) {
            (Delivery::Arrived, _) => Fate::Arrived,
            (Delivery::Never(_), _) | (_, None) => Fate::GivenUp,
            (Delivery::NotSent(_), Some(_)) => {
                let wait = doubled(UNSENT, self.unsent, MINUTE);
                self.unsent = self.unsent.saturating_add(1);
                Fate::Unsent(self.later(now, wait))
            }
            (Delivery::PutOff { patience, may_have_arrived, .. }, Some(alarm)) => {
                alarm.tries = alarm.tries.saturating_add(1);
                if may_have_arrived {
                    alarm.unanswered_at.get_or_insert(begun);
                }
                let tries = alarm.tries;
                match patience.wait(tries) {
                    _ if tries >= MAX_TRIES => Fate::GivenUp,
                    wait => Fate::PutOff(tries, self.later(now, wait)),
                }
            }
        };
        if !matches!(fate, Fate::Unsent(_)) {
            self.unsent = 0;
        }
        match fate {
            Fate::Unsent(at) | Fate::PutOff(_, at) => self.next_at = at,
            Fate::Arrived | Fate::GivenUp => {
                if self.waiting.front().is_some_and(|alarm| alarm.number == number) {
                    self.waiting.pop_front();
                }
            }
        }
        fate
    }

    /// Not all devices of a district at once.
    fn later(&self, now: Instant, wait: Duration) -> Instant {
        now.saturating_add(wait).saturating_add(boot_delay(self.device, wait / 4))
    }
}

impl Patience {
    /// How long to wait after the so-manieth try.
    fn wait(self, tries: u8) -> Duration {
        match self {
            Self::Grows => doubled(MINUTE, tries.saturating_sub(1), HOUR),
            Self::MinuteThenHour if tries <= 1 => MINUTE,
            Self::MinuteThenHour | Self::Hour => HOUR,
        }
    }
}

fn doubled(first: Duration, times: u8, most: Duration) -> Duration {
    // More would overflow, and is beyond any limit.
    first.saturating_mul(1 << times.min(16)).min(most)
}

#[cfg(test)]
mod tests;
