//! The demo keeps what it promises, tells it, draws it, and is the same each time.

mod common;

use common::{Files, run};

#[test]
fn a_day_of_trouble_is_told_and_drawn() {
    let files = Files::new();
    let svg = files.path("day.svg");
    let ran = run(&["demo", "--svg", &svg]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    for words in [
        "official account A: 64 cold callers, 1 fetch, 64 served, 1 token",
        "official account B: 64 cold callers, 1 fetch, 64 served, 1 token",
        "WeCom app C: 64 cold callers, 1 fetch, 64 served, 1 token",
        "an outage of 4 min, shorter than the lead: 0 s without a valid token, 0 calls failed",
        "an outage of 25 min, shorter than the lead: 0 s without a valid token, 0 calls failed",
        "an outage of 45 s, shorter than the lead: 0 s without a valid token, 0 calls failed",
        "a lost reply: 0 calls failed",
        "errcode 40125",
        "the address to allow is 127.0.0.1",
        "no fetch beyond the ledger",
        "an old token that dies five minutes after it was superseded: 64 refused, 1 fetch, 64 served",
        "an old token that dies when a second one follows: 64 refused, 1 fetch, 64 served",
        "an old token that dies at once: 64 refused, 1 fetch, 64 served",
        "every token refused: 128 calls refused, 2 fetches in all, 64 callers told why (40001)",
        "tickets: 64 cold callers, 1 token, 1 ticket, 64 served",
        "tickets: 1439 pages signed in a day, 0 with a dead ticket; 24 fetches of 90 for 12 tickets",
        "alarms sent during a rotation elsewhere: 3 sent, 3 arrived exactly once",
        "alarms sent during a lost reply to a fetch: 3 sent, 3 arrived exactly once",
        "alarms sent during an outage of the token endpoint: 3 sent, 3 arrived exactly once",
        "alarms sent during a wrong secret: 1 sent, 0 arrived exactly once, 1 not executed and its sender told so",
        "alarms sent during the loss of its own reply: 3 sent, 3 arrived exactly once",
        "alarms sent during a cut before it arrives: 3 sent, 3 arrived exactly once",
        "alarms sent during a busy platform: 3 sent, 3 arrived exactly once",
        "41 promises, 0 broken",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("BROKEN"), "{}", ran.stdout);
    // Piped: no control characters of a terminal.
    assert!(!ran.stdout.contains(['\r', '\u{1b}']), "plain lines");

    let text = std::fs::read_to_string(&svg).unwrap();
    let drawing = roxmltree::Document::parse(&text).unwrap();
    let root = drawing.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")));
    let with_class = |class: &str| drawing.descendants().filter(|n| n.attribute("class") == Some(class)).count();
    // Two hours a token, twelve a day, three accounts and a half: and every one of them has its bar.
    assert!(with_class("a") + with_class("b") > 40, "bars");
    assert!(with_class("ok") > 50 && with_class("no") >= 8 && with_class("lost") > 20, "marks");
    assert!(with_class("alarm") > 20 && with_class("unsent") >= 2, "alarms, and the legend");
    for label in ["rotated elsewhere", "lost reply", "outage", "wrong secret", "address not allowed"] {
        assert!(drawing.descendants().any(|n| n.text() == Some(label)), "{label}");
    }
    // Every mark and bar says what it is to those who cannot see it.
    let named = |n: &roxmltree::Node<'_, '_>| n.has_tag_name(("http://www.w3.org/2000/svg", "title"));
    assert!(drawing.descendants().filter(named).count() > 150);
}

#[test]
fn equal_seeds_make_equal_days() {
    let day = |seed: &str| {
        let ran = run(&["demo", "--seed", seed]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        // The last line says how long it took.
        ran.stdout.lines().filter(|line| !line.starts_with("24 hours")).map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second, other) = (day("5"), day("5"), day("6"));
    assert_eq!(first, second);
    assert_ne!(first, other);
}

#[test]
fn two_hundred_readers_of_a_server_never_lack_a_token() {
    let ran = run(&["demo", "server"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    for words in [
        "official account A: 68 cold readers, 1 fetch, 68 served",
        "official account B: 66 cold readers, 1 fetch, 66 served",
        "WeCom app C: 66 cold readers, 1 fetch, 66 served",
        "official account A: rotated elsewhere: 68 of 68 readers refused at once, 1 fetch, 68 served",
        "official account B: rotated elsewhere: 66 of 66 readers refused at once, 1 fetch, 66 served",
        "WeCom app C: rotated elsewhere: 66 of 66 readers refused at once, 1 fetch, 66 served",
        "late reports: 100 made, 100 answered \"replaced\", 0 fetches",
        "a lost reply on each account: 0 calls failed, 0 refused, 0 s without a valid token on any reader",
        "an outage of 4 min, shorter than the lead: 0 calls failed, 0 refused, 0 s without a valid token",
        "an outage of 25 min, shorter than the lead: 0 calls failed, 0 refused, 0 s without a valid token",
        "an outage of 45 s, shorter than the lead: 0 calls failed, 0 refused, 0 s without a valid token",
        "the server is back with the tokens it had: 0 fetches",
        "0 calls failed, 0 reader minutes without a token",
        "15 promises, 0 broken",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("made-up-"), "neither secret nor key: {}", ran.stdout);
    // There is nothing to be drawn of it yet, and that is said before the day is played.
    let ran = run(&["demo", "server", "--svg", "day.svg"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
}
