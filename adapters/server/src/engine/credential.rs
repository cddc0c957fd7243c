//! What can be done with a credential? Read it, wait for it, report it as refused, ask for a new one, look at how it is.

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::watch;
use wxtoken::{Act, Fingerprint, Instant, Ledger, Reason, core};

use super::{Cell, Inner};
use crate::{events, kind::Kind, snapshot::Snapshot, store::Key};

/// One credential of an account, cheap to clone.
#[derive(Clone)]
pub struct Credential {
    pub(crate) cell: Arc<Cell>,
    pub(crate) inner: Arc<Inner>,
}

/// Which credential a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// The one with this fingerprint.
    Fingerprint(Fingerprint),
    /// The one whose text has this SHA-256.
    Sha256([u8; 32]),
}

impl Seen {
    /// The credential with this text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Fingerprint(Fingerprint::of(text))
    }

    fn is(self, snapshot: &Snapshot) -> bool {
        snapshot.held.as_ref().is_some_and(|held| match self {
            Self::Fingerprint(fingerprint) => held.fingerprint() == fingerprint,
            Self::Sha256(sha256) => *held.sha256() == sha256,
        })
    }
}

impl From<Fingerprint> for Seen {
    fn from(fingerprint: Fingerprint) -> Self {
        Self::Fingerprint(fingerprint)
    }
}

/// What a report led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "whoever answers a report must know every outcome")]
pub enum ReportOutcome {
    /// It was about an older one: take the current one and call once more.
    Replaced,
    /// It was dropped, and a fetch is under way or due.
    Refreshing,
    /// It is kept: so young that the platform may not know it everywhere yet. Try it once more.
    Kept,
    /// It was dropped, but nothing may be fetched before this time has passed.
    HeldOff(Duration),
}

impl ReportOutcome {
    /// The name on the wire: `replaced`, `refreshing`, `kept`, `held_off`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Refreshing => "refreshing",
            Self::Kept => "kept",
            Self::HeldOff(_) => "held_off",
        }
    }
}

/// What a report led to, and which generation is the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reported {
    /// What it led to.
    pub outcome: ReportOutcome,
    /// The number of the current credential, or of the last one there was.
    pub generation: u32,
}

/// Why there is no credential.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NoToken {
    /// What went wrong at the last try; `None`: a fetch is under way and has not ended yet.
    pub reason: Option<Reason>,
    /// How long until the next try, so until it pays to ask again.
    pub next_in: Duration,
}

impl NoToken {
    /// Who must act.
    #[must_use]
    pub fn act(&self) -> Act {
        self.reason.as_ref().map_or(Act::Retry, Reason::act)
    }
}

impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{reason}; next try in {} s", self.next_in.as_secs()),
            None => f.write_str("it is being fetched; ask again"),
        }
    }
}

impl std::error::Error for NoToken {}

/// How a credential is doing, for people and their dashboards. Holds neither secret nor credential.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The life left; `None` when nothing is valid.
    pub remaining: Option<Duration>,
    /// The whole life that the one held had; zero when nothing is valid.
    pub life: Duration,
    /// Counts the different ones so far; 0 before the first.
    pub generation: u32,
    /// Whether a fetch is under way.
    pub fetching: bool,
    /// How long until the next fetch; zero when it is due. `None`: a ticket waits for its token.
    pub next_in: Option<Duration>,
    /// How much of the day's budget is used.
    pub ledger: Ledger,
    /// The most fetches in a day.
    pub daily_limit: u16,
    /// Why the last try failed, with the remedy in its text; `None` when it succeeded.
    pub trouble: Option<Reason>,
    /// Whether the store holds it as it is.
    pub saved: bool,
    /// How often it was asked for in the last 60 s.
    pub readers_per_minute: u64,
    /// How often it was asked for since this server started.
    pub readers: u64,
}

impl Credential {
    /// What kind of credential it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.cell.kind
    }

    /// How it stands. Takes no lock: this is what every reader calls.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.cell.snapshot_full()
    }

    /// A caller's API call was refused with 40001, 40014 or 42001 while it used this credential. Only that one is dropped;
    /// reports of older ones cost nothing.
    pub fn report(&self, seen: impl Into<Seen>) -> Reported {
        let (reported, dropped) = self.inner.report(&self.cell, seen.into());
        if dropped {
            self.save_soon();
        }
        reported
    }

    /// A new one is wanted although the old one works: it leaked, or an operator says so. On `stable_token` that is a forced
    /// refresh, within its budget. The old one is served meanwhile.
    pub fn rotate(&self) -> Reported {
        let now = self.inner.clock.now();
        let mut state = self.cell.lock();
        let outcome = outcome(state.keeper.rotate(now), now);
        self.cell.publish(&mut state, now);
        let generation = state.generation();
        drop(state);
        self.inner.plan(&self.cell);
        self.inner.tallies.rotations.count(outcome.name());
        events::rotated(&self.cell, outcome.name());
        Reported { outcome, generation }
    }

    /// Rings at every change of the snapshot, with the generation. Look at the snapshot after subscribing, not before.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u32> {
        self.cell.watch()
    }

    /// Somebody waits for it: if a fetch is due, it comes before others of the same host. Shortens no wait.
    pub fn want(&self) {
        let first = self.cell.parent.as_ref().unwrap_or(&self.cell);
        self.inner.agenda.hurry(first);
        self.inner.agenda.hurry(&self.cell);
    }

    /// The snapshot once it has a valid credential. Waits at most `limit`, and only while a fetch is under way or planned
    /// within it: the first one that fails ends the waiting, and so does one that may not be made in time.
    ///
    /// # Errors
    /// [`NoToken`] says why, and when to ask again.
    pub async fn wait(&self, limit: Duration) -> Result<Arc<Snapshot>, NoToken> {
        let until = self.inner.clock.now().saturating_add(limit);
        let mut changed = self.changed();
        let mut above = self.cell.parent.as_ref().map(|parent| parent.watch());
        loop {
            // Before the look, so that a change between the two wakes us.
            changed.borrow_and_update();
            if let Some(above) = &mut above {
                above.borrow_and_update();
            }
            let (now, snapshot) = (self.inner.clock.now(), self.snapshot());
            if snapshot.valid(now).is_some() {
                return Ok(snapshot);
            }
            let first = self.first(now);
            if now >= until || !first.is_coming(now, until) {
                // It may have come between the two looks.
                if first.snapshot().valid(now).is_some() {
                    continue;
                }
                return Err(self.why_not(now));
            }
            self.want();
            let changed_above = async {
                match &mut above {
                    Some(above) => above.changed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = changed.changed() => {}
                _ = changed_above => {}
                () = self.inner.clock.sleep_until(until) => {}
            }
        }
    }

    /// Which one it is, among all of all accounts.
    pub(crate) fn key(&self) -> Key {
        self.cell.key
    }

    /// Whether a fetch of it is under way or due.
    pub(crate) fn is_coming(&self) -> bool {
        let now = self.inner.clock.now();
        self.cell.is_coming(now, now)
    }

    /// What must be fetched first: of a ticket without its token, that.
    fn first(&self, now: Instant) -> &Arc<Cell> {
        self.cell.parent.as_ref().filter(|parent| parent.snapshot().valid(now).is_none()).unwrap_or(&self.cell)
    }

    /// Why nothing is valid now, and when it pays to ask again.
    #[must_use]
    pub fn why_not(&self, now: Instant) -> NoToken {
        let state = self.first(now).lock();
        let next_in = state.due_at().saturating_since(now);
        let fetching = state.keeper.in_flight().is_some();
        let reason = state.trouble().or_else(|| {
            let spent = state.keeper.ledger(now).fetches >= state.keeper.policy().daily_limit();
            match (fetching || next_in.is_zero(), spent) {
                (true, _) => None,
                (false, true) => Some(Reason::DailyLimit),
                (false, false) => Some(Reason::TooSoon),
            }
        });
        NoToken { reason, next_in: if fetching { Duration::ZERO } else { next_in } }
    }

    /// Somebody asks for it, whatever comes of that.
    pub(crate) fn count_reader(&self, now: Instant) {
        self.cell.readers.count(now);
    }

    /// How it is doing. Takes its lock: for people, not for every request.
    #[must_use]
    pub fn status(&self) -> Status {
        let now = self.inner.clock.now();
        let next_in = self.cell.due_at(now).map(|at| at.saturating_since(now));
        let state = self.cell.lock();
        let held = state.keeper.snapshot(now);
        Status {
            remaining: held.map(|held| held.remaining),
            life: held.map_or(Duration::ZERO, |held| held.life),
            generation: state.generation(),
            fetching: state.keeper.in_flight().is_some(),
            next_in,
            ledger: state.keeper.ledger(now),
            daily_limit: state.keeper.policy().daily_limit(),
            trouble: state.trouble(),
            saved: !self.cell.is_unsaved(),
            readers_per_minute: self.cell.readers.per_minute(now),
            readers: self.cell.readers.total(),
        }
    }

    /// A refused credential must not come back with a restart.
    fn save_soon(&self) {
        let (inner, cell) = (self.inner.clone(), self.cell.clone());
        tokio::spawn(async move { inner.save(&cell).await });
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("account", &self.cell.name())
            .field("kind", &self.cell.kind)
            .field("snapshot", &self.snapshot())
            .finish()
    }
}

impl Inner {
    /// Returns also whether the credential held was dropped by this very report.
    pub(crate) fn report(&self, cell: &Arc<Cell>, seen: Seen) -> (Reported, bool) {
        let now = self.clock.now();
        let shown = cell.snapshot_full();
        if shown.valid(now).is_some() && !seen.is(&shown) {
            // The usual late report: nobody else need wait for it.
            self.tallies.reports.count(ReportOutcome::Replaced.name());
            return (Reported { outcome: ReportOutcome::Replaced, generation: shown.generation }, false);
        }
        let mut state = cell.lock();
        let shown = cell.snapshot_full();
        let was_valid = shown.valid(now).is_some();
        let outcome = match shown.valid(now) {
            // Replaced while we waited for the lock.
            Some(_) if !seen.is(&shown) => ReportOutcome::Replaced,
            held => {
                // When nothing is valid the keeper does not look at what was seen.
                let fingerprint = held.map_or_else(|| Fingerprint::of(""), |held| held.fingerprint());
                outcome(state.keeper.report_refused(now, fingerprint), now)
            }
        };
        let dropped = was_valid && state.keeper.token(now).is_none();
        if was_valid {
            cell.publish(&mut state, now);
        }
        let generation = state.generation();
        drop(state);
        self.tallies.reports.count(outcome.name());
        if dropped {
            self.plan(cell);
        }
        if was_valid && outcome != ReportOutcome::Replaced {
            events::reported(cell, outcome.name(), generation);
        }
        (Reported { outcome, generation }, dropped)
    }
}

fn outcome(outcome: core::ReportOutcome, now: Instant) -> ReportOutcome {
    match outcome {
        core::ReportOutcome::Replaced => ReportOutcome::Replaced,
        core::ReportOutcome::Kept => ReportOutcome::Kept,
        core::ReportOutcome::HeldOff(at) => ReportOutcome::HeldOff(at.saturating_since(now)),
        _ => ReportOutcome::Refreshing,
    }
}
