//! How does an alarm look on the wire? The JSON of a template message or of a WeCom message, with what makes the platform
//! recognise a repeat.
//!
//! A repeat must be the same byte by byte: WeCom compares whole messages. So nothing in it is of the moment of sending.

use core::{
    fmt::{self, Write as _},
    time::Duration,
};

use heapless::String;
use wxtoken_embedded::core::{BadCall, Base, Call};

use super::{alarm::Alarm, date::Beijing};
use crate::provision::To;

/// The longest body, in bytes: both messages with a serial number of 12 digits, and 60 bytes to spare.
const ROOM: usize = 384;

/// A message, ready to be sent as often as it takes.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    base: Option<Base<'a>>,
    path: &'static str,
    body: String<ROOM>,
}

/// Why an alarm cannot be put into words. What was written to the device is wrong then, see [`provision`](crate::provision).
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
pub enum BadMessage {
    /// It does not fit.
    TooLong,
    /// A name of the recipient is empty or has a character that JSON would have to escape.
    Recipient,
}

impl<'a> Message<'a> {
    /// How `alarm` is told to `to`, at `base` unless that is the account's.
    ///
    /// # Errors
    /// [`BadMessage`].
    pub fn new(to: To<'_>, base: Option<Base<'a>>, alarm: &Alarm) -> Result<Self, BadMessage> {
        let mut body = String::new();
        let (path, written) = match to {
            To::Follower { openid, template_id } if plain(openid) && plain(template_id) => {
                ("/cgi-bin/message/template/send", template(&mut body, openid, template_id, alarm))
            }
            To::Members { users, agent } if plain(users) => {
                ("/cgi-bin/message/send", text(&mut body, users, agent, to.repeats_known_for(), alarm))
            }
            _ => return Err(BadMessage::Recipient),
        };
        written.map_err(|_| BadMessage::TooLong)?;
        Ok(Self { base, path, body })
    }

    /// The call that sends it. It may be repeated: the platform knows it again.
    ///
    /// # Errors
    /// None; both paths are valid.
    pub fn call(&self) -> Result<Call<'_>, BadCall> {
        let call = Call::post(self.path, self.body.as_bytes())?.with_idempotence(true);
        Ok(self.base.map_or(call, |base| call.with_base(base)))
    }
}

impl To<'_> {
    /// How long the platform recognises a repeat: for ten minutes by the `client_msg_id` of a template message; for four
    /// hours, the longest that can be asked for, by the whole of a WeCom message (document 90236).
    #[must_use]
    pub const fn repeats_known_for(self) -> Duration {
        match self {
            Self::Follower { .. } => Duration::from_secs(600),
            Self::Members { .. } => Duration::from_secs(4 * 3600),
        }
    }
}

// The characters themselves are sent: WeCom refuses \u escapes.

fn template(body: &mut String<ROOM>, openid: &str, template_id: &str, alarm: &Alarm) -> fmt::Result {
    let (number, level, time) = (alarm.number, alarm.trip.level_mm, Beijing(alarm.trip.unix_s));
    write!(body, r#"{{"touser":"{openid}","template_id":"{template_id}","client_msg_id":"{number}","#)?;
    write!(body, r#""data":{{"thing1":{{"value":"水位 {level} mm"}},"#)?;
    write!(body, r#""character_string2":{{"value":"{number}"}},"thing3":{{"value":"{time}"}}}}}}"#)
}

fn text(body: &mut String<ROOM>, users: &str, agent: u32, known_for: Duration, alarm: &Alarm) -> fmt::Result {
    let (number, level, time) = (alarm.number, alarm.trip.level_mm, Beijing(alarm.trip.unix_s));
    write!(body, r#"{{"touser":"{users}","msgtype":"text","agentid":{agent},"#)?;
    write!(body, r#""text":{{"content":"水位 {level} mm，{time}，编号 {number}"}},"#)?;
    write!(body, r#""enable_duplicate_check":1,"duplicate_check_interval":{}}}"#, known_for.as_secs())
}

fn plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

#[cfg(test)]
mod tests;
