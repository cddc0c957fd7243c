//! What is told of a token that is held, in the fewest steps? The bytes of the whole answer, for the one request that
//! comes more often than all others; every other answer is made elsewhere.

use hyper::StatusCode;

use super::{Doors, Peer, metrics::Route, native};
use crate::{
    Kind, access,
    audit::{Deed, Line},
    config::Permission,
    events,
};

impl Doors {
    /// The answer to a read of this account's token with this key; `None` when it is another one than the token, whatever
    /// the reason.
    pub(crate) fn held(&self, peer: &Peer, key: &str, account: &str) -> Option<Vec<u8>> {
        let access = self.access.load();
        let client = access.by_hash(&access::hash(key))?;
        if !(client.comes_from(peer.address) && client.has(account) && client.may(Permission::Read)) {
            return None;
        }
        let accounts = self.engine.inner.accounts.load();
        let entry = accounts.entry(account)?;
        let cell = entry.cells.first()?;
        let snapshot = cell.snapshot();
        let clock = self.engine.clock();
        let now = clock.now();
        let handed = native::Handed::of(self, Kind::Token, &snapshot, now)?;
        // The last of all: what is refused for its pace is counted once more on the way that says so.
        client.ask().ok()?;
        cell.readers.count(now);
        self.requests.count(Route::TOKEN, StatusCode::OK);
        events::asked(&client.name, peer.address, account, Permission::Read.name(), true);
        self.audit.note(|| Line {
            at: clock.unix_time(),
            client: client.clone(),
            from: peer.address,
            account: entry.name.clone(),
            deed: Deed { kind: Kind::Token, what: "read", outcome: "given", generation: snapshot.generation() },
        });
        Some(handed.message(clock.unix_time()))
    }
}
