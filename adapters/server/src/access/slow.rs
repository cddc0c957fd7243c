//! What becomes of somebody who tries keys? Each further one is answered later, and a right key is never kept waiting.
//!
//! A key has 256 bits: nobody finds one by trying. What this is for is the log and the processor, and whoever chose a key by
//! hand all the same. Only another wrong key is another attempt: a program that repeats the one it was set up with learns
//! nothing, and its operator gets the answer at once.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wxtoken::Instant;

/// So many are answered at once: a mistake is no attack.
const FREE: u32 = 3;
/// The first wait; each further attempt doubles it.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// An address that tries nothing for so long begins anew.
const FORGOTTEN_MS: u64 = 300_000;
/// How many addresses are told apart. Beyond them all others are one: a flood of addresses gets no memory, nor does it get
/// away.
const ADDRESSES: usize = 4_096;
/// How many wait at a time. Each holds a connection, of which there are not so many.
const WAITING: usize = 256;

pub(crate) struct Slow {
    tries: Mutex<HashMap<IpAddr, Tries>>,
    waiting: Arc<Semaphore>,
}

struct Tries {
    count: u32,
    /// The beginning of the last wrong key's hash.
    last: [u8; 8],
    at: Instant,
}

/// What is to be done with a wrong key.
#[derive(Debug)]
pub(crate) enum Slowed {
    /// It is answered after this time, while which the permit is held.
    For(Duration, Option<OwnedSemaphorePermit>),
    /// Too many are waiting already: come again after these seconds.
    Full(u64),
}

impl Slow {
    pub(crate) fn new() -> Self {
        Self { tries: Mutex::default(), waiting: Arc::new(Semaphore::new(WAITING)) }
    }

    /// A wrong key with this hash came from there.
    pub(crate) fn wrong(&self, from: Option<IpAddr>, hash: &[u8; 32], now: Instant) -> Slowed {
        let delay = self.delay(of(from), hash, now);
        if delay.is_zero() {
            return Slowed::For(delay, None);
        }
        match self.waiting.clone().try_acquire_owned() {
            Ok(permit) => Slowed::For(delay, Some(permit)),
            Err(_) => Slowed::Full(LONGEST.as_secs()),
        }
    }

    fn delay(&self, from: IpAddr, hash: &[u8; 32], now: Instant) -> Duration {
        let mut last = [0; 8];
        last.copy_from_slice(&hash[..8]);
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if !tries.contains_key(&from) && tries.len() >= ADDRESSES {
            tries.retain(|_, tries| now.saturating_since(tries.at).as_millis() < u128::from(FORGOTTEN_MS));
        }
        let full = tries.len() >= ADDRESSES && !tries.contains_key(&from);
        let entry = tries.entry(if full { OTHERS } else { from });
        let tried = entry.or_insert(Tries { count: 0, last, at: now });
        if now.saturating_since(tried.at).as_millis() >= u128::from(FORGOTTEN_MS) {
            tried.count = 0;
        } else if tried.count > 0 && tried.last == last {
            tried.at = now;
            return Duration::ZERO;
        }
        let delay = match tried.count.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(further) => FIRST.saturating_mul(1 << further.min(16)).min(LONGEST),
        };
        *tried = Tries { count: tried.count.saturating_add(1), last, at: now };
        delay
    }
}

/// Whoever has no room of their own.
const OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// One who has an IPv6 address has 2^64 of them.
fn of(from: Option<IpAddr>) -> IpAddr {
    match from {
        Some(IpAddr::V6(address)) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        Some(address) => address,
        None => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Instant = Instant::from_millis(43_200_000);

    fn key(nth: u64) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&nth.to_be_bytes());
        hash
    }

    fn address(nth: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(nth.into()))
    }

    fn wait(slowed: &Slowed) -> Option<u128> {
        match slowed {
            Slowed::For(delay, _) => Some(delay.as_millis()),
            Slowed::Full(_) => None,
        }
    }

    #[test]
    fn each_further_key_waits_longer_and_the_same_one_does_not() {
        let slow = Slow::new();
        let mut waits: Vec<_> = (0..11).map(|nth| wait(&slow.wrong(address(1), &key(nth), NOON))).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000].map(Some));
        waits = (0..3).map(|_| wait(&slow.wrong(address(1), &key(10), NOON))).collect();
        assert_eq!(waits, [Some(0); 3], "the same again");
        assert_eq!(wait(&slow.wrong(address(2), &key(0), NOON)), Some(0), "somebody else");
        let later = NOON.saturating_add(Duration::from_secs(300));
        assert_eq!(wait(&slow.wrong(address(1), &key(9), later)), Some(0), "forgotten");
    }

    #[test]
    fn neither_addresses_nor_waits_grow_without_bound() {
        let slow = Slow::new();
        for nth in 0..20_000 {
            drop(slow.wrong(address(nth), &key(nth.into()), NOON));
        }
        assert!(slow.tries.lock().expect("sound").len() <= ADDRESSES + 1);
        assert_eq!(wait(&slow.wrong(address(30_000), &key(1), NOON)), Some(5000), "one of too many");
        let slow = Slow::new();
        let fourth = |nth| (0..4).map(|key_nth| slow.wrong(address(nth), &key(key_nth), NOON)).last().expect("four");
        let held: Vec<_> = (0..300).map(fourth).collect();
        let full = held.iter().filter(|slowed| matches!(slowed, Slowed::Full(5))).count();
        assert_eq!((held.len() - full, full), (256, 44));
        drop(held);
        assert_eq!(wait(&fourth(500)), Some(100), "their places are free again");
    }

    #[test]
    fn a_whole_network_of_one_person_is_one() {
        let slow = Slow::new();
        let from = |text: &str| Some(text.parse().expect("an address"));
        let waits: Vec<_> =
            (1..6).map(|nth| wait(&slow.wrong(from(&format!("2001:db8::{nth}")), &key(nth), NOON))).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200].map(Some));
        assert_eq!(wait(&slow.wrong(from("2001:db8:0:1::2"), &key(6), NOON)), Some(0));
    }
}
