//! Which alarms have arrived? Reads the messages that a platform has taken over.

use std::collections::BTreeMap;

use serde_json::Value;
use wxtoken_platform::{Message, Running};

/// What a case finds out about its alarms.
#[derive(Default)]
pub(crate) struct Arrived {
    /// How often each number arrived, over all platforms.
    pub(crate) times: BTreeMap<String, usize>,
    /// Messages that are no alarm as this gateway sends them.
    pub(crate) strange: Vec<String>,
}

impl Arrived {
    pub(crate) fn at<'p>(platforms: impl IntoIterator<Item = &'p Running>) -> Self {
        let mut arrived = Self::default();
        for message in platforms.into_iter().flat_map(Running::messages) {
            match number(&message) {
                Some(number) => *arrived.times.entry(number).or_default() += 1,
                None => arrived.strange.push(format!("{} {}", message.path, message.body)),
            }
        }
        arrived
    }

    /// Those that arrived more than once.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = (&str, usize)> {
        self.times.iter().filter(|(_, times)| **times > 1).map(|(number, times)| (number.as_str(), *times))
    }
}

/// The number of an alarm, if the message is one through and through.
fn number(message: &Message) -> Option<String> {
    let body = &message.body;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (number, words) = match message.path.as_str() {
        "/cgi-bin/message/template/send" => {
            let data = &body["data"];
            let number = text(&body["client_msg_id"])?;
            let shown = text(&data["character_string2"]["value"])? == number && data["thing3"]["value"].is_string();
            (number, text(&data["thing1"]["value"]).filter(|_| shown)?)
        }
        "/cgi-bin/message/send" => {
            let words = text(&body["text"]["content"])?;
            let number = words.split_once("，编号 ")?.1.to_owned();
            let guarded = body["enable_duplicate_check"] == 1 && body["duplicate_check_interval"] == 14_400;
            (number, Some(words).filter(|_| guarded)?)
        }
        _ => return None,
    };
    // Serial number, boot, count.
    let [device, boot, count] = number.split('-').collect::<Vec<_>>().try_into().ok()?;
    let digits = |text: &str, radix| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    let well_formed = digits(device, 10) && boot.len() == 8 && digits(boot, 16) && digits(count, 10);
    (well_formed && words.starts_with("水位 ") && words.contains(" mm")).then_some(number)
}
