//! Which refusals were ordered, and does one of them apply to this call?

/// An order to refuse: any errcode, while fetching or while using a token, for ever or for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) errcode: i32,
    using: bool,
    times: Option<u32>,
    lasts_ms: Option<u64>,
    younger_than_ms: Option<u64>,
    until: u64,
}

impl Refusal {
    /// Refuses every fetch of the account.
    #[must_use]
    pub const fn fetching(errcode: i32) -> Self {
        Self { errcode, using: false, times: None, lasts_ms: None, younger_than_ms: None, until: u64::MAX }
    }

    /// Refuses every call that carries a live token of the account.
    #[must_use]
    pub const fn using(errcode: i32) -> Self {
        Self { using: true, ..Self::fetching(errcode) }
    }

    /// Only the next `times` calls that it applies to.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Only for `ms` milliseconds of the platform's clock, counted from when the order is given.
    #[must_use]
    pub const fn lasting_ms(mut self, ms: u64) -> Self {
        self.lasts_ms = Some(ms);
        self
    }

    /// Only tokens younger than `ms` milliseconds: the platform is eventually consistent, and users report a token
    /// that was refused once and worked half a minute later. No effect on fetches.
    #[must_use]
    pub const fn younger_than_ms(mut self, ms: u64) -> Self {
        self.younger_than_ms = Some(ms);
        self
    }

    pub(crate) const fn ordered_at(mut self, now: u64) -> Self {
        if let Some(ms) = self.lasts_ms {
            self.until = now.saturating_add(ms);
        }
        self
    }

    /// `age_ms` is that of the token presented; `None` for a fetch.
    const fn applies(&self, now: u64, age_ms: Option<u64>) -> bool {
        if self.using != age_ms.is_some() || now >= self.until || matches!(self.times, Some(0)) {
            return false;
        }
        match (self.younger_than_ms, age_ms) {
            (Some(limit), Some(age)) => age < limit,
            _ => true,
        }
    }
}

/// The first order that applies, used up by one.
pub(crate) fn next(orders: &mut Vec<Refusal>, now: u64, age_ms: Option<u64>) -> Option<i32> {
    orders.retain(|order| now < order.until && order.times != Some(0));
    let order = orders.iter_mut().find(|order| order.applies(now, age_ms))?;
    if let Some(times) = &mut order.times {
        *times -= 1;
    }
    Some(order.errcode)
}
