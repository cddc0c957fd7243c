//! Which members does a reply have? The whole use of serde-json-core, with its limits guarded.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json_core::de::Deserializer;

use super::{MAX_REPLY_LEN, Malformed};
use crate::endpoint::TOKEN_SERVER;

/// Brackets deeper than this are refused: each level of a skipped value costs stack, and the peer chooses how many.
const MAX_DEPTH: usize = 8;

/// The members that matter, strings borrowed from the body and still escaped.
#[derive(Clone, Copy, Default)]
pub(super) struct Fields<'a> {
    pub(super) token: Found<'a>,
    pub(super) expires_in: Found<'a>,
    pub(super) errcode: Found<'a>,
    pub(super) errmsg: Found<'a>,
    pub(super) refresh_after: Found<'a>,
}

/// A value that was read.
#[derive(Clone, Copy, Default)]
pub(super) enum Found<'a> {
    /// Null, or one that does not matter.
    #[default]
    Nothing,
    Text(&'a str),
    Number(i64),
}

impl<'a> Found<'a> {
    /// Empty unless it is a text.
    pub(super) const fn text(self) -> &'a str {
        match self {
            Self::Text(text) => text,
            Self::Nothing | Self::Number(_) => "",
        }
    }

    /// 0 unless it is a number.
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Number(number) => number,
            Self::Nothing | Self::Text(_) => 0,
        }
    }
}

pub(super) fn fields<'a>(body: &'a [u8], token_field: &str) -> Result<Fields<'a>, Malformed> {
    if body.len() > MAX_REPLY_LEN {
        return Err(Malformed::TooLong);
    }
    scan_depth(body)?;
    // Numbers have been seen as strings (errcode once from the platform, expires_in from proxies in front of it).
    // The reader cannot look ahead at a value's type, so the readings are tried in turn, the usual one first.
    for quoted in 0..4 {
        let read_as = |mask: u8| if quoted & mask == 0 { Value::Number } else { Value::Quoted };
        let members = Members { token_field, errcode: read_as(1), expires_in: read_as(2) };
        let mut reader = Deserializer::new(body, None);
        if let (Ok(fields), Ok(_)) = (reader.deserialize_map(members), reader.end()) {
            return Ok(fields);
        }
    }
    Err(Malformed::NotJson)
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
    errcode: Value,
    expires_in: Value,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key_seed(Name)? {
            let mut skipped = Found::Nothing;
            let (place, value) = match name.text() {
                name if name == self.token_field => (&mut fields.token, Value::Text),
                "errcode" => (&mut fields.errcode, self.errcode),
                "expires_in" => (&mut fields.expires_in, self.expires_in),
                "errmsg" => (&mut fields.errmsg, Value::Text),
                "refresh_after" if TOKEN_SERVER => (&mut fields.refresh_after, Value::Number),
                _ => (&mut skipped, Value::Skipped),
            };
            match (map.next_value_seed(value)?, &place) {
                // A null leaves the place as it was.
                (Found::Nothing, _) => {}
                (found, Found::Nothing) => *place = found,
                // A member that comes twice is ambiguous, and ambiguity about a credential is not ours to resolve.
                _ => return Err(A::Error::custom("duplicate member")),
            }
        }
        Ok(fields)
    }
}

/// A member's name.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Found<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(Value::Text)
    }
}

/// What a value is read as. One visitor for all of them, names and what is skipped included: each further one would
/// bring its own copy of the reader onto the device.
#[derive(Clone, Copy)]
enum Value {
    Text,
    Number,
    /// A number in quotes.
    Quoted,
    Skipped,
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Found<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        if let Self::Skipped = self {
            return reader.deserialize_ignored_any(self);
        }
        let found = reader.deserialize_option(self)?;
        let (Self::Quoted, Found::Text(text)) = (self, found) else { return Ok(found) };
        let mut reader = Deserializer::new(text.as_bytes(), None);
        match (reader.deserialize_option(Self::Number), reader.end()) {
            (Ok(found @ Found::Number(_)), Ok(_)) => Ok(found),
            _ => Err(D::Error::custom("not a number")),
        }
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Found::Text(text))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Found::Number(number))
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Found::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Found::Nothing)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        match self {
            Self::Number => reader.deserialize_i64(self),
            Self::Text | Self::Quoted | Self::Skipped => reader.deserialize_str(self),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element_seed(Self::Skipped)?.is_some() {}
        Ok(Found::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_key_seed(Name)?.is_some() {
            map.next_value_seed(Self::Skipped)?;
        }
        Ok(Found::Nothing)
    }
}
