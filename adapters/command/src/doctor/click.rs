//! Where is the remedy found: which console, which page?

use wxtoken::Lang;
use wxtoken::core::{Meaning, Product};

use crate::lang::pick;

/// The way through the console, for what is mended there.
pub(crate) const fn place(meaning: Meaning, product: Product, lang: Lang) -> Option<&'static str> {
    let work = matches!(product, Product::Work);
    Some(match (meaning, work) {
        (Meaning::AddressNotAllowed, true) => pick(
            lang,
            "work.weixin.qq.com > Apps (应用管理) > the app > Trusted company IPs (企业可信IP)",
            "work.weixin.qq.com > 应用管理 > 选择应用 > 企业可信IP > 配置",
        ),
        (Meaning::AddressNotAllowed, false) => pick(
            lang,
            "mp.weixin.qq.com > Settings and development (设置与开发) > Basic configuration (基本配置) > IP allow-list (IP白名单)",
            "mp.weixin.qq.com > 设置与开发 > 基本配置 > IP白名单 > 修改",
        ),
        (Meaning::SecretWrong, true) => pick(
            lang,
            "work.weixin.qq.com > Apps (应用管理) > the app > Secret: each app has its own",
            "work.weixin.qq.com > 应用管理 > 选择应用 > Secret（每个应用各不相同）",
        ),
        (Meaning::SecretWrong | Meaning::SecretFrozen | Meaning::IdInvalid, false) => pick(
            lang,
            "mp.weixin.qq.com > Settings and development (设置与开发) > Basic configuration (基本配置) > AppID, AppSecret",
            "mp.weixin.qq.com > 设置与开发 > 基本配置 > 开发者ID(AppID)、开发者密码(AppSecret)",
        ),
        (Meaning::IdInvalid, true) => pick(
            lang,
            "work.weixin.qq.com > My company (我的企业) > Company ID (企业ID)",
            "work.weixin.qq.com > 我的企业 > 企业信息 > 企业ID",
        ),
        (Meaning::ConfirmationNeeded | Meaning::ConfirmationPending, _) => pick(
            lang,
            "the administrator's own WeChat: a message of the platform asks to allow this address; do not go on trying meanwhile",
            "管理员的微信：在平台发来的消息中确认此 IP；确认之前请勿反复重试",
        ),
        _ => return None,
    })
}
