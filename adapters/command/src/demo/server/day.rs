//! What happens to the server and its readers during the day? Its chapters, in order, and what each of them promises.

use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ureq::Agent;
use wxtoken_platform::{Fault, FaultScope};

use super::super::live::Live;
use super::super::stage::{seconds, span};
use super::super::wire::Business;
use super::super::{Promise, Trouble};
use super::house::{A, ACCOUNTS, B, C, House};
use super::reader::{Reader, Shape, Tally, World, agent};

/// Half of them in either shape, dealt to the accounts in turn.
const READERS: usize = 200;
const STEP: Duration = Duration::from_secs(15);
/// How often it is looked whether a reader waits, in real time.
const LOOK_UP: Duration = Duration::from_millis(1);
/// What passes at a time while one does.
const WAITED: Duration = Duration::from_millis(500);
/// An outage begins so long before the server wants to refresh.
const SHORTLY: Duration = Duration::from_secs(1);
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Each reader makes a call so often, in minutes.
const PACE_MIN: u64 = 10;
const END_MS: u64 = 24 * HOUR_MS - 10_000;
/// A token lives two hours: a server that fetched only when one ended would need this many a day.
pub(crate) const NEED: u64 = 12;

pub(crate) struct Day<'a> {
    pub(crate) house: House,
    pub(crate) readers: Vec<Reader>,
    agent: Agent,
    business: Business,
    live: Live<'a>,
    promises: Vec<Promise>,
}

impl<'a> Day<'a> {
    pub(crate) fn new(seed: u64, live: Live<'a>) -> Result<Self, Trouble> {
        let house = House::new(seed)?;
        let shape = |nth: usize| if nth.is_multiple_of(2) { Shape::Native } else { Shape::WeChat };
        let readers = (0..READERS).map(|nth| Reader::new(nth / 2 % ACCOUNTS.len(), shape(nth))).collect();
        let business = Business::new(house.platform.http_url());
        Ok(Self { house, readers, agent: agent(), business, live, promises: Vec::new() })
    }

    pub(crate) fn play(&mut self) -> Result<(), Trouble> {
        self.cold_start()?;
        self.until(5 * HOUR_MS)?;
        self.rotated_elsewhere()?;
        self.late_reports()?;
        self.lost_replies()?;
        self.outages()?;
        self.restart()?;
        self.chapter("evening", "Nothing happens but refreshes.")?;
        self.until(END_MS)?;
        self.the_day();
        Ok(())
    }

    pub(crate) fn finish(self, table: String) -> (Live<'a>, String, Vec<Promise>) {
        (self.live, table, self.promises)
    }

    /// What the readers of an account did, together.
    pub(crate) fn tally(&self, account: usize) -> Tally {
        self.readers.iter().filter(|reader| reader.account == account).fold(Tally::default(), |sum, reader| {
            let tally = reader.tally;
            Tally {
                reads: sum.reads + tally.reads,
                calls: sum.calls + tally.calls,
                healed: sum.healed + tally.healed,
                failed: sum.failed + tally.failed,
                without: sum.without + tally.without,
                dead: sum.dead + tally.dead,
            }
        })
    }

    fn cold_start(&mut self) -> Result<(), Trouble> {
        let text = format!("The server has no token, and {READERS} readers come at once.");
        self.chapter("a cold start", &text)?;
        let served = self.all_at_once(|reader, world| reader.call(world));
        for account in [A, B, C] {
            let (of, fetches) = (count(&self.readers, account, &served), self.house.fetches(account));
            let text = format!("{}: {} cold readers, {fetches} fetch, {} served", label(account), of.0, of.1);
            self.event(&text)?;
            self.promise(fetches == 1 && of.0 == of.1, text);
        }
        Ok(())
    }

    fn rotated_elsewhere(&mut self) -> Result<(), Trouble> {
        self.chapter(
            "rotated elsewhere",
            "Another program fetches for A by force and for B, and C's token is revoked. Six minutes later all readers make a \
             call in the same moment, and every one is refused.",
        )?;
        let before = [A, B, C].map(|account| (self.house.fetches(account), self.tally(account)));
        let platform = &self.house.platform;
        platform
            .force_elsewhere(ACCOUNTS[A].id)
            .and_then(|()| platform.rotate_elsewhere(ACCOUNTS[B].id))
            .and_then(|()| platform.rotate_elsewhere(ACCOUNTS[C].id))
            .map_err(|unknown| Trouble::Machine(unknown.to_string()))?;
        // B's token lives five more minutes. Nobody calls meanwhile, so that nobody notices.
        self.house.pass(Duration::from_millis(6 * MINUTE_MS));
        let served = self.all_at_once(|reader, world| reader.call(world));
        for account in [A, B, C] {
            let (fetches, tally) = &before[account];
            let (now, of) = (self.tally(account), count(&self.readers, account, &served));
            let (fetches, healed) = (self.house.fetches(account) - fetches, now.healed - tally.healed);
            let text = format!(
                "{}: rotated elsewhere: {healed} of {} readers refused at once, {fetches} fetch, {} served",
                label(account),
                of.0,
                of.1
            );
            self.event(&text)?;
            self.promise(fetches == 1 && of.0 == of.1 && healed == of.0 as u64, text);
        }
        Ok(())
    }

    fn late_reports(&mut self) -> Result<(), Trouble> {
        self.chapter("late reports", "Each native reader reports the token before once more, as a slow call would.")?;
        let before = self.fetches();
        let outcomes = self.all_at_once(|reader, world| match reader.shape {
            Shape::Native => reader.report_late(world),
            Shape::WeChat => None,
        });
        self.house.settle();
        let reports = outcomes.iter().flatten().count();
        let replaced = outcomes.iter().flatten().filter(|outcome| *outcome == "replaced").count();
        let fetches = self.fetches() - before;
        let text = format!("late reports: {reports} made, {replaced} answered \"replaced\", {fetches} fetches");
        self.event(&text)?;
        self.promise(reports == READERS / 2 && replaced == reports && fetches == 0, text);
        Ok(())
    }

    fn lost_replies(&mut self) -> Result<(), Trouble> {
        self.chapter("a lost reply", "Each account's next fetch is executed, and its reply never arrives.")?;
        let (before, minted) = (self.troubled(), [A, B, C].map(|account| self.house.generation(account)));
        for kept in &ACCOUNTS {
            self.house.platform.fault(Fault::ReplyLost, FaultScope::next_call().on_path(kept.path));
        }
        let until = self.house.ms() + 2 * HOUR_MS + 30 * MINUTE_MS;
        self.until(until)?;
        let fresh = [A, B, C].into_iter().all(|account| self.house.generation(account) > minted[account]);
        let (after, text) = (self.troubled(), "a lost reply on each account");
        self.unnoticed(text, before, after, fresh)
    }

    fn outages(&mut self) -> Result<(), Trouble> {
        self.chapter("an outage", "Each token endpoint is down from the moment the server wants to refresh.")?;
        for (account, length_ms) in [(A, 4 * MINUTE_MS), (B, 25 * MINUTE_MS), (C, 45_000)] {
            let (before, minted) = (self.troubled(), self.house.generation(account));
            // At most the life of a token away.
            let limit = self.house.ms() + 2 * HOUR_MS;
            while let Some(next) = self.house.next_in(account).filter(|next| *next > SHORTLY)
                && self.house.ms() < limit
            {
                self.until(self.house.ms() + (next - SHORTLY).min(STEP).as_millis().max(1) as u64)?;
            }
            let scope = FaultScope::every_call().on_path(ACCOUNTS[account].path).executed(false);
            self.house.platform.fault(Fault::ResetBefore, scope);
            self.event(format_args!("{}: {} is down", label(account), ACCOUNTS[account].path))?;
            self.until(self.house.ms() + SHORTLY.as_millis() as u64 + length_ms)?;
            self.house.platform.clear_faults();
            self.event(format_args!("{}: it is back", label(account)))?;
            self.until(self.house.ms() + 10 * MINUTE_MS)?;
            let (after, fresh) = (self.troubled(), self.house.generation(account) > minted);
            let text = format!("{}: an outage of {}, shorter than the lead", label(account), span(length_ms));
            self.unnoticed(&text, before, after, fresh)?;
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<(), Trouble> {
        self.until(20 * HOUR_MS)?;
        self.chapter("a restart", "The server is stopped, and started three minutes later from its store.")?;
        let (before, fetches) = (self.troubled(), self.fetches());
        let generations = [A, B, C].map(|account| self.house.generation(account));
        self.house.stop()?;
        self.until(self.house.ms() + 3 * MINUTE_MS)?;
        self.house.start()?;
        self.house.settle();
        let same = [A, B, C].map(|account| self.house.generation(account)) == generations;
        let cost = self.fetches() - fetches;
        self.event(format_args!("the server is back with the tokens it had: {cost} fetches"))?;
        let after = self.troubled();
        self.unnoticed("a restart of the server, without a fetch", before, after, same && cost == 0)
    }

    fn the_day(&mut self) {
        for account in [A, B, C] {
            let (tally, fetches) = (self.tally(account), self.house.fetches(account));
            let text = format!(
                "{}: {fetches} fetches in the day for {} reads and {} calls; {} calls failed, {} reader minutes without a token",
                label(account),
                tally.reads,
                tally.calls,
                tally.failed,
                tally.without,
            );
            self.promise(tally.failed == 0 && tally.without == 0 && tally.dead == 0 && fetches < 3 * NEED, text);
        }
    }

    /// Readers were not to notice anything.
    fn unnoticed(&mut self, what: &str, before: Troubled, after: Troubled, fresh: bool) -> Result<(), Trouble> {
        let (failed, healed, minutes) =
            (after.failed - before.failed, after.healed - before.healed, after.minutes - before.minutes);
        let text = format!(
            "{what}: {failed} calls failed, {healed} refused, {} without a valid token on any reader",
            seconds(minutes * MINUTE_MS)
        );
        self.event(&text)?;
        self.promise(fresh && (failed, healed, minutes) == (0, 0, 0), text);
        Ok(())
    }

    fn troubled(&self) -> Troubled {
        [A, B, C].map(|account| self.tally(account)).iter().fold(Troubled::default(), |sum, tally| Troubled {
            failed: sum.failed + tally.failed,
            healed: sum.healed + tally.healed,
            minutes: sum.minutes + tally.without + tally.dead,
        })
    }

    fn fetches(&self) -> u64 {
        [A, B, C].map(|account| self.house.fetches(account)).iter().sum()
    }

    /// Lets time pass until then. Each minute every reader looks after its token, and one in ten makes a call.
    fn until(&mut self, at_ms: u64) -> Result<(), Trouble> {
        while self.house.ms() < at_ms {
            let before = self.house.ms();
            self.house.pass(STEP.min(Duration::from_millis(at_ms - before)));
            let now = self.house.ms();
            let minute = now / MINUTE_MS;
            if before / MINUTE_MS == minute {
                continue;
            }
            let world = world(&self.house, &self.agent, &self.business);
            let over = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| waiting_passes_time(&self.house, &world, &over));
                for (nth, reader) in self.readers.iter_mut().enumerate() {
                    reader.minute(&world);
                    if (minute + nth as u64).is_multiple_of(PACE_MIN) {
                        reader.call(&world);
                    }
                }
                over.store(true, Ordering::Relaxed);
            });
            if minute.is_multiple_of(5) {
                self.redraw()?;
            }
        }
        Ok(())
    }

    /// All readers do the same in the same moment.
    fn all_at_once<T: Send>(&mut self, each: impl Fn(&mut Reader, &World<'_>) -> T + Sync) -> Vec<T> {
        let (world, start) = (world(&self.house, &self.agent, &self.business), Barrier::new(READERS));
        let (world, start, each) = (&world, &start, &each);
        std::thread::scope(|scope| {
            let run = |reader| {
                scope.spawn(move || {
                    start.wait();
                    each(reader, world)
                })
            };
            let threads: Vec<_> = self.readers.iter_mut().map(run).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        })
    }

    fn promise(&mut self, kept: bool, text: String) {
        self.promises.push(Promise { kept, text });
    }

    fn chapter(&mut self, title: &str, text: &str) -> io::Result<()> {
        self.live.chapter(self.house.ms(), title, text)
    }

    fn event(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        self.live.event(self.house.ms(), text)
    }

    fn redraw(&mut self) -> io::Result<()> {
        let Self { live, house, .. } = self;
        live.status(|| {
            let of = |account: usize| format!("{}: token {}", ACCOUNTS[account].name, house.generation(account));
            format!("{}  {}", super::super::clock::time_of_day(house.ms()), [A, B, C].map(of).join(" | "))
        })
    }
}

/// WeCom makes the next token only when the one before is dead. Who comes in between waits some seconds for it, and while
/// the readers wait in turn nobody else would let time pass. A slow machine is no reason to.
fn waiting_passes_time(house: &House, world: &World<'_>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK_UP);
        let asked = world.asked.load(Ordering::Relaxed);
        if asked.checked_sub(1).is_some_and(|account| house.is_between_two_tokens(account)) {
            house.pass(WAITED);
        }
    }
}

/// What went wrong so far, on any reader.
#[derive(Clone, Copy, Default)]
struct Troubled {
    failed: u64,
    healed: u64,
    minutes: u64,
}

fn world<'w>(house: &'w House, agent: &'w Agent, business: &'w Business) -> World<'w> {
    World { agent, server: house.url(), business, platform: &house.platform, asked: AtomicUsize::new(0) }
}

const fn label(account: usize) -> &'static str {
    ACCOUNTS[account].label
}

/// How many readers an account has, and how many of them succeeded.
fn count(readers: &[Reader], account: usize, served: &[bool]) -> (usize, usize) {
    let of = || readers.iter().zip(served).filter(|(reader, _)| reader.account == account);
    (of().count(), of().filter(|(_, served)| **served).count())
}
