//! HTTPS with the platform's own authority, and with certificates that are wrong on purpose.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Error};
use wxtoken_platform::{Account, Builder, Fault, FaultScope, Leaf, Platform, Quirks, Running, ServerKey, TlsVersions};

use super::client::{ID, SECRET, START, errcode, get, get_text, token_path};

fn builder() -> Builder {
    Platform::builder().account(Account::official(ID, SECRET)).start_at_ms(START).speed(0.0).tls(true)
}

fn platform(versions: TlsVersions) -> Running {
    builder().tls_versions(versions).start().unwrap()
}

fn fetch(platform: &Running) -> Result<String, Error> {
    let authority = Certificate::from_pem(platform.ca_pem().unwrap().as_bytes()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[authority])).build();
    let agent: Agent = Agent::config_builder().tls_config(tls).proxy(None).build().into();
    let url = format!("{}{}", platform.https_url().unwrap(), token_path());
    agent.get(url).call()?.body_mut().read_to_string()
}

#[test]
fn each_version_is_served() {
    for versions in [TlsVersions::Both, TlsVersions::Only12, TlsVersions::Only13] {
        let platform = platform(versions);
        assert!(fetch(&platform).unwrap().starts_with(r#"{"access_token":"#), "{versions:?}");
        assert_eq!(platform.counters().account(ID).minted, 1);
    }
}

#[test]
fn plain_http_can_be_refused() {
    let platform = platform(TlsVersions::Both);
    let mut quirks = Quirks::default();
    quirks.require_https = true;
    platform.set_quirks(quirks);
    assert_eq!(errcode(&get(&platform.http_url(), &token_path())), 43_003);
    assert!(fetch(&platform).unwrap().contains("access_token"));
}

#[test]
fn each_wrong_certificate_is_refused_by_a_client_that_looks() {
    for key in [ServerKey::Ecdsa, ServerKey::Rsa] {
        for versions in [TlsVersions::Only12, TlsVersions::Only13] {
            let platform = builder().tls_key(key).tls_versions(versions).start().unwrap();
            for (leaf, why) in [
                (Leaf::Expired, "Expired"),
                (Leaf::NotYetValid, "NotValidYet"),
                (Leaf::WrongHost, "NotValidForName"),
                (Leaf::SelfSigned, "UnknownIssuer"),
                // By its name it would be the right one: what is wrong is the signature, or the kind of it.
                (Leaf::ForeignAuthority, if key == ServerKey::Rsa { "InvalidCertificate" } else { "BadSignature" }),
                (Leaf::LeafAsIssuer, "EndEntityUsedAsCa"),
                (Leaf::None, "NoCertificatesPresented"),
            ] {
                platform.set_leaf(leaf).unwrap();
                let error = format!("{:?}", fetch(&platform).unwrap_err());
                assert!(error.contains(why), "{key:?}, {versions:?}, {leaf:?}: {error}");
            }
            assert_eq!(platform.counters().account(ID).minted, 0);
            platform.set_leaf(Leaf::Good).unwrap();
            assert!(fetch(&platform).is_ok());
        }
    }
}

/// The certificate shown to a client that trusts the platform's authority and asks for this name.
fn shown(platform: &Running, name: &str) -> Result<Vec<u8>, rustls::Error> {
    let mut session = session(platform, name);
    let mut socket = TcpStream::connect(platform.https_addr().unwrap()).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut socket).map_err(|error| error.downcast::<rustls::Error>().unwrap())?;
    }
    Ok(session.peer_certificates().unwrap()[0].to_vec())
}

#[test]
fn keys_are_of_the_kind_that_was_asked_for() {
    /// rsaEncryption (1.2.840.113549.1.1.1) in DER.
    const RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    for (key, rsa) in [(ServerKey::Ecdsa, false), (ServerKey::Rsa, true)] {
        let platform = builder().tls_key(key).start().unwrap();
        for certificate in [shown(&platform, "localhost").unwrap(), platform.ca_der().unwrap()] {
            assert_eq!(certificate.windows(RSA.len()).any(|part| part == RSA), rsa, "{key:?}");
        }
    }
}

#[test]
fn names_and_addresses_can_be_added() {
    let platform = builder().tls_name("10.0.2.2").tls_name("platform.lan").start().unwrap();
    for name in ["10.0.2.2", "platform.lan", "127.0.0.1", "api.weixin.qq.com"] {
        assert!(shown(&platform, name).is_ok(), "{name}");
    }
    assert!(shown(&platform, "10.0.2.3").is_err());
    platform.set_leaf(Leaf::WrongHost).unwrap();
    assert!(shown(&platform, "10.0.2.2").is_err());
    let nonsense = builder().tls_name("\u{e9}").start();
    assert!(nonsense.is_err(), "no certificate can carry it");
}

#[test]
fn faults_work_under_tls() {
    let platform = platform(TlsVersions::Both);
    for fault in [
        Fault::ReplyLost,
        Fault::Cut { after: 5 },
        Fault::ResetBefore,
        Fault::ResetMidBody { after: 5 },
        Fault::Raw { bytes: b"no http".to_vec() },
    ] {
        platform.fault(fault.clone(), FaultScope::next_call());
        assert!(fetch(&platform).is_err(), "{fault:?}");
    }
    platform.fault(Fault::Trickle { bytes: 20, every_ms: 0 }, FaultScope::next_call());
    assert!(fetch(&platform).is_ok());
}

#[test]
fn a_body_that_ends_with_the_connection_needs_a_close_notify() {
    let platform = platform(TlsVersions::Both);
    platform.fault(Fault::UntilClose, FaultScope::next_call());
    assert!(fetch(&platform).is_ok());
    platform.fault(Fault::NoCloseNotify, FaultScope::next_call());
    assert!(fetch(&platform).is_ok(), "its length says that it is whole");
}

/// A client's side of a connection, not begun yet.
fn session(platform: &Running, name: &str) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(platform.ca_der().unwrap().into()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = name.to_owned().try_into().unwrap();
    ClientConnection::new(Arc::new(config), name).unwrap()
}

/// All that comes back over TLS, or how reading ended: a missing `close_notify` shows as an unexpected end.
fn raw_over_tls(platform: &Running) -> std::io::Result<Vec<u8>> {
    let session = session(platform, "api.weixin.qq.com");
    let socket = TcpStream::connect(platform.https_addr().unwrap()).unwrap();
    let mut stream = StreamOwned::new(session, socket);
    stream.write_all(get_text(&token_path()).as_bytes())?;
    let mut output = Vec::new();
    stream.read_to_end(&mut output).map(|_| output)
}

#[test]
fn close_notify_is_sent_unless_it_is_the_fault_not_to() {
    let platform = platform(TlsVersions::Both);
    assert!(raw_over_tls(&platform).unwrap().starts_with(b"HTTP/1.1 200 OK\r\n"));
    for (fault, polite) in [
        (Fault::UntilClose, true),
        (Fault::NoCloseNotify, false),
        (Fault::Cut { after: 5 }, false),
        (Fault::ReplyLost, false),
    ] {
        platform.fault(fault.clone(), FaultScope::next_call());
        match raw_over_tls(&platform) {
            Ok(_) => assert!(polite, "{fault:?}"),
            Err(error) => assert!(!polite && error.kind() == ErrorKind::UnexpectedEof, "{fault:?}: {error}"),
        }
    }
}

#[test]
fn without_tls_there_is_no_authority() {
    let platform = super::client::frozen();
    assert!(platform.ca_pem().is_none() && platform.ca_der().is_none() && platform.https_url().is_none());
    assert!(platform.set_leaf(Leaf::Good).is_err());
}
