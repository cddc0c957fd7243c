//! Does an alarm arrive that is sent in the middle of a trouble? The platform's own count of its text says so.

use std::io;
use std::time::Duration;

use wxtoken::{CallError, Client, CustomMessage, TemplateMessage, WorkMessage};

use super::stage::{NEWCOMER, Stage, WORK};

/// WeCom and the templates of official accounts know an alarm again within this time, so that it can be sent again when no
/// answer came.
const WINDOW: Duration = Duration::from_secs(600);

/// An alarm that was sent.
pub(crate) struct Alarm {
    /// Milliseconds since midnight, when it was sent.
    pub(crate) at_ms: u64,
    /// During what.
    pub(crate) trouble: &'static str,
    /// How often the platform has its text.
    pub(crate) arrived: usize,
    /// What the sender was told, if it was not accepted.
    pub(crate) told: Option<CallError>,
}

impl Alarm {
    /// It arrived once and its sender knows it, or it did not and its sender knows that.
    pub(crate) fn is_right(&self) -> bool {
        match &self.told {
            None => self.arrived == 1,
            Some(error) => self.arrived == 0 && !error.maybe_executed(),
        }
    }
}

impl Stage<'_> {
    /// The account sends an alarm, now.
    pub(crate) fn alarm(&mut self, index: usize, trouble: &'static str) -> io::Result<()> {
        let at_ms = self.clock.ms();
        let number = self.actors.iter().map(|actor| actor.alarms.len()).sum::<usize>() + 1;
        let actor = &self.actors[index];
        let text = format!("alarm {number} of {}: 温度过高", actor.label);
        let told = match &actor.client {
            Some(client) => send(client, index, &text).err(),
            None => return Ok(()),
        };
        let messages = self.platform.messages();
        let of_ours = messages.iter().filter(|message| message.account == actor.name);
        let arrived = of_ours.filter(|message| has(&message.body, &text)).count();
        let label = actor.label;
        match &told {
            None => {
                self.event(format_args!("{label}: alarm {number}, sent during {trouble}: arrived {arrived} time"))?
            }
            Some(error) => {
                self.event(format_args!(
                    "{label}: alarm {number}, sent during {trouble}: arrived {arrived} times, {error}"
                ))?;
            }
        }
        self.actors[index].alarms.push(Alarm { at_ms, trouble, arrived, told });
        Ok(())
    }

    /// What became of the alarms sent during one trouble.
    pub(crate) fn promise_of_alarms(&mut self, trouble: &'static str) {
        let sent: Vec<&Alarm> =
            self.actors.iter().flat_map(|actor| &actor.alarms).filter(|alarm| alarm.trouble == trouble).collect();
        let (all, once) = (sent.len(), sent.iter().filter(|alarm| alarm.told.is_none() && alarm.arrived == 1).count());
        let right = all > 0 && sent.iter().all(|alarm| alarm.is_right());
        let refused = sent.iter().filter(|alarm| alarm.told.is_some() && alarm.is_right()).count();
        let rest = match (refused, all - once - refused) {
            (0, 0) => String::new(),
            (refused, 0) => format!(", {refused} not executed and its sender told so"),
            (_, wrong) => format!(", {wrong} otherwise than its sender knows"),
        };
        self.promise(right, format!("alarms sent during {trouble}: {all} sent, {once} arrived exactly once{rest}"));
    }
}

/// By the message that the account's kind has.
fn send(client: &Client, index: usize, text: &str) -> Result<(), CallError> {
    match index {
        WORK => client.send_work(&WorkMessage::text(1, text).to_users(&["operator"]).once_within(WINDOW)).map(drop),
        NEWCOMER => client.send_custom(&CustomMessage::text("operator", text)),
        _ => client.send_template(&TemplateMessage::new("operator", "alarm").value("what", text)).map(drop),
    }
}

/// Whether a text stands anywhere in a message, as itself.
fn has(body: &serde_json::Value, text: &str) -> bool {
    match body {
        serde_json::Value::String(own) => own == text,
        serde_json::Value::Object(members) => members.values().any(|member| has(member, text)),
        _ => false,
    }
}
