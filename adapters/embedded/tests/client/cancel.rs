//! A future dropped anywhere costs its ticket and nothing else.

use wxtoken_embedded::{
    asynch,
    core::{Endpoint, Outcome},
};

use crate::world::{Act, Dialer, Watch, account, world};

const GRANT: &str =
    "HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n{\"access_token\":\"accesstoken000001\",\"expires_in\":7200}";

#[test]
fn dropped_after_any_time_the_next_exchange_comes_15_s_later_and_succeeds() {
    // 93 bytes, one each 100 ms: dropped before, in and after the head, in the body, and while connecting.
    for after in (0..9_300).step_by(93) {
        let world = world(&[Act::Trickle(100, GRANT), Act::Reply(50, GRANT)]);
        let start = world.now.get();
        let mut buffer = [0; 1024];
        let mut client = asynch::Client::new(
            account(&Endpoint::STABLE_TOKEN),
            7,
            Dialer(world.clone()),
            Watch(world.clone()),
            &mut buffer,
        );
        assert!(world.block_on(start + after, client.tick()).is_none(), "it takes longer than {after} ms");
        assert_eq!(world.open.get(), 0, "the connection is closed by the drop");
        // Until the exchange counts as lost, nothing is fetched.
        assert!(world.block_on(u64::MAX, client.tick()).expect("at once").is_none());
        let lost_at = client.poll_at().as_millis();
        assert_eq!(lost_at, start + 15_000);
        let attempt = world.block_on(u64::MAX - 1, client.next()).expect("it waits and fetches");
        assert_eq!(attempt.outcome, Outcome::Granted { generation: 1 });
        assert!((lost_at..lost_at + 2_000).contains(&world.now.get()), "{}", world.now.get());
        assert_eq!(client.keeper().ledger(world.instant()).fetches, 2);
        drop(client);
        assert!(buffer.iter().all(|&b| b == 0));
    }
}

#[test]
fn the_buffer_is_wiped_by_the_drop_itself() {
    let world = world(&[Act::Trickle(100, GRANT)]);
    let mut buffer = [0; 1024];
    let at = world.now.get() + 9_000;
    let mut client = asynch::Client::new(
        account(&Endpoint::STABLE_TOKEN),
        7,
        Dialer(world.clone()),
        Watch(world.clone()),
        &mut buffer,
    );
    assert!(world.block_on(at, client.tick()).is_none());
    // The client's own drop does nothing for it.
    std::mem::forget(client);
    assert!(buffer.iter().all(|&b| b == 0));
}
