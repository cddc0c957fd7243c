//! What did the platform answer to a call that it accepted?

use std::fmt;

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{CallError, CallReason};

/// The longest reply that a call takes into memory, in bytes: 8 MiB. Longer ones are for
/// [`call_with`](crate::Client::call_with).
pub const MAX_CALL_REPLY_LEN: usize = 8 << 20;

/// The reply to a call that was accepted. It may hold a credential, a ticket for instance, so it is wiped when dropped and
/// `Debug` shows its length only.
#[derive(Clone)]
pub struct CallReply {
    status: u16,
    body: Zeroizing<Vec<u8>>,
}

impl CallReply {
    pub(super) const fn new(status: u16, body: Zeroizing<Vec<u8>>) -> Self {
        Self { status, body }
    }

    /// The HTTP status, 200 to 299.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The body; empty when a sink has it.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as a type of yours.
    ///
    /// Some replies hold control characters or bytes that are not UTF-8 in their texts, which JSON does not allow; those are
    /// read as spaces and U+FFFD.
    ///
    /// # Errors
    /// [`CallError::Untaken`] names the place where the reply is not what `T` takes, and no text of it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        let first = match serde_json::from_slice(&self.body) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        mended(&self.body).and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(|| {
            CallError::Untaken(CallReason::Json { line: first.line() as u64, column: first.column() as u64 })
        })
    }
}

/// The text without what JSON does not allow in it; `None` when there was nothing of the kind.
fn mended(body: &[u8]) -> Option<Zeroizing<String>> {
    let text = Zeroizing::new(String::from_utf8_lossy(body).into_owned());
    let odd = text.as_bytes() != body || text.bytes().any(|byte| byte < b' ');
    // A line break between two members is as good as a space.
    odd.then(|| Zeroizing::new(text.replace(|c: char| c < ' ', " ")))
}

impl fmt::Debug for CallReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallReply({}, {} bytes)", self.status, self.body.len())
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn reply(body: &[u8]) -> CallReply {
        CallReply::new(200, Zeroizing::new(body.to_vec()))
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct User {
        nickname: String,
    }

    #[test]
    fn replies_are_read_as_the_platform_writes_them() {
        for (body, nickname) in [
            (&br#"{"nickname":"a\/b"}"#[..], "a/b"),
            ("{\"nickname\":\"昵称\"}".as_bytes(), "昵称"),
            (b"{\r\n \"nickname\" : \"a\x01b\" }", "a b"),
            (b"{\"nickname\":\"a\xffb\"}", "a\u{fffd}b"),
        ] {
            assert_eq!(reply(body).json::<User>().expect("read"), User { nickname: nickname.to_owned() });
        }
    }

    #[test]
    fn what_is_not_expected_is_named_by_its_place_alone() {
        for body in [&br#"{"nickname":"s3cr3t","#[..], br#"{"nickname":12345678}"#, b"<html>s3cr3t", b""] {
            let error = reply(body).json::<User>().expect_err("not a user");
            let shown = format!("{error} {error:?} {:?}", reply(body));
            assert!(!shown.contains("s3cr3t") && !shown.contains("12345678"), "{shown}");
        }
        let error = reply(b"{\n  \"nickname\": 7}").json::<User>().expect_err("a number");
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
