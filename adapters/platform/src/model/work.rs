//! What does WeCom's `gettoken` do? It hands out the same token while that is valid, and knows no overlap.
//!
//! "The same while valid" is what older documents and tests say; the current document is silent.

use super::account::{Account, Quotas, WorkRepeat};
use super::ledger::Ledger;
use super::quota::{ApiQuota, Meter, Span, Window};
use super::stable::Granted;

#[derive(Default)]
pub(crate) struct Work {
    pub(crate) ledger: Ledger,
    meter: Meter,
    failures: Window,
}

impl Work {
    /// 45009 when a window is exceeded. The penalty is as long as the window: 60 s or 60 min (WeCom rate limits).
    pub(crate) fn take_quota(&mut self, account: &Account, now: u64) -> Result<(), i32> {
        let Quotas { work_per_minute: per_minute, work_per_hour: per_hour, .. } = account.quotas;
        let quota = ApiQuota { per_minute, per_hour, ..ApiQuota::UNLIMITED };
        self.meter.take(now, quota, true).map_err(|_| 45_009)
    }

    /// Counts a call that failed for another reason than a quota; blocks when there have been too many.
    pub(crate) fn count_failure(&mut self, account: &Account, now: u64) {
        if !self.failures.take(Span::Hour, now, account.quotas.work_failures_per_hour.saturating_sub(1)) {
            self.meter.block(now.saturating_add(Span::Hour.ms()));
        }
    }

    pub(crate) fn grant(&mut self, account: &Account, now: u64, mint: impl FnOnce() -> String) -> Granted {
        if let Some(current) = self.ledger.newest()
            && current.is_alive(now)
        {
            return Granted {
                token: current.token.clone(),
                expires_in: match account.work_repeat {
                    WorkRepeat::Remaining => current.remaining_s(now),
                    WorkRepeat::FullLife => u64::from(account.life_s),
                },
                minted: false,
                forced: false,
            };
        }
        let minted = self.ledger.push(mint(), now, account.life_s);
        Granted { token: minted.token.clone(), expires_in: u64::from(account.life_s), minted: true, forced: false }
    }

    /// The platform invalidates early "for operational reasons" (WeCom gettoken document).
    pub(crate) fn revoke(&mut self, now: u64) {
        if let Some(current) = self.ledger.newest_mut() {
            current.kill_at(now);
        }
    }
}
