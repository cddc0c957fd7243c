//! `/cgi-bin/token`: each call mints, and retires what came before by one of three rules.

use wxtoken_platform::Overlap;

use crate::bench::{T, fetch, model, official, token, using};

#[test]
fn a_token_lives_to_its_expiry() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    assert_eq!(using(&mut model, T, &a), 0);
    assert_eq!(using(&mut model, T + 7_199_999, &a), 0);
    assert_eq!(using(&mut model, T + 7_200_000, &a), 42_001);
}

#[test]
fn the_reply_is_the_documented_one_without_errcode() {
    let mut model = model(official());
    let reply = fetch(&mut model, T);
    let a = token(&reply);
    assert_eq!(reply.text(), format!(r#"{{"access_token":"{a}","expires_in":7200}}"#));
    assert!([136, 157].contains(&a.len()) && a.starts_with("93_"));
    assert!(a.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
}

#[test]
fn each_superseded_token_lives_300_s() {
    let mut model = model(official().overlap(Overlap::EachSuperseded));
    let a = token(&fetch(&mut model, T));
    let b = token(&fetch(&mut model, T + 100_000));
    let c = token(&fetch(&mut model, T + 200_000));
    for (now, alive) in [
        (T + 200_000, [0, 0, 0]),
        (T + 399_999, [0, 0, 0]),
        (T + 400_000, [40_001, 0, 0]),
        (T + 499_999, [40_001, 0, 0]),
        (T + 500_000, [40_001, 40_001, 0]),
    ] {
        assert_eq!([&a, &b, &c].map(|token| using(&mut model, now, token)), alive, "at {}", now - T);
    }
}

#[test]
fn only_the_direct_predecessor_lives_300_s() {
    let mut model = model(official().overlap(Overlap::DirectPredecessor));
    let a = token(&fetch(&mut model, T));
    let b = token(&fetch(&mut model, T + 100_000));
    assert_eq!(using(&mut model, T + 199_999, &a), 0);
    let c = token(&fetch(&mut model, T + 200_000));
    assert_eq!([&a, &b, &c].map(|token| using(&mut model, T + 200_000, token)), [40_001, 0, 0]);
    assert_eq!(using(&mut model, T + 499_999, &b), 0);
    assert_eq!(using(&mut model, T + 500_000, &b), 40_001);
}

#[test]
fn no_superseded_token_lives() {
    let mut model = model(official().overlap(Overlap::None));
    let a = token(&fetch(&mut model, T));
    let b = token(&fetch(&mut model, T + 1));
    assert_eq!([&a, &b].map(|token| using(&mut model, T + 1, token)), [40_001, 0]);
}

#[test]
fn an_overlap_never_outlasts_the_natural_life() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    fetch(&mut model, T + 7_100_000);
    assert_eq!(using(&mut model, T + 7_199_999, &a), 0);
    // And the refusal says what happened: it ran out.
    assert_eq!(using(&mut model, T + 7_200_000, &a), 42_001);
}

#[test]
fn another_program_supersedes() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    model.rotate_elsewhere(T + 1_000, crate::bench::ID).unwrap();
    assert_eq!(using(&mut model, T + 300_999, &a), 0);
    assert_eq!(using(&mut model, T + 301_000, &a), 40_001);
    let counters = model.counters(T + 301_000).account(crate::bench::ID);
    assert_eq!((counters.minted, counters.elsewhere, counters.alive), (1, 1, 1));
    assert!(model.rotate_elsewhere(T, "nobody").is_err());
}

#[test]
fn the_life_can_be_any() {
    for life in [0, 1, 2, 59, 300, 301, 7_200] {
        let mut model = model(official().life_s(life));
        let reply = fetch(&mut model, T);
        assert_eq!(reply.expires_in(), Some(u64::from(life)));
        let end = T + u64::from(life) * 1_000;
        if life > 0 {
            assert_eq!(using(&mut model, end - 1, &token(&reply)), 0);
        }
        assert_eq!(using(&mut model, end, &token(&reply)), 42_001);
    }
}

#[test]
fn a_form_is_taken_as_the_older_tutorial_posts_it() {
    use crate::bench::{ID, SECRET};
    use wxtoken_platform::model::Request;
    let mut model = model(official());
    let form = format!("grant_type=client_credential&appid={ID}&secret={SECRET}");
    assert!(model.handle(T, &Request::post("/cgi-bin/token", form)).token().is_some());
}

#[test]
fn equal_seeds_give_equal_bytes() {
    let run = |seed| {
        let mut model = wxtoken_platform::model::Model::new(seed);
        model.add(official()).unwrap();
        [fetch(&mut model, T), fetch(&mut model, T + 1)]
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert_ne!(run(1)[0], run(1)[1]);
}
