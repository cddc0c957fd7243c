//! The machine itself, fed by hand.

use embedded_io::ErrorKind;
use wxtoken_embedded::{Exchange, Fault, Step, core::Failure};

use crate::{
    cases,
    support::{by_hand, request},
};

#[test]
fn every_case_at_every_split_point() {
    let mut runs = 0;
    for case in cases::all() {
        let want = (case.want.clone(), case.reusable);
        for at in 0..=case.reply.len() {
            let (first, second) = case.reply.split_at(at);
            let got = by_hand(case.room, case.keep_alive, &[first, second]);
            assert_eq!(got, want, "{}, split at {at}", case.name);
            runs += 1;
        }
        let bytes: Vec<_> = case.reply.chunks(1).collect();
        assert_eq!(by_hand(case.room, case.keep_alive, &bytes), want, "{}, byte by byte", case.name);
    }
    println!("{runs} splits of {} replies", cases::all().len());
}

#[test]
fn bytes_after_the_end_are_refused_where_the_connection_would_be_used_again() {
    let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n";
    assert_eq!(by_hand(1024, true, &[reply]).0, Err(Fault::Surplus));
    assert_eq!(by_hand(1024, false, &[reply]).0, Ok((200, b"{}".to_vec())));
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX";
    assert_eq!(by_hand(1024, true, &[chunked]).0, Err(Fault::Surplus));
    // Where they arrive later than the reply, they are not the exchange's to see.
    let (whole, rest) = reply.split_at(40);
    assert_eq!(by_hand(1024, true, &[whole, rest]), (Ok((200, b"{}".to_vec())), true));
    for at in 0..reply.len() {
        let (first, second) = reply.split_at(at);
        let got = by_hand(1024, true, &[first, second]);
        assert_eq!(got.0.is_err(), at != 40, "split at {at}");
    }
}

#[test]
fn not_sent_until_the_first_byte_is_accepted() {
    let mut buffer = [0; 1024];
    let mut new = || Exchange::new(&request(), &mut buffer, false).map(|e| e.failure());
    assert_eq!(new(), Ok(Failure::NotSent));

    let mut buffer = [0; 1024];
    let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
    exchange.handle_timeout();
    assert_eq!((exchange.failure(), exchange.outcome()), (Failure::NotSent, Err(Fault::TimedOut)));

    // An error says that nothing of what was offered was taken.
    let mut buffer = [0; 1024];
    let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
    assert!(matches!(exchange.step(), Step::Write(_)));
    exchange.handle_error(ErrorKind::ConnectionReset);
    assert_eq!((exchange.failure(), exchange.outcome()), (Failure::NotSent, Err(Fault::Broken)));

    // A write that is dropped in the middle says nothing.
    let mut buffer = [0; 1024];
    let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
    assert!(matches!(exchange.step(), Step::Write(_)));
    exchange.handle_timeout();
    assert_eq!(exchange.failure(), Failure::MaybeSent);

    let mut buffer = [0; 1024];
    let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
    exchange.handle_written(1);
    assert!(!exchange.is_sent());
    exchange.handle_error(ErrorKind::TimedOut);
    assert_eq!((exchange.failure(), exchange.outcome()), (Failure::MaybeSent, Err(Fault::TimedOut)));
}

#[test]
fn answers_that_break_the_contract_are_survived() {
    let mut buffer = [0; 1024];
    let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
    exchange.handle_read(5);
    assert_eq!(exchange.outcome(), Err(Fault::Unfinished), "nobody reads before the request is sent");
    exchange.handle_written(usize::MAX);
    assert!(exchange.is_sent());
    exchange.handle_written(1);
    exchange.handle_read(usize::MAX);
    // A buffer of zeros is no head.
    assert_eq!(exchange.outcome(), Err(Fault::NotHttp));
    exchange.handle_read(0);
    exchange.handle_timeout();
    assert_eq!(exchange.outcome(), Err(Fault::NotHttp), "the first fault stands");

    let mut buffer = [0; 1024];
    let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
    exchange.handle_written(0);
    assert_eq!(exchange.outcome(), Err(Fault::Broken), "a writer that takes nothing would be asked for ever");
}

/// SplitMix64, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % n as u64) as usize
    }
}

#[test]
fn garbled_replies_end_and_are_read_alike_in_pieces() {
    let cases = cases::all();
    let mut dice = Dice(42);
    for round in 0..30_000 {
        let case = &cases[dice.below(cases.len())];
        let mut reply = case.reply.clone();
        for _ in 0..=dice.below(3) {
            if reply.is_empty() {
                break;
            }
            let at = dice.below(reply.len());
            match dice.below(4) {
                0 => reply[at] = dice.below(256) as u8,
                1 => drop(reply.remove(at)),
                2 => reply.insert(at, b"\r\n0:;, \x00"[dice.below(8)]),
                _ => reply.truncate(at),
            }
        }
        // Surplus is seen or not depending on the pieces; everything else must not.
        let whole = by_hand(case.room, false, &[&reply]);
        let at = dice.below(reply.len() + 1);
        let (first, second) = reply.split_at(at);
        assert_eq!(by_hand(case.room, false, &[first, second]), whole, "round {round}, {}, split at {at}", case.name);
    }
}
