//! The token server killed at random points, while it fetches, stores and answers: nothing that was stored is fetched
//! again, nothing is torn, and it answers soon after its start.
//!
//! 50 kills unless `WXTOKEN_KILLS` says another number; `tests/all.sh server-kill` has a thousand.

#![cfg(unix)]

#[path = "common/mod.rs"]
mod common;
#[path = "common/server.rs"]
mod server;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use common::SECRET;
use server::{Configuration, ask};
use wxtoken_platform::{Account, Platform, Running};

/// Accounts that are new in each round, so that every start has something to fetch and to store.
const NEW_EACH_ROUND: usize = 3;
/// A configuration of ever more accounts would soon take longest: beyond this the oldest are taken out.
const ACCOUNTS: usize = 60;
const READERS: usize = 4;
/// The longest life of a server before it is killed, from its first answer.
const LONGEST_MS: u64 = 300;

fn id(account: usize) -> String {
    format!("wx{account:016}")
}

fn fetches(platform: &Running, account: usize) -> u64 {
    platform.counters().account(&id(account)).fetched_in_all()
}

/// Reads without end, from whichever server is there; every whole answer must be a right one.
struct Load {
    at: Arc<RwLock<Option<(SocketAddr, usize)>>>,
    stop: Arc<AtomicBool>,
    whole: Arc<AtomicU64>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Load {
    fn start(platform: &Arc<Running>) -> Self {
        let (at, stop) = (Arc::new(RwLock::new(None)), Arc::new(AtomicBool::new(false)));
        let whole = Arc::new(AtomicU64::new(0));
        let readers = (0..READERS)
            .map(|nth| {
                let (at, stop, whole, platform) = (at.clone(), stop.clone(), whole.clone(), platform.clone());
                thread::spawn(move || read(nth, &at, &stop, &whole, &platform))
            })
            .collect();
        Self { at, stop, whole, readers }
    }

    fn aim(&self, at: Option<(SocketAddr, usize)>) {
        *self.at.write().expect("whole") = at;
    }

    /// How many whole answers there were.
    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for reader in self.readers {
            reader.join().expect("no reader saw anything wrong");
        }
        self.whole.load(Ordering::Relaxed)
    }
}

fn read(
    nth: usize,
    at: &RwLock<Option<(SocketAddr, usize)>>,
    stop: &AtomicBool,
    whole: &AtomicU64,
    platform: &Running,
) {
    let mut turn = nth;
    while !stop.load(Ordering::Relaxed) {
        let Some((address, newest)) = *at.read().expect("whole") else {
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        turn = turn.wrapping_add(7);
        let account = newest.saturating_sub(turn % ACCOUNTS.min(newest + 1));
        // What is cut by the kill is no answer.
        let Ok((status, body)) = ask(address, "GET", &format!("/v1/accounts/a{account}/token"), "") else { continue };
        assert_eq!(status, 200, "{body}");
        let token = body["access_token"].as_str().expect("a token");
        assert!(platform.token_is_valid(&id(account), token), "a{account}: {body}");
        assert!((1..=7200).contains(&body["expires_in"].as_u64().expect("seconds")), "{body}");
        whole.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_server_killed_at_random_points_loses_and_repeats_nothing() {
    let rounds: usize = std::env::var("WXTOKEN_KILLS").map_or(50, |n| n.parse().expect("a number"));
    let mut builder = Platform::builder().seed(1);
    for account in 0..rounds * NEW_EACH_ROUND {
        builder = builder.account(Account::official(&id(account), SECRET));
    }
    let platform = Arc::new(builder.start().expect("loopback"));
    let load = Load::start(&platform);
    let mut configuration = Configuration::new(&platform.http_url());
    let random = RandomState::new();
    // What a server that was killed had answered with: the token, and how often it had been fetched by then.
    let mut known: HashMap<usize, (String, u64)> = HashMap::new();
    let (mut first_answers, mut in_flight) = (Vec::new(), 0);
    for round in 0..rounds {
        for account in round * NEW_EACH_ROUND..(round + 1) * NEW_EACH_ROUND {
            configuration.official(&format!("a{account}"), &id(account));
            if let Some(oldest) = account.checked_sub(ACCOUNTS) {
                configuration.without(&format!("a{oldest}"));
            }
        }
        let newest = (round + 1) * NEW_EACH_ROUND - 1;
        let oldest = (newest + 1).saturating_sub(ACCOUNTS);
        configuration.write();
        #[allow(clippy::disallowed_methods, reason = "what is printed is a measurement")]
        let started = Instant::now();
        let server = configuration.start(&[]);
        if let Some((&account, (token, _))) = known
            .iter()
            .filter(|(account, _)| **account >= oldest)
            .min_by_key(|(account, _)| random.hash_one((round, account)))
        {
            assert_eq!(server.token(&format!("a{account}")), *token, "round {round}");
            #[allow(clippy::disallowed_methods, reason = "what is printed is a measurement")]
            first_answers.push(started.elapsed());
        }
        load.aim(Some((server.address, newest)));
        thread::sleep(Duration::from_millis(random.hash_one(round) % LONGEST_MS));
        load.aim(None);
        let log = server.kill();
        assert!(!log.contains("damaged") && !log.contains("panicked") && !log.contains("is ignored"), "{log}");

        // A server that reaches nobody shows what the killed one had stored.
        let held = held(&configuration, oldest..=newest);
        for account in oldest..=newest {
            let (now, before) = (fetches(&platform, account), known.get(&account));
            match (before, held.get(&account)) {
                (Some((token, fetched)), Some(held)) => {
                    assert_eq!(
                        (held, now),
                        (token, *fetched),
                        "round {round}: a{account} was fetched again, or changed"
                    );
                }
                (Some(_), None) => panic!("round {round}: a{account} was lost"),
                (None, Some(held)) => {
                    assert!(platform.token_is_valid(&id(account), held), "round {round}: a{account}");
                    known.insert(account, (held.clone(), now));
                }
                // Cut off between the platform's answer and the disk: the one kind of fetch that a kill costs.
                (None, None) => in_flight += usize::from(now > 0),
            }
        }
    }
    let answers = load.end();
    first_answers.sort();
    let (median, longest) = (first_answers.get(first_answers.len() / 2), first_answers.last());
    println!(
        "{rounds} kills, {answers} whole answers under load, {} accounts held, {in_flight} times an exchange was cut off; \
         first answer after the start of the process: median {median:?}, longest {longest:?}",
        known.len()
    );
    assert!(known.len() > rounds && answers > 0, "it did fetch, store and answer");
}

/// The tokens in the store, as an engine would serve them that reaches no platform.
fn held(configuration: &Configuration, accounts: std::ops::RangeInclusive<usize>) -> HashMap<usize, String> {
    use wxtoken_server::{AccountKind, AccountSpec, Engine, Exchange, Transport, store::Redb};

    struct Nobody;
    impl Transport for Nobody {
        fn exchange<'a>(&'a self, _: wxtoken::Request<'a, 'a>) -> Exchange<'a> {
            Box::pin(std::future::ready(Err(wxtoken::TransportError::ConnectionRefused)))
        }
    }

    // A copy: looking must not mend what the next server has to cope with.
    let copy = configuration.file("copy.redb");
    std::fs::copy(configuration.store(), &copy).expect("there is a store");
    let specs: Vec<AccountSpec> = accounts
        .clone()
        .map(|account| {
            let mut spec = AccountSpec::new(format!("a{account}"), AccountKind::Official, id(account), SECRET);
            spec.base = Some(configuration.base().to_owned());
            spec
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (store, opened) = Redb::open(copy.as_ref()).expect("it opens");
        assert_eq!(opened, wxtoken_server::store::Opened::Existing);
        let engine = Engine::builder().coordinator(store).transport(Nobody).start(specs).await.expect("good");
        let now = engine.clock().now();
        let held = accounts.filter_map(|account| {
            let snapshot = engine.find(&format!("a{account}"))?.token().snapshot();
            Some((account, snapshot.valid(now)?.as_str().to_owned()))
        });
        let held = held.collect();
        engine.stop().await.expect("closed");
        held
    })
}
