//! Any bytes for a reply: no panic, no credential outside its bounds, no other credential than serde_json sees, and
//! nothing lost of what was held.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wxtoken_core::{Action, Endpoint, Instant, Keeper, MAX_REPLY_LEN, Malformed, Outcome, Reply};

const FIELDS: [&str; 5] = ["access_token", "ticket", "component_access_token", "suite_access_token", ""];

fuzz_target!(|body: &[u8]| {
    for field in FIELDS {
        match Reply::read(body, field) {
            Ok(Reply::Grant(grant)) => {
                let token = grant.token();
                let text = token.as_str();
                assert!((1..=512).contains(&text.len()));
                assert!(text.bytes().all(|b| b.is_ascii_graphic() && !br#""\&#"#.contains(&b)));
                assert!((1..=86_400).contains(&grant.expires_in()));
                agrees_with_serde_json(body, field, text);
            }
            Ok(Reply::Refused(refused)) => {
                assert_ne!(refused.errcode(), 0);
                let mut message = String::new();
                refused.write_errmsg(40, &mut message).expect("a String takes all");
                assert!(message.len() <= 40 && !message.chars().any(char::is_control));
            }
            Ok(_) => unreachable!("a reply is one or the other"),
            Err(why) => assert_eq!(why == Malformed::TooLong, body.len() > MAX_REPLY_LEN),
        }
    }
    keeps_what_is_held(body);
});

fn agrees_with_serde_json(body: &[u8], field: &str, token: &str) {
    // An escaped member name is the same name to serde_json and an unknown one to us: then the two may differ.
    if body.windows(2).any(|pair| pair == b"\\u") {
        return;
    }
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else { return };
    // A second member of the name, null, is the last word to serde_json and no word to us.
    if let Some(seen) = value[field].as_str() {
        assert_eq!(seen, token);
    }
}

fn keeps_what_is_held(body: &[u8]) {
    let mut keeper = Keeper::new(&Endpoint::TOKEN, 1);
    let first = br#"{"access_token":"held","expires_in":7200}"#;
    for (second, body) in [(0, &first[..]), (7_000, body)] {
        let now = Instant::from_millis(second * 1_000);
        let Action::Fetch(fetch) = keeper.poll(now) else { panic!("it is time to fetch") };
        let outcome = keeper.handle_response(fetch.ticket(), now, 200, body);
        let granted = matches!(outcome, Outcome::Granted { .. } | Outcome::Repeated);
        assert!(keeper.token(now).is_some() || granted, "a reply without a token took the one held");
    }
}
