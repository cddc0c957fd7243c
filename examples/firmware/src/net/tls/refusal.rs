//! Why was there no TLS with a server, and what can a field engineer do about it?

use embedded_io::ErrorKind;
use mbedtls_rs::{SessionError, sys};
use wxtoken_embedded::ConnectError;

use crate::board::wall;

/// What may be wrong with a certificate, in the words of a field engineer; the first that fits comes first.
const WRONG: &[(u32, &str)] = &[
    (
        sys::MBEDTLS_X509_BADCERT_NOT_TRUSTED,
        "no authority that this device trusts has signed it; does somebody sit in between?",
    ),
    (sys::MBEDTLS_X509_BADCERT_CN_MISMATCH, "it is for another host than the base URL's"),
    (sys::MBEDTLS_X509_BADCERT_EXPIRED, "it has expired, or the device's date is wrong"),
    (sys::MBEDTLS_X509_BADCERT_FUTURE, "it is not valid yet, or the device's date is wrong"),
    (sys::MBEDTLS_X509_BADCERT_KEY_USAGE, "its key is for other uses"),
    (sys::MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "it is not for a server"),
    (sys::MBEDTLS_X509_BADCERT_BAD_MD, "its signature is of an outdated kind"),
    (sys::MBEDTLS_X509_BADCERT_BAD_KEY, "its key is too short, or of an outdated kind"),
];

/// Logs why the handshake failed. `verified`: Mbed TLS's flags for the chain that was shown.
pub(super) fn of(error: SessionError, verified: u32) -> ConnectError {
    let code = match error {
        SessionError::Io(ErrorKind::TimedOut) => return ConnectError::TimedOut,
        SessionError::Io(_) => {
            defmt::warn!("TLS: the server ended the connection during the handshake");
            return ConnectError::Tls;
        }
        SessionError::MbedTls(error) => error.code(),
    };
    match code {
        _ if is_of_x509(code) && wall::unix_time().is_none() => {
            defmt::warn!("TLS: this device does not know the date, and so believes no certificate");
            ConnectError::Certificate
        }
        sys::MBEDTLS_ERR_X509_CERT_VERIFY_FAILED => {
            for (_, why) in WRONG.iter().filter(|(flag, _)| verified & flag != 0) {
                defmt::warn!("TLS: the certificate is refused: {=str}", why);
            }
            ConnectError::Certificate
        }
        _ if is_of_x509(code) => {
            defmt::warn!("TLS: the certificate cannot be read; Mbed TLS says -{=u32:#06x}", code.unsigned_abs());
            ConnectError::Certificate
        }
        sys::MBEDTLS_ERR_SSL_ALLOC_FAILED => {
            defmt::error!("TLS: no memory left");
            ConnectError::Other
        }
        sys::MBEDTLS_ERR_SSL_CONN_EOF => {
            defmt::warn!("TLS: the server ended the connection during the handshake");
            ConnectError::Tls
        }
        _ => {
            defmt::warn!("TLS: no agreement with the server; Mbed TLS says -{=u32:#06x}", code.unsigned_abs());
            ConnectError::Tls
        }
    }
}

/// Its errors have numbers from -0x2080 to -0x2980, and -0x3000. What went wrong below is added in the lower 7 bits.
const fn is_of_x509(code: i32) -> bool {
    matches!(code.unsigned_abs() & 0xff80, 0x2080..=0x2980 | 0x3000)
}
