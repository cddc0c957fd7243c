//! What can go wrong, in words: each meaning with who must act and what to tell them.

/// Who must act on a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Act {
    /// Nobody: it passes, try again later.
    Retry,
    /// Nobody: a quota is used up, wait until it is filled again.
    WaitUntil,
    /// The program: report the token as refused, get another one, call once more.
    Refresh,
    /// Whoever configures the program: an id, a secret or a parameter is wrong.
    Configuration,
    /// An administrator of the account, in its console.
    Person,
    /// The program's caller: the call itself is wrong, no token and no retry will mend it.
    Never,
}

/// The language of a text for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese, simplified.
    Zh,
}

macro_rules! meanings {
    ($($(#[$doc:meta])+ $name:ident, $act:ident, $en:literal, $zh:literal;)+) => {
        /// What an errcode means for one product in one phase.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum Meaning {
            $($(#[$doc])+ $name,)+
        }

        impl Meaning {
            /// Every meaning, in the order of declaration: for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Who must act.
            #[must_use]
            pub const fn act(self) -> Act {
                match self { $(Self::$name => Act::$act,)+ }
            }

            /// What happened and what to do, for a person.
            #[must_use]
            pub const fn text(self, lang: Lang) -> &'static str {
                match lang {
                    Lang::En => match self { $(Self::$name => $en,)+ },
                    Lang::Zh => match self { $(Self::$name => $zh,)+ },
                }
            }
        }
    };
}

meanings! {
    /// The platform is busy (-1).
    Busy, Retry,
        "the platform is busy; it passes by itself",
        "系统繁忙，会自行恢复";
    /// Too many calls at the same time (WeCom 45033).
    TooManyAtOnce, Retry,
        "too many calls at the same time; it passes by itself",
        "并发调用超过限制，会自行恢复";
    /// The quota of this minute is used up (45011).
    MinuteQuota, WaitUntil,
        "the quota of this minute is used up; the next try is in a minute",
        "每分钟调用次数已达上限，一分钟后重试";
    /// The quota of this day is used up (45009 of the platform).
    DailyQuota, WaitUntil,
        "the quota of this day is used up; it is filled again after midnight in Beijing, or by an administrator with clear_quota. Is another program fetching tokens for the same account?",
        "当日调用次数已达上限；北京时间零点后恢复，或由管理员调用 clear_quota 清零。是否有其他程序也在获取同一账号的 access_token？";
    /// Called too often, or too many failing calls (45009 of WeCom).
    FrequencyLimit, WaitUntil,
        "called too often, or too many failing calls within the hour; the next try is in a minute, then in an hour",
        "接口调用频率超限（或一小时内失败过多）；一分钟后重试，仍失败则一小时后重试";
    /// The token is not valid, or not the newest (40001 and 40014 while using).
    TokenRefused, Refresh,
        "the token is not valid or not the newest one; report it and call once more with another",
        "access_token 无效或不是最新；请上报后换用新 token 重试一次";
    /// The token's life is over (42001).
    TokenExpired, Refresh,
        "the token has expired; report it and call once more with another",
        "access_token 已过期；请上报后换用新 token 重试一次";
    /// The suite token is not valid or has expired (WeCom 40082, 42009).
    SuiteTokenRefused, Refresh,
        "the suite token is not valid or has expired; report it and call once more with another",
        "suite_access_token 无效或已过期；请上报后换用新 token 重试一次";
    /// The secret is wrong, or not this account's (40001 while fetching, 40125, WeCom 40091).
    SecretWrong, Configuration,
        "the secret is wrong or belongs to another account; copy it again from the account's console. After it was reset, the old one is void",
        "密钥（AppSecret / Secret）错误或不属于该账号；请到管理后台重新复制。重置后旧密钥立即失效";
    /// The appid or corpid does not exist (40013).
    IdInvalid, Configuration,
        "the appid or corpid is not valid; copy it again, mind upper and lower case",
        "AppID / CorpID 不合法；请重新复制，注意大小写";
    /// grant_type is wrong, or the body is not JSON (40002).
    GrantTypeInvalid, Configuration,
        "grant_type is wrong, or the body did not arrive as JSON; a proxy on the way may have changed the request",
        "grant_type 不合法或请求体不是 JSON；请检查途中代理是否改写了请求";
    /// The id is missing (41002).
    IdMissing, Configuration,
        "the appid or corpid did not arrive; a proxy on the way may have changed the request",
        "缺少 appid / corpid 参数；请检查途中代理是否改写了请求";
    /// The secret is missing (41004).
    SecretMissing, Configuration,
        "the secret did not arrive; a proxy on the way may have changed the request",
        "缺少 secret 参数；请检查途中代理是否改写了请求";
    /// The component's appid is missing (41018).
    ComponentIdMissing, Configuration,
        "component_appid did not arrive",
        "缺少 component_appid 参数";
    /// A POST was wanted (43002).
    PostRequired, Configuration,
        "the endpoint wants a POST; a proxy on the way may have changed the request",
        "需要使用 POST 请求；请检查途中代理是否改写了请求";
    /// HTTPS was wanted (43003).
    HttpsRequired, Configuration,
        "the endpoint wants HTTPS; use https:// in the base URL, and look for a proxy that downgrades",
        "需要使用 HTTPS；请在地址中使用 https://，并检查途中代理是否降级";
    /// The body is empty (44002).
    BodyEmpty, Configuration,
        "the body of the request is empty",
        "POST 数据包为空";
    /// The body is not JSON (47001).
    BodyNotJson, Configuration,
        "the body of the request could not be read as JSON",
        "请求体无法按 JSON 解析";
    /// This account must use the component's API (61024).
    UseComponentApi, Configuration,
        "this account is managed by a third party: it must use the component's interface",
        "该账号由第三方平台管理，须使用 component 接口获取";
    /// The component is not valid (61011).
    ComponentInvalid, Configuration,
        "the component is not valid; check component_appid",
        "component 不合法；请检查 component_appid";
    /// The component's or suite's pushed ticket is not valid or has expired (40085, 61005, 61006, open platform 40091).
    PushedTicketInvalid, Retry,
        "the pushed ticket is not valid or has expired; the next one comes within ten minutes. Does the push reach its address?",
        "推送的 ticket 无效或已过期；平台每十分钟推送一次，请确认推送地址可达";
    /// The refresh token of an authorised account is not valid (61023).
    RefreshTokenInvalid, Person,
        "the authorizer_refresh_token is not valid; take it anew from api_get_authorizer_list, or let the account authorise again",
        "authorizer_refresh_token 无效；请通过 api_get_authorizer_list 找回或重新授权";
    /// The account did not authorise the component (61003).
    NotAuthorised, Person,
        "the account has not authorised this component, or has withdrawn it; let it authorise again",
        "该账号未授权给此第三方平台或已取消授权；请重新授权";
    /// The caller's address is not on the allow-list (40164, 60020, 61004, 45035).
    AddressNotAllowed, Person,
        "this machine's address is not allowed; an administrator must add it to the IP allow-list in the account's console (WeCom: trusted IPs of the app)",
        "本机出口 IP 不在白名单；请管理员在后台「基本配置 - IP白名单」中添加（企业微信：应用的「企业可信IP」）";
    /// An administrator froze the secret (40243).
    SecretFrozen, Person,
        "the secret is frozen; an administrator must unfreeze it in the account's console, which takes ten minutes to act",
        "AppSecret 已被冻结；请管理员在后台解冻，约十分钟后生效";
    /// An earlier confirmation by the administrator is still pending (89501).
    ConfirmationPending, Person,
        "an administrator has been asked to allow this address and has not answered yet; they find the question in WeChat",
        "此 IP 正在等待管理员确认；请管理员在微信中处理";
    /// An administrator must confirm this address (89503).
    ConfirmationNeeded, Person,
        "an administrator must confirm this address in the message WeChat just sent them; a refusal locks the address out for an hour, the second for a day",
        "此 IP 调用需要管理员确认；请管理员在微信收到的消息中点击确认（拒绝一次锁定一小时，两次锁定一天）";
    /// An administrator refused this address twice: a day (89506).
    RefusedForADay, Person,
        "an administrator refused this address twice: it is locked out for 24 hours. Ask them before anything else is tried",
        "管理员已两次拒绝此 IP，24 小时内不可用；请先联系管理员";
    /// An administrator refused this address once: an hour (89507).
    RefusedForAnHour, Person,
        "an administrator refused this address: it is locked out for one hour. Ask them before it is tried again",
        "管理员已拒绝此 IP，1 小时内不可用；请先联系管理员";
    /// The account is limited (50002 of the platform and of the open platform).
    AccountLimited, Person,
        "the account is limited (frozen, or being moved); its administrator finds the reason in its console",
        "账号受限（冻结或迁移中）；请管理员在后台查看原因";
    /// The account is punished and may not have tokens (50004).
    AccountPunished, Person,
        "the account is under punishment and may not use tokens; its administrator finds the reason in its console",
        "账号处于处罚中，禁止使用 access_token；请管理员在后台查看通知";
    /// The account is frozen (50007).
    AccountFrozen, Person,
        "the account is frozen; its administrator finds the reason in its console",
        "账号已被冻结；请管理员在后台查看原因";
    /// The token is missing from the call (41001).
    TokenMissing, Never,
        "the call carries no token; it is a mistake in the program that calls",
        "调用缺少 access_token 参数；请检查调用方代码";
    /// A user's own authorisation became void (42007 of the platform). The account's token is fine.
    UserAuthorisationVoid, Never,
        "a user's own authorisation became void (password changed); let that user log in again. The account's token is not concerned",
        "用户修改密码导致其授权失效；请该用户重新授权，与账号的 access_token 无关";
    /// A pre-authorisation code expired (WeCom 42007).
    PreAuthCodeExpired, Never,
        "the pre_auth_code has expired; get another. The token is not concerned",
        "pre_auth_code 已过期；请重新获取，与 access_token 无关";
    /// The API was not granted to this account, app or component (48001, 61007).
    ApiNotGranted, Never,
        "this interface is not granted to the account, or the token belongs to an account of another kind; fetching another token does not help",
        "该接口未授权给此账号，或 token 与账号类型不符；重新获取 token 无济于事";
    /// The API is forbidden for this app (WeCom 48002).
    ApiForbidden, Never,
        "this interface is forbidden for the app; grant it in the app's permissions",
        "应用无权调用该接口；请在应用权限中开启";
    /// The API is banned (48004).
    ApiBanned, Person,
        "this interface is banned for the account; its administrator finds the reason in its console",
        "该接口已被封禁；请管理员在后台查看原因";
    /// This month's clear_quota calls are used up (48006).
    ClearQuotaUsedUp, Never,
        "this month's clear_quota calls are used up; they are back next month",
        "本月 clear_quota 次数已用完，下月恢复";
    /// A member is outside the app's visible scope (WeCom 50002).
    MemberOutOfScope, Never,
        "the member is outside the app's visible scope; widen it in the app's settings",
        "成员不在应用可见范围内；请在应用设置中调整";
    /// An openuserid is not valid (WeCom 40125).
    OpenUserIdInvalid, Never,
        "the open_userid is not valid",
        "open_userid 不合法";
    /// The token may not act for another app (WeCom 301002).
    WrongAgent, Never,
        "this token may not act for another app: agentid and secret belong to different apps",
        "无权操作其他应用：agentid 与 secret 不属于同一应用";
    /// A code this version does not know; treated as passing.
    Unknown, Retry,
        "the platform refused with a code this version does not know; look it up in its list of return codes. It may pass by itself",
        "平台返回了未收录的错误码；请查阅官方返回码说明，可能会自行恢复";
}
