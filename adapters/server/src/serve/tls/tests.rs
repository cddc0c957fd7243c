use std::{path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;

use super::*;
use crate::{Engine, serve::listen::Open};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed")
}

/// A certificate and its key, both as PEM.
fn leaf(of: &Issuer, until: i32) -> (String, KeyPair) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().expect("a key");
    (params.signed_by(&key, of).expect("signed").pem(), key)
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("set");
    }
}

struct Scene {
    folder: TempDir,
    spec: TlsSpec,
    server_ca: Issuer,
    client_ca: Issuer,
}

impl Scene {
    fn new(asks_clients: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (server_ca, client_ca) = (authority("servers"), authority("clients"));
        let at = |name: &str| folder.path().join(name);
        write(&at("clients.pem"), &client_ca.pem());
        let spec =
            TlsSpec { cert: at("cert.pem"), key: at("key.pem"), client_ca: asks_clients.then(|| at("clients.pem")) };
        let scene = Self { folder, spec, server_ca, client_ca };
        scene.renew(2090);
        scene
    }

    /// Another certificate in the same files.
    fn renew(&self, until: i32) {
        let (cert, key) = leaf(&self.server_ca, until);
        write(&self.spec.cert, &cert);
        write(&self.spec.key, &key.serialize_pem());
    }

    fn until(&self) -> SystemTime {
        self.spec.valid_until().expect("sound")
    }

    async fn open(&self) -> (Arc<Certificates>, Open, std::net::SocketAddr) {
        let certificates = Arc::new(Certificates::new(&self.spec).expect("sound"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("bound");
        let engine = Engine::builder().start(&[]).await.expect("started");
        let doors = Arc::new(Doors::new(engine, &[]));
        doors.set_tls("ok");
        (certificates.clone(), Open::new(listener, Some(certificates), doors), at)
    }
}

fn client(roots: &Issuer, shows: Option<(String, KeyPair)>) -> ClientConfig {
    let mut store = RootCertStore::empty();
    store.add(roots.der().clone()).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(store);
    let mut config = match shows {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            use rustls::pki_types::pem::PemObject as _;
            let cert = CertificateDer::from_pem_slice(cert.as_bytes()).expect("PEM");
            let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
            builder.with_client_auth_cert(vec![cert], key).expect("fit")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// What `/healthz` says, and the server's certificate.
async fn health(at: std::net::SocketAddr, client: ClientConfig) -> std::io::Result<(String, Vec<u8>)> {
    let stream = TcpStream::connect(at).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    let mut stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, tls) = stream.get_ref();
    assert_eq!(tls.alpn_protocol(), Some(&b"http/1.1"[..]));
    let shown = tls.peer_certificates().and_then(|all| all.first()).expect("one").to_vec();
    Ok((answer, shown))
}

#[tokio::test]
async fn answers_come_over_tls_and_only_to_who_trusts_the_authority() {
    let scene = Scene::new(false);
    let (_certificates, open, at) = scene.open().await;
    let (answer, _) = health(at, client(&scene.server_ca, None)).await.expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""tls":"ok""#), "{answer}");
    health(at, client(&scene.client_ca, None)).await.expect_err("another authority");
    // Plain HTTP gets no HTTP.
    let mut plain = TcpStream::connect(at).await.expect("connected");
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    open.close().await;
}

#[tokio::test]
async fn clients_show_a_certificate_where_they_must() {
    let scene = Scene::new(true);
    let (_certificates, open, at) = scene.open().await;
    let ask = async |shows| health(at, client(&scene.server_ca, shows)).await;
    let (answer, _) = ask(Some(leaf(&scene.client_ca, 2090))).await.expect("a good one");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for (shows, told) in [
        (None, "CertificateRequired"),
        (Some(leaf(&scene.server_ca, 2090)), "UnknownCA"),
        (Some(leaf(&scene.client_ca, 2021)), "CertificateExpired"),
    ] {
        let why = ask(shows).await.expect_err(told).to_string();
        assert!(why.contains(told), "{told}: {why}");
    }
    open.close().await;
}

#[tokio::test]
async fn a_new_certificate_is_shown_and_a_broken_one_is_not() {
    let scene = Scene::new(false);
    let (certificates, open, at) = scene.open().await;
    let shown = async || health(at, client(&scene.server_ca, None)).await.expect("answered").1;
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let first = shown().await;
    // Without a change nothing is read.
    assert_eq!((certificates.look(now), shown().await == first), ("ok", true));
    scene.renew(2095);
    assert_eq!(certificates.reload(None, now), "ok");
    let second = shown().await;
    assert_ne!(first, second);
    // Half of a change: the key is another's.
    let (_, other) = leaf(&scene.server_ca, 2090);
    let good = std::fs::read_to_string(&scene.spec.key).expect("read");
    write(&scene.spec.key, &format!("{}\n", other.serialize_pem()));
    assert_eq!((certificates.look(now), shown().await == second), (word::KEPT, true));
    // It is so still when nothing changes.
    assert_eq!(certificates.look(now), word::KEPT);
    write(&scene.spec.key, &good);
    assert_eq!((certificates.look(now), shown().await == second), ("ok", true));
    // One that is over does not take the place of a good one.
    scene.renew(2021);
    assert_eq!((certificates.reload(None, now), shown().await == second), (word::KEPT, true));
    open.close().await;
}

#[tokio::test]
async fn expiry_is_told_and_a_renewal_ends_it() {
    let scene = Scene::new(false);
    let certificates = Certificates::new(&scene.spec).expect("sound");
    let until = scene.until();
    let second = Duration::from_secs(1);
    assert_eq!(certificates.look(until - second), "ok");
    assert_eq!(certificates.look(until), word::EXPIRED);
    scene.renew(2095);
    assert_eq!(certificates.reload(None, until), "ok");
}

#[tokio::test(start_paused = true)]
async fn the_files_are_looked_at_once_a_minute() {
    let scene = Scene::new(false);
    let certificates = Arc::new(Certificates::new(&scene.spec).expect("sound"));
    let engine = Engine::builder().start(&[]).await.expect("started");
    let doors = Arc::new(Doors::new(engine, &[]));
    let watching = tokio::spawn({
        let (certificates, doors) = (certificates.clone(), doors.clone());
        async move { certificates.watch(&doors, &crate::SystemClock::new()).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(doors.tls(), Some("ok"));
    write(&scene.spec.key, "no key");
    tokio::time::sleep(LOOK_EVERY - Duration::from_secs(2)).await;
    assert_eq!(doors.tls(), Some("ok"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(doors.tls(), Some(word::KEPT));
    watching.abort();
}

#[test]
fn what_is_wrong_with_the_files_is_told_with_its_remedy() {
    let scene = Scene::new(true);
    let told = |change: &dyn Fn(&mut TlsSpec)| {
        let mut spec = scene.spec.clone();
        change(&mut spec);
        spec.load().map(drop).expect_err("wrong")
    };
    let garbage = scene.folder.path().join("garbage");
    write(&garbage, "-----BEGIN PRIVATE KEY-----\n5ec3e75ec3e7\n");
    assert!(told(&|spec| spec.cert = "none.pem".into()).contains("No such file"));
    assert!(told(&|spec| spec.cert = garbage.clone()).contains("no certificate that can be read"));
    assert!(told(&|spec| spec.client_ca = Some(garbage.clone())).contains("no certificate that can be read"));
    let key = told(&|spec| spec.key = garbage.clone());
    assert!(key.contains("no private key that can be read") && !key.contains("5ec3"), "{key}");
    let (_, other) = leaf(&scene.server_ca, 2090);
    write(&garbage, &other.serialize_pem());
    assert!(told(&|spec| spec.key = garbage.clone()).contains("is not that of the certificate"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&scene.spec.key, std::fs::Permissions::from_mode(0o640)).expect("set");
        assert!(told(&|_| {}).contains("others can read it (mode 640)"));
    }
}
