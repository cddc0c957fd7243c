//! How does a gateway without an executor do its job?

use wxtoken_embedded::{
    Clock,
    blocking::{Client, Connect, Remember},
};

use super::{Job, Verdict};

/// Does `job` with `client` until it ends.
///
/// `rest` passes some of the time in which there is nothing to do. It gets the connector, whose stack may want to be
/// polled, and may come back at any time.
pub fn keep_fresh<C: Connect, K: Clock, M: Remember>(
    client: &mut Client<'_, C, K, M>,
    job: &mut Job,
    mut rest: impl FnMut(&mut C),
) -> Verdict {
    loop {
        if let Some(verdict) = client.tick().and_then(|attempt| job.fetched(&attempt)) {
            return verdict;
        }
        rest(client.connector());
    }
}
