//! Which certificate is shown? One that is good, and one for each thing that can be wrong with it.
//!
//! The validity dates are fixed, so that no clock is read.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::Manner;
use super::authority::Authority;
use super::keys::{Holder, ServerKey};

/// The names that a good leaf is valid for, besides the loopback addresses: this machine's, and the platform's hosts.
const HOSTS: [&str; 4] = ["localhost", "api.weixin.qq.com", "api2.weixin.qq.com", "qyapi.weixin.qq.com"];

/// Which certificate the HTTPS door shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Leaf {
    /// Valid from 2020 to 2049 for `localhost`, the loopback addresses, the platform's host names, and those
    /// [added](crate::Builder::tls_name).
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
    /// Signed by another leaf of the authority, which has no right to sign (CA:FALSE) and is sent along.
    LeafAsIssuer,
    /// None: the list of certificates is empty, and the handshake goes on as if it were not.
    None,
}

/// What a server shows, and the key it proves it with.
pub(super) struct Shown {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

pub(super) fn make(authority: &Authority, manner: &Manner, leaf: Leaf) -> io::Result<Shown> {
    let params = params(leaf, &manner.names)?;
    let key = manner.key.make(Holder::Leaf)?;
    let mut between = None;
    let made = match leaf {
        Leaf::SelfSigned => params.self_signed(&key),
        Leaf::ForeignAuthority => {
            // Whatever kind the keys are of: one of RSA would be the same for both authorities.
            let foreign = Authority::new(ServerKey::Ecdsa)?;
            params.signed_by(&key, foreign.issuer())
        }
        Leaf::LeafAsIssuer => {
            let mut middle = self::params(Leaf::Good, &[])?;
            middle.distinguished_name.push(DnType::CommonName, "wxtoken-platform, a leaf");
            middle.is_ca = IsCa::ExplicitNoCa;
            let middle_key = KeyPair::generate().map_err(io::Error::other)?;
            let certificate = middle.signed_by(&middle_key, authority.issuer()).map_err(io::Error::other)?;
            between = Some(certificate.der().clone());
            params.signed_by(&key, &Issuer::new(middle, middle_key))
        }
        _ => params.signed_by(&key, authority.issuer()),
    };
    let mut chain = vec![made.map_err(io::Error::other)?.der().clone()];
    chain.extend(between);
    if leaf == Leaf::None {
        chain.clear();
    }
    Ok(Shown { chain, key: PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())) })
}

fn params(leaf: Leaf, more: &[String]) -> io::Result<CertificateParams> {
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
        for text in more {
            names.push(text.parse().map_or_else(|_| name(text), |ip| Ok(SanType::IpAddress(ip)))?);
        }
        names
    };
    (params.not_before, params.not_after) = match leaf {
        Leaf::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1)),
        Leaf::NotYetValid => (date_time_ymd(2049, 1, 1), date_time_ymd(2049, 12, 31)),
        _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2049, 12, 31)),
    };
    Ok(params)
}

fn name(host: &str) -> io::Result<SanType> {
    Ia5String::try_from(host).map(SanType::DnsName).map_err(io::Error::other)
}
