//! `wxtoken`, with a token server as its source.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Barrier, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use wxtoken::{Act, Client, Endpoint, Reported, Request, Response, Transport, TransportError};

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
fn a_program_that_only_began_is_healed_at_once() {
    let house = House::new();
    client(&house, "shop", KEY).token().expect("a token");
    house.advance(60);
    // To this one the token is new, and to the server it is not.
    let late = client(&house, "shop", KEY);
    late.token().expect("the same");
    house.platform.revoke_all(ID).expect("known");
    assert!(late.probe().is_ok());
    assert_eq!((late.status().ledger.fetches, house.fetches()), (2, 2));
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

/// A token server that has one token for ever, and takes down the tags it is shown.
#[derive(Clone, Default)]
struct Tagging(Arc<Mutex<Vec<Option<String>>>>);

impl Transport for Tagging {
    fn exchange(&self, request: &Request<'_, '_>) -> Result<Response, TransportError> {
        let shown = request.if_none_match().map(str::to_owned);
        let reply = match shown.as_deref() {
            Some("W/\"1-aa\"") => Response::new(304, "").with_header("wxtoken-expires-in", "5000"),
            _ => Response::new(200, r#"{"access_token":"T1","expires_in":7200,"refresh_after":600}"#),
        };
        self.0.lock().expect("sound").push(shown);
        Ok(reply.with_header("ETag", "W/\"1-aa\"").with_header("wxtoken-refresh-after", "300"))
    }
}

#[test]
fn what_it_has_already_is_not_sent_again() {
    let house = House::new();
    let shown = Tagging::default();
    let builder = Client::builder(&Endpoint::TOKEN_SERVER, "shop", KEY).base("http://127.0.0.1:1");
    let client = builder.clock(house.clock.clone()).transport(shown.clone()).background(false).build().expect("sound");
    client.token().expect("a token");
    house.advance(700);
    let again = client.token().expect("the same");
    assert_eq!((again.as_str(), again.generation(), client.status().next_in.as_secs()), ("T1", 1, 300));
    assert_eq!(client.status().remaining.map(|left| left.as_secs()), Some(4998));
    // One that was refused is asked for as if it had never been had.
    house.advance(60);
    assert_eq!(client.report_refused(&*again), Reported::Refreshing);
    drop(client.token());
    let tag = Some("W/\"1-aa\"".to_owned());
    assert_eq!(*shown.0.lock().expect("sound"), [None, tag, None]);
}

/// Passes on so many exchanges without a body of the request, and returns the heads that went either way.
fn listen_in(to: SocketAddr, exchanges: usize) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = listener.local_addr().expect("its own");
    let pass_on = move || {
        let mut heads = Vec::new();
        for _ in 0..exchanges {
            let (mut here, _) = listener.accept().expect("a client");
            let mut there = TcpStream::connect(to).expect("the server");
            let asked = head(&mut here);
            there.write_all(asked.as_bytes()).expect("passed on");
            let answer = head(&mut there);
            let length = answer.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            there.read_exact(&mut body).expect("whole");
            here.write_all(answer.as_bytes()).and_then(|()| here.write_all(&body)).expect("passed on");
            heads.extend([asked, answer]);
        }
        heads
    };
    (address, std::thread::spawn(pass_on))
}

fn head(from: &mut TcpStream) -> String {
    from.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        from.read_exact(&mut byte).expect("a whole head");
        head.extend(byte);
    }
    String::from_utf8(head).expect("text")
}

#[test]
fn a_server_that_has_no_newer_one_says_only_how_long_it_lasts() {
    let house = House::new();
    let (address, heads) = listen_in(house.address, 2);
    let builder = Client::builder(&Endpoint::TOKEN_SERVER, "shop", KEY).base(format!("http://{address}"));
    let client = builder.clock(house.clock.clone()).background(false).seed(7).build().expect("sound");
    let first = client.token().expect("a token");
    // The platform is away when the next one is due: the server goes on with what it has.
    house.platform.set_listening(false).expect("an outage");
    house.advance(client.status().next_in.as_secs() + 1);
    assert_eq!(*client.token().expect("the same"), *first);
    let status = client.status();
    assert!(status.trouble.is_none() && status.ledger.fetches == 2, "{status:?}");
    let heads = heads.join().expect("no panic");
    let tag = heads[1].lines().find_map(|line| line.strip_prefix("etag: ")).expect("tagged");
    assert!(
        heads[2].to_ascii_lowercase().contains(&format!("if-none-match: {}", tag.to_ascii_lowercase())),
        "{heads:?}"
    );
    assert!(heads[3].starts_with("HTTP/1.1 304 "), "{heads:?}");
}
