//! May this address fetch? The allow-list and the administrator's confirmation.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Milliseconds for which an address is blocked after the administrator refused once (89507) or twice (89506).
const FIRST_BLOCK_MS: u64 = 3_600_000;
const SECOND_BLOCK_MS: u64 = 86_400_000;

#[derive(Default)]
pub(crate) struct Gate {
    /// Present when the allow-list is switched on.
    allowed: Option<BTreeSet<IpAddr>>,
    denied: BTreeSet<IpAddr>,
    /// Whether the administrator is asked at all.
    pub(crate) asks_admin: bool,
    pub(crate) frozen: bool,
    addresses: BTreeMap<IpAddr, Asked>,
}

#[derive(Default)]
struct Asked {
    answer: Answer,
    refusals: u8,
}

#[derive(Default)]
enum Answer {
    #[default]
    NotAsked,
    Pending,
    Confirmed,
    Blocked {
        until: u64,
    },
}

/// Why the gate stays shut.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    NotAllowed,
    /// 89503: the administrator has just been notified.
    Notified,
    /// 89501: an earlier question is still open.
    Pending,
    /// 89507: refused once, blocked for an hour.
    RefusedOnce,
    /// 89506: refused twice, blocked for a day.
    RefusedTwice,
}

impl Gate {
    pub(crate) fn new(allowed: Option<BTreeSet<IpAddr>>, asks_admin: bool) -> Self {
        Self { allowed, asks_admin, ..Self::default() }
    }

    pub(crate) fn allow(&mut self, ip: IpAddr) {
        self.denied.remove(&ip);
        if let Some(allowed) = &mut self.allowed {
            allowed.insert(ip);
        }
    }

    pub(crate) fn deny(&mut self, ip: IpAddr) {
        self.denied.insert(ip);
    }

    pub(crate) fn admin_confirms(&mut self, ip: IpAddr) {
        self.addresses.entry(ip).or_default().answer = Answer::Confirmed;
    }

    /// The first refusal blocks for an hour, each further one for a day.
    pub(crate) fn admin_refuses(&mut self, ip: IpAddr, now: u64) {
        let asked = self.addresses.entry(ip).or_default();
        asked.refusals = asked.refusals.saturating_add(1);
        let block = if asked.refusals == 1 { FIRST_BLOCK_MS } else { SECOND_BLOCK_MS };
        asked.answer = Answer::Blocked { until: now.saturating_add(block) };
    }

    /// On the list? This is all that binds calls which carry a token and no secret (WeCom's trusted addresses).
    pub(crate) fn lists(&self, ip: IpAddr) -> bool {
        !self.denied.contains(&ip) && self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&ip))
    }

    pub(crate) fn pass(&mut self, ip: IpAddr, now: u64) -> Result<(), Shut> {
        if !self.lists(ip) {
            return Err(Shut::NotAllowed);
        }
        if !self.asks_admin {
            return Ok(());
        }
        let asked = self.addresses.entry(ip).or_default();
        match asked.answer {
            Answer::Confirmed => Ok(()),
            Answer::Pending => Err(Shut::Pending),
            Answer::Blocked { until } if now < until => {
                Err(if asked.refusals == 1 { Shut::RefusedOnce } else { Shut::RefusedTwice })
            }
            Answer::NotAsked | Answer::Blocked { .. } => {
                asked.answer = Answer::Pending;
                Err(Shut::Notified)
            }
        }
    }
}
