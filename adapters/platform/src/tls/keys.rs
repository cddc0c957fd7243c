//! Which keys do the authority and the leaves have?

use std::io;
use std::sync::OnceLock;

use rcgen::{KeyPair, PKCS_RSA_SHA256};
use rsa::pkcs8::EncodePrivateKey;
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// The kind of key that the HTTPS door's certificate and its authority have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServerKey {
    /// ECDSA on P-256, made in no time.
    #[default]
    Ecdsa,
    /// RSA of 2048 bits with SHA-256, as the real platform's certificates. Made once for all platforms of a process, which
    /// takes some tenths of a second in a release build.
    Rsa,
}

/// Whose key it is: the two must differ, or a leaf that signs itself would be signed by the authority's key.
#[derive(Clone, Copy)]
pub(super) enum Holder {
    Authority,
    Leaf,
}

impl ServerKey {
    pub(super) fn make(self, holder: Holder) -> io::Result<KeyPair> {
        match self {
            Self::Ecdsa => KeyPair::generate().map_err(io::Error::other),
            Self::Rsa => {
                let der = PrivatePkcs8KeyDer::from(rsa_der(holder)?);
                KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256).map_err(io::Error::other)
            }
        }
    }
}

/// The provider in use signs with RSA keys and makes none. The crate that makes them does nothing else here: it never
/// signs or decrypts, which is what its open advisory about timing is about.
fn rsa_der(holder: Holder) -> io::Result<&'static [u8]> {
    static KEYS: [OnceLock<Vec<u8>>; 2] = [OnceLock::new(), OnceLock::new()];
    let made = match holder {
        Holder::Authority => &KEYS[0],
        Holder::Leaf => &KEYS[1],
    };
    if let Some(der) = made.get() {
        return Ok(der);
    }
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).map_err(io::Error::other)?;
    let der = key.to_pkcs8_der().map_err(io::Error::other)?;
    // Somebody else may have been faster; then theirs is taken.
    Ok(made.get_or_init(|| der.as_bytes().to_vec()))
}
