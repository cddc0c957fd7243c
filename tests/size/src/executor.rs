//! Who polls the futures? The smallest executor there is, and a timer that is as unknown as the rest.

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use wxtoken_embedded::{Clock, Timer, core::Instant};

use crate::{now, socket::sooner_or_later};

/// Polls until it is ready.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Tells the time and waits for it.
#[derive(Debug)]
pub struct Time;

impl Clock for Time {
    fn now(&mut self) -> Instant {
        now()
    }
}

impl Timer for Time {
    async fn wait_until(&mut self, at: Instant) {
        core::hint::black_box(at);
        sooner_or_later(()).await;
    }
}
