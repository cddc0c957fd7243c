use super::*;

const LIMIT: Duration = Duration::from_secs(120);

/// A call on its way, a token at hand, and the time.
struct Scene {
    healing: Healing,
    held: Option<Token>,
    next_fetch_at: Instant,
    now: Instant,
}

impl Scene {
    fn of(call: Call<'_>, product: Product) -> Self {
        let now = Instant::from_millis(5_000);
        let healing = Healing::new(&call, product, 3, now, LIMIT);
        Self { healing, held: Some(token("t1")), next_fetch_at: Instant::from_millis(7_000_000), now }
    }

    fn post() -> Self {
        Self::of(Call::post("/x", b"{}").expect("fine"), Product::Platform)
    }

    fn get() -> Self {
        Self::of(Call::get("/x").expect("fine"), Product::Platform)
    }

    fn poll(&mut self) -> Todo<'_> {
        self.healing.poll(self.now, self.held.as_ref(), self.next_fetch_at)
    }

    /// Sends, and gets this errcode; 0 is none at all.
    fn refused(&mut self, code: i32) -> Todo<'_> {
        assert!(matches!(self.poll(), Todo::Send(_)));
        self.healing.handle_reply(self.now, 200, Errcode::Is(code));
        self.poll()
    }

    fn failed(&mut self, failure: Failure) -> Todo<'_> {
        assert!(matches!(self.poll(), Todo::Send(_)));
        self.healing.handle_failure(self.now, failure);
        self.poll()
    }

    fn waited(&mut self) -> u64 {
        let Todo::Wait(until) = self.poll() else { panic!("{:?}", self.poll()) };
        let waited = until.saturating_since(self.now);
        self.now = Instant::from_millis(until.as_millis() - 1);
        assert_eq!(self.poll(), Todo::Wait(until), "early is harmless");
        self.now = until;
        assert!(matches!(self.poll(), Todo::Send(_)));
        // As if it had not been asked: the next attempt asks again.
        self.healing.handle_failure(self.now, Failure::NotSent);
        waited.as_millis() as u64
    }
}

fn fingerprint(text: &str) -> Fingerprint {
    Fingerprint::of(text)
}

#[test]
fn what_is_no_refusal_of_the_token_is_the_answer() {
    for code in [0, 40_003, 48_001, 42_007, 301_002, 45_009, 41_001, 40_013, 61_007, 89_503, 7, i32::MAX] {
        assert_eq!(Scene::post().refused(code), Todo::Done, "{code}");
    }
    for errcode in [Errcode::Absent, Errcode::Is(0)] {
        let mut scene = Scene::post();
        assert!(matches!(scene.poll(), Todo::Send(_)));
        scene.healing.handle_reply(scene.now, 200, errcode);
        assert_eq!(scene.poll(), Todo::Done);
        assert_eq!(scene.healing.errcode(), None);
    }
}

#[test]
fn a_refused_token_is_reported_and_another_tried_once() {
    for code in [40_001, 40_014, 42_001] {
        let mut scene = Scene::post();
        assert_eq!(scene.refused(code), Todo::Report(fingerprint("t1")));
        scene.next_fetch_at = scene.now;
        let now = scene.now;
        assert_eq!(scene.poll(), Todo::Refresh(now), "never with the same one");
        scene.held = None;
        assert_eq!(scene.poll(), Todo::Refresh(now));
        scene.held = Some(token("t2"));
        assert_eq!(scene.poll(), Todo::Send(&token("t2")));
        scene.healing.handle_reply(scene.now, 200, Errcode::Is(0));
        assert_eq!(scene.poll(), Todo::Done);
    }
}

#[test]
fn the_second_refusal_is_reported_and_the_end() {
    let mut scene = Scene::post();
    assert!(matches!(scene.refused(40_001), Todo::Report(_)));
    scene.held = Some(token("t2"));
    assert_eq!(scene.refused(42_001), Todo::Report(fingerprint("t2")));
    scene.held = Some(token("t3"));
    for _ in 0..3 {
        assert_eq!(scene.poll(), Todo::GiveUp(GaveUp::RefusedAgain));
    }
    assert_eq!(scene.healing.errcode(), Some(42_001));
}

#[test]
fn suite_tokens_are_refused_by_their_own_numbers_on_wecom_only() {
    for code in [40_082, 42_009] {
        let call = Call::get("/x").expect("fine");
        assert!(matches!(Scene::of(call, Product::Work).refused(code), Todo::Report(_)), "{code}");
        assert_eq!(Scene::of(call, Product::Platform).refused(code), Todo::Done, "{code}");
    }
}

#[test]
fn a_token_that_does_not_come_in_time_is_not_waited_for() {
    let mut scene = Scene::post();
    scene.held = None;
    scene.next_fetch_at = scene.healing.ends_at();
    let end = scene.next_fetch_at;
    assert_eq!(scene.poll(), Todo::Refresh(end), "just in time");
    scene.next_fetch_at = end.saturating_add(Duration::from_millis(1));
    assert_eq!(scene.poll(), Todo::GiveUp(GaveUp::NoToken));
    let mut scene = Scene::post();
    assert!(matches!(scene.refused(40_001), Todo::Report(_)));
    assert_eq!(scene.poll(), Todo::GiveUp(GaveUp::NoOtherToken), "the young one was kept, say");
}

#[test]
fn no_attempt_begins_after_the_end() {
    let mut scene = Scene::post();
    scene.now = scene.healing.ends_at();
    assert!(matches!(scene.poll(), Todo::Send(_)));
    let mut scene = Scene::post();
    scene.now = scene.healing.ends_at().saturating_add(Duration::from_millis(1));
    assert_eq!(scene.poll(), Todo::GiveUp(GaveUp::NoToken));
    let mut scene = Scene::post();
    scene.held = None;
    scene.next_fetch_at = scene.now;
    scene.now = scene.healing.ends_at().saturating_add(Duration::from_millis(1));
    assert_eq!(scene.poll(), Todo::GiveUp(GaveUp::NoToken), "nor does a fetch for it");
}

#[test]
fn a_wait_may_end_with_the_call_and_not_after_it() {
    let Todo::Wait(until) = Scene::post().refused(-1) else { panic!("it passes soon") };
    let ending_at = |end: Instant| {
        let mut scene = Scene::post();
        let call = Call::post("/x", b"{}").expect("fine");
        scene.healing = Healing::new(&call, Product::Platform, 3, scene.now, end.saturating_since(scene.now));
        scene
    };
    assert_eq!(ending_at(until).refused(-1), Todo::Wait(until));
    let too_early = until.saturating_sub(Duration::from_millis(1));
    assert_eq!(ending_at(too_early).refused(-1), Todo::GiveUp(GaveUp::Busy));
}

#[test]
fn a_busy_platform_is_tried_three_times() {
    let mut scene = Scene::post();
    assert!(matches!(scene.refused(-1), Todo::Wait(_)));
    assert!((1_000..=2_000).contains(&scene.waited()));
    assert!((2_000..=3_000).contains(&scene.waited()));
    assert_eq!(scene.poll(), Todo::GiveUp(GaveUp::NotSent), "and out of tries");
    let mut scene = Scene::post();
    for _ in 0..2 {
        let Todo::Wait(until) = scene.refused(45_033) else { panic!("it passes soon") };
        scene.now = until;
    }
    assert_eq!(scene.refused(-1), Todo::GiveUp(GaveUp::Busy));
}

#[test]
fn a_minutes_quota_is_waited_for_if_there_is_time() {
    let mut scene = Scene::post();
    assert!(matches!(scene.refused(45_011), Todo::Wait(_)));
    assert!((60_000..=61_000).contains(&scene.waited()));
    let call = Call::post("/x", b"{}").expect("fine");
    assert!(matches!(Scene::of(call, Product::Work).refused(45_009), Todo::Wait(_)));
    let mut hasty = Scene::post();
    hasty.healing = Healing::new(&call, Product::Platform, 3, hasty.now, Duration::from_secs(30));
    assert_eq!(hasty.refused(45_011), Todo::GiveUp(GaveUp::Busy));
}

#[test]
fn what_was_not_sent_is_sent_again_and_what_may_have_been_executed_only_if_that_does_no_harm() {
    assert!(matches!(Scene::post().failed(Failure::NotSent), Todo::Wait(_)));
    assert_eq!(Scene::post().failed(Failure::MaybeSent), Todo::GiveUp(GaveUp::Unanswered));
    assert!(matches!(Scene::get().failed(Failure::MaybeSent), Todo::Wait(_)));
    let mut post = Scene::of(Call::post("/x", b"{}").expect("fine").with_idempotence(true), Product::Platform);
    assert!(matches!(post.failed(Failure::MaybeSent), Todo::Wait(_)));
    for errcode in [Errcode::Unclear, Errcode::NoObject, Errcode::Absent] {
        for (scene, again) in [(Scene::post(), false), (Scene::get(), true)] {
            let mut scene = scene;
            assert!(matches!(scene.poll(), Todo::Send(_)));
            let status = if errcode == Errcode::Absent { 502 } else { 200 };
            scene.healing.handle_reply(scene.now, status, errcode);
            assert_eq!(matches!(scene.poll(), Todo::Wait(_)), again);
            assert_eq!(matches!(scene.poll(), Todo::GiveUp(why) if why.maybe_executed()), !again);
        }
    }
}

#[test]
fn that_nothing_was_sent_is_said_only_when_it_holds_for_every_attempt() {
    for (first, why) in [(Failure::MaybeSent, GaveUp::Unanswered), (Failure::NotSent, GaveUp::NotSent)] {
        let mut scene = Scene::get();
        for failure in [first, Failure::NotSent] {
            let Todo::Wait(until) = scene.failed(failure) else { panic!("there are tries left") };
            scene.now = until;
        }
        assert_eq!(scene.failed(Failure::NotSent), Todo::GiveUp(why));
    }
}

#[test]
fn a_page_of_a_captive_portal_is_no_success_and_a_photo_is_one_where_it_was_asked_for() {
    for (call, wanted) in [
        (Call::post("/x", b"{}").expect("fine"), Todo::GiveUp(GaveUp::Unanswered)),
        (Call::post("/x", b"{}").expect("fine").with_any_reply(), Todo::Done),
    ] {
        let mut scene = Scene::of(call, Product::Platform);
        assert!(matches!(scene.poll(), Todo::Send(_)));
        scene.healing.handle_reply(scene.now, 200, Errcode::NoObject);
        assert_eq!(scene.poll(), wanted);
    }
}

#[test]
fn a_status_without_an_errcode_is_no_answer_and_with_one_the_errcode_speaks() {
    for (status, errcode, wanted) in [
        (404, Errcode::Absent, Todo::GiveUp(GaveUp::Status(404))),
        (412, Errcode::Is(0), Todo::GiveUp(GaveUp::Status(412))),
        (500, Errcode::Is(0), Todo::GiveUp(GaveUp::Status(500))),
        (401, Errcode::Is(48_001), Todo::Done),
        (201, Errcode::Absent, Todo::Done),
    ] {
        let mut scene = Scene::post();
        assert!(matches!(scene.poll(), Todo::Send(_)));
        scene.healing.handle_reply(scene.now, status, errcode);
        assert_eq!(scene.poll(), wanted);
    }
}

#[test]
fn a_body_that_is_spent_says_so_and_the_token_is_reported_all_the_same() {
    let call = Call::stream("/x", "image/png", 9).expect("fine").sent_once();
    let mut scene = Scene::of(call, Product::Platform);
    assert_eq!(scene.refused(40_001), Todo::Report(fingerprint("t1")));
    scene.held = Some(token("t2"));
    assert_eq!(scene.poll(), Todo::GiveUp(GaveUp::BodySpent));
    assert_eq!(Scene::of(call, Product::Platform).refused(-1), Todo::GiveUp(GaveUp::Busy));
    assert!(matches!(Scene::of(call, Product::Platform).failed(Failure::NotSent), Todo::Wait(_)), "nothing was taken");
}

#[test]
fn results_without_an_attempt_change_nothing() {
    let mut scene = Scene::post();
    scene.healing.handle_reply(scene.now, 200, Errcode::Is(40_001));
    scene.healing.handle_failure(scene.now, Failure::MaybeSent);
    assert_eq!(scene.refused(0), Todo::Done);
    scene.healing.handle_reply(scene.now, 200, Errcode::Is(40_001));
    assert_eq!(scene.poll(), Todo::Done);
}

#[test]
fn an_attempt_nobody_speaks_of_ends_with_the_call() {
    let mut scene = Scene::post();
    assert!(matches!(scene.poll(), Todo::Send(_)));
    assert!(scene.healing.is_sent() && !scene.healing.is_done());
    let Todo::Wait(until) = scene.poll() else { panic!("it is under way") };
    scene.now = scene.healing.ends_at();
    assert_eq!(scene.poll(), Todo::Wait(until), "until its last millisecond is over");
    scene.now = until;
    assert!(scene.now > scene.healing.ends_at());
    assert_eq!(scene.poll(), Todo::GiveUp(GaveUp::Unanswered));
}

#[test]
fn with_a_keeper_a_token_rotated_elsewhere_costs_one_fetch() {
    let mut keeper = Keeper::new(&Endpoint::TOKEN, 7);
    let grant = |keeper: &mut Keeper, now, text: &str| {
        let crate::Action::Fetch(fetch) = keeper.poll(now) else { panic!("due") };
        let body = format!(r#"{{"access_token":"{text}","expires_in":7200}}"#);
        keeper.handle_response(fetch.ticket(), now, 200, body.as_bytes());
    };
    let mut now = Instant::from_millis(1_000);
    grant(&mut keeper, now, "t1");
    now = now.saturating_add(Duration::from_secs(60));
    let call = Call::post("/x", b"{}").expect("fine");
    let mut healing = Healing::new(&call, Product::Platform, 1, now, LIMIT);
    let (mut sent, mut fetches) = (Vec::new(), 0);
    for step in 0.. {
        assert!(step < 20, "a call without end");
        match healing.poll(now, keeper.token(now), keeper.poll_at()) {
            Todo::Send(with) => {
                sent.push(String::from(with.as_str()));
                let code = if with.as_str() == "t1" { 40_001 } else { 0 };
                healing.handle_reply(now, 200, Errcode::Is(code));
            }
            Todo::Report(seen) => drop(keeper.report_refused(now, seen)),
            Todo::Refresh(until) => {
                now = until;
                fetches += 1;
                grant(&mut keeper, now, "t2");
            }
            Todo::Wait(until) => now = until,
            Todo::Done => break,
            Todo::GiveUp(why) => panic!("{why}"),
        }
    }
    assert_eq!((sent.as_slice(), fetches), (&["t1".into(), "t2".into()][..], 1));
}

#[test]
fn two_calls_do_not_come_back_together() {
    let waits = |seed| {
        let mut scene = Scene::post();
        let call = Call::post("/x", b"{}").expect("fine");
        scene.healing = Healing::new(&call, Product::Platform, seed, scene.now, LIMIT);
        assert!(matches!(scene.refused(-1), Todo::Wait(_)));
        [scene.waited(), scene.waited()]
    };
    assert_ne!(waits(1), waits(2));
    assert_eq!(waits(1), waits(1), "and each of them can be repeated");
}

#[test]
fn each_reason_to_give_up_says_what_happened_and_whether_it_may_have_been_executed() {
    let all = [
        (GaveUp::NoToken, false),
        (GaveUp::NoOtherToken, false),
        (GaveUp::RefusedAgain, false),
        (GaveUp::BodySpent, false),
        (GaveUp::Busy, false),
        (GaveUp::NotSent, false),
        (GaveUp::Unanswered, true),
        (GaveUp::Status(499), false),
        (GaveUp::Status(500), true),
    ];
    for (n, (why, maybe_executed)) in all.into_iter().enumerate() {
        assert_eq!(why.maybe_executed(), maybe_executed, "{why:?}");
        let text = format!("{why}");
        assert!(text.len() > 25, "{text}");
        let same = all[n + 1..].iter().filter(|(other, _)| other.text() == text).count();
        assert_eq!(same, usize::from(why == GaveUp::Status(499)), "{text}");
    }
}

#[test]
fn it_says_when_it_is_done_and_when_it_is_sent() {
    let mut scene = Scene::post();
    assert!(!scene.healing.is_sent() && !scene.healing.is_done());
    assert_eq!(scene.refused(48_001), Todo::Done);
    assert!(!scene.healing.is_sent() && scene.healing.is_done());
}
