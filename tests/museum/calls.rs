//! Do API calls have the bugs that others shipped? The entries that concern a call and its second attempt, with real
//! requests on one side, a keeper shared by all calls on the other, and a platform that judges the token it is sent.

use std::{collections::BTreeSet, time::Duration};

use wxtoken_core::{Account, Action, Call, Endpoint, ErrcodeReader, GaveUp, Healing, Instant, Keeper, Ledger, Todo};

use super::{STABLE, TOKEN, WORK};

/// Longer than the floor between two fetches.
const LIMIT: Duration = Duration::from_secs(120);

/// One keeper, the platform that serves it, and the time in milliseconds.
struct Office {
    account: Account<'static>,
    keeper: Keeper,
    now: u64,
    /// The tokens the platform takes.
    taken: BTreeSet<String>,
    /// What it hands out next, to a plain fetch and to a forced one.
    plain: String,
    forced: String,
    /// Whether each fetch was a forced one.
    fetches: Vec<bool>,
    /// The token of each attempt, out of the request line that was written.
    sent: Vec<String>,
}

enum Step {
    /// With this token.
    Sent(String),
    Reported,
    Until(u64),
    Over(Result<(), GaveUp>),
}

/// A call under way.
struct Errand {
    call: Call<'static>,
    healing: Healing,
}

impl Office {
    /// One that holds a token as old as `age_s`, which the platform no longer takes; it takes and hands out `t2`.
    fn with_a_token_rotated_elsewhere(endpoint: &'static Endpoint, age_s: u64) -> Self {
        let mut office = Self {
            account: Account::new(endpoint, "wx0123456789abcdef", "secret").expect("fine"),
            keeper: Keeper::new(endpoint, 11),
            now: 5_000,
            taken: BTreeSet::new(),
            plain: "t1".into(),
            forced: "forced1".into(),
            fetches: Vec::new(),
            sent: Vec::new(),
        };
        office.fetch();
        office.fetches.clear();
        office.now += age_s * 1000;
        office.plain = "t2".into();
        office.taken.extend(["t2".into(), "forced1".into()]);
        office
    }

    fn at(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn held(&self) -> Option<&str> {
        self.keeper.token(self.at()).map(|token| token.as_str())
    }

    /// What a driver does for a keeper: nothing, or one exchange.
    fn fetch(&mut self) {
        if let Action::Fetch(fetch) = self.keeper.poll(self.at()) {
            self.fetches.push(fetch.is_forced());
            let token = if fetch.is_forced() { self.forced.clone() } else { self.plain.clone() };
            let body = format!(r#"{{"access_token":"{token}","expires_in":7200}}"#);
            self.keeper.handle_response(fetch.ticket(), self.at(), 200, body.as_bytes());
        }
    }

    fn begin(&self) -> Errand {
        let call = Call::post("/cgi-bin/message/custom/send", b"{}").expect("fine");
        let healing = Healing::new(&call, self.account.endpoint().product(), 3, self.at(), LIMIT);
        Errand { call, healing }
    }

    /// One step of a driver.
    fn step(&mut self, errand: &mut Errand) -> Step {
        match errand.healing.poll(self.at(), self.keeper.token(self.at()), self.keeper.poll_at()) {
            Todo::Send(token) => {
                let mut target = String::new();
                errand.call.request(self.account.base(), token).write_target(&mut target).expect("a String takes all");
                let (_, token) = target.split_once("access_token=").expect("the credential is in the query");
                self.sent.push(token.into());
                Step::Sent(token.into())
            }
            Todo::Report(seen) => {
                self.keeper.report_refused(self.at(), seen);
                Step::Reported
            }
            Todo::Refresh(until) | Todo::Wait(until) => Step::Until(until.as_millis()),
            Todo::Done => Step::Over(Ok(())),
            Todo::GiveUp(why) => Step::Over(Err(why)),
        }
    }

    /// The platform's answer to the attempt of this call that was sent with `token`.
    fn answer(&self, errand: &mut Errand, token: &str) {
        let code = if self.taken.contains(token) { 0 } else { 40_001 };
        let mut reader = ErrcodeReader::new();
        reader.push(format!(r#"{{"errcode":{code},"errmsg":"x rid: 1"}}"#).as_bytes());
        errand.healing.handle_reply(self.at(), 200, reader.finish());
    }

    /// Takes calls to their ends, side by side: all are on the wire before the first is answered. A bound stands for
    /// "for ever".
    fn finish_all(&mut self, errands: &mut [Errand]) -> Vec<Result<(), GaveUp>> {
        for _ in 0..1_000 {
            let (mut ends, mut next, mut sent) = (Vec::new(), u64::MAX, Vec::new());
            for (n, errand) in errands.iter_mut().enumerate() {
                loop {
                    match self.step(errand) {
                        Step::Sent(token) => break sent.push((n, token)),
                        Step::Reported => {}
                        Step::Until(until) => break next = next.min(until),
                        Step::Over(end) => break ends.push(end),
                    }
                }
            }
            if ends.len() == errands.len() {
                return ends;
            }
            for (n, token) in &sent {
                self.answer(&mut errands[*n], token);
            }
            if sent.is_empty() {
                self.now = self.now.max(next);
                self.fetch();
            }
        }
        panic!("calls without end: {:?}", self.sent);
    }

    fn finish(&mut self, mut errand: Errand) -> Result<(), GaveUp> {
        self.finish_all(std::slice::from_mut(&mut errand))[0]
    }

    /// So many calls, each with its first attempt on the wire.
    fn begin_many(&mut self, n: usize) -> Vec<Errand> {
        let mut errands: Vec<_> = (0..n).map(|_| self.begin()).collect();
        for errand in &mut errands {
            assert!(matches!(self.step(errand), Step::Sent(_)));
        }
        errands
    }
}

#[test]
fn no_10_stale_reports_expired_the_fresh_token() {
    for endpoint in [TOKEN, WORK] {
        let mut office = Office::with_a_token_rotated_elsewhere(endpoint, 60);
        let errands = office.begin_many(64);
        assert_eq!(office.sent, vec!["t1"; 64], "all are on the wire before the first is refused");
        // The first heals; the others are refused one by one afterwards, when the fresh token is at home and, in the
        // end, old enough to be dropped by a report.
        for mut errand in errands {
            office.answer(&mut errand, "t1");
            assert_eq!(office.finish(errand), Ok(()));
            assert_eq!(office.held(), Some("t2"));
            office.now += 1_000;
        }
        assert_eq!(office.fetches, [false], "{endpoint:?}: one fetch for 64");
        assert_eq!(office.sent.len(), 128, "and two attempts each");
    }
}

#[test]
fn no_10_reports_that_come_before_the_fetch_cost_no_other() {
    let mut office = Office::with_a_token_rotated_elsewhere(TOKEN, 60);
    let mut errands = office.begin_many(64);
    for errand in &mut errands {
        office.answer(errand, "t1");
        assert!(matches!(office.step(errand), Step::Reported));
    }
    assert_eq!(office.finish_all(&mut errands), vec![Ok(()); 64]);
    assert_eq!(office.fetches, [false]);
}

#[test]
fn no_22_unbounded_recursion_on_a_refused_token() {
    for endpoint in [TOKEN, STABLE, WORK] {
        // 64 callers, a platform that refuses whatever it hands out, for an hour; who is told so calls again at once.
        let mut office = Office::with_a_token_rotated_elsewhere(endpoint, 60);
        office.taken.clear();
        let end = office.now + 3_600_000;
        let (mut calls, mut first) = (0, None);
        while office.now < end {
            let (sent, began) = (office.sent.len(), office.now);
            let mut errands: Vec<_> = (0..64).map(|_| office.begin()).collect();
            for (end, errand) in office.finish_all(&mut errands).into_iter().zip(&errands) {
                match end.expect_err("all are refused") {
                    // The next is held off: the keeper's own trouble says why.
                    GaveUp::NoToken => assert_eq!(errand.healing.errcode(), None),
                    GaveUp::RefusedAgain | GaveUp::NoOtherToken => assert_eq!(errand.healing.errcode(), Some(40_001)),
                    why => panic!("{why:?}"),
                }
            }
            assert!(office.sent.len() - sent <= 2 * 64, "one retry each");
            assert!(office.now - began <= LIMIT.as_millis() as u64, "and in time");
            calls += 64;
            first.get_or_insert(office.fetches.len());
            office.now += 100;
            // The next token, no better than the one before.
            office.plain = format!("t{}", office.now);
            office.forced = format!("forced{}", office.now);
        }
        assert!(first <= Some(2), "{}: the first 64 cost {first:?} fetches", endpoint.name());
        let fetches = office.fetches.len();
        assert!(calls > 64 && (2..16).contains(&fetches), "{}: {calls} calls, {fetches} fetches", endpoint.name());
        let Ledger { fetches: counted, .. } = office.keeper.ledger(office.at());
        assert_eq!(usize::from(counted), fetches + 1, "all of them counted, with the very first");
    }
}

#[test]
fn no_24_the_retry_re_sent_the_old_token() {
    let mut office = Office::with_a_token_rotated_elsewhere(TOKEN, 60);
    assert_eq!(office.finish(office.begin()), Ok(()));
    assert_eq!(office.sent, ["t1", "t2"], "each request was written anew");

    // A young one is refused once and kept: there is no other, so there is no second attempt.
    let mut office = Office::with_a_token_rotated_elsewhere(TOKEN, 5);
    assert_eq!(office.finish(office.begin()), Err(GaveUp::NoOtherToken));
    assert_eq!((office.sent.as_slice(), office.held()), (&["t1".into()][..], Some("t1")));
    // Who calls anew is served: the platform knows the token by now.
    office.taken.insert("t1".into());
    assert_eq!(office.finish(office.begin()), Ok(()));
    assert_eq!((office.sent.as_slice(), office.fetches.len()), (&["t1".into(), "t1".into()][..], 0));

    // The issuer repeats the refused one: not that again, but what it mints when it is made to.
    let mut office = Office::with_a_token_rotated_elsewhere(STABLE, 60);
    office.plain = "t1".into();
    assert_eq!(office.finish(office.begin()), Ok(()));
    assert_eq!(office.sent, ["t1", "forced1"]);
}

#[test]
fn no_26_one_forced_refresh_made_every_later_one_forced() {
    let mut office = Office::with_a_token_rotated_elsewhere(STABLE, 60);
    office.plain = "t1".into();
    assert_eq!(office.finish(office.begin()), Ok(()));
    assert_eq!(office.fetches, [false, true], "asked, and when it stood by the refused one, forced");
    // From now on all is well: a day of calls and of ordinary refreshes, with a token that is refused in between.
    for n in 3..13 {
        office.plain = format!("t{n}");
        office.taken.insert(office.plain.clone());
        if n == 8 {
            office.taken.retain(|token| *token == office.plain);
            office.now += 60_000;
        } else {
            office.now = office.now.max(office.keeper.poll_at().as_millis());
            office.fetch();
        }
        assert_eq!(office.finish(office.begin()), Ok(()));
        assert_eq!(office.sent.last(), Some(&office.plain));
    }
    assert_eq!(office.fetches.iter().filter(|forced| **forced).count(), 1, "{:?}", office.fetches);
}
