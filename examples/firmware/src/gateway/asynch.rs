//! How does a gateway do its job in a task of an executor?
//!
//! The network stack runs in a task of its own, so there is nothing to poll here.

use wxtoken_embedded::{
    Timer,
    asynch::{Client, Connect, Remember},
};

use super::{Job, Verdict};

/// Does `job` with `client` until it ends. It sleeps while nothing is due.
pub async fn keep_fresh<C: Connect, T: Timer, M: Remember>(client: &mut Client<'_, C, T, M>, job: &mut Job) -> Verdict {
    loop {
        let attempt = client.next().await;
        if let Some(verdict) = job.fetched(&attempt) {
            return verdict;
        }
    }
}
