//! Who is at the door? The client whose key was presented, and from where it came.

use std::{net::IpAddr, sync::Arc, time::Duration};

use super::Doors;
use crate::{
    access::{self, Client, Slowed},
    audit::{Audit, Deed, Line},
    config::Permission,
    events,
};

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// `None`: a process of this machine, on the Unix socket.
    pub(crate) address: Option<IpAddr>,
}

/// Who asks. Goes along with a request through all doors, so that each can say who did what.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) client: Arc<Client>,
    /// The SHA-256 of the key: by it a stream finds its client after a reload.
    pub(crate) key: [u8; 32],
    pub(crate) peer: Peer,
    audit: Audit,
    /// When it came, since the Unix epoch.
    at: Option<Duration>,
}

impl Asking {
    /// What it did in the end is taken down.
    pub(crate) fn did(&self, account: &str, deed: Deed) {
        self.audit.note(|| Line {
            at: self.at,
            client: self.client.clone(),
            from: self.peer.address,
            account: account.into(),
            deed,
        });
    }

    /// Whether it may do this with that account. What is asked for is told to the log, and whether it is granted.
    pub(crate) fn may(&self, permission: Permission, account: &str) -> bool {
        let granted = match permission {
            Permission::Rotate => self.may_rotate(account),
            _ => self.client.has(account) && self.client.may(permission),
        };
        events::asked(&self.client.name, self.peer.address, account, permission.name(), granted);
        granted
    }

    /// Whether a call of this API is forwarded for it.
    pub(crate) fn may_call(&self, path: &str, account: &str) -> bool {
        let granted = self.client.has(account) && self.client.may_call(path);
        events::asked(&self.client.name, self.peer.address, account, "call", granted);
        granted
    }

    /// Whether it may see how that account is: its own, and all of them for who looks after the server.
    pub(crate) fn sees(&self, account: &str) -> bool {
        self.client.may(Permission::Admin) || self.client.has(account)
    }

    /// Whether it may ask for a new credential of that account: its own with the permission, and any for who looks after
    /// the server.
    pub(crate) fn may_rotate(&self, account: &str) -> bool {
        self.client.may(Permission::Admin) || self.client.has(account) && self.client.may(Permission::Rotate)
    }
}

/// Why nobody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// The key is not known, or not good where it came from.
    Unknown,
    /// A client asks more often than it may; again after these seconds.
    TooFast(u64),
    /// Too many wrong keys are waiting for their answers; again after these seconds.
    TooMany(u64),
}

impl Doors {
    /// Who asks, if the key is one of ours and good where it comes from. A wrong one is answered the later, the more of
    /// them came from there.
    pub(crate) async fn asking(&self, peer: &Peer, key: &str) -> Result<Asking, TurnedAway> {
        let key = access::hash(key);
        let client = self.access.load().by_hash(&key).filter(|client| client.comes_from(peer.address)).cloned();
        match client {
            Some(client) => match client.ask() {
                Ok(()) => {
                    let (audit, at) = (self.audit.clone(), self.audited_at());
                    Ok(Asking { client, key, peer: peer.clone(), audit, at })
                }
                Err(seconds) => Err(TurnedAway::TooFast(seconds)),
            },
            None => Err(self.wrong(peer, &key).await),
        }
    }

    /// On whose behalf an SDK's call is made that carries the account's token and no key; `None`: no client has it forwarded.
    pub(super) fn asking_by_token(&self, peer: &Peer, account: &str, path: &str) -> Option<Result<Asking, TurnedAway>> {
        let client = self.access.load().calling(account, path, peer.address).cloned()?;
        if let Err(seconds) = client.ask() {
            return Some(Err(TurnedAway::TooFast(seconds)));
        }
        events::asked(&client.name, peer.address, account, "call", true);
        let (audit, at) = (self.audit.clone(), self.audited_at());
        // It has no key by which a stream would look for it again.
        Some(Ok(Asking { client, key: [0; 32], peer: peer.clone(), audit, at }))
    }

    /// The time for a line of the audit log, if there is one.
    pub(super) fn audited_at(&self) -> Option<Duration> {
        if self.audit.is_on() { self.engine.clock().unix_time() } else { None }
    }

    async fn wrong(&self, peer: &Peer, key: &[u8; 32]) -> TurnedAway {
        let clock = self.engine.clock();
        match self.slow.wrong(peer.address, key, clock.now()) {
            Slowed::Full(seconds) => TurnedAway::TooMany(seconds),
            Slowed::For(delay, place) => {
                if !delay.is_zero() {
                    events::wrong_key(peer.address, delay);
                    tokio::select! {
                        () = clock.sleep_until(clock.now().saturating_add(delay)) => {}
                        () = self.closed() => {}
                    }
                }
                drop(place);
                TurnedAway::Unknown
            }
        }
    }
}
