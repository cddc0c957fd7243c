//! `wxtoken`, with a token server as its source.

use std::{sync::Barrier, time::Duration};

use wxtoken::{Act, Client, Endpoint, Reported};

use crate::house::{House, ID, KEY};

const THREADS: usize = 64;

fn client(house: &House, account: &str, key: &str) -> Client {
    let builder = Client::builder(&Endpoint::TOKEN_SERVER, account, key).base(house.url()).clock(house.clock.clone());
    builder.api_base(house.platform.http_url()).background(false).seed(7).build().expect("sound")
}

fn all_at_once<T: Send>(each: impl Fn() -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let run = || {
            start.wait();
            each()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn a_cold_start_of_many_threads_is_one_read_and_one_fetch() {
    let house = House::new();
    let client = client(&house, "shop", KEY);
    let tokens = all_at_once(|| client.token().expect("a token").as_str().to_owned());
    assert!(tokens.iter().all(|token| house.platform.token_is_valid(ID, token)));
    assert_eq!((client.status().ledger.fetches, house.fetches()), (1, 1));
}

#[test]
fn many_refused_callers_are_healed_by_one_exchange_and_one_fetch() {
    let house = House::new();
    let client = client(&house, "shop", KEY);
    client.token().expect("a token");
    house.advance(60);
    house.platform.revoke_all(ID).expect("known");
    assert!(all_at_once(|| client.probe().is_ok()).into_iter().all(|served| served));
    // One that reported and read in one, and nothing of the account is known here but a name.
    assert_eq!((client.status().ledger.fetches, house.fetches()), (2, 2));
}

#[test]
fn it_comes_back_when_the_server_said_and_not_before() {
    let house = House::new();
    let client = client(&house, "shop", KEY);
    let first = client.token().expect("a token");
    let next_in = client.status().next_in.as_secs();
    // The server fetches five minutes before the end, and spreads its readers over two minutes after that.
    assert!((6_880..=7_040).contains(&next_in), "{next_in}");
    house.advance(next_in - 1);
    assert_eq!(client.token().expect("the same").generation(), first.generation());
    house.advance(2);
    let second = client.token().expect("the next");
    assert!(*second != *first && house.platform.token_is_valid(ID, second.as_str()));
    assert_eq!((client.status().ledger.fetches, house.fetches()), (2, 2));
}

#[test]
fn while_the_server_is_away_a_valid_token_goes_on_being_used() {
    let mut house = House::new();
    let client = client(&house, "shop", KEY);
    let first = client.token().expect("a token");
    house.down();
    house.advance(client.status().next_in.as_secs() + 1);
    assert_eq!(*client.token().expect("still valid"), *first);
    assert!(client.status().trouble.is_some());
    house.up();
    house.advance(60);
    assert!(*client.token().expect("the next") != *first);
    // To its own end, and then it is said what is wrong.
    house.down();
    house.advance(7_300);
    let error = client.token_within(Duration::from_millis(1)).expect_err("nothing");
    assert_eq!(error.act(), Act::Retry, "{error}");
}

#[test]
fn a_wrong_key_or_account_is_said_to_be_one_and_not_tried_again_at_once() {
    let house = House::new();
    for (account, key, status) in
        [("shop", "wxtk_wrong", "401"), ("other", KEY, "403"), ("shop", "wxtk_of-another", "403")]
    {
        let client = client(&house, account, key);
        let error = client.token().expect_err("refused");
        let text = error.to_string();
        assert!(error.act() == Act::Configuration && text.contains(status) && text.contains("token server"), "{text}");
        assert!(!text.contains(key) && !format!("{client:?} {error:?}").contains(key));
        assert!(client.token().is_err());
        let status = client.status();
        assert_eq!((status.ledger.fetches, status.next_in.as_secs() > 50), (1, true), "{account} {key}");
    }
}

#[test]
fn a_token_that_was_replaced_meanwhile_is_had_without_a_fetch() {
    let house = House::new();
    let (mine, another) = (client(&house, "shop", KEY), client(&house, "shop", KEY));
    let old = mine.token().expect("a token");
    another.token().expect("the same");
    house.advance(60);
    house.platform.revoke_all(ID).expect("known");
    assert!(another.probe().is_ok());
    assert_eq!(house.fetches(), 2);
    assert_eq!(mine.report_refused(&*old), Reported::Refreshing);
    assert!(house.platform.token_is_valid(ID, mine.token().expect("the other's").as_str()));
    assert_eq!((mine.status().ledger.fetches, house.fetches()), (2, 2));
}
