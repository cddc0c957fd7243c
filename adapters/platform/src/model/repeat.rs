//! Is this message the one that was taken over before? Both products can be told to look, so that a sender who got no
//! answer may send again.
//!
//! Sources: the document of template messages (`client_msg_id`: one message for a recipient and id, kept for ten minutes) and
//! WeCom's document 90236 (`enable_duplicate_check`, `duplicate_check_interval`: 1800 s unless said, at most four hours).
//! What a repeat is answered is in neither; here it is answered like the first.

use serde_json::Value;

use super::Message;
use super::message::Channel;

const TEN_MINUTES_S: u64 = 600;
const HALF_AN_HOUR_S: u64 = 1_800;
const FOUR_HOURS_S: u64 = 4 * 3_600;

/// The earlier message that `body` repeats, if it is to be looked for.
pub(super) fn of<'m>(
    mut before: impl DoubleEndedIterator<Item = &'m Message>,
    now: u64,
    channel: Channel,
    account: &str,
    body: &Value,
) -> Option<&'m Message> {
    let window_s = match channel {
        Channel::Template if body["client_msg_id"].as_str().is_some_and(|id| !id.is_empty()) => TEN_MINUTES_S,
        Channel::Work if body["enable_duplicate_check"] == 1 => {
            body["duplicate_check_interval"].as_u64().unwrap_or(HALF_AN_HOUR_S).min(FOUR_HOURS_S)
        }
        _ => return None,
    };
    let same = |earlier: &Value| match channel {
        Channel::Template => ["touser", "client_msg_id"].into_iter().all(|name| earlier[name] == body[name]),
        _ => earlier == body,
    };
    before.rfind(|message| {
        message.account == account && now.saturating_sub(message.at_ms) < window_s * 1_000 && same(&message.body)
    })
}
