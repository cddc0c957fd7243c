//! Does a call heal by the rules, whatever it is answered? A million operations on calls that share one keeper, each
//! call watched by a [`Judge`] of its own.
//!
//! Driven as an adapter drives it: bodies go through the errcode reader in pieces, refused tokens are reported to the
//! keeper, and nothing else of a call ever reaches the keeper. So a fetch that nobody's refused token asked for, and
//! that is not due by the token's age, is a violation too.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use wxtoken_core::{
    Action, Call, Endpoint, ErrcodeReader, Failure, Fetch, Healing, Instant, Keeper, Outcome, Product, Todo, Token,
};

use super::{
    judge::{Answer, Judge, Nature, Next},
    oracle::Kind,
};

/// Calls at a time.
const SLOTS: usize = 3;
/// Milliseconds at which a rule changes its mind.
const EDGES: [u64; 18] = [
    0, 1, 999, 1_000, 1_001, 1_999, 2_000, 2_001, 3_000, 3_001, 29_999, 30_000, 60_000, 60_001, 61_000, 61_001,
    122_000, 7_200_000,
];
/// The refresh list, its neighbours, what waits, what is for people, and numbers nobody knows.
const CODES: [i32; 32] = [
    40_001,
    40_014,
    42_001,
    40_082,
    42_009,
    -1,
    45_033,
    45_011,
    45_009,
    48_001,
    42_007,
    301_002,
    40_002,
    40_013,
    40_125,
    41_001,
    42_002,
    42_003,
    40_003,
    40_164,
    45_015,
    48_002,
    48_004,
    50_002,
    61_007,
    89_503,
    1,
    7,
    -2,
    i32::MAX,
    i32::MIN,
    0,
];

#[derive(Clone, Debug)]
enum Op {
    /// A new call in this place, if the one before is over.
    Begin {
        slot: usize,
        nature: usize,
        limit: u64,
    },
    Advance(u64),
    /// To the instant that this call, or the keeper, named last; or a millisecond beside it.
    ToCall {
        slot: usize,
        beside: i64,
    },
    ToEnd {
        slot: usize,
        beside: i64,
    },
    ToKeeper(i64),
    Poll(usize),
    Reply {
        slot: usize,
        status: u16,
        body: Body,
        cut: usize,
    },
    Fail {
        slot: usize,
        maybe: bool,
    },
    /// Poll, and what is sent is answered at once.
    Exchange {
        slot: usize,
        body: Body,
    },
    /// One exchange of the keeper, if it wants one.
    Fetch(Granted),
    /// The same, at the instant it wants it.
    FetchDue(Granted),
}

#[derive(Clone, Copy, Debug)]
enum Body {
    Errcode(i32),
    /// The errcode in quotes, behind a member that has one of its own.
    Quoted(i32),
    Absent,
    NoObject,
    Cut,
}

#[derive(Clone, Copy, Debug)]
enum Granted {
    New {
        life_s: u64,
    },
    /// What is held, again.
    Same,
    Refused(i32),
    Lost,
}

const NATURES: [Nature; 8] = [
    Nature { idempotent: true, replayable: true, any_reply: false },
    Nature { idempotent: true, replayable: true, any_reply: true },
    Nature { idempotent: false, replayable: true, any_reply: false },
    Nature { idempotent: false, replayable: true, any_reply: true },
    Nature { idempotent: true, replayable: false, any_reply: false },
    Nature { idempotent: false, replayable: false, any_reply: false },
    Nature { idempotent: false, replayable: false, any_reply: true },
    Nature { idempotent: true, replayable: false, any_reply: true },
];

fn operations() -> impl Strategy<Value = Vec<Op>> {
    let slot = || 0..SLOTS;
    let edge = || prop::sample::select(&EDGES[..]);
    let beside = || prop_oneof![1 => Just(-1_i64), 6 => Just(0), 2 => Just(1)];
    let code = || prop::sample::select(&CODES[..]);
    let limit = prop_oneof![3 => edge(), 6 => Just(120_000_u64), 2 => Just(u64::MAX)];
    let body = || {
        prop_oneof![
            10 => code().prop_map(Body::Errcode),
            // As often as all others together, so that second attempts meet a second refusal.
            5 => Just(Body::Errcode(40_001)),
            1 => code().prop_map(Body::Quoted),
            1 => Just(Body::Absent),
            1 => Just(Body::NoObject),
            1 => Just(Body::Cut),
        ]
    };
    let status = prop_oneof![
        8 => Just(200_u16),
        2 => prop::sample::select(&[199_u16, 201, 299, 300, 302, 404, 412, 499, 500, 502, 599][..]),
    ];
    let granted = || {
        prop_oneof![
            6 => prop::sample::select(&[7200_u64, 7200, 600, 61, 3][..]).prop_map(|life_s| Granted::New { life_s }),
            2 => Just(Granted::Same),
            1 => prop::sample::select(&[-1, 40_013, 45_011][..]).prop_map(Granted::Refused),
            1 => Just(Granted::Lost),
        ]
    };
    let operation = prop_oneof![
        10 => (slot(), 0..NATURES.len(), limit).prop_map(|(slot, nature, limit)| Op::Begin { slot, nature, limit }),
        2 => edge().prop_map(Op::Advance),
        5 => (slot(), beside()).prop_map(|(slot, beside)| Op::ToCall { slot, beside }),
        1 => (slot(), beside()).prop_map(|(slot, beside)| Op::ToEnd { slot, beside }),
        1 => beside().prop_map(Op::ToKeeper),
        8 => slot().prop_map(Op::Poll),
        6 => (slot(), status, body(), 0..40_usize)
            .prop_map(|(slot, status, body, cut)| Op::Reply { slot, status, body, cut }),
        2 => (slot(), any::<bool>()).prop_map(|(slot, maybe)| Op::Fail { slot, maybe }),
        16 => (slot(), body()).prop_map(|(slot, body)| Op::Exchange { slot, body }),
        3 => granted().prop_map(Op::Fetch),
        3 => granted().prop_map(Op::FetchDue),
    ];
    prop::collection::vec(operation, 200..=220)
}

/// A call, and who watches it.
struct Watched {
    healing: Healing,
    judge: Judge,
    /// The instant it named last.
    named: u64,
}

/// The keeper, the calls on it, and what they have cost.
struct World {
    kind: Kind,
    now: u64,
    keeper: Keeper,
    calls: [Option<Watched>; SLOTS],
    minted: u32,
    /// WeCom repeated a token with a full life, which the keeper looks at again after a minute.
    to_be_verified: bool,
    /// The tokens that a call was refused with by a code of the refresh list.
    condemned: BTreeSet<String>,
    sums: Sums,
}

/// What happened, so that a run in which nothing did can be told.
#[derive(Default, Debug)]
pub(crate) struct Sums {
    calls: u64,
    attempts: u64,
    reports: u64,
    second_tokens: u64,
    waits: u64,
    fetches: u64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.attempts += other.attempts;
        self.reports += other.reports;
        self.second_tokens += other.second_tokens;
        self.waits += other.waits;
        self.fetches += other.fetches;
    }
}

impl World {
    fn new(kind: Kind) -> Self {
        let endpoint = match kind {
            Kind::Rotating => &Endpoint::TOKEN,
            Kind::Stable => &Endpoint::STABLE_TOKEN,
            Kind::Work => &Endpoint::WORK,
        };
        Self {
            kind,
            now: 1_000,
            keeper: Keeper::new(endpoint, 7),
            calls: [const { None }; SLOTS],
            minted: 0,
            to_be_verified: false,
            condemned: BTreeSet::new(),
            sums: Sums::default(),
        }
    }

    fn at(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn held(&self) -> Option<Token> {
        self.keeper.token(self.at()).cloned()
    }

    fn begin(&mut self, slot: usize, nature: Nature, limit: u64) {
        if self.calls[slot].as_ref().is_some_and(|call| !call.judge.is_over()) {
            return;
        }
        let call = if nature.replayable { Call::post("/x", b"{}") } else { Call::stream("/x", "image/png", 9) };
        let call = call.expect("fine").with_idempotence(nature.idempotent);
        let call = if nature.replayable { call } else { call.sent_once() };
        let call = if nature.any_reply { call.with_any_reply() } else { call };
        let (product, work) = match self.kind {
            Kind::Work => (Product::Work, true),
            Kind::Rotating | Kind::Stable => (Product::Platform, false),
        };
        let healing = Healing::new(&call, product, self.sums.calls, self.at(), Duration::from_millis(limit));
        let judge = Judge::new(nature, work, self.now, limit);
        self.calls[slot] = Some(Watched { healing, judge, named: self.now });
        self.sums.calls += 1;
    }

    fn poll(&mut self, slot: usize) {
        let (now, held, next) = (self.at(), self.held(), self.keeper.poll_at());
        let Some(Watched { healing, judge, named }) = &mut self.calls[slot] else { return };
        let todo = healing.poll(now, held.as_ref(), next);
        let text = held.as_ref().map(Token::as_str);
        match todo {
            Todo::Send(token) => {
                self.sums.attempts += 1;
                self.sums.second_tokens += u64::from(judge.sends(self.now, token.as_str(), text));
            }
            Todo::Report(seen) => {
                self.sums.reports += 1;
                let token = judge.reports(self.now);
                assert_eq!(seen, wxtoken_core::Fingerprint::of(&token), "the token it was sent with");
                self.condemned.insert(token);
                self.keeper.report_refused(now, seen);
            }
            Todo::Refresh(until) => {
                assert_eq!(until, next, "the keeper's own instant");
                judge.must(self.now, text, next.as_millis(), Next::Refresh);
                *named = until.as_millis();
            }
            Todo::Wait(until) => {
                self.sums.waits += 1;
                judge.must(self.now, text, next.as_millis(), Next::Wait(until.as_millis()));
                *named = until.as_millis();
                assert_eq!(healing.poll(now, held.as_ref(), next), Todo::Wait(until), "polling early is harmless");
            }
            Todo::Done => judge.must(self.now, text, next.as_millis(), Next::Done),
            Todo::GiveUp(why) => judge.must(self.now, text, next.as_millis(), Next::GiveUp(why)),
        }
    }

    fn reply(&mut self, slot: usize, status: u16, body: Body, cut: usize) {
        let now = self.at();
        let Some(Watched { healing, judge, .. }) = &mut self.calls[slot] else { return };
        let text = match body {
            Body::Errcode(code) => format!(r#"{{"errcode":{code},"errmsg":"x"}}"#),
            Body::Quoted(code) => format!(r#"{{"data":{{"errcode":40001}}, "errcode" : "{code}"}}"#),
            Body::Absent => r#"{"list":[{"errcode":40001}],"text":"\"errcode\":42001"}"#.into(),
            Body::NoObject => "<html>{\"errcode\":40001}</html>".into(),
            Body::Cut => r#"{"errcode":40001"#.into(),
        };
        let mut reader = ErrcodeReader::new();
        let (first, second) = text.as_bytes().split_at(cut.min(text.len()));
        reader.push(first);
        reader.push(second);
        healing.handle_reply(now, status, reader.finish());
        judge.answered(
            self.now,
            match body {
                Body::Errcode(0) | Body::Quoted(0) | Body::Absent => Answer::Object(status),
                Body::Errcode(code) | Body::Quoted(code) => Answer::Refused(code),
                Body::NoObject => Answer::NoObject(status),
                Body::Cut => Answer::Cut(status),
            },
        );
        assert_eq!(healing.is_sent(), judge.is_sent());
    }

    fn fail(&mut self, slot: usize, maybe: bool) {
        let now = self.at();
        let Some(Watched { healing, judge, .. }) = &mut self.calls[slot] else { return };
        healing.handle_failure(now, if maybe { Failure::MaybeSent } else { Failure::NotSent });
        judge.answered(self.now, if maybe { Answer::Lost } else { Answer::NotSent });
    }

    /// One exchange of the keeper, if it wants one now.
    fn fetch(&mut self, granted: Granted) {
        let before = self.held();
        let left = self.keeper.remaining(self.at());
        let Action::Fetch(fetch) = self.keeper.poll(self.at()) else { return };
        self.sums.fetches += 1;
        // With a token at hand only its age is a reason: no lead is longer than half an hour here.
        let due = before.is_none() || left <= Duration::from_secs(1_800) || self.to_be_verified;
        assert!(due, "fetched although {left:?} were left");
        match granted {
            Granted::New { life_s } => {
                self.minted += 1;
                self.grant(fetch, &format!("t{}", self.minted), life_s);
            }
            Granted::Same => self.grant(fetch, &format!("t{}", self.minted.max(1)), 7200),
            Granted::Refused(code) => {
                let body = format!(r#"{{"errcode":{code}}}"#);
                self.keeper.handle_response(fetch.ticket(), self.at(), 200, body.as_bytes());
            }
            Granted::Lost => drop(self.keeper.handle_failure(fetch.ticket(), self.at(), Failure::MaybeSent)),
        }
    }

    fn grant(&mut self, fetch: Fetch, token: &str, life_s: u64) {
        let body = format!(r#"{{"access_token":"{token}","expires_in":{life_s}}}"#);
        let outcome = self.keeper.handle_response(fetch.ticket(), self.at(), 200, body.as_bytes());
        self.to_be_verified = self.kind == Kind::Work && outcome == Outcome::Repeated;
    }

    fn apply(&mut self, op: Op) {
        let to = |named: u64, beside: i64| named.saturating_add_signed(beside);
        match op {
            Op::Begin { slot, nature, limit } => self.begin(slot, NATURES[nature], limit),
            Op::Advance(by) => self.move_to(self.now + by),
            Op::ToCall { slot, beside } => {
                self.move_to(self.calls[slot].as_ref().map_or(0, |call| to(call.named, beside)));
            }
            Op::ToEnd { slot, beside } => {
                self.move_to(self.calls[slot].as_ref().map_or(0, |call| to(call.judge.ends_at(), beside)));
            }
            Op::ToKeeper(beside) => self.move_to(to(self.keeper.poll_at().as_millis(), beside)),
            Op::Poll(slot) => self.poll(slot),
            Op::Reply { slot, status, body, cut } => self.reply(slot, status, body, cut),
            Op::Fail { slot, maybe } => self.fail(slot, maybe),
            Op::Exchange { slot, body } => {
                self.poll(slot);
                if self.calls[slot].as_ref().is_some_and(|call| call.judge.is_sent()) {
                    self.reply(slot, 200, body, 0);
                }
            }
            Op::Fetch(granted) => self.fetch(granted),
            Op::FetchDue(granted) => {
                self.move_to(self.keeper.poll_at().as_millis());
                self.fetch(granted);
            }
        }
    }

    /// Forward only, and not to the end of all time, where a call without a limit ends.
    fn move_to(&mut self, instant: u64) {
        if instant < u64::MAX / 2 {
            self.now = self.now.max(instant);
        }
    }

    /// What is held may be gone by age, or because a call was refused with it, and for no other reason.
    fn nothing_is_lost(&self, before: Option<&Token>) {
        let Some(before) = before else { return };
        let kept = self.keeper.token(self.at()).is_some();
        assert!(kept || self.condemned.contains(before.as_str()), "a token was dropped that no call was refused with");
    }

    /// Once the platform is well, every call comes to an end within a few steps and its own time.
    fn end_all(&mut self) {
        for slot in 0..SLOTS {
            for step in 0.. {
                assert!(step < 40, "a call without end");
                if self.calls[slot].as_ref().is_none_or(|call| call.judge.is_over()) {
                    break;
                }
                self.poll(slot);
                let Some(call) = &self.calls[slot] else { break };
                if call.judge.is_sent() {
                    self.reply(slot, 200, Body::Errcode(0), 0);
                } else if !call.judge.is_over() {
                    self.move_to(call.named);
                    self.fetch(Granted::New { life_s: 7200 });
                }
            }
        }
    }
}

#[test]
fn a_million_operations_heal_by_the_rules() {
    let (mut operations_done, mut sums) = (0_u64, Sums::default());
    let cell = std::cell::RefCell::new((&mut operations_done, &mut sums));
    let kinds = prop_oneof![Just(Kind::Rotating), Just(Kind::Stable), Just(Kind::Work)];
    let (seed, cases) = super::run(&(kinds, operations()), |(kind, operations)| {
        let mut world = World::new(kind);
        let mut here = 0;
        for op in operations {
            let at_rest = !matches!(
                op,
                Op::Advance(_) | Op::ToCall { .. } | Op::ToEnd { .. } | Op::ToKeeper(_) | Op::FetchDue(_)
            );
            let before = at_rest.then(|| world.held()).flatten();
            world.apply(op);
            world.nothing_is_lost(before.as_ref());
            here += 1;
        }
        world.end_all();
        let (done, sums) = &mut *cell.borrow_mut();
        **done += here;
        sums.add(&world.sums);
        Ok(())
    });
    println!("seed {seed}: {operations_done} operations, no violation; {sums:?}");
    assert!(operations_done >= cases * 200 && sums.calls > cases * 5 && sums.attempts > cases * 5, "it did happen");
    assert!(sums.reports > cases * 2 && sums.second_tokens > cases / 2 && sums.waits > cases, "and all of it did");
}
