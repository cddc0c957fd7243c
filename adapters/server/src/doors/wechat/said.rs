//! What is said to an SDK when it cannot have what it asks for? An errcode that it raises, and an errmsg for the person
//! who reads the exception: what is wrong, and who must act.
//!
//! No errmsg holds a character that JSON escapes: `co-wechat-api` damages escapes before it parses.

use std::borrow::Cow;

use hyper::StatusCode;
use serde_json::{Value, json};
use wxtoken::Reason;

use crate::{
    NoToken,
    doors::{Reply, TurnedAway, json},
};

/// An errcode and its errmsg.
#[derive(Debug)]
pub(super) struct Said {
    errcode: i32,
    errmsg: Cow<'static, str>,
}

macro_rules! said {
    ($($name:ident = $errcode:literal, $errmsg:literal;)+) => {
        impl Said {
            $(pub(super) const $name: Self = Self { errcode: $errcode, errmsg: Cow::Borrowed($errmsg) };)+
        }
    };
}

said! {
    GRANT_TYPE = 40_002, "invalid grant_type: it is client_credential; whoever wrote the call must act";
    AMBIGUOUS = 40_013, "invalid corpid: this key reaches several accounts of this id, and nothing says which is meant; the operator of the token server must give each application a key of its own";
    SECRET = 40_125, "invalid appsecret: the token server does not know this key, or not for this id here; secret is the key that the token server's operator gave out, who must act";
    TICKET_TYPE = 40_097, "invalid args: type is jsapi or wx_card; whoever wrote the call must act";
    WORK_TICKET_TYPE = 40_058, "invalid args: type is agent_config; whoever wrote the call must act";
    TOKEN_MISSING = 41_001, "access_token missing; whoever wrote the call must act";
    ID_MISSING = 41_002, "appid or corpid missing; whoever wrote the call must act";
    SECRET_MISSING = 41_004, "appsecret missing: the key that the token server's operator gave out goes there";
    METHOD = 43_001, "require GET or POST method; whoever wrote the call must act";
    POST = 43_002, "require POST method; whoever wrote the call must act";
    TOO_OFTEN = 45_011, "api minute-quota reach limit: the same token was asked for too often; whoever wrote the program must keep it for its expires_in";
    TOO_FAST = 45_009, "reach max api daily quota limit: more requests than this client may make here; it must keep a token for its expires_in, or the token server's operator give it a higher rate";
    BODY = 47_001, "data format error: the body is neither a JSON object nor a form, or longer than 4096 bytes; whoever wrote the call must act";
    STRANGE_TOKEN = 48_001, "api unauthorized: this access_token did not come from this token server, or long ago; fetch it from here, too";
    NO_TICKET = 48_001, "api unauthorized: this ticket is not kept for this account; the operator of the token server must name it in tickets";
    NO_ROUTE = 48_001, "api unauthorized: the token server does not answer this path; API calls go to WeChat, or its operator lists the path in call";
}

impl Said {
    /// There is nothing valid to hand out. What WeChat said itself is passed on, unless an SDK would fetch a token and call
    /// again upon it.
    pub(super) fn nothing(why: &NoToken) -> Self {
        let errcode = why.reason.as_ref().map_or(-1, errcode);
        Self { errcode, errmsg: Cow::Owned(plain(&format!("the token server has none now: {why}"))) }
    }

    /// Nobody is let in. Who comes too often gets the errcode that WeChat has for that.
    pub(super) const fn turned_away(why: TurnedAway) -> Self {
        match why {
            TurnedAway::Unknown => Self::SECRET,
            TurnedAway::TooFast(_) | TurnedAway::TooMany(_) => Self::TOO_FAST,
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        json(StatusCode::OK, &json!({ "errcode": self.errcode, "errmsg": self.errmsg }))
    }
}

fn errcode(reason: &Reason) -> i32 {
    match reason {
        Reason::Refused(refusal) => match refusal.errcode() {
            // The account's secret, the operator's business; and what no refusal has.
            40_001 | 40_014 | 42_001 | 0 => 45_009,
            errcode => errcode,
        },
        Reason::Token(reason) => self::errcode(reason),
        Reason::DailyLimit | Reason::TooSoon => 45_009,
        // It may pass within seconds.
        _ => -1,
    }
}

/// Without what JSON would escape.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c == '"' || c == '\\' || c.is_control() { '\'' } else { c }).collect()
}

/// A granted answer.
pub(super) fn granted(value: &Value) -> Reply {
    json(StatusCode::OK, value)
}
