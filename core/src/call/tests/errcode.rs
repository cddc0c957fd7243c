use super::*;

/// Read whole, and in two pieces at every place, and byte by byte: always the same.
fn read(body: &[u8]) -> Errcode {
    let mut whole = ErrcodeReader::new();
    whole.push(body);
    for at in 0..=body.len() {
        let mut parts = ErrcodeReader::new();
        let (first, second) = body.split_at(at);
        parts.push(first);
        parts.push(second);
        assert_eq!(parts.finish(), whole.finish(), "cut at {at}");
    }
    let mut bytes = ErrcodeReader::new();
    body.iter().for_each(|&byte| bytes.push(&[byte]));
    assert_eq!(bytes.finish(), whole.finish());
    whole.finish()
}

#[test]
fn what_the_platform_sends() {
    for (body, wanted) in [
        (r#"{"errcode":0,"errmsg":"ok"}"#, Errcode::Is(0)),
        (r#"{"errcode":40001,"errmsg":"invalid credential rid: 5f0a"}"#, Errcode::Is(40001)),
        (r#"{"errmsg":"system error","errcode":-1}"#, Errcode::Is(-1)),
        (" {\r\n \"errcode\" : 42001 ,\t\"errmsg\" : \"\" }\n", Errcode::Is(42001)),
        (r#"{"errcode":"45011"}"#, Errcode::Is(45011)),
        (r#"{"errcode":"-1"}"#, Errcode::Is(-1)),
        (r#"{"type":"image","media_id":"x","created_at":1}"#, Errcode::Absent),
        (r#"{"ip_list":["192.0.2.1",{"errcode":40001}]}"#, Errcode::Absent),
        (r#"{"errcode":null}"#, Errcode::Absent),
        (r#"{"errcode":null,"errcode":7}"#, Errcode::Is(7)),
        ("{}", Errcode::Absent),
        ("", Errcode::NoObject),
        ("  \n", Errcode::NoObject),
        (r#"[{"errcode":40001}]"#, Errcode::NoObject),
        (r#""errcode:40001""#, Errcode::NoObject),
    ] {
        assert_eq!(read(body.as_bytes()), wanted, "{body}");
    }
}

#[test]
fn an_errcode_elsewhere_is_not_the_replys() {
    for body in [
        r#"{"data":{"errcode":40001}}"#,
        r#"{"text":"\"errcode\":40001","n":1}"#,
        r#"{"text":"\\","n":{"a":[[],{}]},"xerrcode":1,"errcodes":2,"errcod":3,"":4}"#,
        r#"{"a":"errcode","b":"}","c":"\\\"}"}"#,
        r#"{"a\"errcode":1,"\"":2,"c\\":3,"\\\"errcode":4}"#,
        // A name written with escapes is another name to us: nothing the platform sends.
        r#"{"errcod\u0065":40001}"#,
    ] {
        assert_eq!(read(body.as_bytes()), Errcode::Absent, "{body}");
    }
    assert_eq!(read(b"\x89PNG\r\n\x1a\n{\"errcode\":40001}"), Errcode::NoObject);
    assert_eq!(read(b"<html>{\"errcode\":40001}</html>"), Errcode::NoObject);
}

#[test]
fn what_is_ambiguous_says_nothing() {
    for body in [
        r#"{"errcode":40001,"errcode":0}"#,
        r#"{"errcode":0,"errcode":"40001"}"#,
        r#"{"errcode":40001"#,
        r#"{"errcode":40001} {"errcode":0}"#,
        r#"{"errcode":4e4}"#,
        r#"{"errcode":1.5}"#,
        r#"{"errcode":--1}"#,
        r#"{"errcode":-}"#,
        r#"{"errcode":}"#,
        r#"{"errcode":""}"#,
        r#"{"errcode":"4001 "}"#,
        r#"{"errcode":"40001}"#,
        r#"{"errcode":40001"x":1}"#,
        r#"{"errcode":true}"#,
        r#"{"errcode":nul}"#,
        r#"{"errcode":{"errcode":40001}}"#,
        r#"{"errcode":[40001]}"#,
        r#"{"a":1]"#,
        r#"{"a":1]}"#,
        r#"{"a":1],"errcode":0}"#,
        r#"{"a"}"#,
        r#"{"a":,"errcode":1}"#,
        r#"{a:1}"#,
        "{",
        r#"{"a":"b"#,
    ] {
        assert_eq!(read(body.as_bytes()), Errcode::Unclear, "{body}");
    }
}

#[test]
fn a_number_beyond_32_bits_is_no_code_we_know() {
    for number in ["2147483648", "99999999999999999999999999", "-2147483649"] {
        assert_eq!(read(format!(r#"{{"errcode":{number}}}"#).as_bytes()), Errcode::Is(i32::MAX), "{number}");
    }
    assert_eq!(read(br#"{"errcode":-2147483648}"#), Errcode::Is(i32::MIN));
}

#[test]
fn depth_has_an_end_and_length_has_none() {
    let nested = |depth: usize| format!(r#"{{"a":{}{},"errcode":7}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(read(nested(127).as_bytes()), Errcode::Is(7));
    assert_eq!(read(nested(128).as_bytes()), Errcode::Unclear);
    let mut reader = ErrcodeReader::new();
    reader.push(br#"{"list":["#);
    for _ in 0..100_000 {
        reader.push(br#"{"errcode":40001,"text":"]}\"",},"#);
    }
    reader.push(br#"0],"errcode":45009}"#);
    assert_eq!(reader.finish(), Errcode::Is(45009));
    assert!(size_of::<ErrcodeReader>() <= 32, "{}", size_of::<ErrcodeReader>());
}

#[test]
fn raw_control_characters_and_bad_utf8_in_texts_do_not_hide_it() {
    assert_eq!(read(b"{\"errmsg\":\"a\nb\x00\xff\xfe\",\"errcode\":40014}"), Errcode::Is(40014));
}

#[test]
fn it_knows_early_what_cannot_be_a_refusal() {
    let mut photo = ErrcodeReader::new();
    assert!(photo.may_refuse());
    photo.push(b"\xff\xd8");
    assert!(!photo.may_refuse());
    let mut object = ErrcodeReader::new();
    object.push(b" {");
    assert!(object.may_refuse());
}
