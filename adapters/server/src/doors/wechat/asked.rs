//! What does an SDK ask for? Parameters of the query, of a form, or of a JSON object, whichever it sends: SDKs differ.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::{Side, said::Said};
use crate::Kind;

/// The parameters that mean something here. Others are nobody's mistake: WeChat ignores them, too.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    grant_type: Option<String>,
    appid: Option<String>,
    secret: Option<String>,
    corpid: Option<String>,
    corpsecret: Option<String>,
    access_token: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(deserialize_with = "truth")]
    pub(super) force_refresh: bool,
}

impl Asked {
    /// What stands in the query counts, and then what the body says. A body is known by its first character: SDKs name it
    /// as they like.
    pub(super) fn read(query: &str, body: &[u8]) -> Result<Self, Said> {
        let mut asked = match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => Self::default(),
            Some(b'{') => serde_json::from_slice(body).map_err(|_| Said::BODY)?,
            Some(_) => Self::from_pairs(body),
        };
        let Self { grant_type, appid, secret, corpid, corpsecret, access_token, kind, force_refresh } =
            Self::from_pairs(query.as_bytes());
        let first = |one: Option<String>, other: &mut Option<String>| *other = one.or(other.take());
        first(grant_type, &mut asked.grant_type);
        first(appid, &mut asked.appid);
        first(secret, &mut asked.secret);
        first(corpid, &mut asked.corpid);
        first(corpsecret, &mut asked.corpsecret);
        first(access_token, &mut asked.access_token);
        first(kind, &mut asked.kind);
        asked.force_refresh |= force_refresh;
        Ok(asked)
    }

    fn from_pairs(text: &[u8]) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(text) {
            let place = match &*name {
                "grant_type" => &mut asked.grant_type,
                "appid" => &mut asked.appid,
                "secret" => &mut asked.secret,
                "corpid" => &mut asked.corpid,
                "corpsecret" => &mut asked.corpsecret,
                "access_token" => &mut asked.access_token,
                "type" => &mut asked.kind,
                "force_refresh" => {
                    asked.force_refresh = is_true(&value);
                    continue;
                }
                _ => continue,
            };
            // Of two of a name the first counts.
            place.get_or_insert_with(|| Cow::into_owned(value));
        }
        asked
    }

    /// Whose token is asked for, and with which key. Refused as WeChat refuses what is missing.
    pub(super) fn credentials(&self, side: Side) -> Result<(&str, &str), Said> {
        let (id, secret) = match side {
            Side::Platform => {
                if self.grant_type.as_deref() != Some("client_credential") {
                    return Err(Said::GRANT_TYPE);
                }
                (&self.appid, &self.secret)
            }
            Side::Work => (&self.corpid, &self.corpsecret),
        };
        let id = id.as_deref().filter(|id| !id.is_empty()).ok_or(Said::ID_MISSING)?;
        let secret = secret.as_deref().filter(|secret| !secret.is_empty()).ok_or(Said::SECRET_MISSING)?;
        Ok((id, secret))
    }

    pub(super) fn access_token(&self) -> Result<&str, Said> {
        self.access_token.as_deref().filter(|token| !token.is_empty()).ok_or(Said::TOKEN_MISSING)
    }

    pub(super) fn ticket_kind(&self, side: Side) -> Result<Kind, Said> {
        match (side, self.kind.as_deref()) {
            (Side::Platform, Some("jsapi")) => Ok(Kind::Jsapi),
            (Side::Platform, Some("wx_card")) => Ok(Kind::WxCard),
            (Side::Platform, _) => Err(Said::TICKET_TYPE),
            (Side::Work, Some("agent_config")) => Ok(Kind::AgentConfig),
            (Side::Work, _) => Err(Said::WORK_TICKET_TYPE),
        }
    }
}

fn is_true(text: &str) -> bool {
    text == "1" || text.eq_ignore_ascii_case("true")
}

/// A truth value as JSON has it, or as a text or a number: SDKs of languages without types send those.
fn truth<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(truth) => truth,
        Value::String(text) => is_true(&text),
        Value::Number(number) => number.as_i64() == Some(1),
        _ => false,
    })
}
