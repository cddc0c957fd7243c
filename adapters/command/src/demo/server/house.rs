//! Where does the server live? On loopback, between the platform and its readers, on the platform's time.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use wxtoken_platform::{Account, AccountCounters, Platform, Running};
use wxtoken_server::config::{ClientSpec, Permission};
use wxtoken_server::store::Redb;
use wxtoken_server::{AccountKind, AccountSpec, EndpointChoice, Engine, Https, Roots, Serving, VirtualClock};

use super::super::Trouble;
use super::super::clock::MIDNIGHT_MS;
use super::super::stage::SECRET;

pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;
pub(crate) const C: usize = 2;

/// One account of the day.
pub(crate) struct Kept {
    /// For people.
    pub(crate) label: &'static str,
    /// What readers call it.
    pub(crate) name: &'static str,
    /// The appid or corpid, which is also the platform's name for it.
    pub(crate) id: &'static str,
    kind: AccountKind,
    endpoint: EndpointChoice,
    /// Where the server fetches its token.
    pub(crate) path: &'static str,
}

pub(crate) const ACCOUNTS: [Kept; 3] = [
    Kept {
        label: "official account A",
        name: "a",
        id: "wx000000000000000a",
        kind: AccountKind::Official,
        endpoint: EndpointChoice::Stable,
        path: "/cgi-bin/stable_token",
    },
    Kept {
        label: "official account B",
        name: "b",
        id: "wx000000000000000b",
        kind: AccountKind::Official,
        endpoint: EndpointChoice::Token,
        path: "/cgi-bin/token",
    },
    Kept {
        label: "WeCom app C",
        name: "c",
        id: "ww000000000000000c",
        kind: AccountKind::Work,
        endpoint: EndpointChoice::Stable,
        path: "/cgi-bin/gettoken",
    },
];

/// The key of an account's readers. Made up; it opens nothing but this process.
pub(crate) fn key(account: usize) -> String {
    format!("made-up-key-of-the-readers-of-{}", ACCOUNTS[account].name)
}

pub(crate) struct House {
    runtime: Runtime,
    pub(crate) platform: Running,
    clock: VirtualClock,
    store: TempDir,
    up: Option<Up>,
}

struct Up {
    engine: Engine,
    serving: Serving,
}

fn machine(error: impl std::fmt::Display) -> Trouble {
    Trouble::Machine(format!("the server of the demo: {error}"))
}

impl House {
    pub(crate) fn new(seed: u64) -> Result<Self, Trouble> {
        let mut builder = Platform::builder().seed(seed).start_at_ms(MIDNIGHT_MS).speed(0.0);
        for kept in &ACCOUNTS {
            builder = builder.account(match kept.kind {
                AccountKind::Work => Account::work(kept.id, SECRET),
                _ => Account::official(kept.id, SECRET),
            });
        }
        let platform = builder.start().map_err(machine)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(machine)?;
        let clock = VirtualClock::new(Duration::from_millis(MIDNIGHT_MS));
        let store = tempfile::tempdir().map_err(machine)?;
        let mut house = Self { runtime, platform, clock, store, up: None };
        house.start()?;
        Ok(house)
    }

    /// Starts the server with what its store holds.
    pub(crate) fn start(&mut self) -> Result<(), Trouble> {
        let specs = ACCOUNTS.map(|kept| AccountSpec {
            endpoint: kept.endpoint,
            base: Some(self.platform.http_url()),
            ..AccountSpec::new(kept.name, kept.kind, kept.id, SECRET)
        });
        let may = [Permission::Read, Permission::Report];
        let clients = [A, B, C].map(|nth| ClientSpec::new(ACCOUNTS[nth].label, &key(nth), &[ACCOUNTS[nth].name], &may));
        let up = self.runtime.block_on(async {
            let (store, _) = Redb::open(&self.store.path().join("wxtoken.redb")).map_err(machine)?;
            let https = Https::new(&Roots::Mozilla).map_err(machine)?;
            let builder = Engine::builder().clock(self.clock.clone()).transport(https).coordinator(store);
            let engine = builder.start(&specs).await.map_err(machine)?;
            let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.map_err(machine)?;
            let serving = Serving::open(&engine, &clients, listener).map_err(machine)?;
            Ok::<_, Trouble>(Up { engine, serving })
        })?;
        self.up = Some(up);
        Ok(())
    }

    /// Ends the server, which stores what it holds.
    pub(crate) fn stop(&mut self) -> Result<(), Trouble> {
        let Some(Up { engine, serving }) = self.up.take() else { return Ok(()) };
        self.runtime.block_on(async {
            serving.close().await;
            engine.stop().await.map_err(machine)
        })
    }

    /// Where readers ask; `None` while the server is down.
    pub(crate) fn url(&self) -> Option<String> {
        self.up.as_ref().map(|up| format!("http://{}", up.serving.address()))
    }

    /// Milliseconds since midnight.
    pub(crate) fn ms(&self) -> u64 {
        self.platform.now_ms().saturating_sub(MIDNIGHT_MS)
    }

    /// Lets time pass, and the server do what became due.
    pub(crate) fn pass(&self, time: Duration) {
        self.platform.advance(time);
        self.clock.advance(time);
        self.settle();
    }

    /// Lets the server finish what is due.
    pub(crate) fn settle(&self) {
        if let Some(up) = &self.up {
            self.runtime.block_on(up.engine.settle());
        }
    }

    /// Whether the server has no token for this account and does not fetch one yet.
    pub(crate) fn is_between_two_tokens(&self, account: usize) -> bool {
        let Some(up) = &self.up else { return false };
        let Some(account) = up.engine.find(ACCOUNTS[account].name) else { return false };
        let snapshot = account.token().snapshot();
        !snapshot.is_fetching() && snapshot.valid(up.engine.clock().now()).is_none()
    }

    /// How long until the server fetches for this account.
    pub(crate) fn next_in(&self, account: usize) -> Option<Duration> {
        let credential = self.up.as_ref()?.engine.find(ACCOUNTS[account].name)?.token();
        credential.status().next_in
    }

    pub(crate) fn generation(&self, account: usize) -> u32 {
        let account = self.up.as_ref().and_then(|up| up.engine.find(ACCOUNTS[account].name));
        account.map_or(0, |account| account.token().snapshot().generation())
    }

    pub(crate) fn counters(&self, account: usize) -> AccountCounters {
        self.platform.counters().account(ACCOUNTS[account].id)
    }

    /// Fetches that reached the platform: granted and refused.
    pub(crate) fn fetches(&self, account: usize) -> u64 {
        let counters = self.counters(account);
        counters.fetches.values().map(|calls| calls.accepted + calls.refused.values().sum::<u64>()).sum()
    }
}
