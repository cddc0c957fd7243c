//! Who is asking, and what may they do? A key is presented; its SHA-256 names a client, and nothing else is known of it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::config::{CallPath, ClientSpec, Permission};

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
    accounts: HashSet<String>,
    may: Vec<Permission>,
    call: Vec<CallPath>,
}

impl Access {
    pub(crate) fn new(specs: &[ClientSpec]) -> Self {
        let mut access = Self::default();
        for (nth, spec) in specs.iter().enumerate() {
            for key in &spec.keys {
                access.by_hash.entry(head(key)).or_default().push((nth, *key));
            }
            access.clients.push(Arc::new(Client {
                name: spec.name.clone(),
                accounts: spec.accounts.iter().cloned().collect(),
                may: spec.may.clone(),
                call: spec.call.clone(),
            }));
        }
        access
    }

    /// The client whose key this is.
    #[cfg(test)]
    fn client(&self, key: &str) -> Option<&Arc<Client>> {
        self.by_hash(&hash(key))
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
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.may.contains(&permission)
    }

    /// Whether a call of this path is forwarded for it.
    pub(crate) fn may_call(&self, path: &str) -> bool {
        self.call.iter().any(|listed| listed.covers(path))
    }

    pub(crate) fn has(&self, account: &str) -> bool {
        self.accounts.contains(account)
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = &str> {
        self.accounts.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, keys: &[&str]) -> ClientSpec {
        ClientSpec {
            name: name.to_owned(),
            keys: keys.iter().map(|key| Sha256::digest(key.as_bytes()).into()).collect(),
            accounts: vec!["shop".to_owned()],
            may: vec![Permission::Read],
            call: Vec::new(),
        }
    }

    #[test]
    fn a_key_names_its_client_and_no_other() {
        let access = Access::new(&[spec("billing", &["old key", "new key"]), spec("web", &["key"])]);
        let name = |key| access.client(key).map(|client| client.name.as_str());
        assert_eq!((name("old key"), name("new key"), name("key")), (Some("billing"), Some("billing"), Some("web")));
        assert_eq!((name(""), name("Key"), name("key ")), (None, None, None));
    }

    #[test]
    fn a_key_whose_hash_only_begins_alike_is_another() {
        let mut near = spec("near", &["key"]);
        near.keys[0][31] ^= 1;
        assert!(Access::new(&[near]).client("key").is_none());
    }

    #[test]
    fn what_is_not_granted_is_refused() {
        let access = Access::new(&[spec("web", &["key"])]);
        let web = access.client("key").expect("known");
        assert!(web.may(Permission::Read) && web.has("shop"));
        assert!(!web.may(Permission::Report) && !web.may(Permission::Admin) && !web.has("shops"));
    }
}
