//! What is remembered of the day, for the table and the drawing?

/// One exchange with the token endpoint, as the client saw it.
#[derive(Clone, Copy)]
pub(crate) struct Exchange {
    /// Milliseconds since midnight, when it was sent.
    pub(crate) at_ms: u64,
    pub(crate) came: Result,
}

/// What came back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Result {
    Token,
    Refusal,
    Nothing,
}

/// What the client hands out, and whether the platform would take it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Served {
    /// A token that works, by its number.
    Valid(u32),
    /// A token that the platform refuses by now.
    Dead(u32),
    /// An error.
    Nothing,
}

/// A stretch of time during which the same was served.
#[derive(Clone, Copy)]
pub(crate) struct Bar {
    pub(crate) served: Served,
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
}

/// A stretch of time during which something was wrong.
pub(crate) struct Band {
    pub(crate) label: &'static str,
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
}

/// What was served, second by second.
#[derive(Default)]
pub(crate) struct Track {
    pub(crate) bars: Vec<Bar>,
    /// Milliseconds during which a token was served that the platform refuses.
    pub(crate) dead_ms: u64,
    /// Milliseconds during which there was no token to serve.
    pub(crate) nothing_ms: u64,
}

impl Track {
    /// At `now_ms` this is served; what was served before has been until now.
    pub(crate) fn observe(&mut self, now_ms: u64, served: Served) {
        if let Some(last) = self.bars.last_mut() {
            let since = now_ms.saturating_sub(last.to_ms);
            last.to_ms = now_ms;
            match last.served {
                Served::Valid(_) => {}
                Served::Dead(_) => self.dead_ms += since,
                Served::Nothing => self.nothing_ms += since,
            }
            if last.served == served {
                return;
            }
        }
        self.bars.push(Bar { served, from_ms: now_ms, to_ms: now_ms });
    }

    /// Milliseconds without a valid token.
    pub(crate) const fn without_ms(&self) -> u64 {
        self.dead_ms + self.nothing_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_without_a_valid_token_counts() {
        let mut track = Track::default();
        for (at, served) in [
            (0, Served::Valid(1)),
            (1_000, Served::Valid(1)),
            (2_000, Served::Dead(1)),
            (3_000, Served::Nothing),
            (5_500, Served::Valid(2)),
            (9_000, Served::Valid(2)),
        ] {
            track.observe(at, served);
        }
        assert_eq!((track.dead_ms, track.nothing_ms, track.without_ms()), (1_000, 2_500, 3_500));
        assert_eq!(track.bars.len(), 4);
        assert_eq!((track.bars[0].from_ms, track.bars[0].to_ms), (0, 2_000));
        assert_eq!((track.bars[3].from_ms, track.bars[3].to_ms), (5_500, 9_000));
    }
}
