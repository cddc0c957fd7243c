//! The two pumps over one table.

use wxtoken_embedded::{Exchange, Fault, asynch, blocking, core::Failure};

use crate::{
    cases,
    support::{Script, Verdict, block_on, request, verdict},
};

fn blocking(case: &cases::Case, at_most: usize) -> (Verdict, Vec<u8>) {
    let mut buffer = vec![0; case.room];
    let mut exchange = Exchange::new(&request(), &mut buffer, case.keep_alive).expect("fits");
    let mut socket = Script::new(&case.reply, at_most);
    blocking::run(&mut socket, &mut exchange, || true);
    assert_eq!(socket.flushed, socket.written.len(), "{}", case.name);
    (verdict(&exchange), socket.written)
}

fn asynch(case: &cases::Case, at_most: usize) -> (Verdict, Vec<u8>) {
    let mut buffer = vec![0; case.room];
    let mut exchange = Exchange::new(&request(), &mut buffer, case.keep_alive).expect("fits");
    let mut socket = Script::new(&case.reply, at_most);
    block_on(asynch::run(&mut socket, &mut exchange));
    assert_eq!(socket.flushed, socket.written.len(), "{}", case.name);
    (verdict(&exchange), socket.written)
}

#[test]
fn blocking_and_asynchronous_agree_on_every_case() {
    for case in cases::all() {
        for at_most in [1, 7, 4096] {
            let want = (case.want.clone(), case.reusable);
            let (got, written) = blocking(&case, at_most);
            assert_eq!(got, want, "{}, blocking, {at_most} a call", case.name);
            assert_eq!(asynch(&case, at_most), (got, written.clone()), "{}, {at_most} a call", case.name);
            let mut whole = vec![0; 2048];
            let mut rest = whole.as_mut_slice();
            request().write_http(&mut rest, case.keep_alive).expect("fits");
            let len = 2048 - rest.len();
            assert_eq!(written, whole[..len], "{}, {at_most} a call", case.name);
        }
    }
}

#[test]
fn the_deadline_is_asked_before_every_call() {
    let reply = cases::all().remove(0).reply;
    let calls = |limit: u32| {
        let mut buffer = [0; 1024];
        let mut exchange = Exchange::new(&request(), &mut buffer, false).expect("fits");
        let mut left = limit;
        blocking::run(&mut Script::new(&reply, 16), &mut exchange, || {
            left = left.saturating_sub(1);
            left > 0
        });
        (exchange.outcome().map(|r| r.status()), exchange.failure())
    };
    assert_eq!(calls(1), (Err(Fault::TimedOut), Failure::NotSent));
    assert_eq!(calls(2), (Err(Fault::TimedOut), Failure::MaybeSent));
    assert_eq!(calls(25), (Err(Fault::TimedOut), Failure::MaybeSent));
    assert_eq!(calls(1000).0, Ok(200));
}
