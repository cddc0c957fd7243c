//! What is said to people, in English and Chinese, when there is no token?
//!
//! The platform's refusals have their texts in core; here are those of the way to it and of the configuration.

use std::io::Write as _;

use wxtoken::{BadAccount, BadBase, ConfigError, Error, Malformed, Reason, TransportError};

use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};
use crate::secret::Secret;

/// One line on standard error that stops nothing.
pub(crate) fn warn(text: &str) {
    // A standard error that is gone is no reason to stop.
    let _ = writeln!(std::io::stderr(), "wxtoken: {text}");
}

/// A file with a secret that other users can read.
pub(crate) fn exposed(secret: &Secret, lang: Lang) -> String {
    let from = secret.from.words(lang);
    match lang {
        Lang::Zh => format!("警告：其他用户可读取{from}；请执行 chmod 600"),
        _ => format!("warning: other users can read {from}; chmod 600 it"),
    }
}

/// What could not be had.
#[derive(Clone, Copy)]
pub(crate) enum Credential {
    Token,
    Ticket,
}

impl Credential {
    const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Ticket => "ticket",
        }
    }
}

/// The end of a command that got no token.
pub(crate) fn stop(error: &Error, lang: Lang) -> Stop {
    stop_without(Credential::Token, error, lang)
}

/// The end of a command that got no token, or no ticket.
pub(crate) fn stop_without(what: Credential, error: &Error, lang: Lang) -> Stop {
    let name = what.name();
    match (error.reason(), lang) {
        (Some(reason), _) => Stop::With(Exit::of(reason), sentence(name, reason, lang)),
        (None, Lang::Zh) => Stop::With(Exit::Later, format!("在限定时间内未获得 {name}，请重试")),
        (None, _) => Stop::With(Exit::Later, format!("no {name} in time; a fetch is under way, ask again")),
    }
}

/// Who must act, and why.
fn sentence(name: &str, reason: &Reason, lang: Lang) -> String {
    let text = self::reason(reason, lang);
    match (Exit::of(reason), lang) {
        (Exit::Configuration, _) => {
            pick(lang, "the configuration must be mended: ", "配置需要修正：").to_owned() + &text
        }
        (Exit::Person, _) => pick(lang, "an administrator must act: ", "需要管理员处理：").to_owned() + &text,
        (Exit::Untrusted, _) => pick(lang, "the connection is not trusted: ", "连接不可信：").to_owned() + &text,
        (_, Lang::Zh) => format!("暂时无法获取 {name}，请稍后再试：{text}"),
        _ => format!("no {name} for now, try later: {text}"),
    }
}

/// What happened, with the remedy.
pub(crate) fn reason(reason: &Reason, lang: Lang) -> String {
    if let Reason::Refused(refusal) = reason {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = refusal.explain(lang, &mut text);
        return text;
    }
    let zh = match reason {
        Reason::Token(below) => {
            let head = pick(lang, "no token to fetch the ticket with: ", "没有可用于获取 ticket 的 token：");
            return format!("{head}{}", self::reason(below, lang));
        }
        Reason::Transport(error) => return transport(*error, lang).map_or_else(|| reason.to_string(), str::to_owned),
        _ if lang != Lang::Zh => return reason.to_string(),
        Reason::Status(401) => {
            "HTTP 状态码 401：若对端是中控服务器，则密钥有误，或不允许从此地址使用，请向其管理员索取密钥；否则是代理要求登录"
        }
        Reason::Status(403) => {
            "HTTP 状态码 403：若对端是中控服务器，则此密钥无权读取该账号，请其管理员授权；否则是代理拒绝了请求"
        }
        Reason::Status(429) => "HTTP 状态码 429：请求超过了此客户端的限额；稍后会再试",
        Reason::Status(503) => "HTTP 状态码 503：对端暂时没有可用的凭据，或过载；稍后会再试",
        Reason::Status(status) => return format!("HTTP 状态码 {status}，不是正常应答；请检查地址，以及途中是否有代理"),
        Reason::Malformed(Malformed::TooLong) => "应答超过 4096 字节；对端是微信，还是代理的页面？",
        Reason::Malformed(Malformed::Token(_)) => "应答中的 token 不合法（超过 512 字节，或含有非法字符）",
        Reason::Malformed(Malformed::Expiry) => "应答中的 expires_in 缺失或不在 1 至 86400 秒之间",
        Reason::Malformed(_) => "应答不是微信的 JSON；对端是微信，还是代理的页面？",
        Reason::DailyLimit => "已达到本程序自身的每日获取上限；请查看日志找出原因",
        Reason::TooSoon => "上一个 token 已失效或被拒绝，暂不能再次获取；请稍候",
        Reason::Lost => "请求既无应答也无错误",
        _ => return reason.to_string(),
    };
    zh.to_owned()
}

/// Why there was no reply. The library's own English text does where it promises nothing that a command that ends does
/// not keep.
const fn transport(error: TransportError, lang: Lang) -> Option<&'static str> {
    Some(match (error, lang) {
        (TransportError::Certificate, Lang::Zh) => {
            "服务器证书不受信任；系统日期是否正确，途中是否有代理拦截 TLS？私有 CA 请用 --ca 指定"
        }
        (TransportError::Certificate, _) => {
            "the server's certificate is not trusted; is the system's date right, and does a proxy intercept TLS? Give a private CA with --ca"
        }
        (TransportError::Timeout, Lang::Zh) => "限定时间内没有收到完整应答",
        (TransportError::Timeout, _) => "no complete reply in time",
        (TransportError::Broken, Lang::Zh) => "连接在应答完成前中断",
        (TransportError::Broken, _) => "the connection broke before the reply was complete",
        (TransportError::NameNotFound, Lang::Zh) => "无法解析主机名；网络是否可用，--base 是否正确？",
        (TransportError::ConnectionRefused, Lang::Zh) => {
            "无法连接主机（被拒绝或无路由）；网络是否可用，主机和端口是否正确？"
        }
        (TransportError::ConnectTimeout, Lang::Zh) => "连接主机超时；防火墙是否丢弃了数据包？",
        (TransportError::Tls, Lang::Zh) => "TLS 握手失败；端口是否正确？",
        (TransportError::NotHttp, Lang::Zh) => "应答不是 HTTP；端口是否正确，途中是否有其他设备？",
        _ => return None,
    })
}

/// What is wrong with the configuration.
pub(crate) fn config(error: &ConfigError, lang: Lang) -> String {
    let text = match (error, lang) {
        (ConfigError::Account(BadAccount::Id(_)), Lang::Zh) => "--id 为空、过长，或含有空格、控制字符",
        (ConfigError::Account(_), Lang::Zh) => "密钥为空、过长，或含有空格、控制字符（多余的换行？）",
        (ConfigError::Base(BadBase::Scheme), Lang::Zh) => "--base 须以 https:// 或 http:// 开头",
        (ConfigError::Base(_), Lang::Zh) => "--base 不合法；应为 https://主机[:端口][/前缀]",
        (ConfigError::PlainHttp, Lang::Zh) => {
            "明文 http 会暴露密钥；请用 https://、本机地址，或明确指定 --allow-plain-http"
        }
        (ConfigError::PlainHttp, _) => {
            "plain http would show the secret on the way; use https://, a loopback address, or --allow-plain-http"
        }
        (ConfigError::RootCertificates, Lang::Zh) => "--ca 文件中没有可读的 PEM 证书",
        (ConfigError::RootCertificates, _) => "the file given with --ca holds no readable certificate in PEM format",
        (ConfigError::CachePath, Lang::Zh) => "--cache 没有文件名；请指定文件而不是目录",
        _ => return error.to_string(),
    };
    text.to_owned()
}
