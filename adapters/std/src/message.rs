//! How is a message sent, and when may it be sent twice? The three kinds that gateways and small services need most.
//!
//! Sources: the documents of template messages (模板消息) and customer messages (客服消息); WeCom's document 90236 (发送应用消息).
//! All are JSON with their characters as they are: WeCom refuses `\uXXXX`.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wxtoken_core::{Call, Product};

use crate::{
    call::{CALL_LIMIT, CallError, CallReason},
    client::Client,
    random,
};

/// The longest time within which WeCom knows a message again: four hours.
const MAX_WINDOW_S: u64 = 4 * 3_600;

/// A message by a template of an official account (模板消息).
///
/// Each gets a `client_msg_id` by chance, under which the platform sends it to its receiver once, for ten minutes: so it is
/// sent again when no answer came, and sending the same value twice is one message.
#[derive(Clone, Debug, Serialize)]
pub struct TemplateMessage {
    touser: String,
    template_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    miniprogram: Option<MiniProgram>,
    client_msg_id: String,
    data: BTreeMap<String, Text>,
}

#[derive(Clone, Debug, Serialize)]
struct MiniProgram {
    appid: String,
    pagepath: String,
}

#[derive(Clone, Debug, Serialize)]
struct Text {
    value: String,
}

impl TemplateMessage {
    /// To the user with this openid, by this template of the account.
    #[must_use]
    pub fn new(openid: impl Into<String>, template_id: impl Into<String>) -> Self {
        Self {
            touser: openid.into(),
            template_id: template_id.into(),
            url: None,
            miniprogram: None,
            client_msg_id: random::hex(),
            data: BTreeMap::new(),
        }
    }

    /// With this text in the template's place `name`.
    #[must_use]
    pub fn value(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.data.insert(name.into(), Text { value: text.into() });
        self
    }

    /// Opens this page when it is touched.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Opens this page of a mini program when it is touched.
    #[must_use]
    pub fn mini_program(mut self, appid: impl Into<String>, page: impl Into<String>) -> Self {
        self.miniprogram = Some(MiniProgram { appid: appid.into(), pagepath: page.into() });
        self
    }

    /// Under an id of one's own, an alarm's number for instance: the platform sends it to its receiver once, for ten minutes,
    /// whichever program sends it.
    #[must_use]
    pub fn client_msg_id(mut self, id: impl Into<String>) -> Self {
        self.client_msg_id = id.into();
        self
    }
}

/// A message to a user who wrote to the account within 48 hours (客服消息). The platform does not know it again, so it is not sent
/// again when no answer came.
#[derive(Clone, Debug)]
pub struct CustomMessage(Value);

impl CustomMessage {
    /// A text to the user with this openid.
    #[must_use]
    pub fn text(openid: &str, content: &str) -> Self {
        Self::new(openid, "text", json!({ "content": content }))
    }

    /// A picture that was uploaded.
    #[must_use]
    pub fn image(openid: &str, media_id: &str) -> Self {
        Self::new(openid, "image", json!({ "media_id": media_id }))
    }

    /// Any kind of the document: its `msgtype`, and what stands under that name.
    #[must_use]
    pub fn new(openid: &str, msgtype: &str, content: Value) -> Self {
        Self(json!({ "touser": openid, "msgtype": msgtype, msgtype: content }))
    }
}

/// A message of a WeCom app (发送应用消息).
///
/// WeCom knows a message again only if it is told to, and then takes any other of the same content for it: so it is sent again
/// when no answer came only with [`once_within`](Self::once_within).
#[derive(Clone, Debug)]
pub struct WorkMessage(Value);

impl WorkMessage {
    /// A text of the app with this agentid; WeCom cuts it at 2048 bytes.
    #[must_use]
    pub fn text(agentid: u64, content: &str) -> Self {
        Self::new(agentid, "text", json!({ "content": content }))
    }

    /// Markdown, of which WeCom knows a part; it cuts it at 2048 bytes.
    #[must_use]
    pub fn markdown(agentid: u64, content: &str) -> Self {
        Self::new(agentid, "markdown", json!({ "content": content }))
    }

    /// Any kind of the document: its `msgtype`, and what stands under that name.
    #[must_use]
    pub fn new(agentid: u64, msgtype: &str, content: Value) -> Self {
        Self(json!({ "agentid": agentid, "msgtype": msgtype, msgtype: content }))
    }

    /// To these members, by userid; `@all` is everybody who may see the app.
    #[must_use]
    pub fn to_users<S: AsRef<str>>(self, userids: &[S]) -> Self {
        self.to("touser", userids)
    }

    /// To these departments, by id.
    #[must_use]
    pub fn to_parties<S: AsRef<str>>(self, ids: &[S]) -> Self {
        self.to("toparty", ids)
    }

    /// To these tags, by id.
    #[must_use]
    pub fn to_tags<S: AsRef<str>>(self, ids: &[S]) -> Self {
        self.to("totag", ids)
    }

    /// Confidential: shown with a watermark, not to be passed on.
    #[must_use]
    pub fn confidential(self) -> Self {
        self.with("safe", json!(1))
    }

    /// One of the same content is not sent within this time, four hours at most. A repetition of an alarm that is meant is then
    /// not sent either: put its time or number into the text.
    #[must_use]
    pub fn once_within(self, window: Duration) -> Self {
        self.with("enable_duplicate_check", json!(1))
            .with("duplicate_check_interval", json!(window.as_secs().clamp(1, MAX_WINDOW_S)))
    }

    fn to<S: AsRef<str>>(self, name: &str, whom: &[S]) -> Self {
        let joined = whom.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("|");
        self.with(name, Value::String(joined))
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        if let Some(message) = self.0.as_object_mut() {
            message.insert(name.to_owned(), value);
        }
        self
    }

    fn is_known_again(&self) -> bool {
        self.0.get("enable_duplicate_check").is_some()
    }
}

/// What WeCom says of a message that it took over. It may have receivers that do not get it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
#[must_use = "it names receivers that do not get the message"]
pub struct WorkSent {
    /// WeCom's number for it.
    pub msgid: String,
    /// Members that do not exist or may not see the app, joined by `|`.
    pub invaliduser: String,
    /// Departments, likewise.
    pub invalidparty: String,
    /// Tags, likewise.
    pub invalidtag: String,
    /// Members without a licence for the interface.
    pub unlicenseduser: String,
}

impl WorkSent {
    /// The receivers that do not get it.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        [&self.invaliduser, &self.invalidparty, &self.invalidtag, &self.unlicenseduser]
            .into_iter()
            .flat_map(|list| list.split('|'))
            .filter(|whom| !whom.is_empty())
    }
}

impl Client {
    /// The platform's own addresses, from `getcallbackip`: the cheapest way to see that a token works.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn probe(&self) -> Result<Vec<String>, CallError> {
        #[derive(Deserialize)]
        struct Addresses {
            ip_list: Vec<String>,
        }
        Ok(self.call(&Call::get("/cgi-bin/getcallbackip")?)?.json::<Addresses>()?.ip_list)
    }

    /// Sends a message by a template; returns the platform's number for it.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn send_template(&self, message: &TemplateMessage) -> Result<u64, CallError> {
        self.send_template_within(message, CALL_LIMIT)
    }

    /// The same with another limit.
    ///
    /// # Errors
    /// As [`call_within`](Self::call_within).
    pub fn send_template_within(&self, message: &TemplateMessage, limit: Duration) -> Result<u64, CallError> {
        #[derive(Deserialize)]
        struct Sent {
            msgid: u64,
        }
        let body = self.written(message, Product::Platform)?;
        let call = Call::post("/cgi-bin/message/template/send", &body)?;
        let known_again = !message.client_msg_id.is_empty();
        Ok(self.call_within(&call.with_idempotence(known_again), limit)?.json::<Sent>()?.msgid)
    }

    /// Sends a customer message.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn send_custom(&self, message: &CustomMessage) -> Result<(), CallError> {
        self.send_custom_within(message, CALL_LIMIT)
    }

    /// The same with another limit.
    ///
    /// # Errors
    /// As [`call_within`](Self::call_within).
    pub fn send_custom_within(&self, message: &CustomMessage, limit: Duration) -> Result<(), CallError> {
        let body = self.written(&message.0, Product::Platform)?;
        self.call_within(&Call::post("/cgi-bin/message/custom/send", &body)?, limit).map(drop)
    }

    /// Sends a message of a WeCom app.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn send_work(&self, message: &WorkMessage) -> Result<WorkSent, CallError> {
        self.send_work_within(message, CALL_LIMIT)
    }

    /// The same with another limit.
    ///
    /// # Errors
    /// As [`call_within`](Self::call_within).
    pub fn send_work_within(&self, message: &WorkMessage, limit: Duration) -> Result<WorkSent, CallError> {
        let body = self.written(&message.0, Product::Work)?;
        let call = Call::post("/cgi-bin/message/send", &body)?;
        self.call_within(&call.with_idempotence(message.is_known_again()), limit)?.json()
    }

    /// The body. A token of the other product would be refused like a bad one, which would cost a fetch for nothing.
    fn written(&self, message: &impl Serialize, product: Product) -> Result<Vec<u8>, CallError> {
        if self.shared().who.endpoint().product() != product {
            return Err(CallError::Caller(CallReason::WrongProduct));
        }
        // Strings and numbers can always be written.
        Ok(serde_json::to_vec(message).unwrap_or_default())
    }
}
