//! How is a platform described and started?

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::door::{Door, Switchboard};
use crate::engine::Engine;
use crate::http::Limits;
use crate::model::{Account, Model, Quirks};
use crate::running::Running;
use crate::server::{Service, Shared};
use crate::tls::{Leaf, Manner, ServerKey, Tls, TlsVersions};

/// Where a platform begins: [`Platform::builder`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Platform;

impl Platform {
    /// A platform with no accounts, seed 0, plain HTTP, the machine's time at its own pace, on a port of 127.0.0.1 that
    /// the system picks.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            seed: 0,
            accounts: Vec::new(),
            quirks: Quirks::default(),
            start_ms: None,
            speed: 1.0,
            tls: false,
            manner: Manner::default(),
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            http_port: 0,
            https_port: 0,
            control_port: 0,
            limits: Limits { body: 16 << 20, form: 32 << 20 },
            max_connections: 1_024,
        }
    }
}

/// What a platform is to be like, until [`Builder::start`].
#[derive(Debug, Clone)]
pub struct Builder {
    seed: u64,
    accounts: Vec<Account>,
    quirks: Quirks,
    start_ms: Option<u64>,
    speed: f64,
    tls: bool,
    manner: Manner,
    ip: IpAddr,
    http_port: u16,
    https_port: u16,
    control_port: u16,
    limits: Limits,
    max_connections: usize,
}

impl Builder {
    /// The seed of everything arbitrary but the TLS keys.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds an account.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// Oddities of the replies: `quirks(|q| q.escape_slashes = true)`.
    #[must_use]
    pub fn quirks(mut self, change: impl FnOnce(&mut Quirks)) -> Self {
        change(&mut self.quirks);
        self
    }

    /// The virtual time at the start, in milliseconds since the Unix epoch; otherwise the machine's.
    #[must_use]
    pub const fn start_at_ms(mut self, now_ms: u64) -> Self {
        self.start_ms = Some(now_ms);
        self
    }

    /// Virtual milliseconds per real one. 0, as anything negative or not finite, stands still.
    #[must_use]
    pub const fn speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// Whether there is an HTTPS door besides the HTTP one.
    #[must_use]
    pub const fn tls(mut self, yes: bool) -> Self {
        self.tls = yes;
        self
    }

    /// The versions of TLS spoken.
    #[must_use]
    pub const fn tls_versions(mut self, versions: TlsVersions) -> Self {
        self.manner.versions = versions;
        self
    }

    /// The certificate shown at first; see [`Running::set_leaf`].
    #[must_use]
    pub const fn leaf(mut self, leaf: Leaf) -> Self {
        self.manner.leaf = leaf;
        self
    }

    /// The kind of key of the HTTPS door's certificate and of its authority.
    #[must_use]
    pub const fn tls_key(mut self, key: ServerKey) -> Self {
        self.manner.key = key;
        self
    }

    /// Another host name, or an address, that the certificate is valid for: `10.0.2.2` is how a guest of QEMU's user network
    /// reaches loopback.
    #[must_use]
    pub fn tls_name(mut self, name: &str) -> Self {
        self.manner.names.push(name.to_owned());
        self
    }

    /// The address that all doors listen on. Nothing protects them, the control port least: keep it on loopback.
    #[must_use]
    pub const fn ip(mut self, ip: IpAddr) -> Self {
        self.ip = ip;
        self
    }

    /// The ports of the HTTP, HTTPS and control doors. 0 lets the system pick.
    #[must_use]
    pub const fn ports(mut self, http: u16, https: u16, control: u16) -> Self {
        self.http_port = http;
        self.https_port = https;
        self.control_port = control;
        self
    }

    /// The largest request body in bytes, 16 MiB unless said; a larger one gets 413.
    #[must_use]
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// The largest form with a file in bytes, 32 MiB unless said; a larger one gets 413. The file goes to a temporary file
    /// of the system, not into memory.
    #[must_use]
    pub const fn max_form(mut self, bytes: usize) -> Self {
        self.limits.form = bytes;
        self
    }

    /// How many connections each door serves at a time, 1024 unless said; further ones wait.
    #[must_use]
    pub const fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Starts the platform on threads of its own. It listens when this returns.
    ///
    /// # Errors
    /// Whatever binding, making certificates or starting threads reports; [`io::ErrorKind::InvalidInput`] when two
    /// accounts have the same name.
    pub fn start(self) -> io::Result<Running> {
        let mut model = Model::new(self.seed);
        model.set_quirks(self.quirks);
        for account in self.accounts {
            model.add(account).map_err(|double| {
                let words = format!("two accounts are named {}; give one an agent", double.name());
                io::Error::new(io::ErrorKind::InvalidInput, words)
            })?;
        }
        let tls = match self.tls {
            true => Some(Arc::new(Tls::new(self.manner)?)),
            false => None,
        };
        let mut switchboard = Switchboard::default();
        let http_door = Door::bind(self.ip, self.http_port, Service::Http, switchboard.connect())?;
        // Nothing switches the control port off.
        let (_, never) = unbounded_channel();
        let control_door = Door::bind(self.ip, self.control_port, Service::Control, never)?;
        let (http, control) = (http_door.address, control_door.address);
        let mut doors = vec![http_door, control_door];
        let mut https = None;
        if let Some(tls) = &tls {
            let door = Door::bind(self.ip, self.https_port, Service::Https(tls.clone()), switchboard.connect())?;
            https = Some(door.address);
            doors.push(door);
        }

        let engine = Arc::new(Engine::new(model, Clock::new(self.start_ms, self.speed)));
        let (stopper, stop) = watch::channel(false);
        let shared = Shared { engine, tls, limits: self.limits, switchboard, stop, stopper: Arc::new(stopper) };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("wxtoken-platform")
            .enable_all()
            .build()?;
        let max_connections = self.max_connections.clamp(1, Semaphore::MAX_PERMITS);
        let for_doors = shared.clone();
        let serve = move || {
            runtime.block_on(async {
                let mut kept = JoinSet::new();
                for door in doors {
                    kept.spawn(door.keep(for_doors.clone(), max_connections));
                }
                while kept.join_next().await.is_some() {}
            });
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("wxtoken-platform".to_owned()).spawn(serve)?;
        Ok(Running { shared, http, https, control, thread: Some(thread) })
    }
}
