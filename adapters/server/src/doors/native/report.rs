//! What is asked of a credential by `POST`? That it was refused, and that a new one is wanted.

use hyper::StatusCode;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::json;
use wxtoken::{
    Act, Fingerprint,
    core::{Phase, Product, Refusal},
};

use super::super::{Reply, json, problem::Problem};
use crate::{Credential, ReportOutcome, Reported, Seen};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default, alias = "ticket", deserialize_with = "present")]
    access_token: Option<String>,
    #[serde(default, deserialize_with = "present")]
    sha256: Option<String>,
    #[serde(default, deserialize_with = "present")]
    fingerprint: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    errcode: Option<i32>,
    #[serde(default)]
    read: bool,
}

/// A member that is there is a text, and not null.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// A whole number, also where it is written as `40001.0`: to JSON that is the same.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i32>, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    let whole = number.as_i64().or_else(|| {
        // Within this range every whole number is its own float.
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= f64::from(u32::MAX))?;
        format!("{float:.0}").parse().ok()
    });
    let errcode = whole.and_then(|whole| i32::try_from(whole).ok());
    errcode.map(Some).ok_or_else(|| D::Error::custom("not a whole number of 32 bits"))
}

/// What was refused, and what is wanted in return.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    seen: Seen,
    errcode: Option<i32>,
    /// Whether the answer is to have the credential that results.
    pub(super) read: bool,
}

impl Report {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Problem> {
        // An array of the values alone would do for serde.
        let object = Some(body).filter(|body| body.trim_ascii_start().starts_with(b"{")).ok_or(Problem::BODY)?;
        let body: Body = serde_json::from_slice(object).map_err(|_| Problem::BODY)?;
        let seen = match (body.access_token, body.sha256, body.fingerprint) {
            (Some(text), None, None) => Seen::text(&text),
            (None, Some(digits), None) => Seen::Sha256(crate::config::hex(&digits).ok_or(Problem::BODY)?),
            (None, None, Some(digits)) => Seen::Fingerprint(fingerprint(&digits).ok_or(Problem::BODY)?),
            _ => return Err(Problem::BODY),
        };
        Ok(Self { seen, errcode: body.errcode, read: body.read })
    }

    /// Reports it, unless the errcode says that the credential was not what was refused: then all stays as it is.
    pub(super) fn make(&self, credential: &Credential, product: Product) -> Reported {
        let about_it = |errcode| Refusal::new(product, Phase::Using, errcode, "").act() == Act::Refresh;
        if self.errcode.is_none_or(about_it) {
            return credential.report(self.seen);
        }
        Reported { outcome: ReportOutcome::Kept, generation: credential.snapshot().generation() }
    }
}

fn fingerprint(digits: &str) -> Option<Fingerprint> {
    let all_hex = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| all_hex).map(Fingerprint::from_bits)
}

/// A rotation's body says nothing: it is empty or an empty object.
pub(super) fn says_nothing(body: &[u8]) -> Result<(), Problem> {
    type Object = serde_json::Map<String, serde_json::Value>;
    let nothing =
        body.trim_ascii().is_empty() || serde_json::from_slice(body).is_ok_and(|object: Object| object.is_empty());
    if nothing { Ok(()) } else { Err(Problem::BODY) }
}

/// What it led to.
pub(super) fn outcome(reported: Reported) -> Reply {
    let mut body = json!({ "outcome": reported.outcome.name(), "generation": reported.generation });
    if let (ReportOutcome::HeldOff(wait), Some(body)) = (reported.outcome, body.as_object_mut()) {
        // Rounded up: who comes a moment early comes twice.
        body.insert("retry_after".to_owned(), wait.as_secs().saturating_add(1).into());
    }
    json(StatusCode::OK, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_thing_names_what_was_refused() {
        let seen = |body: &str| Report::parse(body.as_bytes()).map(|report| report.seen).ok();
        assert_eq!(seen(r#"{"access_token":"T"}"#), Some(Seen::text("T")));
        assert_eq!(seen(r#"{"ticket":"T","errcode":40001,"read":true}"#), Some(Seen::text("T")));
        assert_eq!(seen(&format!("{{\"sha256\":\"{}\"}}", "aB".repeat(32))), Some(Seen::Sha256([0xab; 32])));
        for whole in ["40001", "40001.0", "4.0001e4", "-1.0", "-2147483648", "2147483647.0"] {
            assert_eq!(
                seen(&format!("{{\"access_token\":\"T\",\"errcode\":{whole}}}")),
                Some(Seen::text("T")),
                "{whole}"
            );
        }
        let fingerprint = Some(Seen::Fingerprint(Fingerprint::from_bits(0x00ff)));
        assert_eq!(seen(r#"{"fingerprint":"00000000000000Ff"}"#), fingerprint);
        for bad in [
            "",
            "[]",
            r#"["T",null,null,null,false]"#,
            "{}",
            r#"{"access_token":"T","ticket":"T"}"#,
            r#"{"access_token":"T","fingerprint":"00000000000000ff"}"#,
            r#"{"sha256":"00","errcode":40001}"#,
            r#"{"fingerprint":"+0000000000000ff"}"#,
            r#"{"fingerprint":"000000000000000ff"}"#,
            r#"{"fingerprint":"00000000000000fg"}"#,
            r#"{"access_token":"T","errcode":2147483648}"#,
            r#"{"access_token":"T","errcode":40001.5}"#,
            r#"{"access_token":"T","errcode":"40001"}"#,
            r#"{"access_token":"T","errcode":null}"#,
            r#"{"access_token":"T","errcode":1e300}"#,
            r#"{"access_token":"T","errcode":-2147483649.0}"#,
            r#"{"access_token":"T","sha256":null}"#,
            r#"{"access_token":"T","read":null}"#,
            r#"{"access_token":"T","read":1}"#,
            r#"{"access_token":"T","more":1}"#,
        ] {
            assert_eq!(seen(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_rotation_takes_no_body_or_an_empty_object() {
        for (body, good) in [
            ("", true),
            (" \n", true),
            ("{}", true),
            (" { } ", true),
            ("[]", false),
            ("{\"a\":1}", false),
            ("null", false),
        ] {
            assert_eq!(says_nothing(body.as_bytes()).is_ok(), good, "{body}");
        }
    }
}
