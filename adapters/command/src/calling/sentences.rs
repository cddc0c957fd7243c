//! What is said to people when a call was not accepted, and with which code does the command end?

use std::io::ErrorKind;

use wxtoken::{BadMedia, CallError, CallReason, GaveUp, GivenUp, MediaType, Reason};

use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};
use crate::words;

/// The end of a command whose call was not accepted.
pub(crate) fn stop(error: &CallError, lang: Lang) -> Stop {
    if let CallReason::Sink(ErrorKind::BrokenPipe) = error.reason() {
        // As anywhere else: a reader of the output that left early is no failure.
        return Stop::Output(ErrorKind::BrokenPipe.into());
    }
    let exit = exit(error);
    let head = match error {
        _ if exit == Exit::Untrusted => pick(lang, "the connection is not trusted: ", "连接不可信："),
        CallError::Caller(_) => pick(lang, "the call must be changed: ", "调用本身需要修改："),
        CallError::Configuration(_) => pick(lang, "the configuration must be mended: ", "配置需要修正："),
        CallError::Person(_) => pick(lang, "an administrator must act: ", "需要管理员处理："),
        CallError::Unanswered(_) => {
            pick(lang, "it may have been executed, look before it is sent again: ", "可能已经执行，重发之前请先核实：")
        }
        CallError::Untaken(_) => pick(lang, "it was executed, but ", "已经执行，但"),
        _ => pick(lang, "not executed, try later: ", "未执行，请稍后再试："),
    };
    Stop::With(exit, format!("{head}{}", reason(error.reason(), lang)))
}

fn exit(error: &CallError) -> Exit {
    match (error, error.reason()) {
        (_, CallReason::BadCall(_) | CallReason::WrongProduct) => Exit::Usage,
        (_, CallReason::NoToken { error, .. }) => error.reason().map_or(Exit::Later, Exit::of),
        (CallError::Untaken(_), CallReason::Sink(_)) => Exit::Failed,
        (CallError::Caller(_), _) => Exit::Configuration,
        (CallError::Person(_), _) => Exit::Person,
        (CallError::Unanswered(_) | CallError::Untaken(_), _) => Exit::Unanswered,
        (_, CallReason::GaveUp(given_up)) => match given_up.transport {
            Some(error) => Exit::of(&Reason::Transport(error)),
            None if matches!(error, CallError::Configuration(_)) => Exit::Configuration,
            None => Exit::Later,
        },
        (CallError::Configuration(_), _) => Exit::Configuration,
        _ => Exit::Later,
    }
}

fn reason(reason: &CallReason, lang: Lang) -> String {
    match reason {
        CallReason::Refused(refused) => {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = refused.explain(lang, &mut text);
            text
        }
        CallReason::NoToken { error, errcode } => {
            let why = match error.reason() {
                Some(reason) => words::reason(reason, lang),
                None => pick(lang, "no token in time", "在限定时间内未获得 token").to_owned(),
            };
            match (errcode, lang) {
                (None, _) => why,
                (Some(code), Lang::Zh) => format!("token 被拒绝（{code}），且未能获得新的 token：{why}"),
                (Some(code), _) => {
                    format!("the token was refused with errcode {code} and no other could be had: {why}")
                }
            }
        }
        CallReason::GaveUp(given_up) => gave_up(given_up, lang),
        _ if lang != Lang::Zh => reason.to_string(),
        CallReason::BadCall(_) => {
            "路径须以 / 开头，只含 ASCII 字符且不含 ? 与 #；参数请用 --query，其中不含 access_token".to_owned()
        }
        CallReason::PlainHttp => {
            "明文 http 会暴露 token；请用 https://、本机地址，或明确指定 --allow-plain-http".to_owned()
        }
        CallReason::BadMedia(why) => bad_media(*why),
        CallReason::WrongProduct => {
            "该类账号没有此接口：模板消息与客服消息用于公众号和小程序，应用消息用于企业微信".to_owned()
        }
        CallReason::Source(ErrorKind::UnexpectedEof) => "文件在上传过程中变短".to_owned(),
        CallReason::Source(kind) => format!("文件无法读取：{kind}"),
        CallReason::Sink(kind) => format!("应答无法写入：{kind}"),
        CallReason::TooLong => "应答过长；请用 -o 写入文件".to_owned(),
        CallReason::Json { line, column } => format!("应答与预期不符（第 {line} 行，第 {column} 列）"),
        _ => reason.to_string(),
    }
}

fn gave_up(given_up: &GivenUp, lang: Lang) -> String {
    let mut text = match (given_up.why, given_up.transport) {
        (GaveUp::Unanswered | GaveUp::NotSent, Some(error)) => words::reason(&Reason::Transport(error), lang),
        (GaveUp::Status(status), _) => words::reason(&Reason::Status(status), lang),
        (why, _) if lang != Lang::Zh => why.to_string(),
        (GaveUp::NoOtherToken, _) => "token 被拒绝，且未在限定时间内获得不同的 token".to_owned(),
        (GaveUp::RefusedAgain, _) => "两个不同的 token 均被拒绝；是否有其他程序在刷新，或接口不属于该账号？".to_owned(),
        (GaveUp::BodySpent, _) => "token 被拒绝，而请求体无法重新发送；请重新调用".to_owned(),
        (GaveUp::Busy, _) => "系统繁忙或每分钟次数已用完".to_owned(),
        (GaveUp::NotSent, _) => "无法连接，未发送任何内容".to_owned(),
        (GaveUp::Unanswered, _) => "没有收到有意义的应答".to_owned(),
        (why, _) => why.to_string(),
    };
    if let Some(code) = given_up.errcode {
        text += &format!(" (errcode {code})");
    }
    text
}

fn bad_media(why: BadMedia) -> String {
    match why {
        BadMedia::Type(MediaType::File) => "只有企业微信支持 file；请选择 image、voice、video 或 thumb".to_owned(),
        BadMedia::Type(_) => "企业微信不支持 thumb；请选择 image、voice、video 或 file".to_owned(),
        BadMedia::Ending { allowed } => format!("该类型的文件名须以 .{} 结尾", allowed.join("、.")),
        BadMedia::TooSmall { len, min } => format!("文件为 {len} 字节，至少须有 {min} 字节"),
        BadMedia::TooLarge { len, max } => format!("文件为 {len} 字节，最多 {max} 字节"),
        _ => why.to_string(),
    }
}
