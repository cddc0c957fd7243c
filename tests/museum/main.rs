//! Do we have the bugs that others shipped? A museum: each was seen in the wild, and each test fails under a seeded
//! mutant (`tests/all.sh mutants` plants them and says which test killed which).
//!
//! | # | the bug, and where it was seen | shown here by |
//! |---|---|---|
//! | 1 | backoff computed and never slept (Vault #20645, #26382) | `no_01` |
//! | 2 | hot loop on short or nearly expired tokens (google-cloud-rust #6678; every SDK whose margin exceeds the life) | `no_02` |
//! | 3 | a failed refresh displaced a valid token (google-cloud-rust #5809) | `no_03` |
//! | 4, 5 | one misread or cached error ended refreshing for good (google-cloud-rust #4541, rusoto #1765, aws-sdk-js #2067) | `no_04_05` |
//! | 6 | expiry extended past the end (smithy-rs #2687) | `no_06` |
//! | 7 | outer timeout shorter than inner retries (smithy-rs PR 4740) | std adapter: flight, one layer retries |
//! | 8 | lock shorter than the call it protects (oauth2-proxy #1992) | `no_08` |
//! | 9 | a slower, older reply overwrote the newer token (WxJava #1222, easywechat #696) | `no_09` |
//! | 10 | stale reports expired the fresh token (WxJava #1300) | `no_10`, `calls::no_10` |
//! | 11 | no second look after the lock (WxJava #1554) | std adapter: 64 cold callers |
//! | 12 | expired first, fetched afterwards (WxJava #324) | `no_12` |
//! | 13 | two callers' replies swapped on a shared channel | `no_13` |
//! | 14 | relayed the original 7200 when 10 s were left | `no_14`, std adapter's cache |
//! | 15 | a clock that stands still in suspend (pizauth #47) | std adapter: `clock` |
//! | 16 | wall clock set back prolonged a token (msal #2608, wechatpy) | std adapter: cache and clock |
//! | 17 | life counted from the reply (openai-node #2609) | `no_17` |
//! | 18 | jitter drawn again at every poll (SPIRE) | `no_18` |
//! | 19 | sub-second truncation missed the wake-up (cert-manager #4399) | `no_19` |
//! | 20 | null or zero expires_in taken as 7200 (PowerWeChat) | `no_20` |
//! | 21 | 49.7-day tick wrap (ESP-SMS-Relay) | `no_21` |
//! | 22 | unbounded fetching on 40001 (wechatpy, co-wechat-api) | `no_22`, `calls::no_22`, std adapter: calls |
//! | 23 | first caller cancelled, everybody hung (wechat-minapp) | std adapter: flight |
//! | 24 | a retry re-sent the old token because the URL was built once (wecom-agent, easywechat) | `calls::no_24`, std adapter: calls |
//! | 25 | two apps of one corp shared a cache key (silenceper #706) | std adapter: cache |
//! | 26 | one forced refresh made every later one forced (wechat-token-service) | `no_26`, `calls::no_26` |
//! | 27 | a lost reply on one host, retried on another: two tokens minted | `no_27` |
//! | 28 | secret in a log, an exception, a file name (WxJava #556, fastwego, node-easywechat) | `no_28`, and the command's scan |

mod calls;

use wxtoken_core::{
    Account, Action, Endpoint, Failure, Fetch, Fingerprint, Instant, Keeper, Ledger, Outcome, ReportOutcome, Ticks32,
};

const STABLE: &Endpoint = &Endpoint::STABLE_TOKEN;
const TOKEN: &Endpoint = &Endpoint::TOKEN;
const WORK: &Endpoint = &Endpoint::WORK;

/// A keeper and the time, in milliseconds.
struct Exhibit {
    keeper: Keeper,
    now: u64,
}

impl Exhibit {
    fn new(endpoint: &'static Endpoint) -> Self {
        Self { keeper: Keeper::new(endpoint, 11), now: 5_000 }
    }

    /// One that holds `t1` with a full life, sent now.
    fn holding(endpoint: &'static Endpoint) -> Self {
        let mut exhibit = Self::new(endpoint);
        exhibit.fetch_and_grant("t1", 7200);
        exhibit
    }

    fn at(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn poll(&mut self) -> Action {
        self.keeper.poll(self.at())
    }

    fn fetch(&mut self) -> Fetch {
        match self.poll() {
            Action::Fetch(fetch) => fetch,
            Action::Wait(until) => panic!("at {} told to wait until {until:?}", self.now),
        }
    }

    fn due(&mut self) -> &mut Self {
        self.now = self.now.max(self.keeper.poll_at().as_millis());
        self
    }

    fn grant(&mut self, fetch: Fetch, token: &str, expires_in: i64) -> Outcome {
        let body = format!(r#"{{"access_token":"{token}","expires_in":{expires_in}}}"#);
        self.keeper.handle_response(fetch.ticket(), self.at(), 200, body.as_bytes())
    }

    fn fetch_and_grant(&mut self, token: &str, expires_in: i64) -> Outcome {
        let fetch = self.fetch();
        self.grant(fetch, token, expires_in)
    }

    fn token(&self) -> Option<&str> {
        self.keeper.token(self.at()).map(|t| t.as_str())
    }

    fn report(&mut self, token: &str) -> ReportOutcome {
        self.keeper.report_refused(self.at(), Fingerprint::of(token))
    }

    /// Polls as a driver without patience would, every millisecond, and returns the instants of its attempts.
    fn attempts(&mut self, span_ms: u64, end: impl Fn(&mut Self, Fetch)) -> Vec<u64> {
        let (until, mut attempts) = (self.now + span_ms, Vec::new());
        while self.now < until {
            if let Action::Fetch(fetch) = self.keeper.poll(self.at()) {
                attempts.push(self.now);
                end(self, fetch);
            }
            self.now += 1;
        }
        attempts
    }
}

#[test]
fn no_01_backoff_computed_and_never_slept() {
    for failure in [Failure::NotSent, Failure::MaybeSent] {
        let mut exhibit = Exhibit::new(STABLE);
        let attempts = exhibit.attempts(120_000, |e, f| drop(e.keeper.handle_failure(f.ticket(), e.at(), failure)));
        assert!(attempts.windows(2).all(|w| w[1] - w[0] >= 250), "{attempts:?}");
        assert!((8..60).contains(&attempts.len()), "{}", attempts.len());
    }
}

#[test]
fn no_02_hot_loop_on_short_lives() {
    for endpoint in [STABLE, TOKEN, WORK] {
        for expires_in in [0, 1, 2, 59, 300, 301, 7200] {
            let mut exhibit = Exhibit::new(endpoint);
            let attempts = exhibit.attempts(300_000, |e, f| drop(e.grant(f, &format!("t{}", e.now), expires_in)));
            let least = if expires_in == 0 { 250 } else { 30_000 };
            assert!(attempts.windows(2).all(|w| w[1] - w[0] >= least), "{endpoint:?} {expires_in} {attempts:?}");
        }
    }
}

#[test]
fn no_03_a_failed_refresh_displaced_a_valid_token() {
    for body in ["", "<html>", r#"{"errcode":-1}"#, r#"{"access_token":"","expires_in":7200}"#, r#"{"errcode":40001}"#]
    {
        for status in [200, 500] {
            let mut exhibit = Exhibit::holding(TOKEN);
            let fetch = exhibit.due().fetch();
            exhibit.keeper.handle_response(fetch.ticket(), exhibit.at(), status, body.as_bytes());
            assert_eq!(exhibit.token(), Some("t1"), "{status} {body}");
        }
    }
}

#[test]
fn no_04_05_one_error_ended_refreshing_for_good() {
    for code in [-1, 40001, 40002, 40013, 40125, 40164, 40243, 45009, 45011, 50004, 61004, 89503, 89506, 89507, 1] {
        let mut exhibit = Exhibit::new(STABLE);
        for _ in 0..50 {
            let fetch = exhibit.due().fetch();
            let body = format!(r#"{{"errcode":{code},"errmsg":""}}"#);
            exhibit.keeper.handle_response(fetch.ticket(), exhibit.at(), 200, body.as_bytes());
            assert!(exhibit.keeper.poll_at().as_millis() - exhibit.now <= 86_400_000, "{code}");
        }
        exhibit.due().fetch_and_grant("t1", 7200);
        assert_eq!(exhibit.token(), Some("t1"));
        assert_eq!(exhibit.keeper.trouble(), None, "the error is not remembered");
    }
}

#[test]
fn no_06_expiry_extended_past_the_end() {
    let mut exhibit = Exhibit::holding(WORK);
    let expires_at = exhibit.now + 7_198_000;
    // Repeated with a full life, refused and failed: whatever happens, it dies when it was said to.
    exhibit.due().fetch_and_grant("t1", 7200);
    exhibit.now = expires_at - 1;
    assert_eq!(exhibit.token(), Some("t1"));
    exhibit.now = expires_at;
    assert_eq!(exhibit.token(), None);
}

#[test]
fn no_08_a_lock_shorter_than_the_call_it_protects() {
    let mut exhibit = Exhibit::holding(TOKEN);
    let fetch = exhibit.due().fetch();
    let sent = exhibit.now;
    exhibit.now += 10_000;
    exhibit.keeper.handle_failure(fetch.ticket(), exhibit.at(), Failure::MaybeSent);
    // The platform may execute it a minute after we gave up.
    assert!(exhibit.keeper.poll_at().as_millis() >= sent + 10_000 + 60_000);
}

#[test]
fn no_09_an_older_reply_overwrote_the_newer_token() {
    let mut exhibit = Exhibit::new(TOKEN);
    let slow = exhibit.fetch();
    exhibit.due().poll();
    let fast = exhibit.due().fetch();
    assert_eq!(exhibit.grant(slow, "older", 7200), Outcome::Stale, "while the newer is on its way");
    assert_eq!(exhibit.token(), None);
    exhibit.grant(fast, "newer", 7200);
    assert_eq!(exhibit.grant(slow, "older", 7200), Outcome::Stale, "and after it came");
    assert_eq!(exhibit.token(), Some("newer"));
}

#[test]
fn no_10_stale_reports_expired_the_fresh_token() {
    let mut exhibit = Exhibit::holding(TOKEN);
    exhibit.due().fetch_and_grant("t2", 7200);
    exhibit.now += 60_000;
    for _ in 0..64 {
        assert_eq!(exhibit.report("t1"), ReportOutcome::Replaced);
    }
    assert_eq!(exhibit.token(), Some("t2"));
    assert!(exhibit.keeper.poll_at() > exhibit.at(), "no fetch");
}

#[test]
fn no_12_expired_first_fetched_afterwards() {
    for endpoint in [TOKEN, STABLE, WORK] {
        let mut exhibit = Exhibit::holding(endpoint);
        let fetch = exhibit.due().fetch();
        exhibit.now += 9_000;
        assert_eq!(exhibit.token(), Some("t1"), "served during the refresh");
        exhibit.grant(fetch, "t2", 7200);
        assert_eq!(exhibit.token(), Some("t2"));
    }
}

#[test]
fn no_13_two_replies_swapped() {
    let (mut shop, mut bank) = (Exhibit::new(TOKEN), Exhibit::new(TOKEN));
    // The bank is one exchange ahead, so that the tickets differ.
    let first = bank.fetch();
    bank.keeper.handle_failure(first.ticket(), bank.at(), Failure::NotSent);
    let (of_shop, of_bank) = (shop.fetch(), bank.due().fetch());
    assert_eq!(shop.grant(of_bank, "bank", 7200), Outcome::Stale);
    assert_eq!(bank.grant(of_shop, "shop", 7200), Outcome::Stale);
    assert_eq!((shop.token(), bank.token()), (None, None));
}

#[test]
fn no_14_relayed_the_original_life() {
    let mut exhibit = Exhibit::holding(STABLE);
    exhibit.now += 7_188_000;
    assert_eq!(exhibit.keeper.remaining(exhibit.at()).as_secs(), 10);
    let stored = exhibit.keeper.snapshot(exhibit.at()).expect("held");
    assert_eq!(stored.remaining.as_secs(), 10);
}

#[test]
fn no_17_life_counted_from_the_reply() {
    let mut exhibit = Exhibit::new(STABLE);
    let fetch = exhibit.fetch();
    let sent = exhibit.now;
    exhibit.now += 9_999;
    exhibit.grant(fetch, "t1", 60);
    exhibit.now = sent + 58_000;
    assert_eq!(exhibit.token(), None);
}

#[test]
fn no_18_jitter_drawn_again_at_every_poll() {
    let mut exhibit = Exhibit::holding(STABLE);
    let (at, start) = (exhibit.keeper.poll_at(), exhibit.now);
    while exhibit.now < at.as_millis() {
        assert_eq!(exhibit.keeper.poll(exhibit.at()), Action::Wait(at));
        exhibit.now += 1_009;
    }
    assert!(at.as_millis() - start > 6_900_000);
}

#[test]
fn no_19_sub_second_truncation_missed_the_wake_up() {
    let mut exhibit = Exhibit::new(STABLE);
    exhibit.now = 5_999;
    exhibit.fetch_and_grant("t1", 7200);
    for _ in 0..20 {
        let at = exhibit.keeper.poll_at();
        exhibit.now = at.as_millis() - 1;
        assert_eq!(exhibit.keeper.poll(exhibit.at()), Action::Wait(at));
        exhibit.now += 1;
        let fetch = exhibit.fetch();
        exhibit.keeper.handle_failure(fetch.ticket(), exhibit.at(), Failure::NotSent);
    }
}

#[test]
fn no_20_no_life_taken_for_a_full_one() {
    for expires_in in ["null", "0", "-7200", "86401", "\"\""] {
        let mut exhibit = Exhibit::holding(TOKEN);
        let fetch = exhibit.due().fetch();
        let body = format!(r#"{{"access_token":"t2","expires_in":{expires_in}}}"#);
        let outcome = exhibit.keeper.handle_response(fetch.ticket(), exhibit.at(), 200, body.as_bytes());
        assert!(matches!(outcome, Outcome::Malformed(_)), "{expires_in} {outcome:?}");
        assert_eq!(exhibit.token(), Some("t1"));
    }
}

#[test]
fn no_21_ticks_wrap_after_49_days() {
    let mut ticks = Ticks32::new();
    let mut keeper = Keeper::new(STABLE, 1);
    let (mut tick, mut fetches, mut without) = (u32::MAX - 20 * 3_600_000, 0, 0);
    for _ in 0..(40 * 3600) {
        let now = ticks.widen(tick);
        if let Action::Fetch(fetch) = keeper.poll(now) {
            fetches += 1;
            let body = format!(r#"{{"access_token":"t{fetches}","expires_in":7200}}"#);
            keeper.handle_response(fetch.ticket(), now, 200, body.as_bytes());
        }
        without += u32::from(keeper.token(now).is_none());
        tick = tick.wrapping_add(1_000);
    }
    assert_eq!((fetches, without), (21, 0), "40 hours across the wrap");
}

#[test]
fn no_22_unbounded_fetching_on_a_refused_token() {
    // 64 callers, a platform that refuses every token, for an hour, each report repeated as fast as a loop can.
    for endpoint in [TOKEN, STABLE, WORK] {
        let mut exhibit = Exhibit::new(endpoint);
        let mut minted = 0;
        let mut fetches = 0;
        for _ in 0..36_000 {
            for _ in 0..64 {
                let seen = format!("t{minted}");
                exhibit.report(&seen);
            }
            if let Action::Fetch(fetch) = exhibit.keeper.poll(exhibit.at()) {
                fetches += 1;
                minted += 1;
                exhibit.grant(fetch, &format!("t{minted}"), 7200);
            }
            exhibit.now += 100;
        }
        assert!((2..12).contains(&fetches), "{fetches}");
        let Ledger { fetches: counted, .. } = exhibit.keeper.ledger(exhibit.at());
        assert_eq!(counted, fetches);
    }
}

#[test]
fn no_26_one_forced_refresh_made_every_later_one_forced() {
    let mut exhibit = Exhibit::holding(STABLE);
    exhibit.keeper.rotate(exhibit.at());
    assert!(matches!(exhibit.due().poll(), Action::Fetch(f) if f.is_forced()));
    let ticket = exhibit.keeper.in_flight().expect("in flight");
    exhibit.keeper.handle_response(ticket, exhibit.at(), 200, br#"{"access_token":"t2","expires_in":7200}"#);
    for n in 3..10 {
        let fetch = exhibit.due().fetch();
        assert!(!fetch.is_forced());
        exhibit.grant(fetch, &format!("t{n}"), 7200);
    }
}

#[test]
fn no_27_a_lost_reply_retried_elsewhere_minted_twice() {
    let mut exhibit = Exhibit::holding(TOKEN);
    exhibit.due();
    let attempts =
        exhibit.attempts(300_000, |e, f| drop(e.keeper.handle_failure(f.ticket(), e.at(), Failure::MaybeSent)));
    assert!(attempts.windows(2).all(|w| w[1] - w[0] >= 75_000), "{attempts:?}");
    assert!(attempts.len() >= 3, "and it does go on");
}

#[test]
fn no_28_a_secret_in_what_is_shown() {
    let account = Account::new(STABLE, "wx1", "s3cr3t").expect("fine");
    let mut exhibit = Exhibit::new(STABLE);
    let fetch = exhibit.fetch();
    let echo = r#"{"errcode":40125,"errmsg":"invalid appsecret s3cr3t, t0k3n rid: 5f0a5f0a-12345678-9abcdef0"}"#;
    let refused = exhibit.keeper.handle_response(fetch.ticket(), exhibit.at(), 200, echo.as_bytes());
    let Outcome::Refused(refusal) = &refused else { panic!("refused") };
    let shown = format!("{account:?} {:?} {refused:?} {refusal} {:?}", account.request(fetch), exhibit.keeper);
    exhibit.due().fetch_and_grant("t0k3n", 7200);
    let seen = exhibit.keeper.token(exhibit.at()).expect("held").clone();
    let shown = format!("{shown} {:?} {seen:?} {:?}", exhibit.keeper, exhibit.keeper.snapshot(exhibit.at()));
    assert!(!shown.contains("s3cr3t") && !shown.contains("t0k3n"), "{shown}");
    assert!(shown.contains("5f0a5f0a-12345678-9abcdef0"), "what helps is there");
}
