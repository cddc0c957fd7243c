//! Where else than on plain loopback may a server be asked? Over TLS, with clients' certificates if it wants them, and on a
//! Unix socket.

#![cfg(unix)]

#[path = "common/mod.rs"]
mod common;
#[path = "common/server.rs"]
mod server;

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use common::{ID, SECRET, command, platform};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use server::{Configuration, KEY, Server, ask, ask_on};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn write(path: &str, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Writes a certificate for 127.0.0.1 and its key, and returns the lines that name them.
fn certificate(configuration: &Configuration, of: &Issuer, mode: u32) -> String {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    write(&configuration.file("cert.pem"), &params.signed_by(&key, of).unwrap().pem(), 0o644);
    write(&configuration.file("key.pem"), &key.serialize_pem(), mode);
    "[tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n".to_owned()
}

/// What `wxtoken status` makes of it: its exit code, and all that it said.
fn status(server: &Server, scheme: &str, ca: &str) -> (Option<i32>, String) {
    let url = format!("{scheme}://{}", server.address);
    let out = command(&["status", "--server", &url, "--ca", ca, "-vvv"]).env("WXTOKEN_KEY", KEY).output().unwrap();
    (out.status.code(), String::from_utf8([out.stdout, out.stderr].concat()).unwrap())
}

#[test]
fn it_is_asked_over_tls_by_whoever_trusts_its_certificate() {
    let platform = platform().start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    let (ours, other) = (authority(), authority());
    let (ca, wrong) = (configuration.file("ca.pem"), configuration.file("wrong.pem"));
    write(&ca, &ours.pem(), 0o644);
    write(&wrong, &other.pem(), 0o644);
    let tls = certificate(&configuration, &ours, 0o600);
    configuration.official("shop", ID).more(&tls, "");
    let server = configuration.start(&["-vvv"]);
    // Before the first reader: nothing is known yet, and nothing plain is answered.
    assert!(ask(server.address, "GET", "/healthz", "").is_err());
    let (code, said) = loop {
        // The first fetch is under way.
        let (code, said) = status(&server, "https", &ca);
        if !said.contains("waiting") && !said.contains("refreshing") {
            break (code, said);
        }
    };
    assert!(code == Some(0) && said.contains("shop") && !said.contains(KEY), "{code:?} {said}");
    let (code, said) = status(&server, "https", &wrong);
    assert!(code == Some(6) && said.contains("--ca") && !said.contains(KEY), "{code:?} {said}");
    let (code, said) = status(&server, "http", &ca);
    assert!(code == Some(5) && !said.contains(KEY), "{code:?} {said}");
    // Clients' certificates are asked for from the next start on.
    server.signal("TERM");
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("PRIVATE KEY") && !log.contains(SECRET) && !log.contains(KEY), "{log}");
    configuration.more(&format!("{tls}client_ca = \"ca.pem\"\n"), "");
    let server = configuration.start(&[]);
    let (code, said) = status(&server, "https", &ca);
    assert!(code != Some(0) && !said.contains("shop"), "{code:?} {said}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let mut configuration = Configuration::new("http://127.0.0.1:1");
    let tls = certificate(&configuration, &authority(), 0o644);
    configuration.official("shop", ID).more(&tls, "").write();
    let out = configuration.command(&["--check"]).output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(
        out.status.code() == Some(3) && said.contains("key.pem") && said.contains("chmod"),
        "{:?} {said}",
        out.status
    );
}

#[test]
fn it_is_asked_on_a_socket_which_goes_with_it() {
    let platform = platform().start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    let path = configuration.file("w.sock");
    configuration.official("shop", ID).more("[unix]\npath = \"w.sock\"\n", "networks = [\"192.0.2.0/24\"]\n");
    let server = configuration.start(&[]);
    let asked = || ask_on(UnixStream::connect(&path).unwrap(), "GET", "/v1/accounts/shop/token", "").unwrap();
    // Where it comes from has no network: those named bind on the port only.
    let (status, body) = asked();
    assert!(status == 200 && platform.token_is_valid(ID, body["access_token"].as_str().unwrap()), "{body}");
    assert_eq!(server.get("/v1/accounts/shop/token").0, 401);
    // Killed, it leaves its socket, and the next server takes that over.
    server.kill();
    assert!(std::path::Path::new(&path).exists());
    let server = configuration.start(&[]);
    assert_eq!(asked().1["access_token"], body["access_token"]);
    server.signal("TERM");
    assert_eq!(server.end().0, Some(0));
    assert!(!std::path::Path::new(&path).exists());
}
