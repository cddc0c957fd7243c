//! What is a gateway's job? It keeps a token fresh, sends an alarm when its sensor trips, and tells a field engineer what
//! stands in the way.
//!
//! It knows neither board nor network. What is decided stands here and below, once; [`blocking`] and [`asynch`] are the two
//! loops around it.

mod alarm;
#[cfg(feature = "async")]
pub mod asynch;
pub mod blocking;
mod date;
mod delivery;
mod message;
mod queue;
mod verdict;

use core::time::Duration;

use wxtoken_embedded::{
    Attempt,
    core::{Base, Instant, Outcome},
};

pub use alarm::{Alarm, Number, Trip};
pub use delivery::{Delivery, Patience};
pub use message::{BadMessage, Message};
pub use queue::{Alarms, Fate, KEPT, MAX_TRIES};
pub use verdict::Verdict;

use crate::provision::{Settings, To};

/// No attempt of one call begins later. Long enough for a second token after a refused one, since two fetches are 30 s
/// apart; what takes longer waits in the queue, where it holds nothing up.
pub const CALL_LIMIT: Duration = Duration::from_secs(40);

/// When the job ends, which on a device in the field is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// After so many different tokens, with every alarm settled.
    pub tokens: u32,
    /// After so many attempts to fetch, if they brought fewer tokens.
    pub attempts: u32,
    /// After so many calls, whatever became of the alarms.
    pub sends: u32,
    /// So many alarms are to come.
    pub alarms: u32,
}

/// What has come of the job so far, and what is still to be done.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    to: To<'a>,
    /// Where APIs are called, if not where the token comes from.
    api: Option<Base<'a>>,
    alarms: Alarms,
    end: Option<End>,
    tokens: u32,
    /// Of the newest token seen.
    generation: u32,
    attempts: u32,
    sends: u32,
    /// Alarms that arrived, were given up, or had to go.
    settled: u32,
}

impl<'a> Job<'a> {
    /// The job that `settings` describe. `boot` is a number that no other boot of this device has.
    #[must_use]
    pub const fn new(settings: &Settings<'a>, boot: u32) -> Self {
        Self {
            to: settings.to(),
            api: settings.api,
            alarms: Alarms::new(settings.device, boot),
            end: settings.end,
            tokens: 0,
            generation: 0,
            attempts: 0,
            sends: 0,
            settled: 0,
        }
    }

    /// The sensor has tripped.
    fn tripped(&mut self, trip: Trip) {
        let (alarm, lost) = self.alarms.raise(trip);
        let waiting = self.alarms.waiting();
        defmt::warn!(
            "gateway: alarm {}: the water stands at {=u16} mm; {=usize} to be sent",
            alarm.number,
            trip.level_mm,
            waiting
        );
        if let Some(Alarm { number, .. }) = lost {
            self.settled = self.settled.saturating_add(1);
            defmt::error!("gateway: alarm {} is lost: only {=usize} are kept, and the oldest goes", number, KEPT);
        }
    }

    /// Takes note of an attempt to fetch, and says who must act. `Some` when the job has come to its end.
    fn fetched(&mut self, attempt: &Attempt) -> Option<Verdict> {
        self.attempts = self.attempts.saturating_add(1);
        if let Outcome::Granted { generation } = attempt.outcome {
            self.holds(generation);
        }
        let verdict = Verdict::of(attempt);
        verdict.advise();
        let spent = |end: &End| self.tokens < end.tokens && self.attempts >= end.attempts;
        let over = self.is_done() || self.end.as_ref().is_some_and(spent);
        over.then_some(verdict)
    }

    /// The alarm to be sent now. None without a token: it comes by itself, and until then nothing can be sent.
    fn due(&self, now: Instant, token_held: bool) -> Option<Alarm> {
        self.alarms.due(now).filter(|_| token_held)
    }

    /// When an alarm is due; `None` while none waits.
    #[cfg(feature = "async")]
    fn due_at(&self) -> Option<Instant> {
        self.alarms.due_at()
    }

    /// What is to be sent of `alarm`, or what becomes of one that cannot be put into words.
    fn message(&self, alarm: &Alarm) -> Result<Message<'a>, Delivery> {
        Message::new(self.to, self.api, alarm).map_err(|why| {
            defmt::error!("gateway: alarm {} cannot be sent, {}; look at the recipient's names", alarm.number, why);
            Delivery::Never(Verdict::Own)
        })
    }

    /// Takes note of a call that was made for `alarm` from `begun` until `now`, after which the token `generation` is held.
    /// `Some` when the job has come to its end.
    fn sent(
        &mut self,
        alarm: &Alarm,
        begun: Instant,
        now: Instant,
        delivery: Delivery,
        generation: u32,
    ) -> Option<Verdict> {
        self.sends = self.sends.saturating_add(1);
        // A token that was refused was replaced in the midst of the call.
        self.holds(generation);
        let fate = self.alarms.tried(alarm.number, begun, now, delivery);
        self.say(alarm, begun, now, fate);
        if matches!(fate, Fate::Arrived | Fate::GivenUp) {
            self.settled = self.settled.saturating_add(1);
        }
        let verdict = delivery.verdict();
        verdict.advise();
        let over = self.is_done() || self.end.as_ref().is_some_and(|end| self.sends >= end.sends);
        over.then_some(verdict)
    }

    /// Says what has become of an alarm. Why, the client has said.
    fn say(&self, alarm: &Alarm, begun: Instant, now: Instant, fate: Fate) {
        let number = alarm.number;
        let seconds_until = |at: Instant| at.saturating_since(now).as_secs().saturating_add(1);
        match fate {
            Fate::Arrived => {
                let after = now.saturating_since(alarm.trip.at).as_secs();
                defmt::info!("gateway: alarm {} has arrived, {=u64} s after it was raised", number, after);
                let known_for = self.to.repeats_known_for();
                if alarm.unanswered_at.is_some_and(|at| begun.saturating_since(at) >= known_for) {
                    defmt::warn!("gateway: alarm {} may have arrived twice: no answer came for too long", number);
                }
            }
            Fate::Unsent(at) => {
                let wait = seconds_until(at);
                defmt::warn!("gateway: alarm {} was not sent and waits; next try in {=u64} s", number, wait);
            }
            Fate::PutOff(tries, at) => {
                let wait = seconds_until(at);
                defmt::warn!(
                    "gateway: alarm {} is put off, {=u8} of {=u8} tries used; next in {=u64} s",
                    number,
                    tries,
                    MAX_TRIES,
                    wait
                );
            }
            Fate::GivenUp => defmt::error!("gateway: alarm {} is given up: it has not arrived", number),
        }
    }

    fn holds(&mut self, generation: u32) {
        if generation > self.generation {
            self.generation = generation;
            self.tokens = self.tokens.saturating_add(1);
        }
    }

    fn is_done(&self) -> bool {
        self.end.as_ref().is_some_and(|end| self.tokens >= end.tokens && self.settled >= end.alarms)
    }
}
