//! What must a keeper have done? An independent restatement of the rules, which watches one and judges it.
//!
//! It shares no code with the keeper and keeps its own books in its own terms: plain numbers, names instead of tokens,
//! and lower bounds instead of chosen waits. Where the keeper may choose (jitter), the oracle accepts a range.

pub(crate) const DAY: u64 = 86_400_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rotating,
    Stable,
    Work,
}

#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) name: u32,
    pub(crate) expires_at: u64,
    granted_at: u64,
    refused: bool,
    graced: bool,
    /// Reported refused, and handed out again all the same.
    reaffirmed: bool,
    /// A fetch is early while more life than this is left.
    not_while_left: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    sent_at: u64,
    forced: bool,
}

/// What ended an exchange badly, in the words of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    NotSent,
    Maybe,
    Passing,
    Minute,
    Frequency,
    Daily,
    Patience,
    Hour,
    Day,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Replaced,
    Kept,
    /// Refreshing or held off: which, follows from the instant of the next attempt.
    Dropped,
}

#[derive(Clone, Debug)]
pub(crate) struct Oracle {
    pub(crate) kind: Kind,
    pub(crate) now: u64,
    pub(crate) held: Option<Held>,
    pub(crate) flight: Option<Flight>,
    pub(crate) generation: u32,
    last_success: Option<u64>,
    earliest: u64,
    quiet_until: u64,
    force_wanted: bool,
    hurried: bool,
    failing: bool,
    refused_in_a_row: u32,
    pub(crate) count: u32,
    pub(crate) forced: u32,
    day_ends: u64,
    day_known: bool,
}

/// When WeCom repeats a token that is over too soon to be worth the fetch.
const fn dying(held: &Held) -> std::ops::Range<u64> {
    held.expires_at.saturating_sub(30_000) + 1..held.expires_at + 3_000
}

impl Oracle {
    pub(crate) fn new(kind: Kind, now: u64) -> Self {
        Self {
            kind,
            now,
            held: None,
            flight: None,
            generation: 0,
            last_success: None,
            earliest: 0,
            quiet_until: 0,
            force_wanted: false,
            hurried: false,
            failing: false,
            refused_in_a_row: 0,
            count: 0,
            forced: 0,
            day_ends: 0,
            day_known: false,
        }
    }

    /// The token that must be served now.
    pub(crate) fn served(&self) -> Option<&Held> {
        self.held.as_ref().filter(|h| !h.refused && self.now < h.expires_at)
    }

    fn left(&self) -> u64 {
        self.served().map_or(0, |h| h.expires_at - self.now)
    }

    /// A new day empties the ledger.
    fn turn_day(&mut self) {
        if self.day_ends <= self.now {
            self.count = 0;
            self.forced = 0;
            if self.day_known {
                while self.day_ends <= self.now {
                    self.day_ends += DAY;
                }
            } else {
                self.day_ends = 0;
            }
        }
    }

    /// It was polled and said to wait.
    pub(crate) fn waits(&mut self, until: u64) {
        self.turn_day();
        if let Some(flight) = self.flight {
            if self.now < flight.sent_at + 15_000 {
                assert_eq!(until, flight.sent_at + 15_000, "one exchange at a time, given up after 15 s");
                return;
            }
            self.ended_badly(Bad::Maybe);
        }
        assert!(until > self.now, "a wait ends in the future");
        if let (Kind::Work, Some(held)) = (self.kind, self.held.as_ref().filter(|h| !h.refused)) {
            assert!(!dying(held).contains(&until), "too early to bring another token");
        }
        assert!(until <= self.now + DAY + 7_200_000, "no failure ends refreshing for good");
    }

    /// It was polled and wants to fetch.
    pub(crate) fn fetches(&mut self, forced: bool) {
        self.turn_day();
        assert!(self.flight.is_none(), "two exchanges in flight");
        assert!(self.now >= self.earliest, "at {} before {}", self.now, self.earliest);
        assert!(self.last_success.is_none_or(|at| self.now >= at + 30_000), "the floor");
        assert!(self.now >= self.quiet_until || self.served().is_none(), "inside the quiet window");
        if let (Kind::Work, Some(held)) = (self.kind, self.held.as_ref().filter(|h| !h.refused)) {
            assert!(!dying(held).contains(&self.now), "too late to bring the same token once more");
        }
        assert!(self.count < 500, "beyond the ledger");
        if self.count >= 450 {
            assert!(self.left() <= 60_000, "the reserve is for emergencies");
        }
        if let Some(held) = self.served()
            && !self.force_wanted
            && !self.hurried
        {
            assert!(self.left() <= held.not_while_left, "{} ms left, more than the lead", self.left());
        }
        assert_eq!(forced, self.force_wanted && self.forced < 20, "forced when and only when it is wanted");
        self.force_wanted = forced;
        if self.day_ends <= self.now {
            self.day_ends = self.now + DAY;
        }
        self.count += 1;
        self.forced += u32::from(forced);
        self.flight = Some(Flight { sent_at: self.now, forced });
    }

    /// How much life may be left, at most, when a token with this announced life is fetched anew.
    fn lead(&self, expires_in: u64) -> u64 {
        let lead = match self.kind {
            Kind::Rotating => 600.max(expires_in / 4).min(expires_in / 2),
            Kind::Stable if expires_in > 295 => 295,
            Kind::Work if expires_in > 60 => 60,
            Kind::Stable | Kind::Work => expires_in / 2,
        };
        (lead * 1000).max(1)
    }

    fn succeeded(&mut self) -> u64 {
        let flight = self.flight.take().expect("a result belongs to a flight");
        self.turn_day();
        self.last_success = Some(self.now);
        self.earliest = self.earliest.max(self.now + 30_000);
        self.quiet_until = 0;
        self.failing = false;
        self.hurried = false;
        flight.sent_at
    }

    pub(crate) fn granted(&mut self, name: u32, expires_in: u64) {
        let sent_at = self.succeeded();
        let expires_at = (sent_at + expires_in * 1000).saturating_sub(2000);
        let lead = self.lead(expires_in);
        let (kind, now, forced) = (self.kind, self.now, self.forced);
        if let Some(held) = self.held.as_mut().filter(|h| h.name == name) {
            if held.refused {
                held.refused = kind == Kind::Stable && forced < 20;
                held.reaffirmed = !held.refused;
                self.force_wanted = held.refused;
            }
            if sent_at >= held.expires_at + 3_000 {
                held.granted_at = sent_at.min(expires_at);
                held.expires_at = expires_at;
                // Work verifies a renewal after a minute.
                held.not_while_left =
                    if kind == Kind::Work { expires_at.saturating_sub(now + 60_000).max(1) } else { lead };
            } else {
                held.expires_at = held.expires_at.min(expires_at);
                held.granted_at = held.granted_at.min(held.expires_at);
                held.not_while_left = lead;
            }
            return;
        }
        self.generation += 1;
        self.force_wanted = false;
        self.held = Some(Held {
            name,
            expires_at,
            granted_at: sent_at.min(expires_at),
            refused: false,
            graced: false,
            reaffirmed: false,
            not_while_left: lead,
        });
    }

    pub(crate) fn ended_badly(&mut self, bad: Bad) {
        let flight = self.flight.take().expect("a result belongs to a flight");
        self.turn_day();
        if bad == Bad::Daily && flight.forced {
            // The platform's own count of forced refreshes is used up; plain fetches are not.
            self.forced = 20;
            self.force_wanted = false;
        }
        let wait = match bad {
            Bad::Daily if flight.forced => 60_000,
            Bad::NotSent | Bad::Maybe | Bad::Passing => 250,
            Bad::Minute | Bad::Frequency => 60_000,
            Bad::Daily if self.day_known => 3_600_000.min(self.day_ends - self.now),
            Bad::Daily | Bad::Hour => 3_600_000,
            Bad::Patience => 300_000,
            Bad::Day => DAY,
        };
        self.earliest = self.earliest.max(self.now + wait);
        if flight.forced {
            self.earliest = self.earliest.max(flight.sent_at + 30_000);
        }
        if bad == Bad::NotSent {
            self.count = self.count.saturating_sub(1);
            self.forced = self.forced.saturating_sub(u32::from(flight.forced));
        }
        if bad == Bad::Maybe && self.kind == Kind::Rotating {
            self.quiet_until = self.now + 75_000;
        }
        self.failing = true;
    }

    pub(crate) fn reported(&mut self, name: u32) -> Verdict {
        if self.served().is_none() {
            return Verdict::Dropped;
        }
        let now = self.now;
        let Some(held) = self.held.as_mut().filter(|h| h.name == name) else {
            return Verdict::Replaced;
        };
        let age = now.saturating_sub(held.granted_at);
        if age < 30_000 && !held.graced {
            held.graced = true;
            return Verdict::Kept;
        }
        held.refused = true;
        self.refused_in_a_row = if age < 60_000 || held.reaffirmed { self.refused_in_a_row + 1 } else { 1 };
        if self.refused_in_a_row > 1 {
            let wait = (30_000 << (self.refused_in_a_row - 2).min(10)).min(1_800_000);
            self.earliest = self.earliest.max(now + wait);
        }
        Verdict::Dropped
    }

    pub(crate) fn rotated(&mut self) {
        self.force_wanted = self.kind == Kind::Stable;
        self.hurried = true;
    }

    pub(crate) fn reconfigured(&mut self) {
        if self.flight.is_some() {
            self.ended_badly(Bad::Maybe);
        }
        if self.failing {
            self.earliest = self.now;
        }
    }

    pub(crate) fn told_the_time(&mut self, unix_s: u64) {
        self.turn_day();
        self.day_known = true;
        let into_day = (unix_s + 8 * 3600) % 86_400;
        self.day_ends = self.now + (86_400 - into_day) * 1000;
    }

    /// Whether a stored token must be taken up; if so, takes it up.
    pub(crate) fn restored(&mut self, name: u32, remaining_s: u64, life_s: u64, generation: u32) -> bool {
        let possible = (1..=86_400).contains(&remaining_s);
        let same = self.held.as_ref().is_some_and(|h| h.name == name);
        let older = self.served().is_some() && generation <= self.generation;
        if !possible || same || older {
            return false;
        }
        let life = life_s.clamp(remaining_s, 86_400);
        let expires_at = self.now + remaining_s * 1000;
        let held_before = u32::from(self.held.is_some());
        self.generation = generation.max(self.generation + held_before);
        self.force_wanted = false;
        self.hurried = false;
        self.held = Some(Held {
            name,
            expires_at,
            granted_at: expires_at.saturating_sub(life * 1000),
            refused: false,
            graced: false,
            reaffirmed: false,
            not_while_left: self.lead(life),
        });
        true
    }
}
