//! Any bytes for the reply to a call: no panic; the same errcode wherever the reply is cut into pieces, and the one
//! serde_json sees; nothing believed of a reply that is not whole; no more memory for a long one.

#![no_main]

use std::fmt;

use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use wxtoken_core::{Errcode, ErrcodeReader};

/// Whatever comes, this is all that is kept of it.
const _: () = assert!(size_of::<ErrcodeReader>() <= 32);

fuzz_target!(|body: &[u8]| {
    let whole = read([body]);
    pieces_do_not_matter(body, whole);
    let starts = body.iter().find(|byte| !b" \t\r\n".contains(byte));
    assert_eq!(whole == Errcode::NoObject, starts != Some(&b'{'), "an object is what begins as one");
    let mut reader = ErrcodeReader::new();
    reader.push(body);
    assert_eq!(reader.may_refuse(), whole != Errcode::NoObject || starts.is_none(), "and it is known early");
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        if !has_an_escaped_name(body) {
            match serde_json::from_slice::<Members>(body) {
                Ok(members) => members.agree(whole),
                Err(_) => assert_eq!(whole, Errcode::NoObject),
            }
        }
        inside_a_longer_one(body, &value);
    }
});

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Errcode {
    let mut reader = ErrcodeReader::new();
    pieces.into_iter().for_each(|piece| reader.push(piece));
    reader.finish()
}

/// Byte by byte, in pieces whose lengths the body itself names, and in two at many places. On the way: what is not whole
/// yet says nothing.
fn pieces_do_not_matter(body: &[u8], whole: Errcode) {
    let end = body.iter().rposition(|byte| !b" \t\r\n".contains(byte)).unwrap_or(0);
    let mut reader = ErrcodeReader::new();
    for (at, byte) in body.iter().enumerate() {
        if at <= end && matches!(whole, Errcode::Is(_) | Errcode::Absent) {
            assert!(matches!(reader.finish(), Errcode::Unclear | Errcode::NoObject), "believed before its end");
        }
        reader.push(&[*byte]);
    }
    assert_eq!(reader.finish(), whole, "byte by byte");

    let mut rest = body;
    let pieces = body.iter().map_while(|byte| {
        let (piece, after) = rest.split_at(rest.len().min(1 + usize::from(byte % 16)));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(read(pieces), whole, "in uneven pieces");

    let step = body.len().div_ceil(64).max(1);
    for at in (0..body.len()).step_by(step) {
        let (first, second) = body.split_at(at);
        assert_eq!(read([first, second]), whole, "cut at {at}");
    }
}

/// A reply of any length around this one: as a member, as many, and as a text.
fn inside_a_longer_one(body: &[u8], value: &Value) {
    if depth(value) > 100 {
        return;
    }
    let mut reader = ErrcodeReader::new();
    reader.push(br#"{"list":["#);
    for _ in 0..20_000_usize.div_ceil(body.len().max(1)).min(200) {
        reader.push(body);
        reader.push(b",");
    }
    reader.push(br#"0],"errcode":45009}"#);
    assert_eq!(reader.finish(), Errcode::Is(45_009));

    let text = serde_json::to_string(&String::from_utf8_lossy(body)).expect("a text");
    assert_eq!(read([br#"{"text":"#, text.as_bytes(), br#","errcode":40014}"#]), Errcode::Is(40_014));
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(all) => 1 + all.iter().map(depth).max().unwrap_or(0),
        Value::Object(all) => 1 + all.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A name written with escapes is the same name to serde_json and another one to us: then the two may differ.
fn has_an_escaped_name(body: &[u8]) -> bool {
    body.windows(2).any(|pair| pair == b"\\u")
}

/// Every `errcode` of an object, in order, which a map would not keep.
struct Members(Vec<Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut ours = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if name == "errcode" {
                        ours.push(value);
                    }
                }
                Ok(Members(ours))
            }
        }
        reader.deserialize_map(All)
    }
}

impl Members {
    fn agree(&self, seen: Errcode) {
        let said: Vec<_> = self.0.iter().filter(|value| !value.is_null()).collect();
        match said[..] {
            [] => assert_eq!(seen, Errcode::Absent),
            [Value::Number(number)] => match number.as_i64() {
                Some(code) => assert_eq!(seen, Errcode::Is(i32::try_from(code).unwrap_or(i32::MAX))),
                // A fraction says nothing; digits beyond 64 bits are no code we know; -0 is a 0.
                None => assert!(matches!(seen, Errcode::Unclear | Errcode::Is(i32::MAX | 0)), "{number} {seen:?}"),
            },
            [Value::String(text)] => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    assert_eq!(seen, Errcode::Unclear);
                } else {
                    let code = text.parse::<i64>().ok().and_then(|code| i32::try_from(code).ok());
                    assert_eq!(seen, Errcode::Is(code.unwrap_or(i32::MAX)));
                }
            }
            _ => assert_eq!(seen, Errcode::Unclear),
        }
    }
}
