//! How is a video got whose address the platform gave? Without a token: the address is all that it takes.

use std::io::{ErrorKind, Read as _};
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use wxtoken::ReplySink;

use crate::exit::{Exit, Stop};
use crate::lang::{Lang, pick};

/// Without progress for so long, it is given up.
const STALL: Duration = Duration::from_secs(10);

pub(super) fn fetch(
    url: &str,
    roots: Option<Vec<u8>>,
    limit: Duration,
    sink: &mut dyn ReplySink,
    lang: Lang,
) -> Result<(), Stop> {
    let later = |why: &str| {
        let head = pick(lang, "the video could not be got, try later: ", "视频下载失败，请稍后再试：");
        Stop::With(Exit::Later, format!("{head}{why}"))
    };
    // The kind of an error alone: its text may hold the address, by which anybody could get the video.
    let mut reply = agent(roots, limit).get(url).call().map_err(|error| {
        later(match error {
            ureq::Error::Timeout(_) => pick(lang, "no reply in time", "限定时间内没有收到应答"),
            _ => pick(lang, "no reply from the host of the video", "视频所在主机没有应答"),
        })
    })?;
    if !reply.status().is_success() {
        return Err(later(&format!("HTTP {}", reply.status().as_u16())));
    }
    let failed = |error: std::io::Error| Stop::With(Exit::Failed, error.to_string());
    sink.begin(reply.body().content_length()).map_err(failed)?;
    let mut reader = reply.body_mut().as_reader();
    let mut room = [0; 16 << 10];
    loop {
        match reader.read(&mut room) {
            Ok(0) => return sink.flush().map_err(failed),
            Ok(n) => sink.write_all(room.get(..n).unwrap_or_default()).map_err(failed)?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => {
                return Err(later(pick(lang, "the connection broke before it was complete", "连接在下载完成前中断")));
            }
        }
    }
}

fn agent(roots: Option<Vec<u8>>, limit: Duration) -> Agent {
    let certificates: Option<Vec<_>> = roots.map(|pem| {
        parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect()
    });
    let roots = certificates.map_or(RootCerts::WebPki, RootCerts::from);
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(roots)
        .build();
    Agent::config_builder()
        .proxy(None)
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(3)
        .timeout_global(Some(limit))
        .timeout_per_read(Some(STALL))
        .timeout_connect(Some(STALL))
        .build()
        .new_agent()
}
