//! How is one exchange made over HTTPS? With hyper and rustls, set up so that the secret goes to one host and nowhere
//! else.
//!
//! No redirect is followed, no proxy of the environment is used, and nothing is tried again: the keeper is the one layer
//! that does. A connection is kept for two seconds, for the next account in a burst; kept longer, the platform would end it
//! just when a request is on its way, and nobody could say whether that was executed.

use std::{
    error::Error as StdError,
    fmt, io,
    path::Path,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::{BodyExt as _, Either, Full};
use hyper::{Request as HttpRequest, Uri, body::Bytes, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        self, Client,
        connect::{
            HttpConnector,
            dns::{GaiResolver, Name},
        },
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject as _};
use tower_service::Service;
use wxtoken::{CONNECT_LIMIT_MS, MAX_REPLY_LEN, Request, TransportError, core::Method};
use zeroize::Zeroizing;

use super::{
    stream::{Forwarding, Stream},
    transport::{Exchange, Response, Transport},
};

const KEPT_FOR: Duration = Duration::from_secs(2);
const CONNECT_LIMIT: Duration = Duration::from_millis(CONNECT_LIMIT_MS as u64);

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Roots {
    /// Mozilla's list, compiled in.
    #[default]
    Mozilla,
    /// These certificates (PEM, one or more) and no others: a private CA, a test platform.
    Pem(Vec<u8>),
}

impl Roots {
    /// The certificates in this file.
    ///
    /// # Errors
    /// Whatever reading it reports.
    pub fn from_file(path: &Path) -> io::Result<Self> {
        std::fs::read(path).map(Self::Pem)
    }

    fn store(&self) -> Result<RootCertStore, BadRoots> {
        let pem = match self {
            Self::Mozilla => return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
            Self::Pem(pem) => pem,
        };
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            store.add(certificate.map_err(|_| BadRoots)?).map_err(|_| BadRoots)?;
        }
        if store.is_empty() { Err(BadRoots) } else { Ok(store) }
    }
}

/// The root certificates hold none that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRoots;

impl fmt::Display for BadRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the root certificates hold no readable certificate; give them in PEM format")
    }
}

impl StdError for BadRoots {}

type Connector = Timed<HttpsConnector<HttpConnector<Resolver>>>;

/// The built-in transport.
#[derive(Clone)]
pub struct Https {
    client: Client<Connector, Either<Full<Bytes>, Stream>>,
}

impl Https {
    /// A transport that trusts these certificates.
    ///
    /// # Errors
    /// [`BadRoots`].
    pub fn new(roots: &Roots) -> Result<Self, BadRoots> {
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| BadRoots)?
            .with_root_certificates(roots.store()?)
            .with_no_client_auth();
        let mut http = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        http.enforce_http(false);
        http.set_nodelay(true);
        // Several addresses share the connect limit; the whole of it is kept by `Timed`.
        http.set_connect_timeout(Some(CONNECT_LIMIT));
        // Plain http is for bases that were accepted with it: loopback.
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(KEPT_FOR)
            .pool_timer(TokioTimer::new())
            .retry_canceled_requests(false)
            .http1_max_headers(100)
            .http1_max_buf_size(16 * 1024)
            .build(Timed(https));
        Ok(Self { client })
    }
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Https")
    }
}

impl Transport for Https {
    fn exchange<'a>(&'a self, request: Request<'a, 'a>) -> Exchange<'a> {
        Box::pin(async move {
            let request = written(&request)?.map(Either::Left);
            let mut reply = self.client.request(request).await.map_err(|error| classify(&error))?;
            let status = reply.status().as_u16();
            if (300..400).contains(&status) {
                // Not even read: whatever it says, it is not the platform that says it.
                return Ok(Response::new(status, Vec::new()));
            }
            let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_REPLY_LEN + 1));
            while let Some(frame) = reply.frame().await {
                let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
                // One byte more than is read, so that a long reply is known from a cut one.
                let room = (MAX_REPLY_LEN + 1).saturating_sub(bytes.len());
                bytes.extend_from_slice(data.get(..room).unwrap_or(&data));
                if bytes.len() > MAX_REPLY_LEN {
                    break;
                }
            }
            Ok(Response { status, body: bytes })
        })
    }

    fn forward(&self, call: HttpRequest<Stream>) -> Forwarding<'_> {
        Box::pin(async move {
            let reply = self.client.request(call.map(Either::Right)).await.map_err(|error| classify(&error))?;
            Ok(reply.map(Stream::new))
        })
    }
}

/// The request as hyper wants it. Both URL and body may hold the secret; hyper's own copies are beyond our wiping.
fn written(request: &Request<'_, '_>) -> Result<HttpRequest<Full<Bytes>>, TransportError> {
    let room = request.target_len() + request.base().host_str().len() + "https://:65535".len();
    let mut url = Zeroizing::new(String::with_capacity(room));
    let mut body = String::with_capacity(request.body_len());
    // A String takes all that is written.
    let _ = request.write_url(&mut *url);
    let _ = request.write_body(&mut body);
    // The base was checked and the rest is encoded: it always is one. Nothing was sent.
    let uri: Uri = url.parse().map_err(|_| TransportError::NameNotFound)?;
    let mut builder = HttpRequest::builder()
        .uri(uri)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("wxtoken/", env!("CARGO_PKG_VERSION")));
    builder = match request.method() {
        Method::Get => builder.method("GET"),
        _ => builder.method("POST").header(header::CONTENT_TYPE, request.content_type().unwrap_or("application/json")),
    };
    builder.body(Full::new(Bytes::from(body))).map_err(|_| TransportError::NameNotFound)
}

/// What a failed request means. By type, never by text. What may have been sent counts as sent.
fn classify(error: &legacy::Error) -> TransportError {
    if !error.is_connect() {
        return error.source().and_then(|source| source.downcast_ref()).map_or(TransportError::Broken, broken);
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<Unresolved>() {
            return TransportError::NameNotFound;
        }
        if error.is::<TooSlow>() {
            return TransportError::ConnectTimeout;
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(error) => tls(error),
                None if error.kind() == io::ErrorKind::TimedOut => TransportError::ConnectTimeout,
                None if error.get_ref().is_some_and(|inner| inner.is::<Unresolved>()) => TransportError::NameNotFound,
                // Also a connection that ended during the handshake: nothing of ours was in it.
                None if is_handshake(error.kind()) => TransportError::Tls,
                None => TransportError::ConnectionRefused,
            };
        }
        cause = error.source();
    }
    TransportError::ConnectionRefused
}

fn is_handshake(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::InvalidData)
}

/// All of it comes before the request is sent.
fn tls(error: &rustls::Error) -> TransportError {
    use rustls::Error;
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented | Error::UnsupportedNameType => {
            TransportError::Certificate
        }
        _ => TransportError::Tls,
    }
}

/// What an error after the connection was made means: it may have been executed.
fn broken(error: &hyper::Error) -> TransportError {
    if error.is_parse() || error.is_parse_too_large() { TransportError::NotHttp } else { TransportError::Broken }
}

/// A connector whose whole work, from the name to the end of the handshake, keeps the connect limit.
#[derive(Clone)]
struct Timed<C>(C);

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri, Error = Box<dyn StdError + Send + Sync>>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            tokio::time::timeout(CONNECT_LIMIT, connecting).await.unwrap_or_else(|_| Err(Box::new(TooSlow)))
        })
    }
}

/// The system's resolver, with an error that can be told from others.
#[derive(Clone)]
struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = <GaiResolver as Service<Name>>::Response;
    type Error = Unresolved;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Unresolved>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        self.0.poll_ready(cx).map_err(|_| Unresolved)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.call(name);
        Box::pin(async move { resolving.await.map_err(|_| Unresolved) })
    }
}

#[derive(Debug)]
struct Unresolved;

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name was not resolved")
    }
}

impl StdError for Unresolved {}

#[derive(Debug)]
struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not connected in time")
    }
}

impl StdError for TooSlow {}
