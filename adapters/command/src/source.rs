//! Which client do the options describe?

use std::path::Path;
use std::time::Duration;

use wxtoken::{Builder, Client, Endpoint};

use crate::args::{self, Account, Kind};
use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};
use crate::secret::{self, Secret};
use crate::words;

/// Finds the secret and makes the client; nothing is sent. A secret that others can read is told of.
pub(crate) fn ready(account: &Account, api_base: Option<&str>, lang: Lang) -> Result<(Client, Secret), Stop> {
    let (endpoint, roots) = (endpoint(account, lang)?, roots(account, lang)?);
    let secret = secret::find(account, lang)?;
    if secret.exposed {
        words::warn(&words::exposed(&secret, lang));
    }
    let client = client_for_calls(account, api_base, endpoint, &secret, roots, lang)?;
    Ok((client, secret))
}

/// The endpoint that was asked for.
pub(crate) fn endpoint(account: &Account, lang: Lang) -> Result<&'static Endpoint, Stop> {
    match (account.kind, account.endpoint) {
        (_, Some(args::Endpoint::Server)) if account.base.is_none() => {
            let text = pick(
                lang,
                "--endpoint server needs --base, which says where the token server is, for instance https://tokens.lan:8440",
                "--endpoint server 需要用 --base 指明中控服务器的地址，例如 https://tokens.lan:8440",
            );
            Err(Stop::With(Exit::Usage, text.to_owned()))
        }
        (Kind::Work, Some(args::Endpoint::Server)) => Ok(&Endpoint::WORK_TOKEN_SERVER),
        (_, Some(args::Endpoint::Server)) => Ok(&Endpoint::TOKEN_SERVER),
        (Kind::Work, None) => Ok(&Endpoint::WORK),
        (Kind::Work, Some(_)) => {
            let text = pick(
                lang,
                "of --endpoint only `server` is for --kind work",
                "--kind work 只能与 --endpoint server 同用",
            );
            Err(Stop::With(Exit::Usage, text.to_owned()))
        }
        (_, None | Some(args::Endpoint::Stable)) => Ok(&Endpoint::STABLE_TOKEN),
        (_, Some(args::Endpoint::Token)) => Ok(&Endpoint::TOKEN),
    }
}

/// The certificates to trust, in PEM, if they are not Mozilla's.
pub(crate) fn roots(account: &Account, lang: Lang) -> Result<Option<Vec<u8>>, Stop> {
    account.ca.as_deref().map(|path| read(path, lang)).transpose()
}

fn read(path: &Path, lang: Lang) -> Result<Vec<u8>, Stop> {
    std::fs::read(path).map_err(|error| cannot_read(&path.display().to_string(), &error, lang))
}

/// The end of a command that cannot read what it was told to.
pub(crate) fn cannot_read(name: &str, error: &std::io::Error, lang: Lang) -> Stop {
    let text = match lang {
        Lang::Zh => format!("无法读取 {name}：{error}"),
        _ => format!("{name} cannot be read: {error}"),
    };
    Stop::With(Exit::Configuration, text)
}

/// The client, without a background thread: the command asks once and ends.
pub(crate) fn client(
    account: &Account,
    endpoint: &'static Endpoint,
    secret: &Secret,
    roots: Option<Vec<u8>>,
    lang: Lang,
) -> Result<Client, Stop> {
    client_for_calls(account, None, endpoint, secret, roots, lang)
}

/// The same with calls to another host, perhaps.
fn client_for_calls(
    account: &Account,
    api_base: Option<&str>,
    endpoint: &'static Endpoint,
    secret: &Secret,
    roots: Option<Vec<u8>>,
    lang: Lang,
) -> Result<Client, Stop> {
    let mut builder = Client::builder(endpoint, &account.id, secret.text.as_str())
        .background(false)
        .exchange_limit(Duration::from(account.timeout));
    if let Some(base) = &account.base {
        builder = builder.base(base);
    }
    if let Some(base) = api_base {
        builder = builder.api_base(base);
    }
    if account.allow_plain_http {
        builder = builder.allow_plain_http();
    }
    if let Some(path) = &account.cache {
        builder = builder.cache(path);
    }
    if let Some(roots) = roots {
        builder = builder.root_certificates(roots);
    }
    Builder::build(builder).map_err(|error| Stop::With(Exit::Configuration, words::config(&error, lang)))
}
