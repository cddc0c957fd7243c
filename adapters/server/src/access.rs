//! Who is asking, and what may they do? A key is presented; its SHA-256 names a client, and nothing else is known of it.

mod rate;
mod slow;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use ipnet::IpNet;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use self::rate::Rate;
pub(crate) use self::slow::{Slow, Slowed};
use crate::{
    clock::Clock,
    config::{CallPath, ClientSpec, Permission, is_call},
};

/// All clients of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// By the first half of the hash of each key. The other half is compared in constant time: how long a look-up takes
    /// says nothing that helps to find a key.
    by_hash: HashMap<[u8; 16], Vec<(usize, [u8; 32])>>,
    clients: Vec<Arc<Client>>,
}

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: String,
    accounts: Accounts,
    may: Vec<Permission>,
    call: Vec<CallPath>,
    /// Where it may come from; empty: from anywhere.
    networks: Vec<IpNet>,
    rate: Option<Rate>,
}

/// Which accounts are a client's.
#[derive(Debug)]
enum Accounts {
    All,
    These(HashSet<String>),
}

/// Stands for all accounts, those of later configurations too.
pub(crate) const ALL_ACCOUNTS: &str = "*";

impl Access {
    pub(crate) fn new(specs: &[ClientSpec], clock: &Arc<dyn Clock>) -> Self {
        let mut access = Self::default();
        for (nth, spec) in specs.iter().enumerate() {
            for key in &spec.keys {
                access.by_hash.entry(head(key)).or_default().push((nth, *key));
            }
            access.clients.push(Arc::new(Client::new(spec, clock)));
        }
        access
    }

    /// A client that reads this account's token, may come from there, and has this path forwarded: on its behalf a call is
    /// made that says whose it is by that token alone.
    pub(crate) fn calling(&self, account: &str, path: &str, from: Option<IpAddr>) -> Option<&Arc<Client>> {
        let calls = |client: &&Arc<Client>| {
            client.has(account) && client.may(Permission::Read) && client.may_call(path) && client.comes_from(from)
        };
        self.clients.iter().find(calls)
    }

    /// The client whose key has this SHA-256.
    pub(crate) fn by_hash(&self, hash: &[u8; 32]) -> Option<&Arc<Client>> {
        let candidates = self.by_hash.get(&head(hash))?;
        let (nth, _) = candidates.iter().find(|(_, known)| bool::from(known.ct_eq(hash)))?;
        self.clients.get(*nth)
    }
}

/// What is known of a key.
pub(crate) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn head(hash: &[u8; 32]) -> [u8; 16] {
    let mut head = [0; 16];
    head.copy_from_slice(&hash[..16]);
    head
}

impl Client {
    fn new(spec: &ClientSpec, clock: &Arc<dyn Clock>) -> Self {
        let all = spec.accounts.iter().any(|name| name == ALL_ACCOUNTS);
        Self {
            name: spec.name.clone(),
            accounts: if all { Accounts::All } else { Accounts::These(spec.accounts.iter().cloned().collect()) },
            may: spec.may.clone(),
            call: spec.call.clone(),
            networks: spec.networks.clone(),
            rate: spec.rate.map(|rate| Rate::new(rate, clock)),
        }
    }

    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.may.contains(&permission)
    }

    /// Whether a call of this path is forwarded for it.
    pub(crate) fn may_call(&self, path: &str) -> bool {
        // Only in the one spelling that it has can it be said to be below a listed one.
        is_call(path) && self.call.iter().any(|listed| listed.covers(path))
    }

    pub(crate) fn has(&self, account: &str) -> bool {
        match &self.accounts {
            Accounts::All => true,
            Accounts::These(names) => names.contains(account),
        }
    }

    /// The names of the accounts that it may see the state of; `None`: all there are. An admin sees all of them, and may
    /// rotate them; to read a token takes `read`, whoever asks.
    pub(crate) fn seen(&self) -> Option<impl Iterator<Item = &str>> {
        match &self.accounts {
            Accounts::These(names) if !self.may(Permission::Admin) => Some(names.iter().map(String::as_str)),
            _ => None,
        }
    }

    /// Whether it may come from there. A process of this machine, on the Unix socket, was let in by its user.
    pub(crate) fn comes_from(&self, address: Option<IpAddr>) -> bool {
        self.networks.is_empty()
            || address.is_none_or(|address| self.networks.iter().any(|network| network.contains(&address)))
    }

    /// Counts a request.
    ///
    /// # Errors
    /// The seconds after which the next one is granted.
    pub(crate) fn ask(&self) -> Result<(), u64> {
        self.rate.as_ref().map_or(Ok(()), Rate::ask)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::VirtualClock;

    fn spec(name: &str, keys: &[&str]) -> ClientSpec {
        let mut spec = ClientSpec::new(name, "", &["shop"], &[Permission::Read]);
        spec.keys = keys.iter().map(|key| hash(key)).collect();
        spec
    }

    fn access(specs: &[ClientSpec]) -> (Access, VirtualClock) {
        let clock = VirtualClock::new(Duration::from_secs(1_800_000_000));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        (Access::new(specs, &shared), clock)
    }

    fn named<'a>(access: &'a Access, key: &str) -> Option<&'a Arc<Client>> {
        access.by_hash(&hash(key))
    }

    #[test]
    fn a_key_names_its_client_and_no_other() {
        let (access, _) = access(&[spec("billing", &["old key", "new key"]), spec("web", &["key"])]);
        let name = |key| named(&access, key).map(|client| client.name.as_str());
        assert_eq!((name("old key"), name("new key"), name("key")), (Some("billing"), Some("billing"), Some("web")));
        assert_eq!((name(""), name("Key"), name("key ")), (None, None, None));
    }

    #[test]
    fn a_key_whose_hash_only_begins_alike_is_another() {
        let mut near = spec("near", &["key"]);
        near.keys[0][31] ^= 1;
        assert!(named(&access(&[near]).0, "key").is_none());
    }

    #[test]
    fn a_call_is_listed_in_the_one_spelling_that_it_has() {
        let mut spec = spec("device", &["key"]);
        spec.call = vec![CallPath::parse("/cgi-bin/user/*").expect("a path")];
        let (access, _) = access(&[spec]);
        let device = named(&access, "key").expect("known");
        assert!(device.may_call("/cgi-bin/user/get") && device.may_call("/cgi-bin/user/info/batchget"));
        for other in
            ["/cgi-bin/user/../menu/get", "/cgi-bin/user//get", "/cgi-bin/user/%2e%2e/menu/get", "/cgi-bin/user/"]
        {
            assert!(!device.may_call(other), "{other}");
        }
    }

    #[test]
    fn what_is_not_granted_is_refused() {
        let (access, _) = access(&[spec("web", &["key"])]);
        let web = named(&access, "key").expect("known");
        assert!(web.may(Permission::Read) && web.has("shop"));
        assert!(!web.may(Permission::Report) && !web.may(Permission::Admin) && !web.has("shops"));
    }

    #[test]
    fn all_accounts_are_those_of_tomorrow_too_and_an_admin_sees_them_only() {
        let all = ClientSpec::new("all", "1", &["*"], &[Permission::Read]);
        let admin = ClientSpec::new("admin", "2", &[], &[Permission::Admin]);
        let (access, _) = access(&[all, admin]);
        let (all, admin) = (named(&access, "1").expect("known"), named(&access, "2").expect("known"));
        assert!(all.has("tomorrow's") && all.seen().is_none());
        assert!(admin.seen().is_none() && !admin.has("shop") && !admin.may(Permission::Read));
    }

    #[test]
    fn networks_bind_a_key_to_where_it_comes_from() {
        let mut bound = spec("bound", &["key"]);
        bound.networks = vec!["10.1.0.0/16".parse().expect("one"), "fd00::/8".parse().expect("one")];
        let (access, _) = access(&[bound]);
        let bound = named(&access, "key").expect("known");
        let from = |text: &str| bound.comes_from(Some(text.parse().expect("an address")));
        assert!(from("10.1.255.1") && from("fd12::1") && bound.comes_from(None));
        assert!(!from("10.2.0.1") && !from("127.0.0.1") && !from("fe80::1"));
    }

    #[test]
    fn a_rate_grants_its_burst_and_then_its_pace() {
        let mut paced = spec("paced", &["key"]);
        paced.rate = crate::config::RateSpec::new(2, 5);
        let (access, clock) = access(&[paced]);
        let paced = named(&access, "key").expect("known");
        let granted = || (0..20).filter(|_| paced.ask().is_ok()).count();
        assert_eq!(granted(), 5, "the burst");
        assert_eq!(paced.ask(), Err(1));
        clock.advance(Duration::from_secs(1));
        assert_eq!(granted(), 2, "two a second");
        clock.advance(Duration::from_secs(60));
        assert_eq!(granted(), 5, "never more than the burst");
    }
}
