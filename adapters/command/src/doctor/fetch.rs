//! Does the account get a token? Through the cache, and at an endpoint where asking harms nobody.

use std::time::Duration;

use wxtoken::core::Repeat;
use wxtoken::{Client, Endpoint, Error, Reason, Source};

use super::{Report, click};
use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};
use crate::words;

/// The endpoint to ask instead of `wanted`. See the module's text.
pub(crate) fn endpoint(wanted: &'static Endpoint, cached: bool) -> &'static Endpoint {
    if wanted.repeat() == Repeat::Rotates && !cached { &Endpoint::STABLE_TOKEN } else { wanted }
}

pub(crate) fn fetch(
    client: &Client,
    wanted: &'static Endpoint,
    asked: &'static Endpoint,
    report: &mut Report<'_>,
) -> Result<(), Stop> {
    let lang = report.lang;
    if wanted != asked {
        report.warn(
            pick(
                lang,
                "token: asked stable_token instead, since a fetch from /cgi-bin/token would retire the token in use",
                "token：改用 stable_token 检查，因为从 /cgi-bin/token 获取会使正在使用的 token 失效",
            ),
            Some(pick(lang, "give --cache FILE to try the endpoint itself", "如需检查该接口本身，请指定 --cache 文件")),
        )?;
    }
    // One try: whoever asks a doctor wants to know now.
    match client.token_within(Duration::from_millis(1)) {
        Ok(token) => {
            let minutes = client.remaining(&token).as_secs() / 60;
            let cached = client.status().source == Some(Source::Cached);
            report.ok(&match (lang, cached) {
                (Lang::Zh, true) => format!("token：缓存中有效，剩余 {minutes} 分钟（未发起获取）"),
                (Lang::Zh, false) => format!("token：已获取，剩余 {minutes} 分钟"),
                (_, true) => format!("token: the one in the cache is valid for {minutes} min (nothing was fetched)"),
                (_, false) => format!("token: fetched, valid for {minutes} min"),
            })
        }
        Err(error) => explain(&error, asked, report),
    }
}

fn explain(error: &Error, asked: &Endpoint, report: &mut Report<'_>) -> Result<(), Stop> {
    let lang = report.lang;
    let Some(reason) = error.reason() else {
        let text = pick(lang, "token: none in time", "token：限定时间内未获得");
        return report.fail::<()>(Exit::Later, text, None).map(drop);
    };
    let text = format!("token{}{}", pick(lang, ": ", "："), words::reason(reason, lang));
    report.fail::<()>(Exit::of(reason), &text, None)?;
    if let Reason::Refused(refusal) = reason {
        if let Some(place) = click::place(refusal.meaning(), asked.product(), lang) {
            report.remedy(place)?;
        }
        if let (Exit::Person, Some(address)) = (Exit::of(reason), refusal.address()) {
            report.remedy(&match lang {
                Lang::Zh => format!("要添加的地址：{address}"),
                _ => format!("the address to allow: {address}"),
            })?;
        }
    }
    Ok(())
}
