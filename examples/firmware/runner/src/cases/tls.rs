//! Whom does an image with TLS trust? Certificates that are good, and each that is wrong in one way.

use wxtoken_platform::{Leaf, ServerKey, TlsVersions};

use super::{
    code,
    once::{Base, Door, NO_TOKEN, Once, Trusted},
};
use crate::images::Of;

fn good(name: &str, versions: TlsVersions, key: ServerKey) -> Once {
    let base = Base::Https(Door { versions, key, leaf: Leaf::Good });
    // On a machine that is busy with other things a handshake may take longer than a device has patience: it tries again.
    Once { of: Of::WithTls, base, attempts: 3, ..Once::named(name) }
}

/// The secret must not be sent to such a server: nothing is executed. With both versions, and both kinds of keys.
fn wrong(name: &str, leaf: Leaf, code: i32, says: &'static [&'static str]) -> [Once; 2] {
    [(TlsVersions::Only12, ServerKey::Rsa, "1.2, RSA"), (TlsVersions::Only13, ServerKey::Ecdsa, "1.3, ECDSA")].map(
        |(versions, key, which)| Once {
            of: Of::WithTls,
            base: Base::Https(Door { versions, key, leaf }),
            code,
            says,
            fetched: 0,
            alarms: NO_TOKEN,
            ..Once::named(format!("TLS {which}: {name}"))
        },
    )
}

pub(super) fn all() -> Vec<Once> {
    use ServerKey::{Ecdsa, Rsa};
    use TlsVersions::{Only12, Only13};

    const NOT_SENT: &str = "not sent to whom it does not trust";
    const STRANGER: &[&str] = &["no authority that this device trusts has signed it", NOT_SENT];
    const NONE: &[&str] = &["TLS: no agreement with the server"];
    let refused = |name, leaf, says| wrong(name, leaf, code::CERTIFICATE, says);
    let mut all = vec![
        good("TLS 1.2, RSA", Only12, Rsa),
        good("TLS 1.2, ECDSA", Only12, Ecdsa),
        good("TLS 1.3, RSA", Only13, Rsa),
        good("TLS 1.3, ECDSA", Only13, Ecdsa),
        Once {
            date: Some(0),
            code: code::CERTIFICATE,
            says: &["this device does not know the date", NOT_SENT],
            fetched: 0,
            alarms: NO_TOKEN,
            attempts: 1,
            ..good("TLS: the device has no date", Only13, Ecdsa)
        },
        Once {
            trusted: Trusted::BuiltIn,
            code: code::CERTIFICATE,
            says: STRANGER,
            fetched: 0,
            alarms: NO_TOKEN,
            attempts: 1,
            ..good("TLS: not one of WeChat's authorities", Only12, Rsa)
        },
        Once {
            trusted: Trusted::Missing,
            code: code::BAD_SETTINGS,
            says: &["the authorities to trust cannot be read"],
            fetched: 0,
            alarms: NO_TOKEN,
            attempts: 1,
            ..good("TLS: no authorities to trust", Only13, Ecdsa)
        },
        Once {
            of: Of::WithTls,
            base: Base::WrongPort,
            trusted: Trusted::BuiltIn,
            code: code::NO_TLS,
            says: &["TLS: no agreement with the server", "is it the right port?"],
            fetched: 0,
            alarms: NO_TOKEN,
            ..Once::named("TLS: a port that speaks plain HTTP")
        },
    ];
    let wrong = [
        refused("for another host", Leaf::WrongHost, &["it is for another host", NOT_SENT]),
        refused("expired", Leaf::Expired, &["it has expired", NOT_SENT]),
        refused("not yet valid", Leaf::NotYetValid, &["it is not valid yet", NOT_SENT]),
        refused("self-signed", Leaf::SelfSigned, STRANGER),
        refused("by an unknown authority", Leaf::ForeignAuthority, STRANGER),
        refused("a leaf as issuer", Leaf::LeafAsIssuer, STRANGER),
        wrong("no certificate at all", Leaf::None, code::NO_TLS, NONE),
    ];
    all.extend(wrong.into_iter().flatten());
    all
}
