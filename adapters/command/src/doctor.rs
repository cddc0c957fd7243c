//! `wxtoken doctor`: what keeps a token from being fetched, and what is to be done? Each step of the way is tried, told
//! in plain words, and where it fails, with what helps.
//!
//! It costs no quota that anybody would miss: a token in the cache is not fetched again, and without a cache an account
//! of the rotating endpoint is tried at `stable_token`, which checks the same id, secret and address and retires no
//! token that another program uses.

use wxtoken::core::{Base, Scheme};
use wxtoken::{Clock as _, Endpoint, SystemClock};

use crate::args;
use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};
use crate::output::Output;
use crate::{secret, source, words};

mod click;
mod date;
mod fetch;
mod handshake;
mod report;
mod way;

use report::Report;

/// What was found; `None` ends the examination, since nothing further can be learnt.
type Found<T> = Result<Option<T>, Stop>;

pub(crate) fn run(args: &args::Doctor, lang: Lang, out: &mut Output) -> Result<Exit, Stop> {
    let account = &args.account;
    let endpoint = source::endpoint(account, lang)?;
    let mut report = Report::new(out, lang);
    examine(account, endpoint, lang, &mut report)?;
    report.sum_up()
}

fn examine(
    account: &args::Account,
    wanted: &'static Endpoint,
    lang: Lang,
    report: &mut Report<'_>,
) -> Result<(), Stop> {
    let Some(secret) = report.take(secret::find(account, lang))? else { return Ok(()) };
    let Some(roots) = report.take(source::roots(account, lang))? else { return Ok(()) };
    let endpoint = fetch::endpoint(wanted, account.cache.is_some());
    let Some(client) = report.take(source::client(account, endpoint, &secret, roots.clone(), lang))? else {
        return Ok(());
    };
    let from = secret.from.words(lang);
    report.ok(&match lang {
        Lang::Zh => format!("配置：{}，{}，密钥来自{from}", account.id, wanted.name()),
        _ => format!("configuration: {} at {}, secret from {from}", account.id, wanted.name()),
    })?;
    if secret.exposed {
        report.warn(&words::exposed(&secret, lang), None)?;
    }

    let status = client.status();
    // The client was built with this base, so it can be read.
    let Ok(base) = Base::parse(&status.base) else { return Ok(()) };
    let limit = account.timeout.into();
    let Some(addresses) = way::resolve(&base, report)? else { return Ok(()) };
    let Some(stream) = way::connect(&addresses, limit, report)? else { return Ok(()) };
    let said = if base.scheme() == Scheme::Https {
        let Some(tls) = handshake::agree(stream, &base, roots.as_deref(), report)? else { return Ok(()) };
        date::ask(tls, &base, limit)
    } else {
        if !base.is_loopback() {
            let text = pick(lang, "plain http: the secret can be read on the way", "明文 http：密钥在途中可被读取");
            report.warn(text, None)?;
        }
        date::ask(stream, &base, limit)
    };
    date::compare(said, SystemClock::new().unix_time(), report)?;
    fetch::fetch(&client, wanted, endpoint, report)
}
