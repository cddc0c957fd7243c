//! How eager and how patient is a keeper: the numbers, each with its reason.
//!
//! A policy is small (it lives inside every keeper), so its fields are packed in seconds. Every setter clamps to what
//! keeps the machine sound: a floor of zero, for example, cannot be asked for.

/// Connecting may take this long, in milliseconds; adapters enforce it. A WeChat host has several addresses, and a
/// single one that does not answer must leave time for the next.
pub const CONNECT_LIMIT_MS: u32 = 3_000;

/// One whole exchange may take this long, in milliseconds; adapters enforce it. A slower platform is treated as down.
pub const EXCHANGE_LIMIT_MS: u32 = 10_000;

/// The numbers behind a keeper's decisions.
///
/// Start from one of the constants (an [`Endpoint`](crate::Endpoint) carries the right one) and change what you must:
///
/// ```
/// # use wxtoken_core::Policy;
/// // A test account may fetch 200 times a day, not 2000.
/// let policy = Policy::ROTATING.with_daily_limit(100, 20);
/// assert_eq!(policy.daily_limit(), 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Policy {
    pub(crate) lead_s: u16,
    pub(crate) lead_divisor: u8,
    pub(crate) lead_jitter_s: u8,
    pub(crate) margin_s: u8,
    pub(crate) grace_s: u8,
    pub(crate) floor_s: u16,
    pub(crate) backoff_first_ms: u16,
    pub(crate) backoff_cap_s: u16,
    pub(crate) urgent_cap_s: u16,
    pub(crate) urgent_below_s: u16,
    pub(crate) lost_after_s: u16,
    pub(crate) quiet_s: u16,
    pub(crate) patience_first_s: u16,
    pub(crate) patience_cap_s: u16,
    pub(crate) daily_limit: u16,
    pub(crate) daily_reserve: u16,
    pub(crate) forced_limit: u8,
}

impl Policy {
    /// For `/cgi-bin/token`, where every fetch kills the token before it.
    ///
    /// Lead: a quarter of the life and at least 600 s, so that an outage shorter than that is never seen by a caller.
    /// Quiet window: 75 s, longer than any request of ours can still be executing.
    pub const ROTATING: Self = Self { lead_s: 600, lead_divisor: 4, ..Self::STABLE };

    /// For `/cgi-bin/stable_token`, which hands out the same token until its last 300 s.
    ///
    /// Lead: 295 s less 0 to 10 s. Any larger lead only returns the same token and spins.
    pub const STABLE: Self = Self {
        lead_s: 295,
        lead_divisor: 0,
        lead_jitter_s: 10,
        margin_s: 2,
        grace_s: 30,
        floor_s: 30,
        backoff_first_ms: 1_000,
        backoff_cap_s: 60,
        urgent_cap_s: 10,
        urgent_below_s: 600,
        lost_after_s: 15,
        quiet_s: 75,
        patience_first_s: 300,
        patience_cap_s: 1_800,
        daily_limit: 500,
        daily_reserve: 50,
        forced_limit: 20,
    };

    /// For WeCom `gettoken`, which repeats the same credential while it is valid.
    ///
    /// Lead: 60 s, and if the repeat brought nothing new, once more when the known expiry has passed.
    pub const REPEATING: Self = Self { lead_s: 60, lead_jitter_s: 0, ..Self::STABLE };

    /// For tickets, which repeat like WeCom's tokens, and of which the platform gives few: WeCom 100 an hour to an app
    /// and 400 to a corp (document 96909), 公众平台 an unnamed number it calls very limited.
    ///
    /// Lead: half the life. A ticket that another program had fetched before is announced with a full life although it is
    /// older, and nothing tells that it died; at half its life it is looked at again, for a fetch that another lead would
    /// make as well. Ledger: 90 a day, so that not even a whole day's, spent within one hour, is more than an app may
    /// have, nor four apps' more than their corp may; a day without trouble takes 24. Two successes are a minute apart
    /// and nothing hurries a failed fetch, which keeps every hour below 100, the hour around midnight too.
    /// Lost after 35 s: an exchange whose token was refused is made once more, with another that is fetched meanwhile.
    pub const TICKET: Self = Self {
        lead_divisor: 2,
        floor_s: 60,
        backoff_first_ms: 1_000,
        backoff_cap_s: 120,
        urgent_below_s: 0,
        lost_after_s: 35,
        daily_limit: 90,
        daily_reserve: 20,
        forced_limit: 0,
        ..Self::REPEATING
    };

    /// For a token server, which keeps the platform's rules itself and says when the next token will be there.
    ///
    /// Lead: 60 s, where it does not say. No grace: how young a token is only the server knows, which keeps one that is. The
    /// first report of a token is made at once and another after 5 s, as the server holds off what is too soon; nothing is
    /// forced, since a report says all. Patience: 60 to 600 s, a key is mended by a person nearby.
    #[cfg(feature = "token-server")]
    pub const TOKEN_SERVER: Self = Self {
        lead_s: 60,
        grace_s: 0,
        floor_s: 5,
        patience_first_s: 60,
        patience_cap_s: 600,
        daily_limit: 20_000,
        daily_reserve: 1_000,
        forced_limit: 0,
        ..Self::STABLE
    };

    /// Fetch this many seconds before expiry, or the life divided by `divisor` if that is more (0: no division).
    /// Up to `jitter_s` seconds, drawn once per token, are taken off again.
    #[must_use]
    pub const fn with_lead(mut self, seconds: u16, divisor: u8, jitter_s: u8) -> Self {
        self.lead_s = seconds;
        self.lead_divisor = divisor;
        self.lead_jitter_s = jitter_s;
        self
    }

    /// Believe a token this many seconds less than announced. Default 2: the reply was on its way, clocks differ.
    #[must_use]
    pub const fn with_margin(mut self, seconds: u8) -> Self {
        self.margin_s = seconds;
        self
    }

    /// A token younger than this gets one report without consequence. Default 30 s: the platform is eventually
    /// consistent, a young token has been seen refused once and then working.
    #[must_use]
    pub const fn with_grace(mut self, seconds: u8) -> Self {
        self.grace_s = seconds;
        self
    }

    /// The least time between two successful fetches, at least 1 s. Default 30 s: whatever the replies say, no spin.
    #[must_use]
    pub const fn with_floor(mut self, seconds: u16) -> Self {
        self.floor_s = at_least(seconds, 1);
        self
    }

    /// The ceiling of the first wait after a passing failure, in ms (at least 100), and the largest ceiling, in
    /// seconds (at least 1): by default 1 s, doubling to 60 s. The wait itself is drawn below the ceiling.
    #[must_use]
    pub const fn with_backoff(mut self, first_ms: u16, cap_s: u16) -> Self {
        self.backoff_first_ms = at_least(first_ms, 100);
        self.backoff_cap_s = at_least(cap_s, 1);
        self
    }

    /// With less than `below_s` seconds of life left, the ceiling of the backoff is `cap_s` (at least 1).
    /// Default: 10 s below 600 s. After 60 failures in a row the ordinary ceiling holds again, for the budget's sake.
    #[must_use]
    pub const fn with_urgency(mut self, below_s: u16, cap_s: u16) -> Self {
        self.urgent_below_s = below_s;
        self.urgent_cap_s = at_least(cap_s, 1);
        self
    }

    /// An exchange that nobody spoke of for `lost_after_s` counts as maybe executed (default 15 s, never below the
    /// exchange limit of 10 s). `quiet_s` is the quiet window after one on a rotating endpoint (default 75 s, never
    /// below `lost_after_s`): a lock shorter than the call it protects protects nothing.
    #[must_use]
    pub const fn with_quiet_window(mut self, lost_after_s: u16, quiet_s: u16) -> Self {
        self.lost_after_s = at_least(lost_after_s, (EXCHANGE_LIMIT_MS / 1000) as u16);
        self.quiet_s = at_least(quiet_s, self.lost_after_s);
        self
    }

    /// Waits when the configuration is wrong or a person must act: first, then doubling up to the cap, in seconds, each
    /// at least 60. Default 300 to 1800: refusals lock an address out, so hammering makes it worse.
    #[must_use]
    pub const fn with_patience(mut self, first_s: u16, cap_s: u16) -> Self {
        self.patience_first_s = at_least(first_s, 60);
        self.patience_cap_s = at_least(cap_s, self.patience_first_s);
        self
    }

    /// At most `limit` fetches a day (at least 2), `reserve` of them kept for when there is no valid token (less than
    /// the limit). Default 500 and 50 of the platform's 2000: days are counted from the first fetch where wall time is
    /// unknown, so one day of the platform can see two of ours.
    #[must_use]
    pub const fn with_daily_limit(mut self, limit: u16, reserve: u16) -> Self {
        self.daily_limit = at_least(limit, 2);
        self.daily_reserve = if reserve < self.daily_limit { reserve } else { self.daily_limit - 1 };
        self
    }

    /// At most this many forced refreshes a day. Default 20, what the platform allows.
    #[must_use]
    pub const fn with_forced_limit(mut self, limit: u8) -> Self {
        self.forced_limit = limit;
        self
    }

    /// The most fetches a keeper makes in one day.
    #[must_use]
    pub const fn daily_limit(&self) -> u16 {
        self.daily_limit
    }

    /// How many of them are kept for when there is no valid token.
    #[must_use]
    pub const fn daily_reserve(&self) -> u16 {
        self.daily_reserve
    }

    /// The most forced refreshes in one day.
    #[must_use]
    pub const fn forced_limit(&self) -> u8 {
        self.forced_limit
    }

    /// The least time between two successful fetches, in seconds.
    #[must_use]
    pub const fn floor_s(&self) -> u16 {
        self.floor_s
    }
}

const fn at_least(value: u16, least: u16) -> u16 {
    if value < least { least } else { value }
}

/// Seconds of a policy as the milliseconds the machine counts in.
pub(crate) const fn ms(seconds: u16) -> u64 {
    seconds as u64 * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setters_keep_the_machine_sound() {
        let p = Policy::ROTATING
            .with_floor(0)
            .with_backoff(0, 0)
            .with_urgency(0, 0)
            .with_quiet_window(0, 0)
            .with_patience(0, 0)
            .with_daily_limit(0, 9);
        assert_eq!((p.floor_s, p.backoff_first_ms, p.backoff_cap_s, p.urgent_cap_s), (1, 100, 1, 1));
        assert_eq!((p.lost_after_s, p.quiet_s), (10, 10));
        assert_eq!((p.patience_first_s, p.patience_cap_s), (60, 60));
        assert_eq!((p.daily_limit, p.daily_reserve), (2, 1));
    }
}
