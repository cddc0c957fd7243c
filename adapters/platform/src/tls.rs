//! Whom does the HTTPS door claim to be, and how does it speak? Its own certificate authority, leaves that are good or
//! wrong on purpose, and the versions of TLS.

mod authority;
mod keys;
mod leaf;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion};

use authority::Authority;
pub use keys::ServerKey;
pub use leaf::Leaf;

/// Which versions of TLS the HTTPS door speaks. Whether the real hosts speak 1.3 is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl TlsVersions {
    fn spoken(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Both => vec![&TLS12, &TLS13],
            Self::Only12 => vec![&TLS12],
            Self::Only13 => vec![&TLS13],
        }
    }
}

/// What the HTTPS door is to be like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    pub(crate) versions: TlsVersions,
    pub(crate) key: ServerKey,
    pub(crate) leaf: Leaf,
    /// What a good leaf is valid for, besides the names it is always valid for.
    pub(crate) names: Vec<String>,
}

pub(crate) struct Tls {
    authority: Authority,
    manner: Manner,
    acceptor: Mutex<TlsAcceptor>,
}

impl Tls {
    pub(crate) fn new(manner: Manner) -> io::Result<Self> {
        let authority = Authority::new(manner.key)?;
        let acceptor = acceptor(&authority, &manner, manner.leaf)?;
        Ok(Self { authority, manner, acceptor: Mutex::new(acceptor) })
    }

    pub(crate) fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    pub(crate) fn ca_der(&self) -> Vec<u8> {
        self.authority.der()
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// New connections see the new leaf; no session of the old one can be resumed.
    pub(crate) fn set_leaf(&self, leaf: Leaf) -> io::Result<()> {
        let acceptor = acceptor(&self.authority, &self.manner, leaf)?;
        *self.acceptor.lock().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }
}

fn acceptor(authority: &Authority, manner: &Manner, leaf: Leaf) -> io::Result<TlsAcceptor> {
    let shown = leaf::make(authority, manner, leaf)?;
    let provider = ring::default_provider();
    let key = provider.key_provider.load_private_key(shown.key).map_err(io::Error::other)?;
    let resolver = Arc::new(Always(Arc::new(CertifiedKey::new(shown.chain, key))));
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&manner.versions.spoken())
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Shows the same chain to everybody. A resolver of our own, because the library's refuses a chain that is wrong.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
