//! `wxtoken sign`: what does a page need to use the JS-SDK?

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wxtoken::{BadPage, Endpoint, SignError, SignedPage};

use crate::args::sign::{Sign, Ticket};
use crate::args::{Account, Kind};
use crate::exit::{Exit, Stop};
use crate::get::ONE_TRY;
use crate::lang::{Lang, pick};
use crate::output::Output;
use crate::{source, words};

pub(crate) fn run(args: &Sign, lang: Lang, out: &mut Output) -> Result<Exit, Stop> {
    let kind = ticket(args, lang)?;
    let (client, _) = source::ready(&args.account, args.api_base.as_deref(), lang)?;
    let mut tickets = client.ticket(kind).wait(Duration::from(args.wait).max(ONE_TRY));
    if let Some(path) = &args.account.cache {
        tickets = tickets.cache(beside(path, kind));
    }
    let tickets = tickets.build().map_err(|error| Stop::With(Exit::Configuration, words::config(&error, lang)))?;
    let page = tickets.sign(&args.url).map_err(|error| stop(&error, lang))?;
    if lacks_path(&page.url) {
        words::warn(pick(
            lang,
            "warning: a browser's location.href has a slash after the host; sign that address, or the page will be refused",
            "警告：浏览器的 location.href 在主机名后有斜杠；请对该地址签名，否则页面会被拒绝",
        ));
    }
    if args.json {
        out.line(json(&page)?)?;
    } else {
        for (name, value) in [
            ("appId", page.app_id.as_str()),
            ("timestamp", &page.timestamp_s.to_string()),
            ("nonceStr", page.nonce.as_str()),
            ("signature", page.signature.as_str()),
            ("url", &page.url),
        ] {
            out.line(format_args!("{name}: {value}"))?;
        }
    }
    Ok(Exit::Ok)
}

/// The ticket that was asked for, of the kind of account that has it.
fn ticket(args: &Sign, lang: Lang) -> Result<&'static Endpoint, Stop> {
    let wrong = |en: &str, zh: &str| Err(Stop::With(Exit::Usage, pick(lang, en, zh).to_owned()));
    match (&args.account, args.ticket) {
        (Account { kind: Kind::MiniProgram, .. }, _) => wrong(
            "mini programs have no pages to sign; --kind is official or work",
            "小程序没有需要签名的网页；--kind 应为 official 或 work",
        ),
        (Account { kind: Kind::Official, .. }, None | Some(Ticket::Jsapi)) => Ok(&Endpoint::JSAPI_TICKET),
        (Account { kind: Kind::Work, .. }, None | Some(Ticket::Corp)) => Ok(&Endpoint::WORK_JSAPI_TICKET),
        (Account { kind: Kind::Work, .. }, Some(Ticket::AgentConfig)) => Ok(&Endpoint::WORK_AGENT_TICKET),
        (Account { kind: Kind::Work, .. }, Some(Ticket::Jsapi)) => wrong(
            "--ticket jsapi is for --kind official; a WeCom app has corp and agent-config",
            "--ticket jsapi 仅用于 --kind official；企业微信应用请用 corp 或 agent-config",
        ),
        (Account { kind: Kind::Official, .. }, Some(Ticket::Corp | Ticket::AgentConfig)) => wrong(
            "this --ticket is for --kind work; an official account has jsapi",
            "该 --ticket 仅用于 --kind work；公众号请用 jsapi",
        ),
    }
}

/// The ticket's file beside the token's.
fn beside(path: &Path, ticket: &Endpoint) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(ticket.name());
    PathBuf::from(name)
}

fn lacks_path(url: &str) -> bool {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split('?').next().unwrap_or(rest);
    !host.contains('/')
}

fn json(page: &SignedPage) -> Result<String, Stop> {
    // Plain texts and numbers always serialise.
    serde_json::to_string(page).map_err(|error| Stop::With(Exit::Failed, error.to_string()))
}

fn stop(error: &SignError, lang: Lang) -> Stop {
    match error {
        SignError::Ticket(error) => words::stop_without(words::Credential::Ticket, error, lang),
        SignError::Page(why) => Stop::With(Exit::Usage, page(*why, lang)),
        SignError::Time => {
            let text = "系统时间未知，而签名需要时间；请校准系统时钟";
            Stop::With(Exit::Failed, pick(lang, &error.to_string(), text).to_owned())
        }
        // Not asked for here; and whatever the library may learn to say.
        _ => Stop::With(Exit::Failed, error.to_string()),
    }
}

fn page(why: BadPage, lang: Lang) -> String {
    let zh = match why {
        BadPage::Address => "网页地址须以 https:// 或 http:// 开头并包含主机名",
        BadPage::NotEncoded => "网页地址含有空格或非 ASCII 字符；请使用 location.href 的值（已百分号编码）",
        _ => return why.to_string(),
    };
    pick(lang, why.text(), zh).to_owned()
}
