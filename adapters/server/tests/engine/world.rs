//! What do the tests need? A platform, a clock that is stepped together with the platform's, and an engine between them.

use std::{sync::Arc, time::Duration};

use wxtoken_platform::{Account, Platform, Running};
use wxtoken_server::{
    AccountKind, AccountSpec, Credential, EndpointChoice, Engine, Https, Roots, Snapshot, VirtualClock,
    store::Coordinator,
};

pub(crate) const ID: &str = "wx0123456789abcdef";
pub(crate) const SECRET: &str = "5ec3e7-of-the-shop-5ec3e7";
/// Bounded, and never reached unless something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// 12:00 in Beijing, so that no day ends in the middle of a test.
const NOON: Duration = Duration::from_secs(1_800_000_000 - 1_800_000_000 % 86_400 + 4 * 3600);

pub(crate) struct World {
    pub(crate) platform: Running,
    pub(crate) clock: VirtualClock,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(vec![Account::official(ID, SECRET)])
    }

    pub(crate) fn with(accounts: Vec<Account>) -> Self {
        let mut builder = Platform::builder().speed(0.0).start_at_ms(NOON.as_millis() as u64);
        for account in accounts {
            builder = builder.account(account);
        }
        Self { platform: builder.start().expect("loopback"), clock: VirtualClock::new(NOON) }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        let by = Duration::from_secs(seconds);
        self.platform.advance(by);
        self.clock.advance(by);
    }

    /// The shop, at this platform.
    pub(crate) fn shop(&self) -> AccountSpec {
        let mut spec = AccountSpec::new("shop", AccountKind::Official, ID, SECRET);
        spec.base = Some(self.platform.http_url());
        spec
    }

    pub(crate) fn rotating_shop(&self) -> AccountSpec {
        AccountSpec { endpoint: EndpointChoice::Token, ..self.shop() }
    }

    pub(crate) async fn engine(&self, coordinator: impl Coordinator, accounts: &[AccountSpec]) -> Engine {
        self.engine_at(&self.clock, coordinator, accounts).await
    }

    /// An engine whose clock is not the platform's.
    pub(crate) async fn engine_at(
        &self,
        clock: &VirtualClock,
        coordinator: impl Coordinator,
        accounts: &[AccountSpec],
    ) -> Engine {
        Engine::builder()
            .clock(clock.clone())
            .transport(Https::new(&Roots::Mozilla).expect("compiled in"))
            .coordinator(coordinator)
            .start(accounts)
            .await
            .expect("good accounts")
    }

    /// Fetches that the platform saw, granted or refused.
    pub(crate) fn fetches(&self) -> u64 {
        let counters = self.platform.counters();
        counters.account(ID).fetches.values().map(|calls| calls.accepted + calls.refused.values().sum::<u64>()).sum()
    }
}

/// Waits until the credential's snapshot is as wanted.
pub(crate) async fn until(credential: &Credential, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let mut changed = credential.changed();
    let waiting = async {
        loop {
            changed.borrow_and_update();
            let snapshot = credential.snapshot();
            if wanted(&snapshot) {
                return snapshot;
            }
            changed.changed().await.expect("the credential is still there");
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it comes to that")
}

pub(crate) fn at_rest(generation: u32) -> impl Fn(&Snapshot) -> bool {
    move |snapshot| snapshot.generation() == generation && !snapshot.is_fetching()
}
