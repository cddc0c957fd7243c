//! How does the server live? It starts from what the store holds, reloads without losing a token, and ends without losing
//! an answer.

mod crowd;
mod listen;
mod patient;
mod quick;
mod serving;
mod supervisor;
mod tls;
#[cfg(unix)]
mod unix;

use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::TcpListener;

pub use self::serving::Serving;
use self::{listen::Open, supervisor::Supervisor, tls::Certificates};
use crate::{
    audit::Audit,
    config::{BadConfig, Config, Environment},
    doors::Doors,
    engine::{BadAccounts, Engine},
    events,
    store::{CannotOpen, Failing, Opened, Redb},
    upstream::Https,
};

/// A server that answers. [`run`](Self::run) is the rest of its life.
pub struct Server {
    /// Without its accounts and clients.
    config: Config,
    path: PathBuf,
    engine: Engine,
    doors: Arc<Doors>,
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    #[cfg(unix)]
    socket: Option<unix::Socket>,
    opened: Opened,
}

impl Server {
    /// Starts with the configuration at `path`: opens the store, fills the snapshots from it, and listens. Connections that
    /// come from now on are answered once [`run`](Self::run) is called.
    ///
    /// # Errors
    /// [`CannotStart`] says what is in the way. Damage of the store and a full disk are not: they are lived with.
    pub async fn start(path: &Path, environment: &Environment<'_>) -> Result<Self, CannotStart> {
        let mut config = Config::load(path, environment).map_err(CannotStart::Config)?;
        // First, so that a second server by mistake touches nothing.
        let listener =
            TcpListener::bind(config.listen).await.map_err(|error| CannotStart::Listen { at: config.listen, error })?;
        let certificates = match &config.tls {
            Some(spec) => Some(Arc::new(Certificates::new(spec).map_err(CannotStart::Tls)?)),
            None => None,
        };
        let (store, opened) =
            Redb::open(&config.store).map_err(|error| CannotStart::Store { path: config.store.clone(), error })?;
        // The certificates were read with the configuration.
        let https = Https::new(&config.upstream.roots).map_err(|_| CannotStart::Roots)?;
        let mut builder =
            Engine::builder().coordinator(store).transport(https).concurrency(config.upstream.concurrency.get());
        if let Opened::Unusable(failing) = &opened {
            builder = builder.store_trouble(failing.clone());
        }
        let engine = builder.start(std::mem::take(&mut config.accounts)).await.map_err(CannotStart::Accounts)?;
        let audit = match &config.audit {
            Some(path) => Audit::open(path).map_err(|error| CannotStart::Audit { path: path.clone(), error })?,
            None => Audit::default(),
        };
        let doors = Arc::new(Doors::new(engine.clone(), &config.clients).audited(audit));
        // What they were made of is not needed again.
        config.clients = Vec::new();
        if certificates.is_some() {
            doors.set_tls("ok");
        }
        // Last: who has the store and the port is the one server of this configuration, so what is there may be replaced.
        #[cfg(unix)]
        let socket = match &config.unix {
            None => None,
            Some(spec) => {
                Some(unix::Socket::bind(spec).map_err(|error| CannotStart::Unix { path: spec.path.clone(), error })?)
            }
        };
        Ok(Self {
            #[cfg(unix)]
            socket,
            config,
            path: path.to_owned(),
            engine,
            doors,
            listener,
            certificates,
            opened,
        })
    }

    /// Where it listens: the port that the system picked, where the configuration says 0.
    ///
    /// # Errors
    /// What the system reports.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Whether it speaks TLS there.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.certificates.is_some()
    }

    /// What was found where the store should be.
    #[must_use]
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The engine behind it.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Answers until SIGTERM or SIGINT. Then nothing more is accepted, what is under way is finished (at most 10 s), and
    /// what is not stored yet is stored. SIGHUP reads the configuration again: when that is sound, accounts and clients
    /// become what it says, and every token whose account did not change stays; otherwise everything stays as it is, and
    /// the log says why.
    ///
    /// # Errors
    /// When signals cannot be handled, or when the store did not take what was to be stored.
    pub async fn run(self, environment: &Environment<'_>) -> Result<(), Stopped> {
        let mut supervisor = Supervisor::new().map_err(Stopped::Signals)?;
        let certificates = self.certificates.as_deref();
        let open = Open::new(self.listener, self.certificates.clone(), self.doors.clone());
        #[cfg(unix)]
        let open = open.also(self.socket);
        let watching = self.certificates.clone().map(|certificates| {
            let (doors, clock) = (self.doors.clone(), self.engine.clock().clone());
            tokio::spawn(async move { certificates.watch(&doors, &*clock).await })
        });
        supervisor.ready(&self.engine);
        while supervisor.next(&self.engine).await == supervisor::Order::Reload {
            supervisor.reloading();
            reload(&self.config, &self.path, environment, &self.engine, &self.doors, certificates).await;
            supervisor.ready(&self.engine);
        }
        supervisor.stopping();
        if let Some(watching) = watching {
            watching.abort();
        }
        open.close().await;
        self.doors.audit().flush().await;
        self.engine.stop().await.map_err(Stopped::Store)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("path", &self.path).field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// A file that is being written is empty for a moment. Nobody means a running server to forget all its accounts.
const NO_ACCOUNT: &str = "it names no account any more, as a file does that is only half written; write it, then send \
                          SIGHUP again. A server without accounts has to be restarted";

/// Takes up a changed configuration, or says why not.
async fn reload(
    before: &Config,
    path: &Path,
    environment: &Environment<'_>,
    engine: &Engine,
    doors: &Doors,
    certificates: Option<&Certificates>,
) {
    let mut after = match Config::load(path, environment) {
        Ok(after) => after,
        Err(bad) => {
            // The certificate may be what is bad: then the one before is kept, and that is said where it is looked for.
            if let Some(certificates) = certificates {
                doors.set_tls(certificates.reload(None, tls::now(&**engine.clock())));
            }
            return events::not_reloaded(&bad);
        }
    };
    if after.accounts.is_empty() && !engine.is_empty() {
        return events::not_reloaded(&NO_ACCOUNT);
    }
    let accounts = after.accounts.len();
    if let Err(bad) = engine.load(std::mem::take(&mut after.accounts)).await {
        return events::not_reloaded(&bad);
    }
    if let (Some(certificates), Some(spec)) = (certificates, &after.tls) {
        doors.set_tls(certificates.reload(Some(spec), tls::now(&**engine.clock())));
    }
    doors.set_clients(&after.clients);
    doors.audit().reopen().await;
    let wants_restart = after.listen != before.listen
        || after.tls.is_some() != before.tls.is_some()
        || after.unix != before.unix
        || after.store != before.store
        || after.audit != before.audit
        || after.upstream.concurrency != before.upstream.concurrency
        || after.upstream.roots != before.upstream.roots;
    events::reloaded(accounts, after.clients.len(), wants_restart);
}

/// Why a server did not start. `Display` says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum CannotStart {
    /// The configuration is wrong.
    Config(BadConfig),
    /// Its accounts are wrong.
    Accounts(BadAccounts),
    /// The certificates cannot be used.
    Roots,
    /// The server's certificate cannot be used.
    Tls(String),
    /// It cannot listen there.
    Listen {
        /// Where.
        at: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// It cannot listen on the Unix socket.
    Unix {
        /// Where it is to be.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The audit log cannot be written.
    Audit {
        /// Where it is to be.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The store cannot be used.
    Store {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        error: CannotOpen,
    },
}

impl fmt::Display for CannotStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(bad) => bad.fmt(f),
            Self::Accounts(bad) => bad.fmt(f),
            Self::Roots => f.write_str("upstream: ca: the certificates cannot be used"),
            Self::Unix { path, error } => write!(f, "unix: {}: {error}", path.display()),
            Self::Tls(why) => write!(f, "tls: {why}"),
            Self::Listen { at, error } => {
                write!(f, "it cannot listen on {at}: {error}; does another program, or another server, have the port?")
            }
            Self::Audit { path, error } => write!(
                f,
                "the audit log {} cannot be written: {error}; is its folder there, and writable? Without `audit` there is none",
                path.display()
            ),
            Self::Store { path, error } => write!(f, "the store {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for CannotStart {}

/// Why a server did not end well.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stopped {
    /// Signals cannot be handled.
    Signals(io::Error),
    /// The store did not take what was to be stored: the next start may fetch what this one held.
    Store(Failing),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signals(error) => write!(f, "signals cannot be handled: {error}"),
            Self::Store(why) => write!(f, "not everything is stored: {why}"),
        }
    }
}

impl std::error::Error for Stopped {}
