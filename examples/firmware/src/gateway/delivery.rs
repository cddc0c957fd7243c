//! What came of sending an alarm: has it arrived, is it worth another try, and when?

use wxtoken_embedded::{
    CallFailed, CallReply, ConnectError, Fault,
    core::{Act, GaveUp, Meaning, Phase, Product, Refusal},
};

use super::Verdict;

/// What came of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The platform has taken it over.
    Arrived,
    /// Nothing was sent, so it is as if it had not been tried.
    NotSent(Verdict),
    /// Not now.
    PutOff {
        /// Why.
        verdict: Verdict,
        /// How soon again.
        patience: Patience,
        /// There was no answer: the platform may have taken it over all the same.
        may_have_arrived: bool,
    },
    /// The same again would end the same way.
    Never(Verdict),
}

/// How soon an alarm that was put off is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// After a minute, and twice as long each time, up to an hour.
    Grows,
    /// After a minute, then each hour: WeCom blocks for as long as the window was in which there were too many calls.
    MinuteThenHour,
    /// Each hour: the day's quota is used up, and is filled again at midnight or by an administrator.
    Hour,
}

impl Delivery {
    /// What to make of the end of a call.
    #[must_use]
    pub fn of(result: &Result<CallReply<'_>, CallFailed>, product: Product) -> Self {
        match result {
            Ok(reply) => reply.refusal().map_or(Self::Arrived, |refusal| Self::refused(&refusal)),
            Err(failed) => Self::failed(*failed, product),
        }
    }

    fn failed(failed: CallFailed, product: Product) -> Self {
        let CallFailed { why, errcode, fault, .. } = failed;
        let verdict = fault.map_or(Verdict::Busy, Verdict::of_fault);
        match (why, errcode) {
            (GaveUp::NotSent, _)
                if matches!(fault, Some(Fault::RequestTooLong | Fault::Connect(ConnectError::NoTls))) =>
            {
                Self::Never(verdict)
            }
            (GaveUp::NotSent | GaveUp::NoToken, _) => Self::NotSent(verdict),
            (_, Some(code)) => Self::refused(&Refusal::new(product, Phase::Using, code, "")),
            (why, None) => {
                let verdict = if matches!(why, GaveUp::Status(_)) { Verdict::Foreign } else { verdict };
                let may_have_arrived = failed.maybe_executed();
                Self::PutOff { verdict, patience: Patience::Grows, may_have_arrived }
            }
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        let verdict = Verdict::of_refusal(refusal);
        let patience = match (refusal.act(), refusal.meaning()) {
            (Act::Never | Act::Configuration, _) => return Self::Never(verdict),
            (_, Meaning::DailyQuota) => Patience::Hour,
            (_, Meaning::FrequencyLimit) => Patience::MinuteThenHour,
            _ => Patience::Grows,
        };
        Self::PutOff { verdict, patience, may_have_arrived: false }
    }

    /// Who can do something about it.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Arrived => Verdict::Fresh,
            Self::NotSent(verdict) | Self::Never(verdict) | Self::PutOff { verdict, .. } => verdict,
        }
    }
}
