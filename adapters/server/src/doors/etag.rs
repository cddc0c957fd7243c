//! Does the reader have it already? Entity tags, one for each credential, and the conditions that name them.

use hyper::header::{self, HeaderMap, HeaderValue};

use crate::Held;

/// `W/"GENERATION-HASH"`, where HASH is the first 16 hex digits of the text's SHA-256. Weak, since what is left of the life
/// is another at every answer.
pub(crate) struct Tag {
    bytes: [u8; Self::MOST],
    len: usize,
}

impl Tag {
    /// `W/""`, ten digits, a dash and sixteen digits.
    const MOST: usize = 31;

    pub(crate) fn of(held: &Held) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut tag = Self { bytes: [b'"'; Self::MOST], len: 0 };
        tag.push(b"W/\"");
        tag.push(itoa::Buffer::new().format(held.generation()).as_bytes());
        tag.push(b"-");
        for byte in held.sha256().iter().take(8) {
            tag.push(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        tag.push(b"\"");
        tag
    }

    fn push(&mut self, bytes: &[u8]) {
        for (to, from) in self.bytes.iter_mut().skip(self.len).zip(bytes) {
            *to = *from;
        }
        self.len = (self.len + bytes.len()).min(Self::MOST);
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Without what says that it is weak: how it is compared.
    fn opaque(&self) -> &[u8] {
        &self.as_bytes()[2..]
    }

    pub(crate) fn value(&self) -> HeaderValue {
        // Visible ASCII, all of it.
        HeaderValue::from_bytes(self.as_bytes()).unwrap_or(HeaderValue::from_static("W/\"\""))
    }
}

/// What `If-None-Match` says.
#[derive(Clone, Copy)]
pub(crate) struct Condition<'a>(Option<&'a HeaderMap>);

impl<'a> Condition<'a> {
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        Self(Some(headers).filter(|headers| headers.contains_key(header::IF_NONE_MATCH)))
    }

    /// Whether it names this one: by the tag, weakly compared, or by `*`, which is any.
    pub(crate) fn names(self, tag: &Tag) -> bool {
        self.any(|element| element == b"*" || element.strip_prefix(b"W/").unwrap_or(element) == tag.opaque())
    }

    /// Whether it is `*`.
    pub(crate) fn is_any(self) -> bool {
        self.any(|element| element == b"*")
    }

    fn any(self, is: impl Fn(&[u8]) -> bool) -> bool {
        // Our tags have no comma: one in another's tag cuts that into pieces which are none of ours either.
        self.0.is_some_and(|headers| {
            let values = headers.get_all(header::IF_NONE_MATCH).into_iter();
            values
                .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
                .any(|element| is(element.trim_ascii()))
        })
    }
}

#[cfg(test)]
mod tests {
    use wxtoken::Token;

    use super::*;

    fn tag(text: &str, generation: u32) -> Tag {
        Tag::of(&Held::new(&Token::new(text).expect("a token"), generation))
    }

    #[test]
    fn a_tag_is_generation_and_hash() {
        // printf T1 | sha256sum
        assert_eq!(tag("T1", 7).value(), "W/\"7-1f93603db53bfad5\"");
        assert_eq!(tag("T1", u32::MAX).value(), "W/\"4294967295-1f93603db53bfad5\"");
    }

    #[test]
    fn conditions_are_lists_compared_weakly() {
        let tag = tag("T1", 7);
        for (values, names) in [
            (&["W/\"7-1f93603db53bfad5\""] as &[&str], true),
            (&["\"7-1f93603db53bfad5\""], true),
            (&["\"a,b\", W/\"6-00\" ,W/\"7-1f93603db53bfad5\""], true),
            (&["\"x\"", "\"7-1f93603db53bfad5\""], true),
            (&["*"], true),
            (&["7-1f93603db53bfad5"], false),
            (&["W/\"8-1f93603db53bfad5\""], false),
            (&["w/\"7-1f93603db53bfad5\""], false),
            (&[""], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            }
            let condition = Condition::of(&headers);
            assert_eq!(condition.names(&tag), names, "{values:?}");
            assert_eq!(condition.is_any(), *values == ["*"], "{values:?}");
        }
    }
}
