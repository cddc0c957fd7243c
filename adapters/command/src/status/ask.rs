//! How is the server asked? Page by page, with the key in a header and nowhere else.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use wxtoken::core::{Base, Scheme};
use zeroize::Zeroizing;

use crate::args::{AccountState, Status};
use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};

/// A page of a thousand accounts has less than a megabyte.
const MAX_PAGE: u64 = 8 << 20;
/// A hundred thousand accounts, and a bound to whatever a server says.
const MAX_PAGES: usize = 100;
const LIMIT: Duration = Duration::from_secs(15);

pub(super) struct Asker<'a> {
    agent: Agent,
    base: String,
    header: Zeroizing<String>,
    states: &'a [AccountState],
    lang: Lang,
}

impl<'a> Asker<'a> {
    pub(super) fn new(args: &'a Status, key: Zeroizing<String>, lang: Lang) -> Result<Self, Stop> {
        let wrong = |text: String| Stop::With(Exit::Configuration, text);
        let base = Base::parse(&args.server).map_err(|bad| wrong(format!("--server: {bad}")))?;
        if base.scheme() == Scheme::Http && !base.is_loopback() && !args.allow_plain_http {
            return Err(wrong(
                pick(
                    lang,
                    "--server: plain http to another machine would show the key on the way; use https://, or --allow-plain-http for a network you vouch for",
                    "--server：明文 http 会在途中暴露 key；请使用 https://，或在可信网络中加 --allow-plain-http",
                )
                .to_owned(),
            ));
        }
        let roots = match &args.ca {
            None => RootCerts::WebPki,
            Some(path) => {
                let pem = std::fs::read(path).map_err(|error| wrong(format!("--ca: {}: {error}", path.display())))?;
                let found = parse_pem(&pem).filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                });
                let found: Vec<_> = found.collect();
                if found.is_empty() {
                    return Err(wrong(format!("--ca: {} has no certificate in PEM", path.display())));
                }
                RootCerts::from(found)
            }
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .timeout_global(Some(LIMIT))
            .build();
        let header = Zeroizing::new(format!("Bearer {}", key.as_str()));
        Ok(Self { agent: config.new_agent(), base: base.to_string(), header, states: &args.state, lang })
    }

    /// All pages in one, less the accounts that are not asked for.
    pub(super) fn all(&self) -> Result<Value, Stop> {
        let mut all = self.page("")?;
        let mut next = all["next"].as_str().map(str::to_owned);
        for _ in 1..MAX_PAGES {
            let Some(after) = next.take() else { break };
            let page = self.page(&after)?;
            next = page["next"].as_str().map(str::to_owned);
            if let (Some(all), Some(more)) = (all["accounts"].as_array_mut(), page["accounts"].as_array()) {
                all.extend_from_slice(more);
            }
        }
        if let Some(accounts) = all["accounts"].as_array_mut() {
            accounts.retain(|account| self.wants(account));
        }
        if let Some(all) = all.as_object_mut() {
            all.insert("next".to_owned(), json!(next));
        }
        Ok(all)
    }

    fn wants(&self, account: &Value) -> bool {
        let named = |state: &AccountState| {
            let name = match state {
                AccountState::Down => "down",
                AccountState::Failing => "failing",
                AccountState::Waiting => "waiting",
                AccountState::Refreshing => "refreshing",
                AccountState::Ok => "ok",
            };
            account["state"] == name
        };
        self.states.is_empty() || self.states.iter().any(named)
    }

    fn page(&self, after: &str) -> Result<Value, Stop> {
        let url = format!("{}/v1/status", self.base.trim_end_matches('/'));
        let mut header =
            ureq::http::HeaderValue::from_str(&self.header).map_err(|_| self.key("the key is not text"))?;
        // Then the HTTP library shows it nowhere either.
        header.set_sensitive(true);
        let request = self.agent.get(&url).query("after", after).header(ureq::http::header::AUTHORIZATION, header);
        let mut reply = request.call().map_err(|error| self.not_reached(&error))?;
        match reply.status().as_u16() {
            200 => {
                let text = reply.body_mut().with_config().limit(MAX_PAGE).read_to_string();
                let page = text.ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
                page.filter(|page| page["accounts"].is_array()).ok_or_else(|| {
                    let text = pick(
                        self.lang,
                        "the answer is not that of a token server; is the URL right?",
                        "应答不是 token 服务器的；URL 是否正确？",
                    );
                    Stop::With(Exit::Later, text.to_owned())
                })
            }
            401 => Err(self.key(pick(
                self.lang,
                "the server does not know this key, or not from this address; its operator gives out keys (wxtoken key new)",
                "服务器不认识这个 key，或不允许来自此地址；key 由服务器运维发放（wxtoken key new）",
            ))),
            status => {
                let text = match self.lang {
                    Lang::Zh => format!("HTTP 状态码 {status}；{} 是 token 服务器吗？", self.base),
                    _ => format!("HTTP status {status}; is {} a token server?", self.base),
                };
                Err(Stop::With(Exit::Later, text))
            }
        }
    }

    fn key(&self, text: &str) -> Stop {
        Stop::With(Exit::Configuration, text.to_owned())
    }

    /// By variant and never by text, which may repeat the URL.
    fn not_reached(&self, error: &ureq::Error) -> Stop {
        let untrusted = match error {
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) => true,
            ureq::Error::Io(error) => error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()),
            _ => false,
        };
        if untrusted {
            let text = pick(
                self.lang,
                "the server's certificate is not trusted; give a private authority with --ca, and look at the system's date",
                "服务器证书不受信任；私有 CA 请用 --ca 指定，并检查系统日期",
            );
            return Stop::With(Exit::Untrusted, text.to_owned());
        }
        let text = match self.lang {
            Lang::Zh => format!("无法连接 {}；服务器是否在运行，地址和端口是否正确？", self.base),
            _ => format!("{} was not reached; is the server running, are address and port right?", self.base),
        };
        Stop::With(Exit::Later, text)
    }
}
