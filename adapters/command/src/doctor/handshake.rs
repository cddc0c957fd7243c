//! Is TLS agreed upon, and is the certificate trusted? If not, the very reason is told.

use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, StreamOwned};
use wxtoken::core::Base;

use super::{Found, Report};
use crate::exit::Exit;
use crate::lang::{Lang, pick};

pub(crate) type Tls = StreamOwned<ClientConnection, TcpStream>;

pub(crate) fn agree(
    mut stream: TcpStream,
    base: &Base<'_>,
    roots: Option<&[u8]>,
    report: &mut Report<'_>,
) -> Found<Tls> {
    let host = base.host_str().trim_start_matches('[').trim_end_matches(']');
    let mut connection = match connection(host, roots) {
        Ok(connection) => connection,
        Err(error) => return report.fail(Exit::Configuration, &format!("TLS: {error}"), None),
    };
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut stream) {
            return match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
                Some(Error::InvalidCertificate(why)) => untrusted(why, host, report),
                Some(other) => not_agreed(&other.to_string(), report),
                None => not_agreed(&error.to_string(), report),
            };
        }
    }
    let version = connection.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS");
    report.ok(&match report.lang {
        Lang::Zh => format!("TLS：{version}，{host} 的证书受信任"),
        _ => format!("TLS: {version}, and the certificate of {host} is trusted"),
    })?;
    Ok(Some(StreamOwned::new(connection, stream)))
}

fn connection(host: &str, pem: Option<&[u8]>) -> Result<ClientConnection, Error> {
    let mut roots = RootCertStore::empty();
    match pem {
        // What cannot be read has been refused when the client was built.
        Some(pem) => _ = roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten()),
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::UnsupportedNameType)?;
    ClientConnection::new(Arc::new(config), name)
}

fn untrusted<T>(why: &CertificateError, host: &str, report: &mut Report<'_>) -> Found<T> {
    let lang = report.lang;
    let (text, remedy) = match why {
        CertificateError::UnknownIssuer => (
            pick(lang, "TLS: the certificate is issued by nobody who is trusted", "TLS：证书的签发者不受信任"),
            pick(
                lang,
                "does a proxy or firewall intercept TLS here? Give a private CA with --ca FILE",
                "途中是否有代理或防火墙拦截 TLS？私有 CA 请用 --ca 文件 指定",
            ),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            pick(lang, "TLS: the certificate has expired", "TLS：证书已过期"),
            pick(
                lang,
                "is the date of this machine right? Otherwise the server needs a new certificate",
                "请检查本机日期；若日期正确，则服务器须更换证书",
            ),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            pick(lang, "TLS: the certificate is not valid yet", "TLS：证书尚未生效"),
            pick(lang, "set the date of this machine", "请校准本机日期"),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            pick(lang, "TLS: the certificate is for another name", "TLS：证书与主机名不符"),
            pick(lang, "is the host in --base right, or does something else answer there?", "请检查 --base 中的主机名"),
        ),
        _ => (
            pick(lang, "TLS: the certificate is not trusted", "TLS：证书不受信任"),
            pick(lang, "look at what the server presents", "请检查服务器出示的证书"),
        ),
    };
    report.fail(Exit::Untrusted, &format!("{text} ({host})"), Some(remedy))
}

fn not_agreed<T>(why: &str, report: &mut Report<'_>) -> Found<T> {
    let text = match report.lang {
        Lang::Zh => format!("TLS：握手失败：{why}"),
        _ => format!("TLS: not agreed upon: {why}"),
    };
    let remedy = pick(
        report.lang,
        "is it the right port? TLS 1.2 or 1.3 is needed, and a middlebox may reset the connection",
        "请检查端口；需要 TLS 1.2 或 1.3，途中设备也可能中断连接",
    );
    report.fail(Exit::Later, &text, Some(remedy))
}
