extern crate std;

use std::{format, string::String};

use wxtoken_embedded::core::{Body, Instant};

use super::*;
use crate::gateway::{Alarm, Number, Trip};

const FOLLOWER: To<'_> = To::Follower { openid: "o0000000000000000000000000001", template_id: "T" };
const MEMBERS: To<'_> = To::Members { users: "a|b", agent: 7 };

fn alarm(device: u64, count: u32) -> Alarm {
    let trip = Trip { at: Instant::ZERO, unix_s: Some(1_767_225_600), level_mm: 41 };
    Alarm::new(Number { device, boot: 0x5f3a_9c1e, count }, trip)
}

fn text(to: To<'_>, alarm: &Alarm) -> String {
    let message = Message::new(to, None, alarm).expect("it fits");
    let call = message.call().expect("it is a call");
    match call.body() {
        Body::Bytes(bytes) => format!("{} {}", call.path(), core::str::from_utf8(bytes).expect("it is text")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_follower_gets_a_template_message() {
    assert_eq!(
        text(FOLLOWER, &alarm(17, 1)),
        concat!(
            r#"/cgi-bin/message/template/send {"touser":"o0000000000000000000000000001","template_id":"T","#,
            r#""client_msg_id":"17-5f3a9c1e-1","data":{"thing1":{"value":"水位 41 mm"},"#,
            r#""character_string2":{"value":"17-5f3a9c1e-1"},"thing3":{"value":"2026-01-01 08:00:00"}}}"#,
        )
    );
}

#[test]
fn members_get_a_text_message() {
    assert_eq!(
        text(MEMBERS, &alarm(17, 2)),
        concat!(
            r#"/cgi-bin/message/send {"touser":"a|b","msgtype":"text","agentid":7,"text":{"content":"水位 41 mm，"#,
            r#"2026-01-01 08:00:00，编号 17-5f3a9c1e-2"},"enable_duplicate_check":1,"duplicate_check_interval":14400}"#,
        )
    );
}

#[test]
fn a_repeat_is_the_same_and_another_alarm_is_not() {
    for to in [FOLLOWER, MEMBERS] {
        let mut again = alarm(17, 1);
        again.tries = 3;
        assert_eq!(text(to, &alarm(17, 1)), text(to, &again));
        assert_ne!(text(to, &alarm(17, 1)), text(to, &alarm(17, 2)));
        assert_ne!(text(to, &alarm(17, 1)), text(to, &alarm(18, 1)));
    }
}

#[test]
fn the_longest_fits_with_room_to_spare() {
    let longest = Alarm { number: Number { count: 999_999_999, ..alarm(999_999_999_999, 0).number }, ..alarm(0, 0) };
    let real = [
        To::Follower {
            openid: "o000000000000000000000000001",
            template_id: "0123456789012345678901234567890123456789012",
        },
        To::Members { users: "@all", agent: u32::MAX },
    ];
    for to in real {
        let message = Message::new(to, None, &longest).expect("it fits");
        assert!(message.body.len() + 50 <= ROOM, "{}", message.body.len());
    }
    let users = "u".repeat(ROOM);
    let too_long = Message::new(To::Members { users: &users, agent: 7 }, None, &longest);
    assert_eq!(too_long.err(), Some(BadMessage::TooLong));
}

#[test]
fn a_name_that_json_would_escape_is_refused() {
    for name in ["", "a\"b", "a\\b", "a b", "水", "a\nb"] {
        for to in [
            To::Follower { openid: name, template_id: "T" },
            To::Follower { openid: "o", template_id: name },
            To::Members { users: name, agent: 7 },
        ] {
            assert_eq!(Message::new(to, None, &alarm(1, 1)).err(), Some(BadMessage::Recipient), "{name:?}");
        }
    }
}
