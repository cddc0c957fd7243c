//! Whom does an image with TLS trust? Certificates that are good, and each that is wrong in one way.

use wxtoken_platform::{Leaf, TlsVersions};

use super::{
    code,
    once::{Base, NO_TOKEN, Once},
};
use crate::images::Of;

fn good(name: &str, versions: TlsVersions) -> Once {
    Once { of: Of::WithTls, base: Base::Https(versions, Leaf::Good), ..Once::named(name) }
}

/// The secret must not be sent to such a server: nothing is executed.
fn wrong(name: &str, leaf: Leaf) -> Once {
    Once {
        of: Of::WithTls,
        base: Base::Https(TlsVersions::Both, leaf),
        code: code::NO_CONNECTION,
        says: &["the server's certificate is not trusted"],
        fetched: 0,
        alarms: NO_TOKEN,
        ..Once::named(name)
    }
}

pub(super) fn all() -> Vec<Once> {
    vec![
        good("TLS: 1.2", TlsVersions::Only12),
        good("TLS: 1.3", TlsVersions::Only13),
        wrong("TLS: for another host", Leaf::WrongHost),
        wrong("TLS: expired", Leaf::Expired),
        wrong("TLS: not yet valid", Leaf::NotYetValid),
        wrong("TLS: self-signed", Leaf::SelfSigned),
        wrong("TLS: by an unknown authority", Leaf::ForeignAuthority),
    ]
}
