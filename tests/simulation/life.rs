//! One account, its keeper, its callers and its troubles, for some weeks.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use wxtoken_core::{Account, Action, Endpoint, Failure, Fetch, Instant, Keeper, Outcome, ReportOutcome};
use wxtoken_platform::{
    Account as PlatformAccount, Overlap, Refusal, WorkRepeat,
    model::{Model, Request},
};

use crate::trouble::{Chance, Fate, Spell};

const DAY: u64 = 86_400_000;
/// The platform's clock, and ours plus this: a monotonic clock has its own origin.
const EPOCH: u64 = 1_790_000_000_000;
const ID: &str = "wx0123456789abcdef";
/// A caller comes this often.
const CALL_EVERY: u64 = 97_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Poll,
    Call,
    /// A request reaches the platform.
    Executes(u32),
    /// The client learns how its exchange ended.
    Ends(u32),
    SpellBegins,
    SpellEnds,
    /// Another program fetches for the same account.
    RotatedElsewhere,
}

struct Exchange {
    fetch: Fetch,
    fate: Fate,
    sent_at: u64,
    request: Request,
    reply: Option<(u16, Vec<u8>)>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) days: u64,
    fetches: u64,
    most_fetches_a_day: u64,
    calls: u64,
    failed_calls: u64,
    /// Milliseconds without a token to serve.
    without_ms: u64,
    /// The same, outside of spells and the recovery from them.
    without_in_peace_ms: u64,
    fates: BTreeMap<String, u64>,
    spells: BTreeMap<String, u64>,
    slowest_recovery_ms: u64,
}

impl Sums {
    pub(crate) const HEAD: &'static str =
        "    days   fetches  most a day       calls    failed   s/day without   outside spells   slowest recovery s";

    pub(crate) fn add(&mut self, other: &Self) {
        self.days += other.days;
        self.fetches += other.fetches;
        self.calls += other.calls;
        self.failed_calls += other.failed_calls;
        self.without_ms += other.without_ms;
        self.without_in_peace_ms += other.without_in_peace_ms;
        self.most_fetches_a_day = self.most_fetches_a_day.max(other.most_fetches_a_day);
        self.slowest_recovery_ms = self.slowest_recovery_ms.max(other.slowest_recovery_ms);
        for (name, n) in &other.fates {
            *self.fates.entry(name.clone()).or_default() += n;
        }
        for (name, n) in &other.spells {
            *self.spells.entry(name.clone()).or_default() += n;
        }
    }

    pub(crate) fn troubles_of_every_kind(&self) -> bool {
        self.fates.len() == Fate::ALL.len() && self.spells.len() == Spell::ALL.len()
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>8}{:>10}{:>12}{:>12}{:>10}{:>16.1}{:>17.1}{:>21}",
            self.days,
            self.fetches,
            self.most_fetches_a_day,
            self.calls,
            self.failed_calls,
            self.without_ms as f64 / 1000.0 / self.days.max(1) as f64,
            self.without_in_peace_ms as f64 / 1000.0 / self.days.max(1) as f64,
            self.slowest_recovery_ms / 1000
        )
    }
}

pub(crate) struct Life {
    chance: Chance,
    model: Model,
    keeper: Keeper,
    endpoint: &'static Endpoint,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    order: u64,
    exchanges: BTreeMap<u32, Exchange>,
    exchange: u32,
    spell: Option<Spell>,
    /// When the last spell ended, while no valid token has been seen since.
    recovering: Option<(u64, Spell)>,
    secret: String,
    /// What was granted: token and the instant it must not be served any more, by our own arithmetic.
    granted: Option<(String, u64)>,
    last_success: Option<u64>,
    /// Attempts that may have reached the platform, for the ledger's sake: the instants of the last 24 hours.
    attempts: Vec<u64>,
    last_seen: u64,
    sums: Sums,
}

impl Life {
    pub(crate) fn new(seed: u64, kind: usize, overlap: Overlap, repeat: WorkRepeat) -> Self {
        let endpoint = [&Endpoint::TOKEN, &Endpoint::STABLE_TOKEN, &Endpoint::WORK][kind];
        let account =
            if kind == 2 { PlatformAccount::work(ID, "secret-1") } else { PlatformAccount::official(ID, "secret-1") };
        let mut model = Model::new(seed);
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        model.add(account.overlap(overlap).work_repeat(repeat).allow_only([here])).expect("the only account");
        let mut life = Self {
            chance: Chance::new(seed),
            model,
            keeper: Keeper::new(endpoint, seed),
            endpoint,
            now: 0,
            events: BinaryHeap::new(),
            order: 0,
            exchanges: BTreeMap::new(),
            exchange: 0,
            spell: None,
            recovering: None,
            secret: "secret-1".into(),
            granted: None,
            last_success: None,
            attempts: Vec::new(),
            last_seen: 0,
            sums: Sums::default(),
        };
        life.at(0, Event::Poll);
        life.at(1, Event::Call);
        let first = life.chance.within(0, DAY);
        life.at(first, Event::SpellBegins);
        let first = life.chance.within(0, 3 * DAY);
        life.at(first, Event::RotatedElsewhere);
        life
    }

    fn at(&mut self, when: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((when, self.order, event)));
    }

    fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    pub(crate) fn run(mut self, days: u64) -> Sums {
        while let Some(Reverse((when, _, event))) = self.events.pop() {
            if when >= days * DAY {
                break;
            }
            self.pass_to(when);
            match event {
                Event::Poll => {}
                Event::Call => self.call(),
                Event::Executes(n) => self.execute(n),
                Event::Ends(n) => self.end(n),
                Event::SpellBegins => self.begin_spell(),
                Event::SpellEnds => self.end_spell(),
                Event::RotatedElsewhere => self.rotate_elsewhere(),
            }
            self.drive();
            self.check();
        }
        self.sums.days = days;
        self.sums
    }

    /// Time passes; what was served in between is judged.
    fn pass_to(&mut self, when: u64) {
        let served_until = match &self.granted {
            Some((_, expires_at)) if self.keeper.token(self.instant()).is_some() => (*expires_at).min(when),
            _ => self.now,
        };
        let without = when - served_until.max(self.now).min(when);
        self.sums.without_ms += without;
        if self.spell.is_none() && self.recovering.is_none() {
            self.sums.without_in_peace_ms += without;
        }
        self.now = when;
    }

    fn drive(&mut self) {
        let before = self.keeper.in_flight();
        match self.keeper.poll(self.instant()) {
            Action::Fetch(fetch) => {
                assert_eq!(before.filter(|t| Some(*t) == self.keeper.in_flight()), None, "two in flight");
                assert!(self.last_success.is_none_or(|at| self.now >= at + 30_000), "the floor");
                self.send(fetch);
                let again = self.keeper.poll_at().as_millis();
                self.at(again, Event::Poll);
            }
            Action::Wait(until) => {
                if self.last_seen != until.as_millis() {
                    self.last_seen = until.as_millis();
                    self.at(until.as_millis(), Event::Poll);
                }
            }
        }
    }

    fn send(&mut self, fetch: Fetch) {
        let fate = match self.spell {
            Some(Spell::Down) => Fate::NotSent,
            Some(Spell::Silent) => Fate::Unanswered,
            _ => Fate::draw(&mut self.chance),
        };
        *self.sums.fates.entry(format!("{fate:?}")).or_default() += 1;
        let account = Account::new(self.endpoint, ID, &self.secret).expect("a good account");
        let wire = account.request(fetch);
        let (mut target, mut body) = (String::new(), String::new());
        wire.write_target(&mut target).expect("a String takes all");
        wire.write_body(&mut body).expect("a String takes all");
        let request = Request::new(wire.method().as_str(), &target, body.into_bytes());
        self.exchange += 1;
        let n = self.exchange;
        self.exchanges.insert(n, Exchange { fetch, fate, sent_at: self.now, request, reply: None });
        if fate != Fate::NotSent {
            self.attempts.push(self.now);
            self.sums.fetches += 1;
        }
        let mut after = |from, to| self.now + self.chance.within(from, to);
        let (executes, ends) = match fate {
            Fate::Fine | Fate::ServerError | Fate::Garbled | Fate::Oversize => (Some(after(5, 50)), after(50, 300)),
            Fate::Slow => (Some(after(5, 5_000)), after(5_000, 10_000)),
            Fate::ReplyLost => (Some(after(5, 9_000)), after(9_000, 10_001)),
            Fate::Unanswered => (None, self.now + 10_000),
            Fate::ExecutedLate => (Some(after(10_001, 60_000)), self.now + 10_000),
            Fate::DriverSilent => (Some(after(5, 5_000)), after(15_000, 120_000)),
            Fate::NotSent => (None, after(1, 3_000)),
        };
        if let Some(executes) = executes {
            self.at(executes, Event::Executes(n));
        }
        self.at(ends, Event::Ends(n));
    }

    fn execute(&mut self, n: u32) {
        let exchange = self.exchanges.get_mut(&n).expect("an exchange");
        if exchange.fate == Fate::ServerError {
            exchange.reply = Some((502, b"<html>bad gateway</html>".to_vec()));
            return;
        }
        let reply = self.model.handle(EPOCH + self.now, &exchange.request);
        exchange.reply = Some(match exchange.fate {
            Fate::Garbled => (200, reply.body.iter().take(reply.body.len() / 2).copied().collect()),
            Fate::Oversize => (200, [reply.body, vec![b' '; 5_000]].concat()),
            _ => (reply.status, reply.body),
        });
    }

    fn end(&mut self, n: u32) {
        let exchange = &self.exchanges[&n];
        let (ticket, current) = (exchange.fetch.ticket(), self.keeper.in_flight() == Some(exchange.fetch.ticket()));
        let (fate, sent_at) = (exchange.fate, exchange.sent_at);
        let served = self.keeper.token(self.instant()).cloned();
        let now = self.instant();
        let outcome = match (fate, &exchange.reply) {
            (Fate::NotSent, _) => self.keeper.handle_failure(ticket, now, Failure::NotSent),
            (Fate::ReplyLost | Fate::Unanswered | Fate::ExecutedLate, _) | (_, None) => {
                self.keeper.handle_failure(ticket, now, Failure::MaybeSent)
            }
            (_, Some((status, body))) => self.keeper.handle_response(ticket, now, *status, body),
        };
        match &outcome {
            Outcome::Granted { .. } | Outcome::Repeated => {
                let body = exchange.reply.as_ref().map(|(_, body)| body.as_slice()).unwrap_or_default();
                let json: serde_json::Value = serde_json::from_slice(body).expect("a grant is JSON");
                let token = json["access_token"].as_str().expect("a token").to_owned();
                let announced = sent_at + json["expires_in"].as_u64().expect("a life") * 1000;
                let known = self.granted.take().filter(|(held, until)| *held == token && sent_at < *until);
                // The same token again does not live longer for it.
                self.granted = Some((token, known.map_or(announced, |(_, until)| until.min(announced))));
                self.last_success = Some(self.now);
            }
            Outcome::Stale => assert!(!current, "the current exchange is never stale"),
            _ => assert_eq!(self.keeper.token(now).cloned(), served, "a failure removed a token: {outcome:?}"),
        }
        assert!(current || outcome == Outcome::Stale, "a late result changes nothing");
        // What was executed late still needs its request; what is done does not.
        if fate != Fate::ExecutedLate {
            self.exchanges.remove(&n);
        }
    }

    /// A business call: with the token served, reported and repeated once with a different one when it is refused.
    fn call(&mut self) {
        self.sums.calls += 1;
        self.at(self.now + CALL_EVERY, Event::Call);
        let Some(token) = self.keeper.token(self.instant()).cloned() else {
            self.sums.failed_calls += 1;
            return;
        };
        let reply = self.model.handle(EPOCH + self.now, &probe(token.as_str()));
        match reply.errcode() {
            40001 | 40014 | 42001 => {
                self.sums.failed_calls += 1;
                if self.keeper.report_refused(self.instant(), &token) == ReportOutcome::Kept {
                    self.keeper.report_refused(self.instant(), &token);
                }
            }
            _ => self.recovered(),
        }
    }

    fn recovered(&mut self) {
        if let Some((ended, spell)) = self.recovering.take() {
            let took = self.now - ended;
            assert!(took <= spell.recovery_ms(), "{spell:?}: recovery took {took} ms");
            self.sums.slowest_recovery_ms = self.sums.slowest_recovery_ms.max(took);
        }
    }

    fn begin_spell(&mut self) {
        let spell = Spell::ALL[self.chance.within(0, Spell::ALL.len() as u64) as usize];
        *self.sums.spells.entry(format!("{spell:?}")).or_default() += 1;
        let now = EPOCH + self.now;
        match spell {
            Spell::Down | Spell::Silent => {}
            Spell::WrongSecret => self.model.change_secret(ID, "another").expect("known"),
            Spell::AddressDenied => {
                self.model.deny_address(ID, IpAddr::V4(Ipv4Addr::LOCALHOST)).expect("known");
            }
            Spell::Busy => self.model.refuse(now, ID, Refusal::fetching(-1)).expect("known"),
            Spell::RefusesTokens => self.model.refuse(now, ID, Refusal::using(40001)).expect("known"),
        }
        self.spell = Some(spell);
        self.recovering = None;
        let ends = self.now + self.chance.within(1, 5 * 3_600_000);
        self.at(ends, Event::SpellEnds);
    }

    fn end_spell(&mut self) {
        let spell = self.spell.take().expect("a spell");
        self.model.accept(ID).expect("known");
        self.model.change_secret(ID, "secret-1").expect("known");
        self.model.allow_address(ID, IpAddr::V4(Ipv4Addr::LOCALHOST)).expect("known");
        self.recovering = Some((self.now, spell));
        let next = self.now + self.chance.within(6 * 3_600_000, 3 * DAY);
        self.at(next, Event::SpellBegins);
    }

    fn rotate_elsewhere(&mut self) {
        let now = EPOCH + self.now;
        if self.chance.within(0, 2) == 0 {
            let _ = self.model.rotate_elsewhere(now, ID);
        } else {
            let _ = self.model.force_elsewhere(now, ID);
        }
        let next = self.now + self.chance.within(3_600_000, 3 * DAY);
        self.at(next, Event::RotatedElsewhere);
    }

    fn check(&mut self) {
        let now = self.instant();
        if let Some(token) = self.keeper.token(now) {
            let (held, until) = self.granted.as_ref().expect("served without a grant");
            assert_eq!(token.as_str(), held, "serves what was granted last");
            assert!(self.now < *until, "served at or after expiry");
        }
        let since = self.now.saturating_sub(DAY);
        self.attempts.retain(|&at| at > since);
        // Two of our days can meet in one sliding window; each keeps its own limit.
        let in_a_day = self.attempts.len() as u64;
        assert!(in_a_day <= 2 * 500 && self.keeper.ledger(now).fetches <= 500, "{in_a_day} attempts in 24 h");
        self.sums.most_fetches_a_day = self.sums.most_fetches_a_day.max(in_a_day);
        if let Some((ended, spell)) = self.recovering {
            assert!(
                self.now - ended <= spell.recovery_ms() + CALL_EVERY,
                "{spell:?} ended at {ended}, no recovery at {}: {:?}",
                self.now,
                self.keeper
            );
        }
    }
}

/// The cheapest call that tells whether a token is good. An 企业微信 token knows it, too.
fn probe(token: &str) -> Request {
    Request::get(&format!("/cgi-bin/getcallbackip?access_token={token}"))
}
