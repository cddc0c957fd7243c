//! A device that boots, remembers, fetches and notes down, with the platform played by the test.

use wxtoken_embedded::{
    blocking::Remember,
    core::{Account, Action, Endpoint, Instant, Keeper, Ledger, Outcome, Policy},
    flash::{Blocking, Memory},
};

use crate::nor::Nor;

/// 2025-11-21, noon in Beijing.
pub(crate) const NOON: u64 = 1_763_697_600;

pub(crate) static ROTATING: Endpoint = Endpoint::TOKEN;
/// So that ten thousand fetches fit into a day.
pub(crate) static UNLIMITED: Endpoint = Endpoint::TOKEN.with_policy(Policy::ROTATING.with_daily_limit(u16::MAX, 10));

pub(crate) fn account(endpoint: &'static Endpoint) -> Account<'static> {
    Account::new(endpoint, "wx0123456789abcdef", "the secret").expect("fine")
}

/// From one boot to the next. Its clock starts at zero with each.
pub(crate) struct Device<'f, const SECTOR: usize, W: FnMut() -> Option<u64>> {
    pub(crate) keeper: Keeper,
    pub(crate) memory: Memory<Blocking<&'f mut Nor<SECTOR>>, W>,
    pub(crate) now: u64,
}

impl<'f, const SECTOR: usize, W: FnMut() -> Option<u64>> Device<'f, SECTOR, W> {
    pub(crate) fn boot(flash: &'f mut Nor<SECTOR>, account: &Account<'_>, wall: W) -> Self {
        let range = 0..flash.end();
        let memory = Memory::new(Blocking::new(flash), range, account, wall).expect("a good range");
        let mut device = Self { keeper: Keeper::new(account.endpoint(), 7), memory, now: 0 };
        let now = device.instant();
        Remember::recall(&mut device.memory, &mut device.keeper, now, &mut [0; 1024]);
        device
    }

    pub(crate) fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.keeper.token(self.instant()).map(|t| t.as_str())
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.keeper.ledger(self.instant())
    }

    /// As far as the request: the fetch is counted and noted down. False when nothing is due.
    pub(crate) fn send(&mut self) -> bool {
        let now = self.instant();
        let due = matches!(self.keeper.poll(now), Action::Fetch(_));
        if due {
            Remember::before_sending(&mut self.memory, &self.keeper, now, &mut [0; 1024]);
        }
        due
    }

    pub(crate) fn receive(&mut self, token: &str) -> Outcome {
        let now = self.instant();
        let ticket = self.keeper.in_flight().expect("sent");
        let body = format!(r#"{{"access_token":"{token}","expires_in":7200}}"#);
        let outcome = self.keeper.handle_response(ticket, now, 200, body.as_bytes());
        self.settle();
        outcome
    }

    pub(crate) fn settle(&mut self) {
        let now = self.instant();
        Remember::settle(&mut self.memory, &self.keeper, now, &mut [0; 1024]);
    }
}
