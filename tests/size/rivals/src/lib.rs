//! What do the Rust rivals have in common? The body they send and the reply they read, by hand and by serde-json-core.
//!
//! Each is written to be as small as its crate allows: the address is constant, the body is put together without escapes,
//! the reply's members are the four that matter, and what fails, fails without a reason.

#![no_std]

use serde::Deserialize;
use wxtoken_size::text;

/// The host that is asked.
pub const HOST: &str = "api.weixin.qq.com";
/// The path that is asked for.
pub const PATH: &str = "/cgi-bin/stable_token";

/// What a fetch is for.
#[derive(Debug)]
pub struct Grant {
    /// The credential, as long as it may be.
    pub token: [u8; 512],
    /// How much of that is used.
    pub len: usize,
    /// Its life, in seconds.
    pub expires_in: u32,
}

/// The request's body in `room`, which nothing escapes.
pub fn write_body(room: &mut [u8]) -> Option<&[u8]> {
    let mut len = 0;
    for piece in [
        r#"{"grant_type":"client_credential","appid":""#,
        text(),
        r#"","secret":""#,
        text(),
        r#"","force_refresh":false}"#,
    ] {
        room.get_mut(len..)?.get_mut(..piece.len())?.copy_from_slice(piece.as_bytes());
        len += piece.len();
    }
    room.get(..len)
}

#[derive(Deserialize)]
struct Reply<'a> {
    access_token: Option<&'a str>,
    expires_in: Option<u32>,
    errcode: Option<i32>,
}

/// The reply's credential, or its errcode.
///
/// # Errors
/// The errcode; 0 for a reply that makes no sense.
pub fn read_reply(body: &[u8]) -> Result<Grant, i32> {
    let (reply, _) = serde_json_core::from_slice::<Reply<'_>>(body).map_err(|_| 0)?;
    let (Some(text), Some(expires_in)) = (reply.access_token, reply.expires_in) else {
        return Err(reply.errcode.unwrap_or(0));
    };
    let mut token = [0; 512];
    token.get_mut(..text.len()).ok_or(0)?.copy_from_slice(text.as_bytes());
    Ok(Grant { token, len: text.len(), expires_in })
}
