//! What does a JSON string say? Its characters one by one, so that nothing is copied (RFC 8259, section 7).
//!
//! Not serde-json-core's fragments: those stop at a surrogate pair, and search with checks that the link proof finds.

use core::str::Chars;

/// The characters of the inside of a JSON string. After an escape that is none, what follows is read on as it stands.
pub(super) struct Unescaped<'a> {
    rest: Chars<'a>,
}

/// An escape that JSON does not know, or half of a surrogate pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadEscape;

impl<'a> Unescaped<'a> {
    pub(super) fn of(inside: &'a str) -> Self {
        Self { rest: inside.chars() }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.four_digits()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                self.rest = self.rest.as_str().strip_prefix("\\u")?.chars();
                let second = self.four_digits()?;
                let pair = [first as u16, second as u16];
                return char::decode_utf16(pair).next()?.ok();
            }
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        (0..4).try_fold(0_u32, |n, _| Some((n << 4) + self.rest.next()?.to_digit(16)?))
    }
}

impl Iterator for Unescaped<'_> {
    type Item = Result<char, BadEscape>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rest.next()? {
            '\\' => Some(self.escape().ok_or(BadEscape)),
            c => Some(Ok(c)),
        }
    }
}

/// The bytes of a credential inside a JSON string. All are visible ASCII, so of the escapes only `\/` and `\u00XX` can
/// stand for one; anything else comes as 0, which no credential has.
///
/// Bytes, since a reply is always read and its text for people seldom: characters cost a small target more.
pub(super) struct Credential<'a> {
    rest: &'a [u8],
}

impl<'a> Credential<'a> {
    pub(super) const fn of(inside: &'a str) -> Self {
        Self { rest: inside.as_bytes() }
    }
}

impl Iterator for Credential<'_> {
    type Item = u8;

    // Asked for at three places.
    #[inline(never)]
    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = match self.rest {
            [] => return None,
            [b'\\', b'/', rest @ ..] => (b'/', rest),
            [b'\\', b'u', b'0', b'0', high, low, rest @ ..] => (pair(*high, *low).unwrap_or(0), rest),
            [b'\\', rest @ ..] => (0, rest),
            [byte, rest @ ..] => (*byte, rest),
        };
        self.rest = rest;
        Some(byte)
    }
}

/// Two hexadecimal digits.
fn pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from((digit(high)? << 4) | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;

    use super::*;

    fn all(inside: &str) -> Option<String> {
        Unescaped::of(inside).collect::<Result<_, _>>().ok()
    }

    #[test]
    fn every_escape_of_json_and_no_other() {
        assert_eq!(all(r#"a\"\\\/\b\f\n\r\t\u0041\u4E2d"#).as_deref(), Some("a\"\\/\x08\x0c\n\r\tA中"));
        assert_eq!(all(r"\ud83d\ude00!").as_deref(), Some("😀!"));
        for bad in [
            r"\",
            r"\x",
            r"\u",
            r"\u12",
            r"\u12g4",
            r"\u+123",
            r"\ud83d",
            r"\ud83dx",
            r"\ud83d\n",
            r"\ude00",
            r"\ud83d\ud83d",
        ] {
            assert_eq!(all(bad), None, "{bad}");
        }
    }
}
