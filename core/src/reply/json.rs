//! Which members does a reply have? The whole use of serde-json-core, with its limits guarded.

use core::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json_core::{de::Deserializer, str::EscapedStr};

use super::{MAX_REPLY_LEN, Malformed};

/// Brackets deeper than this are refused: each level of a skipped value costs stack, and the peer chooses how many.
const MAX_DEPTH: usize = 8;

/// The members that matter, borrowed from the body, still escaped.
#[derive(Clone, Copy, Default)]
pub(super) struct Fields<'a> {
    pub(super) token: Option<EscapedStr<'a>>,
    pub(super) expires_in: Option<i64>,
    pub(super) errcode: Option<i64>,
    pub(super) errmsg: Option<EscapedStr<'a>>,
}

pub(super) fn fields<'a>(body: &'a [u8], token_field: &str) -> Result<Fields<'a>, Malformed> {
    if body.len() > MAX_REPLY_LEN {
        return Err(Malformed::TooLong);
    }
    scan_depth(body)?;
    // Numbers have been seen as strings (errcode once from the platform, expires_in from proxies in front of it).
    // The reader cannot look ahead at a value's type, so the readings are tried in turn, the usual one first.
    [(false, false), (true, false), (false, true), (true, true)]
        .into_iter()
        .find_map(|(errcode_quoted, expires_quoted)| {
            let seed = Members { token_field, errcode_quoted, expires_quoted };
            let mut reader = Deserializer::new(body, None);
            let fields = seed.deserialize(&mut reader).ok()?;
            reader.end().ok().map(|_| fields)
        })
        .ok_or(Malformed::NotJson)
}

/// Refuses deep nesting before anything recursive looks at the body. Brackets inside strings do not count.
fn scan_depth(body: &[u8]) -> Result<(), Malformed> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth = depth.saturating_add(1);
                if depth > MAX_DEPTH {
                    return Err(Malformed::TooDeep);
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// The names are data (the credential's member differs by endpoint), so the visitor is written out, not derived.
#[derive(Clone, Copy)]
struct Members<'n> {
    token_field: &'n str,
    errcode_quoted: bool,
    expires_quoted: bool,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Fields<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<&str>()? {
            // A member that comes twice is ambiguous, and ambiguity about a credential is not ours to resolve.
            let twice = if name == self.token_field {
                fields.token.replace_with(map.next_value()?)
            } else {
                match name {
                    "errcode" => fields.errcode.replace_with(map.next_value_seed(Number(self.errcode_quoted))?),
                    "expires_in" => fields.expires_in.replace_with(map.next_value_seed(Number(self.expires_quoted))?),
                    "errmsg" => fields.errmsg.replace_with(map.next_value()?),
                    _ => {
                        map.next_value::<IgnoredAny>()?;
                        false
                    }
                }
            };
            if twice {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(fields)
    }
}

/// `Option::replace` that tells whether something stood there; a JSON null leaves the place as it was.
trait ReplaceWith<T> {
    fn replace_with(&mut self, value: Option<T>) -> bool;
}

impl<T> ReplaceWith<T> for Option<T> {
    fn replace_with(&mut self, value: Self) -> bool {
        value.is_some_and(|value| self.replace(value).is_some())
    }
}

/// A number, or a number in quotes.
struct Number(bool);

impl<'de> DeserializeSeed<'de> for Number {
    type Value = Option<i64>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        use serde::Deserialize;
        if self.0 {
            let text = Option::<EscapedStr<'de>>::deserialize(reader)?;
            return text.map(|t| t.0.parse().map_err(|_| D::Error::custom("not a number"))).transpose();
        }
        Option::deserialize(reader)
    }
}
