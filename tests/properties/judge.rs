//! What must a call have done? An independent restatement of the rules of healing, which watches one call and judges it.
//!
//! It shares no code with the healing: errcodes are plain numbers in lists of its own, tokens are texts, and where the
//! healing may choose (jitter), the judge accepts a range.

use wxtoken_core::{GaveUp, MAX_ATTEMPTS};

/// What matters of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nature {
    pub(crate) idempotent: bool,
    pub(crate) replayable: bool,
    pub(crate) any_reply: bool,
}

/// What came back from an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// This errcode, at whatever status.
    Refused(i32),
    /// A JSON object without an errcode, or with 0.
    Object(u16),
    NoObject(u16),
    Cut(u16),
    Lost,
    NotSent,
}

/// What a call says is next, other than to send or to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Refresh,
    Wait(u64),
    Done,
    GiveUp(GaveUp),
}

#[derive(Clone, Debug)]
enum Place {
    /// An attempt is next, not before an instant in this range.
    Before {
        earliest: u64,
        latest: u64,
    },
    /// The same, but it may as well be over for lack of time, since the jitter decides.
    BeforeOrOver {
        earliest: u64,
        latest: u64,
        why: GaveUp,
    },
    Sent {
        token: String,
    },
    /// The refused token is to be named, and then this.
    Report {
        token: String,
        end: Option<GaveUp>,
    },
    Over(Next),
}

pub(crate) struct Judge {
    nature: Nature,
    work: bool,
    ends_at: u64,
    place: Place,
    /// Each token that was refused, in order.
    refused: Vec<String>,
    attempts: u8,
    waits: u8,
    /// An attempt went out that may have been executed.
    maybe_executed: bool,
    /// The body went out with an attempt that reached the platform.
    body_taken: bool,
}

impl Judge {
    pub(crate) fn new(nature: Nature, work: bool, now: u64, limit: u64) -> Self {
        Self {
            nature,
            work,
            ends_at: now.saturating_add(limit),
            place: Place::Before { earliest: now, latest: now },
            refused: Vec::new(),
            attempts: 0,
            waits: 0,
            maybe_executed: false,
            body_taken: false,
        }
    }

    pub(crate) const fn ends_at(&self) -> u64 {
        self.ends_at
    }

    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.place, Place::Over(_))
    }

    pub(crate) const fn is_sent(&self) -> bool {
        matches!(self.place, Place::Sent { .. })
    }

    /// It sends, with this token. Returns whether that is its second token.
    pub(crate) fn sends(&mut self, now: u64, token: &str, held: Option<&str>) -> bool {
        let (Place::Before { earliest, .. } | Place::BeforeOrOver { earliest, .. }) = self.place else {
            panic!("it sends while {:?}", self.place)
        };
        assert!(now >= earliest, "it did not wait");
        assert!(now <= self.ends_at, "an attempt after its time");
        assert_eq!(Some(token), held, "the token that is valid now");
        assert!(!self.refused.iter().any(|refused| refused == token), "again with the token that was refused");
        assert!(self.refused.len() <= 1, "a third token");
        assert!(!self.maybe_executed || self.nature.idempotent, "it may be executed twice");
        assert!(!self.body_taken || self.nature.replayable, "the body is spent");
        self.attempts += 1;
        assert!(self.attempts <= MAX_ATTEMPTS && self.attempts <= 1 + self.waits + self.refused.len() as u8);
        self.place = Place::Sent { token: token.to_owned() };
        !self.refused.is_empty()
    }

    /// It reports; the token that it must name.
    pub(crate) fn reports(&mut self, now: u64) -> String {
        let Place::Report { token, end } = self.place.clone() else {
            panic!("nothing was refused, and it reports while {:?}", self.place)
        };
        self.place = match end {
            Some(why) => Place::Over(Next::GiveUp(why)),
            None => Place::Before { earliest: now, latest: now },
        };
        token
    }

    /// It says this, with this token at hand and the next fetch then.
    pub(crate) fn must(&mut self, now: u64, held: Option<&str>, next_fetch_at: u64, next: Next) {
        if self.is_sent() && now > self.ends_at {
            self.answered(now, Answer::Lost);
        }
        match self.place.clone() {
            Place::Over(end) => assert_eq!(next, end, "what is over stays as it is"),
            Place::Sent { .. } => assert_eq!(next, Next::Wait(self.ends_at.saturating_add(1)), "one attempt at a time"),
            Place::Report { .. } => panic!("{next:?} instead of a report"),
            Place::BeforeOrOver { why, .. } if next == Next::GiveUp(why) => self.place = Place::Over(next),
            Place::Before { earliest, latest } | Place::BeforeOrOver { earliest, latest, .. } => match next {
                Next::Wait(until) => {
                    assert!(now < until, "a wait ends in the future");
                    assert!((earliest..=latest).contains(&until), "{until} is not in {earliest}..={latest}");
                    assert!(until <= self.ends_at, "a wait beyond its time");
                    // Now the chance is taken: the same instant at each poll.
                    self.place = Place::Before { earliest: until, latest: until };
                }
                next => {
                    assert!(now >= earliest, "it did not wait");
                    self.lacks_a_token(now, held, next_fetch_at, next);
                }
            },
        }
    }

    /// An attempt is due and is not made: only for lack of a token that was not refused, or of time.
    fn lacks_a_token(&mut self, now: u64, held: Option<&str>, next_fetch_at: u64, next: Next) {
        let usable = held.is_some_and(|token| !self.refused.iter().any(|refused| refused == token));
        assert!(!usable || now > self.ends_at, "{next:?} with a token at hand");
        if now <= self.ends_at && next_fetch_at <= self.ends_at {
            assert_eq!(next, Next::Refresh, "a token can come in time");
            return;
        }
        let why = if self.refused.is_empty() { GaveUp::NoToken } else { GaveUp::NoOtherToken };
        assert_eq!(next, Next::GiveUp(why), "no token will come in time");
        self.place = Place::Over(next);
    }

    /// Its attempt came to this. Without an attempt under way it must change nothing.
    pub(crate) fn answered(&mut self, now: u64, answer: Answer) {
        let Place::Sent { token } = self.place.clone() else { return };
        self.body_taken = !matches!(answer, Answer::NotSent);
        self.place = match answer {
            // What was sent before may have been executed.
            Answer::NotSent if self.maybe_executed => self.pause(now, self.pause_of(), GaveUp::Unanswered),
            Answer::NotSent => self.pause(now, self.pause_of(), GaveUp::NotSent),
            Answer::Lost => self.unanswered(now, GaveUp::Unanswered),
            Answer::Refused(code) if self.is_about_the_token(code) => {
                let again = !self.refused.is_empty();
                self.refused.push(token.clone());
                let end = match (again, self.nature.replayable) {
                    (true, _) => Some(GaveUp::RefusedAgain),
                    (false, false) => Some(GaveUp::BodySpent),
                    (false, true) => None,
                };
                Place::Report { token, end }
            }
            Answer::Refused(-1 | 45_033) => self.busy(now, self.pause_of()),
            Answer::Refused(45_011) => self.busy(now, 60_000),
            Answer::Refused(45_009) if self.work => self.busy(now, 60_000),
            // Every other code is the answer, and no reason to fetch anything.
            Answer::Refused(_) => Place::Over(Next::Done),
            Answer::Object(200..=299) => Place::Over(Next::Done),
            Answer::NoObject(200..=299) if self.nature.any_reply => Place::Over(Next::Done),
            Answer::NoObject(200..=299) | Answer::Cut(200..=299) => self.unanswered(now, GaveUp::Unanswered),
            Answer::Object(s @ 500..) | Answer::NoObject(s @ 500..) | Answer::Cut(s @ 500..) => {
                self.unanswered(now, GaveUp::Status(s))
            }
            Answer::Object(s) | Answer::NoObject(s) | Answer::Cut(s) => Place::Over(Next::GiveUp(GaveUp::Status(s))),
        };
    }

    /// The list of lifecycle and platform: these say that the token is not, or no longer, valid.
    const fn is_about_the_token(&self, code: i32) -> bool {
        matches!(code, 40_001 | 40_014 | 42_001) || (self.work && matches!(code, 40_082 | 42_009))
    }

    fn unanswered(&mut self, now: u64, why: GaveUp) -> Place {
        self.maybe_executed = true;
        if self.nature.idempotent && self.nature.replayable {
            self.pause(now, self.pause_of(), why)
        } else {
            Place::Over(Next::GiveUp(why))
        }
    }

    fn busy(&mut self, now: u64, least: u64) -> Place {
        if self.nature.replayable {
            self.pause(now, least, GaveUp::Busy)
        } else {
            Place::Over(Next::GiveUp(GaveUp::Busy))
        }
    }

    const fn pause_of(&self) -> u64 {
        if self.waits == 0 { 1_000 } else { 2_000 }
    }

    /// Up to a second more than the least, twice, and not beyond its time.
    fn pause(&mut self, now: u64, least: u64, why: GaveUp) -> Place {
        let (earliest, latest) = (now.saturating_add(least), now.saturating_add(least + 1_000));
        if self.waits == 2 || earliest > self.ends_at {
            return Place::Over(Next::GiveUp(why));
        }
        self.waits += 1;
        if latest > self.ends_at {
            Place::BeforeOrOver { earliest, latest, why }
        } else {
            Place::Before { earliest, latest }
        }
    }
}
