//! What can be ordered from outside? Everything that happens to an account without a call: other programs, people in
//! the console, and the platform's own doings.

use std::fmt;
use std::net::IpAddr;

use super::account::{Account, Kind, Quotas};
use super::body::Quirks;
use super::counters::Counters;
use super::ledger::{Ledger, Standing};
use super::quota::{Span, Window};
use super::refusal::Refusal;
use super::stable::Stable;
use super::work::Work;
use super::{Entry, Gate, Message, Model, fetch, rotating, ticket};

/// No account has the name that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAccount;

impl fmt::Display for UnknownAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no account of the platform has this name")
    }
}

impl std::error::Error for UnknownAccount {}

impl Model {
    /// Adds an account.
    ///
    /// # Errors
    /// The account itself, when one of its name is there already.
    pub fn add(&mut self, account: Account) -> Result<(), Box<Account>> {
        let name = account.name();
        if self.names.contains_key(&name) {
            return Err(Box::new(account));
        }
        self.names.insert(name.clone(), self.entries.len());
        self.ids.entry(account.id.clone()).or_default().push(self.entries.len());
        self.entries.push(Entry {
            gate: Gate::new(account.allowed.clone(), account.admin),
            name,
            account,
            rotating: Ledger::default(),
            rotating_today: Window::default(),
            stable: Stable::default(),
            stable_minute: Window::default(),
            stable_today: Window::default(),
            work: Work::default(),
            refusals: Vec::new(),
            apis: Default::default(),
            tickets: Default::default(),
            counters: Default::default(),
        });
        Ok(())
    }

    /// Sets the oddities of the replies from now on.
    pub fn set_quirks(&mut self, quirks: Quirks) {
        self.quirks = quirks;
    }

    /// Another program fetches: on `/cgi-bin/token` this supersedes the token, and uses the day's quota without ever
    /// being refused. A WeCom token is revoked early and replaced, which its document reserves to the platform.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn rotate_elsewhere(&mut self, now: u64, name: &str) -> Result<(), UnknownAccount> {
        let index = self.index(name)?;
        let Self { entries, rng, .. } = self;
        let entry = &mut entries[index];
        let token = fetch::mint(&entry.account, rng);
        if entry.account.kind == Kind::Work {
            entry.work.revoke(now);
            entry.work.grant(&entry.account, now, || token);
        } else {
            entry.rotating_today.charge(Span::Day, now);
            rotating::grant(&mut entry.rotating, &entry.account, token, now);
        }
        entry.counters.elsewhere += 1;
        Ok(())
    }

    /// Another program forces a refresh of the stable token. Neither its budget nor its spacing is counted here.
    ///
    /// # Errors
    /// [`UnknownAccount`], also for a WeCom account, which has no such endpoint.
    pub fn force_elsewhere(&mut self, now: u64, name: &str) -> Result<(), UnknownAccount> {
        let index = self.index(name)?;
        let Self { entries, rng, .. } = self;
        let entry = &mut entries[index];
        if entry.account.kind == Kind::Work {
            return Err(UnknownAccount);
        }
        let token = fetch::mint(&entry.account, rng);
        entry.stable.replace(&entry.account, now, token);
        entry.counters.elsewhere += 1;
        Ok(())
    }

    /// The platform revokes every live token of the account, and mints nothing. The next
    /// fetch gets a new one, on every endpoint.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn revoke_all(&mut self, now: u64, name: &str) -> Result<(), UnknownAccount> {
        let entry = self.entry(name)?;
        for ledger in [&mut entry.rotating, &mut entry.stable.ledger, &mut entry.work.ledger] {
            for minted in ledger.newest_first_mut() {
                minted.kill_at(now);
            }
        }
        Ok(())
    }

    /// Gives an order to refuse. Orders are looked at in the order they were given.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn refuse(&mut self, now: u64, name: &str, refusal: Refusal) -> Result<(), UnknownAccount> {
        self.entry(name)?.refusals.push(refusal.ordered_at(now));
        Ok(())
    }

    /// Takes back every order to refuse.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn accept(&mut self, name: &str) -> Result<(), UnknownAccount> {
        self.entry(name)?.refusals.clear();
        Ok(())
    }

    /// Puts an address on the allow-list, or takes it off the denied ones. Acts at once; the real console takes some
    /// minutes.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn allow_address(&mut self, name: &str, ip: IpAddr) -> Result<(), UnknownAccount> {
        self.entry(name)?.gate.allow(ip);
        Ok(())
    }

    /// Denies an address, whether or not the allow-list is on: 40164 when fetching, 60020 for WeCom.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn deny_address(&mut self, name: &str, ip: IpAddr) -> Result<(), UnknownAccount> {
        self.entry(name)?.gate.deny(ip);
        Ok(())
    }

    /// Switches the administrator's confirmation of new addresses (89503) on or off.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn ask_admin(&mut self, name: &str, yes: bool) -> Result<(), UnknownAccount> {
        self.entry(name)?.gate.asks_admin = yes;
        Ok(())
    }

    /// The administrator confirms an address, for good.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn admin_confirms(&mut self, name: &str, ip: IpAddr) -> Result<(), UnknownAccount> {
        self.entry(name)?.gate.admin_confirms(ip);
        Ok(())
    }

    /// The administrator refuses an address: for an hour (89507) the first time, for a day (89506) each further time.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn admin_refuses(&mut self, now: u64, name: &str, ip: IpAddr) -> Result<(), UnknownAccount> {
        self.entry(name)?.gate.admin_refuses(ip, now);
        Ok(())
    }

    /// Freezes or thaws the secret: 40243 when fetching; tokens already out stay valid. Acts at once; the real
    /// console takes ten minutes.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn freeze_secret(&mut self, name: &str, frozen: bool) -> Result<(), UnknownAccount> {
        self.entry(name)?.gate.frozen = frozen;
        Ok(())
    }

    /// Replaces the secret. Tokens already out stay valid: no document says otherwise.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn change_secret(&mut self, name: &str, secret: &str) -> Result<(), UnknownAccount> {
        secret.clone_into(&mut self.entry(name)?.account.secret);
        Ok(())
    }

    /// Whether the account has this token and would accept it at `now`, ordered refusals aside. False when nobody has
    /// that name.
    #[must_use]
    pub fn token_is_valid(&self, now: u64, name: &str, token: &str) -> bool {
        self.index(name).is_ok_and(
            |index| matches!(self.find_token(token, now), Some((found, Standing::Alive { .. })) if found == index),
        )
    }

    /// Whether the account, or its corporation, has this ticket and it is alive at `now`: whether a page signed with it
    /// would be accepted. False when nobody has that name.
    #[must_use]
    pub fn ticket_is_valid(&self, now: u64, name: &str, ticket: &str) -> bool {
        self.index(name).is_ok_and(|index| {
            let entry = &self.entries[index];
            ticket::is_valid(entry, self.corporations.get(&entry.account.id), now, ticket)
        })
    }

    /// Changes the quotas of an account from now on. What has been used stays used.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn change_quotas(&mut self, name: &str, change: impl FnOnce(&mut Quotas)) -> Result<(), UnknownAccount> {
        change(&mut self.entry(name)?.account.quotas);
        Ok(())
    }

    /// What has been counted up to `now`.
    #[must_use]
    pub fn counters(&self, now: u64) -> Counters {
        let accounts = self.entries.iter().map(|entry| {
            let mut counters = entry.counters.clone();
            let ledgers = [&entry.rotating, &entry.stable.ledger, &entry.work.ledger];
            counters.alive = ledgers.into_iter().map(|ledger| ledger.alive(now) as u64).sum();
            (entry.name.clone(), counters)
        });
        Counters {
            accounts: accounts.collect(),
            strangers: self.strangers.clone(),
            length_required: self.length_required,
            connections: 0,
            faults: 0,
            held: 0,
        }
    }

    /// The messages taken over, oldest first; at most the last 10 000.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.messages.iter().cloned().collect()
    }

    /// Every token of the account, dead ones too, over all endpoints: for a test that looks for them where none may be.
    /// At most the last 4096 of each endpoint; none when nobody has that name.
    #[must_use]
    pub fn minted_tokens(&self, name: &str) -> Vec<String> {
        let entry = self.index(name).ok().and_then(|index| self.entries.get(index));
        let ledgers = entry.map(|entry| [&entry.rotating, &entry.stable.ledger, &entry.work.ledger]);
        ledgers.into_iter().flatten().flat_map(|ledger| ledger.tokens().map(str::to_owned)).collect()
    }

    fn entry(&mut self, name: &str) -> Result<&mut Entry, UnknownAccount> {
        let index = self.index(name)?;
        Ok(&mut self.entries[index])
    }

    /// By name; a bare corpid also finds the first application of that corporation.
    fn index(&self, name: &str) -> Result<usize, UnknownAccount> {
        let of_id = || self.ids.get(name).and_then(|all| all.first());
        self.names.get(name).or_else(of_id).copied().ok_or(UnknownAccount)
    }
}
