//! Where is the day played? A platform, four accounts, and the steps by which time passes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use wxtoken::{Client, Endpoint};
use wxtoken_platform::{Account, Fault, FaultScope, Platform, Running};

use super::actor::{Actor, Began, Calls, Outage, PACE_MS, Survived};
use super::clock::{MIDNIGHT_MS, VirtualClock};
use super::live::Live;
use super::record::{Band, Result as Came, Track};
use super::wire::{BASE, Business, Wire};
use super::{Promise, Trouble};

/// The accounts' places in [`Stage::actors`].
pub(crate) const STABLE: usize = 0;
pub(crate) const ROTATING: usize = 1;
pub(crate) const WORK: usize = 2;
pub(crate) const NEWCOMER: usize = 3;

/// Made up; they never leave this process.
pub(crate) const SECRET: &str = "made-up-secret-of-the-demo";

/// Troubles that begin when an account fetches, and in which it sends an alarm.
pub(crate) const LOST_REPLY: &str = "a lost reply to a fetch";
pub(crate) const OUTAGE: &str = "an outage of the token endpoint";

/// Validity is looked at once a virtual second.
const STEP_MS: u64 = 1_000;
/// The status line is redrawn this often, in virtual time.
const REDRAW_MS: u64 = 300_000;

pub(crate) struct Stage<'a> {
    pub(crate) platform: Arc<Running>,
    pub(crate) clock: VirtualClock,
    pub(crate) actors: Vec<Actor>,
    pub(crate) promises: Vec<Promise>,
    pub(crate) live: Live<'a>,
    business: Business,
    seed: u64,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(seed: u64, live: Live<'a>) -> Result<Self, Trouble> {
        let cast: [(&str, &str, &'static Endpoint); 4] = [
            ("official account A", "wx000000000000000a", &Endpoint::STABLE_TOKEN),
            ("official account B", "wx000000000000000b", &Endpoint::TOKEN),
            ("WeCom app C", "ww000000000000000c", &Endpoint::WORK),
            ("mini program D", "wx000000000000000d", &Endpoint::STABLE_TOKEN),
        ];
        let platform = Platform::builder()
            .seed(seed)
            .start_at_ms(MIDNIGHT_MS)
            .speed(0.0)
            .account(Account::official(cast[STABLE].1, SECRET))
            .account(Account::official(cast[ROTATING].1, SECRET))
            .account(Account::work(cast[WORK].1, SECRET))
            .account(Account::mini_program(cast[NEWCOMER].1, SECRET))
            .start()
            .map_err(|error| Trouble::Machine(format!("the platform cannot start on loopback: {error}")))?;
        let platform = Arc::new(platform);
        let clock = VirtualClock::new(Arc::clone(&platform));
        let actor =
            |(index, (label, name, endpoint)): (usize, (&'static str, &'static str, &'static Endpoint))| Actor {
                label,
                name,
                path: endpoint.path(),
                work: index == WORK,
                client: None,
                wire: Wire::new(clock.clone(), platform.http_url()),
                // Not all in the same second.
                next_call_ms: PACE_MS / 4 * index as u64 + 7_000,
                calls: Calls::default(),
                track: Track::default(),
                bands: Vec::new(),
                outage: None,
                counted_before: 0,
                cold_fetches: None,
                survived: None,
                exchanges_told: 0,
                alarms: Vec::new(),
            };
        let actors = cast.into_iter().enumerate().map(actor).collect();
        let business = Business::new(platform.http_url());
        let mut stage = Self { platform, clock, actors, promises: Vec::new(), live, business, seed };
        for index in [STABLE, ROTATING, WORK] {
            stage.enter(index, SECRET)?;
        }
        Ok(stage)
    }

    /// An account takes part, with a new client.
    pub(crate) fn enter(&mut self, index: usize, secret: &str) -> Result<(), Trouble> {
        let actor = &mut self.actors[index];
        let endpoint = match index {
            ROTATING => &Endpoint::TOKEN,
            WORK => &Endpoint::WORK,
            _ => &Endpoint::STABLE_TOKEN,
        };
        let client = Client::builder(endpoint, actor.name, secret)
            .base(BASE)
            .clock(self.clock.clone())
            .transport(actor.wire.clone())
            // The day itself decides when a refresh is made, so that it is the same day each time.
            .background(false)
            // Else it would follow from the base URL, whose port the system picks.
            .seed(self.seed.wrapping_add(index as u64))
            .build()
            .map_err(|error| Trouble::Machine(error.to_string()))?;
        actor.counted_before = actor.counted();
        actor.client = Some(client);
        actor.next_call_ms = actor.next_call_ms.max(self.clock.ms());
        Ok(())
    }

    /// Lets time pass until `at_ms` since midnight.
    pub(crate) fn until(&mut self, at_ms: u64) -> Result<(), Trouble> {
        loop {
            let now = self.clock.ms();
            if now >= at_ms {
                return Ok(());
            }
            let next = (now / STEP_MS + 1) * STEP_MS;
            self.clock.pass(Duration::from_millis(next.min(at_ms) - now));
            for index in 0..self.actors.len() {
                self.outage(index)?;
                let actor = &mut self.actors[index];
                actor.observe(&self.clock, &self.platform);
                if actor.next_call_ms <= self.clock.ms() && actor.client.is_some() {
                    actor.next_call_ms += PACE_MS;
                    if let Some(again) = actor.call(&self.business) {
                        let text = format!(
                            "{}: a call was refused ({}), reported, and made again with token {}",
                            actor.label, again.errcode, again.generation
                        );
                        self.event(text)?;
                    }
                }
                self.tell_of_lost_replies(index)?;
            }
            if now / REDRAW_MS != self.clock.ms() / REDRAW_MS {
                self.redraw()?;
            }
        }
    }

    /// A reply that never came, other than in an outage, of which all are told together.
    fn tell_of_lost_replies(&mut self, index: usize) -> io::Result<()> {
        let actor = &mut self.actors[index];
        let exchanges = actor.wire.exchanges();
        let news = &exchanges[actor.exchanges_told..];
        let lost = news.iter().filter(|e| e.came == Came::Nothing && actor.outage.is_none()).count();
        actor.exchanges_told = exchanges.len();
        for _ in 0..lost {
            let text = format!("{}: a fetch was sent, and no reply came", self.actors[index].label);
            self.event(text)?;
            self.alarm(index, LOST_REPLY)?;
        }
        Ok(())
    }

    /// Begins an outage when the client first wants to fetch, and ends it when its time is over.
    fn outage(&mut self, index: usize) -> io::Result<()> {
        let now = self.clock.ms();
        let actor = &mut self.actors[index];
        let Some(Outage { length_ms, began }) = actor.outage else { return Ok(()) };
        match began {
            None if actor.is_due() => {
                let began = Began { at_ms: now, without_ms: actor.track.without_ms(), failed: actor.calls.failed };
                actor.outage = Some(Outage { length_ms, began: Some(began) });
                self.go_down(index);
                let (label, path) = (self.actors[index].label, self.actors[index].path);
                self.live.event(now, format_args!("{label}: wants to refresh, and {path} is down"))?;
                self.alarm(index, OUTAGE)
            }
            Some(began) if now >= began.at_ms + length_ms => {
                actor.outage = None;
                actor.bands.push(Band { label: "outage", from_ms: began.at_ms, to_ms: now });
                let without_ms = actor.track.without_ms() - began.without_ms;
                let failed = actor.calls.failed - began.failed;
                actor.survived = Some(Survived { lasted_ms: now - began.at_ms, without_ms });
                let (label, path) = (actor.label, actor.path);
                self.go_up();
                self.live.event(now, format_args!("{label}: {path} is back after {}", span(now - began.at_ms)))?;
                self.promise(
                    without_ms == 0 && failed == 0,
                    format!(
                        "{label}: an outage of {}, shorter than the lead: {} without a valid token, {failed} calls failed",
                        span(length_ms),
                        seconds(without_ms),
                    ),
                );
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn go_down(&self, index: usize) {
        let scope = FaultScope::every_call().on_path(self.actors[index].path).executed(false);
        self.platform.fault(Fault::ResetBefore, scope);
    }

    /// Faults can only be taken back together: those still wanted are ordered again.
    fn go_up(&self) {
        self.platform.clear_faults();
        for (index, actor) in self.actors.iter().enumerate() {
            if actor.outage.is_some_and(|outage| outage.began.is_some()) {
                self.go_down(index);
            }
        }
    }

    pub(crate) fn promise(&mut self, kept: bool, text: String) {
        self.promises.push(Promise { kept, text });
    }

    pub(crate) fn chapter(&mut self, title: &str, text: &str) -> io::Result<()> {
        self.live.chapter(self.clock.ms(), title, text)
    }

    pub(crate) fn event(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        self.live.event(self.clock.ms(), text)
    }

    fn redraw(&mut self) -> io::Result<()> {
        let Self { live, actors, clock, .. } = self;
        live.status(|| {
            let of = |actor: &Actor| match &actor.client {
                Some(client) => {
                    let status = client.status();
                    let name = &actor.label[actor.label.len() - 1..];
                    match status.remaining {
                        Some(left) => format!("{name}: token {}, {} min left", status.generation, left.as_secs() / 60),
                        None => format!("{name}: no token"),
                    }
                }
                None => String::new(),
            };
            let parts: Vec<String> = actors.iter().map(of).filter(|part| !part.is_empty()).collect();
            format!("{}  {}", super::clock::time_of_day(clock.ms()), parts.join(" | "))
        })
    }

    /// The day is over; what is left is to tell of it.
    pub(crate) fn finish(self) -> Live<'a> {
        self.live
    }
}

/// A length of time for people: `25 min`, `45 s`.
pub(crate) fn span(ms: u64) -> String {
    match (ms / 60_000, ms / 1_000 % 60) {
        (0, s) => format!("{s} s"),
        (m, 0) => format!("{m} min"),
        (m, s) => format!("{m} min {s} s"),
    }
}

/// Seconds, with a decimal where there is one.
pub(crate) fn seconds(ms: u64) -> String {
    if ms.is_multiple_of(1_000) { format!("{} s", ms / 1_000) } else { format!("{:.1} s", ms as f64 / 1_000.0) }
}
