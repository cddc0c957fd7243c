//! HTTPS with the platform's own authority, and with certificates that are wrong on purpose.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Error};
use wxtoken_platform::{Account, Fault, FaultScope, Leaf, Platform, Quirks, Running, TlsVersions};

use super::client::{ID, SECRET, START, errcode, get, get_text, token_path};

fn platform(versions: TlsVersions) -> Running {
    Platform::builder()
        .account(Account::official(ID, SECRET))
        .start_at_ms(START)
        .speed(0.0)
        .tls(true)
        .tls_versions(versions)
        .start()
        .unwrap()
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
    let platform = platform(TlsVersions::Both);
    for (leaf, why) in [
        (Leaf::Expired, "Expired"),
        (Leaf::NotYetValid, "NotValidYet"),
        (Leaf::WrongHost, "NotValidForName"),
        (Leaf::SelfSigned, "UnknownIssuer"),
        (Leaf::ForeignAuthority, "BadSignature"),
    ] {
        platform.set_leaf(leaf).unwrap();
        let error = format!("{:?}", fetch(&platform).unwrap_err());
        assert!(error.contains(why), "{leaf:?}: {error}");
    }
    assert_eq!(platform.counters().account(ID).minted, 0);
    platform.set_leaf(Leaf::Good).unwrap();
    assert!(fetch(&platform).is_ok());
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

/// All that comes back over TLS, or how reading ended: a missing `close_notify` shows as an unexpected end.
fn raw_over_tls(platform: &Running) -> std::io::Result<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    roots.add(platform.ca_der().unwrap().into()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "api.weixin.qq.com".try_into().unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
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
