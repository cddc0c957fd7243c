//! What goes wrong, and when: drawn from a seed.

/// A generator of its own, so that a run depends on the seed and on nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number in `from..to`.
    pub(crate) fn within(&mut self, from: u64, to: u64) -> u64 {
        from + (self.next() >> 11) % (to - from)
    }
}

/// What becomes of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    /// Executed, the reply comes after seconds.
    Slow,
    /// Executed, the reply is lost: the client times out.
    ReplyLost,
    /// Never executed, and nobody says so.
    Unanswered,
    /// Executed up to a minute after the client gave up.
    ExecutedLate,
    /// The driver dies and never hands in a result; the reply turns up later all the same.
    DriverSilent,
    NotSent,
    ServerError,
    Garbled,
    Oversize,
}

impl Fate {
    pub(crate) const ALL: [Self; 10] = [
        Self::Fine,
        Self::Slow,
        Self::ReplyLost,
        Self::Unanswered,
        Self::ExecutedLate,
        Self::DriverSilent,
        Self::NotSent,
        Self::ServerError,
        Self::Garbled,
        Self::Oversize,
    ];

    pub(crate) fn draw(chance: &mut Chance) -> Self {
        match chance.within(0, 100) {
            0..5 => Self::Slow,
            5..10 => Self::ReplyLost,
            10..15 => Self::Unanswered,
            15..18 => Self::ExecutedLate,
            18..20 => Self::DriverSilent,
            20..22 => Self::NotSent,
            22..24 => Self::ServerError,
            24..26 => Self::Garbled,
            26..27 => Self::Oversize,
            _ => Self::Fine,
        }
    }
}

/// A trouble that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spell {
    /// The network is down.
    Down,
    /// Everything times out.
    Silent,
    /// The secret was changed at the console.
    WrongSecret,
    /// The address was taken off the allow-list.
    AddressDenied,
    /// The platform is busy.
    Busy,
    /// The platform refuses every token that is used.
    RefusesTokens,
}

impl Spell {
    pub(crate) const ALL: [Self; 6] =
        [Self::Down, Self::Silent, Self::WrongSecret, Self::AddressDenied, Self::Busy, Self::RefusesTokens];

    /// The longest a keeper may take, after this ends, to hold a valid token again, in milliseconds: the longest wait
    /// it may have begun, and an hour for what strikes meanwhile.
    pub(crate) const fn recovery_ms(self) -> u64 {
        match self {
            Self::Down => 3_600_000,
            // These may have used up the unreserved budget: then the reserve is spread over the rest of the day.
            Self::Silent | Self::Busy | Self::RefusesTokens | Self::WrongSecret | Self::AddressDenied => 3 * 3_600_000,
        }
    }
}
