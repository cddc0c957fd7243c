//! How is a client doing? For people and their dashboards.

use std::{fmt, time::Duration};

use wxtoken_core::Ledger;

use crate::error::{Reason, Span};

/// How a client is doing at one moment. Holds neither secret nor token; `Display` is a few lines for people.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The endpoint's name: `stable_token`, `token`, `gettoken`.
    pub endpoint: &'static str,
    /// The appid or corpid.
    pub account: String,
    /// The base URL that is asked.
    pub base: String,
    /// The life left of the token; `None` when there is no valid one.
    pub remaining: Option<Duration>,
    /// Counts the different tokens so far; 0 before the first.
    pub generation: u32,
    /// Where the token held came from; `None` before the first.
    pub source: Option<Source>,
    /// How long until the next try; zero when it is due, and then the next caller or the refresher makes it.
    pub next_in: Duration,
    /// Whether an attempt is under way.
    pub fetching: bool,
    /// Whether a thread refreshes in the background. It starts with the first call of `token`.
    pub background: bool,
    /// How much of the day's budget is used.
    pub ledger: Ledger,
    /// The most fetches this client makes in a day.
    pub daily_limit: u16,
    /// Why the last try failed, with the remedy in its text; `None` when it succeeded.
    pub trouble: Option<Reason>,
}

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// From the platform, by this client.
    Fetched,
    /// From the cache file.
    Cached,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}: ", self.account, self.endpoint, self.base)?;
        match self.remaining {
            Some(left) => write!(f, "token {} valid for {}", self.generation, Span(left))?,
            None => f.write_str("no valid token")?,
        }
        match (self.fetching, self.next_in) {
            (true, _) => f.write_str(", fetching now")?,
            (false, Duration::ZERO) => f.write_str(", fetch due")?,
            (false, next_in) => write!(f, ", next fetch in {}", Span(next_in))?,
        }
        write!(f, "; {} of {} fetches used today", self.ledger.fetches, self.daily_limit)?;
        if self.ledger.forced > 0 {
            write!(f, ", {} of them forced", self.ledger.forced)?;
        }
        match &self.trouble {
            Some(reason) => write!(f, "\nlast try: {reason}"),
            None => Ok(()),
        }
    }
}
