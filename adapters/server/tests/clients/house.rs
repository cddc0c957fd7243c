//! A server with one account, and the clock that it shares with the platform and its clients.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{net::TcpListener, runtime::Runtime};
use wxtoken::{Clock, Instant};
use wxtoken_platform::{Account, Platform, Running};
use wxtoken_server::{
    AccountKind, AccountSpec, Engine, Https, Roots, Serving, VirtualClock,
    config::{ClientSpec, Permission},
};

pub(crate) const ID: &str = "wx0123456789abcdef";
pub(crate) const SECRET: &str = "5ec3e7-of-the-shop-5ec3e7";
pub(crate) const KEY: &str = "wxtk_key-of-a-device";
/// 12:00 in Beijing, so that no day ends in the middle of a test.
const NOON: Duration = Duration::from_secs(1_800_000_000 - 1_800_000_000 % 86_400 + 4 * 3600);

pub(crate) struct House {
    runtime: Runtime,
    pub(crate) platform: Running,
    engine: Engine,
    engines_clock: VirtualClock,
    pub(crate) clock: Stepped,
    serving: Option<Serving>,
    pub(crate) address: SocketAddr,
}

impl House {
    pub(crate) fn new() -> Self {
        let platform = Platform::builder().speed(0.0).start_at_ms(NOON.as_millis() as u64);
        let platform = platform.account(Account::official(ID, SECRET)).start().expect("loopback");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        let engines_clock = VirtualClock::new(NOON);
        let mut shop = AccountSpec::new("shop", AccountKind::Official, ID, SECRET);
        shop.base = Some(platform.http_url());
        let engine = runtime.block_on(async {
            let https = Https::new(&Roots::Mozilla).expect("compiled in");
            let builder = Engine::builder().clock(engines_clock.clone()).transport(https);
            builder.start(&[shop]).await.expect("a good account")
        });
        let clock = Stepped(Arc::new(AtomicU64::new(NOON.as_millis() as u64)), Arc::default());
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut house = Self { runtime, platform, engine, engines_clock, clock, serving: None, address };
        house.up();
        house
    }

    /// Opens the doors, where they were.
    pub(crate) fn up(&mut self) {
        let clients = [
            ClientSpec::new("device", KEY, &["shop"], &[Permission::Read, Permission::Report]),
            ClientSpec::new("stranger", "wxtk_of-another", &["other"], &[Permission::Read]),
        ];
        let serving = self.runtime.block_on(async {
            let listener = TcpListener::bind(self.address).await.expect("the port is free");
            Serving::open(&self.engine, &clients, listener).expect("open")
        });
        self.address = serving.address();
        self.serving = Some(serving);
    }

    /// Shuts them; the engine goes on.
    pub(crate) fn down(&mut self) {
        if let Some(serving) = self.serving.take() {
            self.runtime.block_on(serving.close());
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn advance(&self, seconds: u64) {
        let by = Duration::from_secs(seconds);
        self.platform.advance(by);
        self.engines_clock.advance(by);
        self.clock.0.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
        self.runtime.block_on(self.engine.settle());
    }

    /// Fetches that the platform saw.
    pub(crate) fn fetches(&self) -> u64 {
        let counters = self.platform.counters();
        counters.account(ID).fetches.values().map(|calls| calls.accepted + calls.refused.values().sum::<u64>()).sum()
    }
}

/// The clock of the clients: it stands still but for those who wait, so that nobody waits for ever.
#[derive(Clone)]
pub(crate) struct Stepped(Arc<AtomicU64>, Arc<AtomicU64>);

/// One look in so many passes time: sixty-four threads that wait must not age an exchange under way.
const LOOKS: u64 = 64;

impl Clock for Stepped {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn unix_time(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.0.load(Ordering::SeqCst)))
    }

    fn real_wait(&self, _: Duration) -> Option<Duration> {
        if self.1.fetch_add(1, Ordering::SeqCst).is_multiple_of(LOOKS) {
            self.0.fetch_add(10, Ordering::SeqCst);
        }
        Some(Duration::from_millis(2))
    }
}
