//! What did the peer send? A small body, whole, or a refusal: never more than this much memory, nor this much time.

use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Bytes;

use super::{Incoming, problem::Problem};

/// The largest body that is read, in bytes.
pub(crate) const MAX_BODY: usize = 4096;
/// How long it may take to come.
const LIMIT: Duration = Duration::from_secs(10);

/// The body of a request for the server itself.
pub(crate) async fn small<B: Incoming>(body: B) -> Result<Bytes, Problem> {
    // The limit is the network's, so it is real time on every clock.
    match tokio::time::timeout(LIMIT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::BODY_TOO_LARGE),
        Ok(Err(_)) => Err(Problem::BODY),
        Err(_) => Err(Problem::BODY_TOO_SLOW),
    }
}
