//! What does a refusal say? The errmsg of each errcode, in the words and with the trailer of the real platform.
//!
//! The English texts are those that published replies show; the texts of the 895xx codes are those of the error
//! tables, since no published reply with one of them was found.

use std::net::IpAddr;

use super::account::Kind;
use super::rng::Rng;

/// What the message may have to mention.
pub(crate) struct Scene {
    pub(crate) kind: Kind,
    pub(crate) ip: IpAddr,
    pub(crate) now: u64,
}

const STABLE_HINT: &str =
    ", could get access_token by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r";

/// The whole errmsg, trailer included.
pub(crate) fn message(code: i32, scene: &Scene, rng: &mut Rng) -> String {
    if scene.kind == Kind::Work {
        return format!(
            "{}, hint: [{}], from ip: {}, more info at https://open.work.weixin.qq.com/devtool/query?e={code}",
            work_text(code),
            hint(scene.now, rng),
            scene.ip,
        );
    }
    format!("{} rid: {}", public_text(code, scene.ip), rid(scene.now, rng))
}

/// Three groups of eight hex digits; the first is the Unix time in seconds.
fn rid(now: u64, rng: &mut Rng) -> String {
    let random = rng.next();
    format!("{:08x}-{:08x}-{:08x}", (now / 1_000) & 0xffff_ffff, random >> 32, random & 0xffff_ffff)
}

/// 25 digits; the first ten are the Unix time in seconds.
fn hint(now: u64, rng: &mut Rng) -> String {
    format!("{:010}{}", (now / 1_000) % 10_000_000_000, rng.digits(15))
}

fn public_text(code: i32, ip: IpAddr) -> String {
    let fixed = match code {
        -1 => "system error",
        40_001 => return format!("invalid credential, access_token is invalid or not latest{STABLE_HINT}"),
        40_002 => "invalid grant_type",
        40_003 => "invalid openid",
        40_004 => "invalid media type",
        40_005 => "invalid file type",
        40_007 => "invalid media_id",
        40_008 => "invalid message type",
        40_013 => "invalid appid",
        40_014 => "invalid access_token",
        40_037 => "invalid template_id",
        40_066 => "invalid url",
        40_097 => "invalid args",
        40_125 => "invalid appsecret",
        40_164 => return not_in_whitelist(ip),
        40_243 => "AppSecret已被冻结，请登录公众平台解冻后再次调用",
        41_001 => "access_token missing",
        41_002 => "appid missing",
        41_004 => "appsecret missing",
        41_005 => "media data missing",
        41_006 => "media_id missing",
        41_018 => "missing component_appid",
        42_001 => "access_token expired",
        42_007 => "access_token and refresh_token exception",
        43_002 => "require POST method",
        43_003 => "require https",
        44_001 => "empty media data",
        44_002 => "empty post data",
        45_001 => "media size out of limit",
        45_009 => return format!("reach max api daily quota limit{STABLE_HINT}"),
        45_011 => "api minute-quota reach limit, must slower, retry next minute",
        45_035 => "access clientip is not registered",
        47_001 => "data format error",
        48_001 => "api unauthorized",
        48_004 => "api forbidden for irregularities",
        48_006 => "forbid to clear quota because of reaching the limit",
        50_002 => "user limited",
        50_004 => "user not allow to use accesstoken, maybe for punishment",
        50_007 => "account freezed",
        61_004 => return format!("access clientip is not registered requestIP: {ip}"),
        61_007 => "api is unauthorized to component",
        61_024 => "should use component access token",
        89_501 => "此IP正在等待管理员确认，请联系管理员",
        89_503 => "此IP调用需要管理员确认，请联系管理员",
        89_506 => "24小时内该IP被管理员拒绝调用两次，24小时内不可再使用该IP调用",
        89_507 => "1小时内该IP被管理员拒绝调用一次，1小时内不可再使用该IP调用",
        _ => "system error",
    };
    fixed.to_owned()
}

fn not_in_whitelist(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => format!("invalid ip {v4} ipv6 ::ffff:{v4}, not in whitelist"),
        IpAddr::V6(v6) => format!("invalid ip {v6} ipv6 {v6}, not in whitelist"),
    }
}

const fn work_text(code: i32) -> &'static str {
    match code {
        -1 => "system error",
        40_001 => "invalid credential",
        40_004 => "invalid media type",
        40_005 => "invalid file type",
        40_006 => "invalid file size",
        40_007 => "invalid media_id",
        40_008 => "invalid message type",
        40_013 => "invalid corpid",
        40_014 => "invalid access_token",
        40_031 => "invalid userid list",
        40_033 => "invalid request charset",
        40_058 => "invalid Request Parameter",
        40_066 => "invalid url",
        40_091 => "secret is invalid",
        41_001 => "access_token missing",
        41_002 => "corpid missing",
        41_004 => "secret missing",
        41_005 => "media data missing",
        41_006 => "media_id missing",
        42_001 => "access_token expired",
        43_002 => "require POST method",
        43_003 => "require https",
        44_002 => "empty post data",
        45_001 => "media size out of limit",
        45_009 => "api freq out of limit",
        45_033 => "api concurrent out of limit",
        47_001 => "data format error",
        48_001 => "api unauthorized",
        48_002 => "api forbidden",
        50_002 => "user not in app visible range",
        60_020 => "not allow to access from your ip",
        301_002 => "not allow operate another agent with this accesstoken",
        _ => "system error",
    }
}
