//! What do the subcommands have in common that use a token: the client, what is typed or piped in, and how they end?

use std::io::Read as _;
use std::time::Duration;

use wxtoken::{CALL_LIMIT, CallError, Client};

use crate::args::{Account, Calling};
use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};
use crate::{secret, source};

pub(crate) mod file;
pub(crate) mod progress;
mod sentences;

pub(crate) use sentences::stop;

/// What a subcommand works with.
pub(crate) struct Desk {
    pub(crate) client: Client,
    pub(crate) lang: Lang,
    pub(crate) limit: Duration,
    secret: secret::Secret,
}

impl Desk {
    /// Finds the secret and makes the client; nothing is sent.
    pub(crate) fn new(calling: &Calling, lang: Lang) -> Result<Self, Stop> {
        let (client, secret) = source::ready(&calling.account, calling.api_base.as_deref(), lang)?;
        let limit = calling.limit.map_or(CALL_LIMIT, Into::into);
        Ok(Self { client, lang, limit, secret })
    }

    /// The end of a subcommand whose call was not accepted.
    pub(crate) fn stop(&self, error: &CallError) -> Stop {
        stop(error, self.lang)
    }

    /// A refusal as it may be shown: a peer may have put the secret in.
    pub(crate) fn shown(&self, refusal: &[u8]) -> String {
        String::from_utf8_lossy(refusal).replace(self.secret.text.as_str(), "***")
    }
}

/// What an argument means: the text itself, `@FILE`, or `-` for standard input.
pub(crate) fn text(argument: &str, account: &Account, lang: Lang) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    let (name, result) = if argument == "-" {
        if secret::is_from_standard_input(account) {
            let text = pick(
                lang,
                "standard input cannot give both the secret and the data; set WXTOKEN_SECRET or use --secret-file",
                "标准输入不能同时提供密钥和数据；请设置 WXTOKEN_SECRET 或使用 --secret-file",
            );
            return Err(Stop::With(Exit::Usage, text.to_owned()));
        }
        (pick(lang, "standard input", "标准输入").to_owned(), std::io::stdin().lock().read_to_end(&mut bytes).map(drop))
    } else if let Some(path) = argument.strip_prefix('@') {
        (path.to_owned(), std::fs::read(path).map(|all| bytes = all))
    } else {
        return Ok(argument.as_bytes().to_vec());
    };
    result.map(|()| bytes).map_err(|error| source::cannot_read(&name, &error, lang))
}

/// The same as text; one newline at the end of what is read is dropped.
pub(crate) fn words_of(argument: &str, account: &Account, lang: Lang) -> Result<String, Stop> {
    let bytes = text(argument, account, lang)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Stop::With(Exit::Configuration, pick(lang, "the text is not UTF-8", "文本不是 UTF-8 编码").to_owned())
    })?;
    Ok(text.strip_suffix('\n').map_or_else(|| text.clone(), str::to_owned))
}
