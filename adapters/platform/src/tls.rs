//! Whom does the HTTPS door claim to be? Its own certificate authority, and leaves that are good or wrong on purpose.
//!
//! The validity dates are fixed, so that no clock is read. Keys are P-256: the provider in use makes no RSA keys,
//! which the real platform's certificates have.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion};

/// The names that a good leaf is valid for, besides the loopback addresses: this machine's, and the platform's hosts.
const HOSTS: [&str; 4] = ["localhost", "api.weixin.qq.com", "api2.weixin.qq.com", "qyapi.weixin.qq.com"];

/// Which certificate the HTTPS door shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Leaf {
    /// Valid from 2020 to 2049 for `localhost`, the loopback addresses, and the platform's host names.
    #[default]
    Good,
    /// Ran out in February 2020.
    Expired,
    /// Not valid before 2049.
    NotYetValid,
    /// Good, but for `wrong.invalid` only.
    WrongHost,
    /// Signed by itself and not by the authority.
    SelfSigned,
    /// Signed by another authority, of the same name.
    ForeignAuthority,
}

/// Which versions of TLS the HTTPS door speaks. Whether the real hosts speak 1.3 is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 only.
    Only12,
    /// 1.3 only.
    Only13,
}

pub(crate) struct Tls {
    authority: Authority,
    versions: TlsVersions,
    acceptor: Mutex<TlsAcceptor>,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

impl Tls {
    pub(crate) fn new(versions: TlsVersions, leaf: Leaf) -> io::Result<Self> {
        let authority = authority()?;
        let acceptor = acceptor(&authority, versions, leaf)?;
        Ok(Self { authority, versions, acceptor: Mutex::new(acceptor) })
    }

    pub(crate) fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    pub(crate) fn ca_der(&self) -> Vec<u8> {
        self.authority.der().to_vec()
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// New connections see the new leaf; no session of the old one can be resumed.
    pub(crate) fn set_leaf(&self, leaf: Leaf) -> io::Result<()> {
        let acceptor = acceptor(&self.authority, self.versions, leaf)?;
        *self.acceptor.lock().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }
}

fn authority() -> io::Result<Authority> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "wxtoken-platform test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Authority::self_signed(params, key()?).map_err(io::Error::other)
}

fn acceptor(authority: &Authority, versions: TlsVersions, leaf: Leaf) -> io::Result<TlsAcceptor> {
    let params = leaf_params(leaf)?;
    let key = key()?;
    let certificate = match leaf {
        Leaf::SelfSigned => params.self_signed(&key),
        Leaf::ForeignAuthority => {
            let foreign = self::authority()?;
            params.signed_by(&key, &*foreign)
        }
        _ => params.signed_by(&key, authority),
    };
    let certificate: CertificateDer<'static> = certificate.map_err(io::Error::other)?.der().clone();
    let versions: &[&SupportedProtocolVersion] = match versions {
        TlsVersions::Both => &[&TLS12, &TLS13],
        TlsVersions::Only12 => &[&TLS12],
        TlsVersions::Only13 => &[&TLS13],
    };
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], private))
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn leaf_params(leaf: Leaf) -> io::Result<CertificateParams> {
    let name = |host: &str| Ia5String::try_from(host).map(SanType::DnsName).map_err(io::Error::other);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "wxtoken-platform");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = if leaf == Leaf::WrongHost {
        vec![name("wrong.invalid")?]
    } else {
        let mut names = HOSTS.into_iter().map(name).collect::<io::Result<Vec<_>>>()?;
        names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        names.push(SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        names
    };
    (params.not_before, params.not_after) = match leaf {
        Leaf::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1)),
        Leaf::NotYetValid => (date_time_ymd(2049, 1, 1), date_time_ymd(2049, 12, 31)),
        _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2049, 12, 31)),
    };
    Ok(params)
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}
