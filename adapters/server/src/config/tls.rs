//! With which certificate does the server answer, and whom does it ask for one? PEM files, which are read anew while it
//! runs.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::secret::only_ours;

/// More than a chain or a bundle of authorities has, in bytes.
const MAX_FILE: u64 = 1 << 20;

#[derive(Debug, Deserialize)]
pub(super) struct Table {
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
}

impl Table {
    pub(super) fn read(self, folder: &Path) -> Result<TlsSpec, String> {
        let spec = TlsSpec {
            cert: folder
                .join(self.cert.ok_or("`cert` is missing; name the PEM file of the certificate and its chain")?),
            key: folder.join(self.key.ok_or("`key` is missing; name the PEM file of the certificate's private key")?),
            client_ca: self.client_ca.map(|path| folder.join(path)),
        };
        spec.load().map(|_| spec)
    }
}

/// The files of `[tls]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsSpec {
    /// The certificate, and what chains it to its authority.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities of clients' certificates, where clients must have one.
    pub client_ca: Option<PathBuf>,
}

impl TlsSpec {
    /// When the certificate's time is over.
    ///
    /// # Errors
    /// What is wrong with the files, with the remedy. Nothing of a key is in it.
    pub fn valid_until(&self) -> Result<SystemTime, String> {
        self.load().map(|loaded| loaded.until)
    }

    /// Reads the files.
    pub(crate) fn load(&self) -> Result<Loaded, String> {
        let chain = certificates(&self.cert).map_err(|why| format!("cert {}: {why}", self.cert.display()))?;
        let first = chain.first().map(CertificateDer::as_ref).unwrap_or_default();
        let until = valid_until(first)
            .ok_or_else(|| format!("cert {}: the first certificate in it cannot be read", self.cert.display()))?;
        let key = private_key(&self.key).map_err(|why| format!("key {}: {why}", self.key.display()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let told = |why: String| format!("client_ca {}: {why}", path.display());
                let mut roots = RootCertStore::empty();
                for authority in certificates(path).map_err(told)? {
                    roots.add(authority).map_err(|error| told(error.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().map_err(|error| told(error.to_string()))?)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => format!(
                "the key {} is not that of the certificate {}; name the two that were made together",
                self.key.display(),
                self.cert.display()
            ),
            error => format!("cert {}: {error}", self.cert.display()),
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Loaded { config: Arc::new(config), until })
    }
}

/// Files that fit together.
pub(crate) struct Loaded {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) until: SystemTime,
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = read(path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err("it holds no certificate that can be read; give it in PEM format".to_owned()),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    only_ours(&fs::metadata(path).map_err(|error| error.to_string())?)?;
    // The library's error may repeat what it read.
    PrivateKeyDer::from_pem_slice(&read(path)?)
        .map_err(|_| "it holds no private key that can be read; give it in PEM format, without a password".to_owned())
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn valid_until(der: &[u8]) -> Option<SystemTime> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    // Before 1970: over, in any case.
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}
