//! What does WeCom's `gettoken` do? It hands out the same token while that is valid, and knows no overlap.
//!
//! "The same while valid" is what older documents and tests say; the current document is silent.

use super::account::{Account, WorkRepeat};
use super::ledger::Ledger;
use super::quota::{Span, Window};
use super::stable::Granted;

#[derive(Default)]
pub(crate) struct Work {
    pub(crate) ledger: Ledger,
    minute: Window,
    hour: Window,
    failures: Window,
    blocked_until: u64,
}

impl Work {
    /// 45009 when a window is exceeded. The penalty is as long as the window: 60 s or 60 min (WeCom rate limits).
    pub(crate) fn take_quota(&mut self, account: &Account, now: u64) -> Result<(), i32> {
        if now < self.blocked_until {
            return Err(45_009);
        }
        for (window, span, limit) in [
            (&mut self.minute, Span::Minute, account.quotas.work_per_minute),
            (&mut self.hour, Span::Hour, account.quotas.work_per_hour),
        ] {
            if !window.take(span, now, limit) {
                self.blocked_until = now.saturating_add(span.ms());
                return Err(45_009);
            }
        }
        Ok(())
    }

    /// Counts a call that failed for another reason than a quota; blocks when there have been too many.
    pub(crate) fn count_failure(&mut self, account: &Account, now: u64) {
        if !self.failures.take(Span::Hour, now, account.quotas.work_failures_per_hour.saturating_sub(1)) {
            self.blocked_until = self.blocked_until.max(now.saturating_add(Span::Hour.ms()));
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
