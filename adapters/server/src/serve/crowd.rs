//! Does one address keep the others out? Not with its connections: each has so many at a time.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use crate::events;

/// Connections of one address (a /64 of IPv6) at a time. This machine itself, a proxy on it, say, has as many as there are.
const EACH: usize = 1024;

/// How many connections there are, by address. Never more entries than connections.
#[derive(Clone, Default)]
pub(super) struct Crowd(Arc<Mutex<HashMap<IpAddr, Count>>>);

#[derive(Default)]
struct Count {
    connections: usize,
    /// Its operator has been told that it wants more; said once until all of them are gone.
    is_told: bool,
}

/// A connection's place among those of its address.
pub(super) struct Among {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    /// `None`: that address has all it may have.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Among> {
        let address = match address {
            IpAddr::V6(six) if !six.is_loopback() => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
            other => other,
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if count.connections >= EACH && !address.is_loopback() {
            let is_news = !std::mem::replace(&mut count.is_told, true);
            drop(counts);
            if is_news {
                events::crowded(address, EACH);
            }
            return None;
        }
        count.connections += 1;
        drop(counts);
        Some(Among { crowd: self.clone(), address })
    }
}

impl Drop for Among {
    fn drop(&mut self) {
        let mut counts = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            count.connections -= 1;
            if count.connections == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_no_other_pays_for_it() {
        let crowd = Crowd::default();
        let enter = |text: &str| crowd.enter(text.parse().expect("an address"));
        for (greedy, neighbour, other) in
            [("192.0.2.1", "192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")]
        {
            let mut places: Vec<_> = (0..EACH).map(|_| enter(greedy).expect("its share")).collect();
            assert!(enter(neighbour).is_none() && enter(other).is_some());
            let counts = crowd.0.lock().expect("sound");
            assert_eq!(counts.values().filter(|count| count.is_told).count(), 1);
            drop(counts);
            places.pop();
            assert!(enter(neighbour).is_some());
        }
        let here: Vec<_> = (0..2 * EACH).filter_map(|_| enter("127.0.0.1")).collect();
        assert_eq!(here.len(), 2 * EACH);
        drop(here);
        assert!(crowd.0.lock().expect("sound").is_empty());
    }
}
