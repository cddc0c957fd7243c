extern crate std;
use std::{format, string::String, vec::Vec};

use super::*;

fn read(body: &str) -> Result<Reply<'_>, Malformed> {
    Reply::read(body.as_bytes(), "access_token")
}

fn granted(body: &str) -> (String, u32) {
    match read(body) {
        Ok(Reply::Grant(g)) => (g.token().as_str().into(), g.expires_in()),
        other => panic!("{body}: {other:?}"),
    }
}

fn refused(body: &str) -> (i32, String) {
    match read(body) {
        Ok(Reply::Refused(r)) => {
            let mut text = String::new();
            r.write_errmsg(usize::MAX, &mut text).expect("a String takes all");
            (r.errcode(), text)
        }
        other => panic!("{body}: {other:?}"),
    }
}

fn pretty(compact: &str) -> String {
    compact.replace('{', "{\r\n\t  ").replace(',', ",\n  ").replace("\":", "\" : ").replace('}', "\n}\n")
}

#[test]
fn the_platforms_sample_bodies_to_the_letter() {
    for body in [
        r#"{"access_token":"accesstoken000001","expires_in":7200}"#,
        r#"{"errcode":0,"errmsg":"","access_token":"accesstoken000001","expires_in":7200}"#,
        r#"{"errcode":0,"errmsg":"ok","access_token":"accesstoken000001","expires_in":7200}"#,
    ] {
        let want = (String::from("accesstoken000001"), 7200);
        assert_eq!(granted(body), want);
        assert_eq!(granted(&pretty(body)), want);
    }
    for (body, code, text) in [
        (r#"{"errcode":43003,"errmsg":"require https"}"#, 43003, "require https"),
        (r#"{"errcode":40091,"errmsg":"provider_secret is invalid"}"#, 40091, "provider_secret is invalid"),
        (r#"{"errcode":40013,"errmsg":"invalid appid"}"#, 40013, "invalid appid"),
    ] {
        assert_eq!(refused(body), (code, text.into()));
        assert_eq!(refused(&pretty(body)), (code, text.into()));
    }
}

#[test]
fn order_and_company_do_not_matter() {
    assert_eq!(
        granted(
            r#"{"a":[1,{"b":"}]\"{"}],"expires_in":1,"n":null,"warning_msg":"\ud83d\ude00","access_token":"t","f":-1.5e3}"#
        ),
        ("t".into(), 1)
    );
    assert_eq!(refused(r#"{"errmsg":"a\/b\u4e2d\ud83d","errcode":-1,"x":true}"#), (-1, "a/b中".into()));
}

#[test]
fn a_token_may_be_escaped_and_is_judged_unescaped() {
    assert_eq!(granted(r#"{"access_token":"a\/b\u0041","expires_in":60}"#).0, "a/bA");
    for bad in [r"a\nb", r"a\u0020", r"a\u4e2d", r#"a\"b"#, r"a\\b", "a b", "a&b", "a#b", "中", r"\ud83d\ude00", r"\x"]
    {
        let body = format!(r#"{{"access_token":"{bad}","expires_in":60}}"#);
        assert_eq!(read(&body).err(), Some(Malformed::Token(BadToken::ForbiddenCharacter)), "{bad}");
    }
}

#[test]
fn a_token_of_512_fits_and_one_of_513_does_not() {
    // Escapes make the raw text longer than the token: the length counts unescaped.
    let slashes = r"\/".repeat(512);
    assert_eq!(granted(&format!(r#"{{"access_token":"{slashes}","expires_in":9}}"#)).0, "/".repeat(512));
    let body = format!(r#"{{"access_token":"{}","expires_in":9}}"#, "x".repeat(513));
    assert_eq!(read(&body).err(), Some(Malformed::Token(BadToken::TooLong)));
}

#[test]
fn expires_in_is_within_a_day_or_not_believed() {
    let of = |text: &str| match read(&format!(r#"{{"access_token":"t","expires_in":{text}}}"#)) {
        Ok(Reply::Grant(g)) => Ok(g.expires_in()),
        Ok(other) => panic!("{other:?}"),
        Err(e) => Err(e),
    };
    for (text, want) in [("1", 1), ("7200", 7200), ("86400", 86_400), ("\"7200\"", 7200)] {
        assert_eq!(of(text), Ok(want));
    }
    for text in ["0", "-1", "86401", "9223372036854775807", "null"] {
        assert_eq!(of(text), Err(Malformed::Expiry), "{text}");
    }
    for text in ["7200.5", "9223372036854775808", "\"\"", "\"x\"", "true", "[7200]", "7e3"] {
        assert_eq!(of(text), Err(Malformed::NotJson), "{text}");
    }
    assert_eq!(read(r#"{"access_token":"t"}"#).err(), Some(Malformed::Expiry));
}

#[test]
fn an_errcode_may_stand_in_quotes() {
    assert_eq!(refused(r#"{"errcode":"40013","errmsg":"invalid appid"}"#).0, 40013);
    assert_eq!(refused(r#"{"errcode":99999999999}"#).0, i32::MAX);
    assert_eq!(granted(r#"{"errcode":"0","access_token":"t","expires_in":"60"}"#), ("t".into(), 60));
}

#[test]
fn a_null_says_nothing_before_a_value_and_after_it() {
    assert_eq!(refused(r#"{"errcode":null,"errcode":7,"errcode":null}"#).0, 7);
    let twice = r#"{"access_token":"t","expires_in":60,"access_token":null,"expires_in":null}"#;
    assert_eq!(granted(twice), ("t".into(), 60));
}

#[test]
fn what_is_neither_is_malformed() {
    for (body, want) in [
        ("", Malformed::NotJson),
        ("null", Malformed::NotJson),
        ("<html>502</html>", Malformed::NotJson),
        (r#"{"access_token":"t","expires_in":7200"#, Malformed::NotJson),
        (r#"{"access_token":"t","expires_in":7200}}"#, Malformed::NotJson),
        (r#"{"access_token":"t","expires_in":7200,}"#, Malformed::NotJson),
        (r#"{"access_token":1,"expires_in":7200}"#, Malformed::NotJson),
        (r#"{"access_token":"a","access_token":"b","expires_in":7200}"#, Malformed::NotJson),
        ("{}", Malformed::NoToken),
        (r#"{"errcode":0,"errmsg":"ok"}"#, Malformed::NoToken),
        (r#"{"access_token":"","expires_in":7200}"#, Malformed::NoToken),
        (r#"{"access_token":null,"expires_in":7200}"#, Malformed::NoToken),
    ] {
        assert_eq!(read(body).err(), Some(want), "{body}");
    }
    assert_eq!(Reply::read(b"{\"errmsg\":\"\xff\"}", "access_token").err(), Some(Malformed::NotJson));
}

#[test]
fn depth_and_size_have_an_edge() {
    let nested = |n: usize| format!(r#"{{"x":{}{},"errcode":1}}"#, "[".repeat(n), "]".repeat(n));
    assert_eq!(refused(&nested(7)).0, 1);
    assert_eq!(read(&nested(8)).err(), Some(Malformed::TooDeep));
    assert_eq!(refused(r#"{"errcode":1,"errmsg":"[[[[[[[[[[[[\"[[["}"#).0, 1, "brackets in a string do not count");
    let quoted = format!(r#"{{"errcode":1,"errmsg":"\"{}\\","x":[]}}"#, "[".repeat(20));
    assert_eq!(refused(&quoted).0, 1, "nor behind an escaped quote");
    assert_eq!(read(r#"\"[[[[[[[[[["#).err(), Some(Malformed::NotJson), "outside of strings nothing is escaped");
    let closed = format!(r#"{{"x":"{}","y":{}"#, "]".repeat(20), "[".repeat(8));
    assert_eq!(read(&closed).err(), Some(Malformed::TooDeep), "closing ones in a string make no room");
    let beside = format!(r#"{{{}"errcode":1}}"#, (0..20).map(|n| format!(r#""x{n}":[{{}}],"#)).collect::<String>());
    assert_eq!(refused(&beside).0, 1, "beside one another is not inside one another");
    let sized = |n: usize| format!(r#"{{"errcode":1}}{}"#, " ".repeat(n - r#"{"errcode":1}"#.len()));
    assert_eq!(refused(&sized(4096)).0, 1);
    assert_eq!(read(&sized(4097)).err(), Some(Malformed::TooLong));
}

#[test]
fn the_name_of_the_credential_is_data() {
    let body = br#"{"errcode":0,"errmsg":"ok","ticket":"bxLdikRXVbTPdHSM05e5u","expires_in":7200}"#;
    assert!(matches!(Reply::read(body, "ticket"), Ok(Reply::Grant(_))));
    assert_eq!(Reply::read(body, "access_token").err(), Some(Malformed::NoToken));
}

#[test]
fn errmsg_is_cut_at_a_character_and_forges_no_line() {
    let Ok(Reply::Refused(r)) = read(r#"{"errcode":1,"errmsg":"中\n文字"}"#) else { panic!("refused") };
    for (limit, want) in [(0, ""), (2, ""), (3, "中"), (4, "中 "), (6, "中 "), (7, "中 文")] {
        let mut text = String::new();
        r.write_errmsg(limit, &mut text).expect("a String takes all");
        assert_eq!(text, want);
    }
}

#[test]
fn debug_shows_lengths_only() {
    let text = format!(
        "{:?} {:?}",
        read(r#"{"access_token":"s3cr3t","expires_in":7200}"#),
        read(r#"{"errcode":40001,"errmsg":"s3cr3t"}"#)
    );
    assert!(!text.contains("s3cr3t"), "{text}");
}

/// The JSON reader's own bounds checks are not removed by the compiler, so that none of them fires is shown by trying:
/// every string of up to four structural bytes at every seam of a reply.
#[test]
fn no_structural_bytes_around_any_field_bring_the_reader_down() {
    const BYTES: &[u8] = b"{}[]\",:\\u0-nt \x00\xff";
    let seams: [&[u8]; 9] = [
        b"",
        b"{",
        b"{\"access_token\"",
        b"{\"access_token\":",
        b"{\"access_token\":\"t",
        b"{\"access_token\":\"t\"",
        b"{\"access_token\":\"t\",\"expires_in\":7",
        b"{\"access_token\":\"t\",\"expires_in\":7200,\"errmsg\":\"\\",
        b"{\"errcode\":4,\"errmsg\":\"x\"",
    ];
    let tails: [&[u8]; 3] = [b"", b"}", b"\",\"expires_in\":7200}"];
    let mut body = Vec::new();
    let mut tried = 0_u64;
    for (seam, tail) in seams.iter().flat_map(|s| tails.iter().map(move |t| (s, t))) {
        for length in 0..=4_u32 {
            for number in 0..(BYTES.len() as u64).pow(length) {
                body.clear();
                body.extend_from_slice(seam);
                let mut n = number;
                for _ in 0..length {
                    body.push(BYTES[(n % BYTES.len() as u64) as usize]);
                    n /= BYTES.len() as u64;
                }
                body.extend_from_slice(tail);
                // Whatever it says, it says it without a panic, and a grant it gives is a good one.
                if let Ok(Reply::Grant(g)) = Reply::read(&body, "access_token") {
                    assert!((1..=512).contains(&g.token().len()) && (1..=86_400).contains(&g.expires_in()));
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 1_000_000, "{tried}");
}

#[test]
fn what_another_reader_found_is_judged_as_strictly() {
    assert_eq!(Reply::granted("", 7200).err(), Some(Malformed::Token(BadToken::Empty)));
    assert_eq!(Reply::granted("t", 0).err(), Some(Malformed::Expiry));
    assert_eq!(Reply::refused(0, "").err(), Some(Malformed::NoToken));
    assert!(matches!(Reply::granted("t", 7200), Ok(Reply::Grant(g)) if g.token().as_str() == "t"));
    assert!(matches!(Reply::refused(40013, "x"), Ok(Reply::Refused(r)) if (r.errcode(), r.errmsg()) == (40013, "x")));
}

#[test]
fn each_kind_of_nonsense_is_told_apart_and_says_what_to_look_at() {
    let all = [
        Malformed::TooLong,
        Malformed::TooDeep,
        Malformed::NotJson,
        Malformed::NoToken,
        Malformed::Token(BadToken::TooLong),
        Malformed::Token(BadToken::ForbiddenCharacter),
        Malformed::Expiry,
    ]
    .map(|why| format!("{why}"));
    for (n, text) in all.iter().enumerate() {
        assert!(text.len() > 25 && !all[n + 1..].contains(text), "{text}");
    }
}
