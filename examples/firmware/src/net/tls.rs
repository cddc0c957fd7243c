//! How does the device speak TLS, and whom does it believe? Mbed TLS over either network: [`blocking`] and, with the feature
//! `async`, [`asynch`].
//!
//! TLS 1.2 or 1.3. A server must show a chain to one of the authorities that the device trusts, for the very host of the
//! base URL, valid on the day of the device's clock. A device that does not know the date believes nobody. A base URL
//! with `http` is spoken to in the clear, as the plain images do: it is for a central server on the LAN.

#[cfg(feature = "async")]
pub mod asynch;
mod authorities;
pub mod blocking;
mod refusal;
mod stream;

use core::ffi::CStr;

use mbedtls_rs::{AuthMode, Certificate, ClientSessionConfig, SessionConfig, Tls, TlsReference, TlsVersion, X509};
use wxtoken_embedded::{ConnectError, core::Base};

pub use stream::Stream;

use crate::{board, boot, provision::Settings};

/// The longest name of a host is 253 bytes (RFC 1035); one more for the zero at its end.
const NAME: usize = 254;

/// Whom the device believes, and the one Mbed TLS there is.
pub struct Trust {
    tls: Tls<'static>,
    config: SessionConfig<'static>,
}

impl Trust {
    /// Starts Mbed TLS and reads the authorities to trust.
    ///
    /// # Errors
    /// An exit code, with the reason in the log.
    // The parser needs much stack, which a caller that goes on should not keep.
    #[inline(never)]
    pub fn start(settings: &Settings<'_>) -> Result<Self, u32> {
        let tls = board::tls::start().map_err(|why| {
            defmt::error!("board: no TLS: {}", why);
            boot::BAD_BOARD
        })?;
        let ca_chain = authorities::read(settings, |pem| Certificate::new(X509::PEM(pem)))?;
        let config = SessionConfig::Client(ClientSessionConfig {
            ca_chain: Some(ca_chain),
            auth_mode: AuthMode::Required,
            min_version: TlsVersion::Tls1_2,
            ..ClientSessionConfig::new()
        });
        Ok(Self { tls, config })
    }

    fn tls(&self) -> TlsReference<'_> {
        self.tls.reference()
    }
}

/// Calls `then` with the host of `base` as the name that the certificate must be for.
fn with_name<T>(base: Base<'_>, then: impl FnOnce(&CStr) -> T) -> Result<T, ConnectError> {
    let mut name = [0; NAME];
    let host = base.host_str().as_bytes();
    name.get_mut(..host.len()).filter(|_| host.len() < NAME).ok_or(ConnectError::NameNotFound)?.copy_from_slice(host);
    CStr::from_bytes_until_nul(&name).map(then).map_err(|_| ConnectError::NameNotFound)
}
