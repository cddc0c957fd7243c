//! What does the head of a reply say about its body, and may it be believed?

use httparse::{EMPTY_HEADER, Error, Header, Response, Status};

use super::{chunked::Chunked, framing::Framing};
use crate::Fault;

/// Fields of a head; each takes four words of stack. WeChat sends six, a chain of proxies a dozen more.
const MAX_FIELDS: usize = 24;

#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) framing: Framing,
    /// The peer leaves the connection open.
    pub(super) reusable: bool,
}

/// Reads a head from the start of `bytes`: nothing while it is incomplete, else where it ends, and what it says unless
/// it is an interim one.
#[allow(clippy::type_complexity, reason = "incomplete, interim and final: a name for each would say less")]
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Option<Head>, usize)>, Fault> {
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut response = Response::new(&mut fields);
    let end = match response.parse(bytes) {
        Ok(Status::Complete(end)) => end,
        Ok(Status::Partial) => return Ok(None),
        Err(Error::TooManyHeaders) => return Err(Fault::HeadTooLong),
        Err(_) => return Err(Fault::NotHttp),
    };
    let status = response.code.unwrap_or(0);
    match status {
        100 | 102..=199 => Ok(Some((None, end))),
        200..=299 | 400..=599 => Ok(Some((Some(judge(status, response.version == Some(1), response.headers)?), end))),
        300..=399 => Err(Fault::Redirected(status)),
        // 101 would mean that the bytes that follow are no longer HTTP.
        _ => Err(Fault::NotHttp),
    }
}

fn judge(status: u16, is_1_1: bool, fields: &[Header<'_>]) -> Result<Head, Fault> {
    let (mut length, mut chunked, mut close) = (None, false, false);
    for field in fields {
        let (name, value) = (field.name.as_bytes(), field.value);
        if is(name, "content-length") {
            length = Some(merge(length, value)?);
        } else if is(name, "transfer-encoding") {
            // A second coding, or the same twice, is one we cannot undo; HTTP/1.0 has none (RFC 9112, section 6.1).
            if chunked || !is_1_1 || !is(value, "chunked") {
                return Err(Fault::Framing);
            }
            chunked = true;
        } else if is(name, "content-encoding") {
            if !value.is_empty() && !is(value, "identity") {
                return Err(Fault::Encoded);
            }
        } else if is(name, "connection") {
            let mut options = Some(value);
            while let Some(option) = next_item(&mut options) {
                close |= is(option, "close");
            }
        }
    }
    let framing = match (chunked, length) {
        // One of the two is a lie, and a proxy may have believed the other (RFC 9112, section 6.3).
        (true, Some(_)) => return Err(Fault::Framing),
        // No body, whatever the fields say (RFC 9110, sections 15.3.5 and 15.3.6).
        _ if status == 204 || status == 205 => Framing::Length(0),
        (true, None) => Framing::Chunked(Chunked::new()),
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::UntilClose,
    };
    Ok(Head { status, framing, reusable: is_1_1 && !close && !matches!(framing, Framing::UntilClose) })
}

/// Names, and the words of their values, are the same in upper and lower case.
#[inline(never)]
fn is(text: &[u8], word: &str) -> bool {
    text.eq_ignore_ascii_case(word.as_bytes())
}

/// The next of a list's items, without the space around it (RFC 9110, section 5.6.1); an empty list has an empty one.
#[inline(never)]
fn next_item<'a>(list: &mut Option<&'a [u8]>) -> Option<&'a [u8]> {
    let rest = list.take()?;
    let end = rest.iter().position(|&b| b == b',').unwrap_or(rest.len());
    let (item, more) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    *list = more.get(1..);
    Some(item.trim_ascii())
}

/// One more Content-Length. The same again, in another field or as a list, is no contradiction (RFC 9110, section 8.6).
fn merge(before: Option<usize>, value: &[u8]) -> Result<usize, Fault> {
    let (mut known, mut items) = (before, Some(value));
    while let Some(item) = next_item(&mut items) {
        let length = decimal(item).ok_or(Fault::Framing)?;
        if known.is_some_and(|known| known != length) {
            return Err(Fault::Framing);
        }
        known = Some(length);
    }
    known.ok_or(Fault::Framing)
}

/// Digits and nothing else. A number beyond the address space saturates: it is too long for any buffer.
fn decimal(digits: &[u8]) -> Option<usize> {
    let first = digits.first().map(|_| 0_usize);
    digits.iter().fold(first, |n, &d| {
        let digit = d.is_ascii_digit().then_some(usize::from(d & 0xf))?;
        Some(n?.saturating_mul(10).saturating_add(digit))
    })
}
