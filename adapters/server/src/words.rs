//! What is said to the people who run the server, in English and Chinese, when a fetch failed? What happened, and what to do.

use wxtoken::{Act, Lang, Malformed, Reason, TransportError};

/// Who must act, in one word: `operator` (of this server), `administrator` (of the account), `nobody` (it passes).
pub(crate) const fn who(act: Act) -> &'static str {
    match act {
        Act::Configuration | Act::Never => "operator",
        Act::Person => "administrator",
        _ => "nobody",
    }
}

/// What happened, with the remedy. Never holds a secret or what a peer said.
pub(crate) fn reason(reason: &Reason, lang: Lang) -> String {
    let zh = match reason {
        Reason::Refused(refusal) => {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = refusal.explain(lang, &mut text);
            return text;
        }
        Reason::Token(below) => {
            let head = if lang == Lang::Zh {
                "没有可用于获取 ticket 的 token："
            } else {
                "no token to fetch the ticket with: "
            };
            return format!("{head}{}", self::reason(below, lang));
        }
        _ if lang != Lang::Zh => return reason.to_string(),
        Reason::Transport(error) => match transport(*error) {
            Some(zh) => zh,
            None => return reason.to_string(),
        },
        Reason::Status(status) => {
            return format!("HTTP 状态码 {status}，不是正常应答；请检查 base，以及途中是否有代理");
        }
        Reason::Malformed(Malformed::TooLong) => "应答超过 4096 字节；对端是微信，还是代理的页面？",
        Reason::Malformed(Malformed::Token(_)) => "应答中的 token 不合法（超过 512 字节，或含有非法字符）",
        Reason::Malformed(Malformed::Expiry) => "应答中的 expires_in 缺失或不在 1 至 86400 秒之间",
        Reason::Malformed(_) => "应答不是微信的 JSON；对端是微信，还是代理的页面？",
        Reason::DailyLimit => "已达到本服务器自身的每日获取上限；请查看日志找出原因",
        Reason::TooSoon => "上一个 token 已失效或被拒绝，暂不能再次获取；请稍候",
        Reason::Lost => "请求既无应答也无错误",
        _ => return reason.to_string(),
    };
    zh.to_owned()
}

const fn transport(error: TransportError) -> Option<&'static str> {
    Some(match error {
        TransportError::NameNotFound => "无法解析主机名；网络是否可用，base 是否正确？",
        TransportError::ConnectionRefused => "无法连接主机（被拒绝或无路由）；网络是否可用，主机和端口是否正确？",
        TransportError::ConnectTimeout => "连接主机超时；防火墙是否丢弃了数据包？",
        TransportError::Certificate => {
            "对端证书不受信任；系统日期是否正确，途中是否有代理拦截 TLS？私有 CA 请在 [upstream] ca 中指定"
        }
        TransportError::Tls => "TLS 握手失败；端口是否正确？",
        TransportError::Timeout => "限定时间内没有收到完整应答",
        TransportError::Broken => "连接在应答完成前中断",
        TransportError::NotHttp => "应答不是 HTTP；端口是否正确，途中是否有其他设备？",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_an_exchange_can_fail_of_is_said_in_both_languages() {
        use TransportError as T;
        let errors = [T::NameNotFound, T::ConnectionRefused, T::ConnectTimeout, T::Certificate, T::Tls, T::Timeout];
        let mut reasons: Vec<Reason> = errors.into_iter().map(Reason::Transport).collect();
        reasons.extend([T::Broken, T::NotHttp].map(Reason::Transport));
        reasons.extend([Reason::Status(502), Reason::DailyLimit, Reason::TooSoon, Reason::Lost]);
        reasons.push(Reason::Token(Box::new(Reason::Lost)));
        for reason in reasons {
            let (en, zh) = (super::reason(&reason, Lang::En), super::reason(&reason, Lang::Zh));
            assert!(en.is_ascii() && !zh.is_ascii() && en.len() > 10, "{en} {zh}");
        }
    }
}
