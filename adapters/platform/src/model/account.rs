//! Which accounts does the platform know, and by which rules does it treat each?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use super::quota::ApiQuota;
use super::ticket;

/// What kind of account it is; decides the endpoints, the error texts and the quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 公众号 or 服务号.
    Official,
    /// 小程序.
    MiniProgram,
    /// An application of a 企业微信 corporation.
    Work,
}

/// How long a token of `/cgi-bin/token` lives on after a newer one was fetched.
///
/// The documents promise an overlap of up to five minutes ("Get access token", "dev/AccessToken") and users report
/// less; so each reading is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overlap {
    /// Each superseded token lives 300 s from the fetch that superseded it.
    #[default]
    EachSuperseded,
    /// Only the direct predecessor of the newest token lives 300 s; a second fetch kills it.
    DirectPredecessor,
    /// A superseded token is dead at once.
    None,
}

/// What a forced refresh of `/cgi-bin/stable_token` does to the token before it.
///
/// The getStableAccessToken documentation says that it is invalidated, yet advises *two* forced refreshes to kill a
/// leaked token at once, which suggests an overlap; so both readings are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ForcedPredecessor {
    /// It is dead at once.
    #[default]
    DiesAtOnce,
    /// It lives 300 s more, or until the next forced refresh.
    LivesOn,
}

/// What a repeated WeCom `gettoken` says about the life of the same token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WorkRepeat {
    /// `expires_in` counts down.
    #[default]
    Remaining,
    /// `expires_in` is the full life each time, although the token dies when it would have.
    FullLife,
}

/// What a repeated fetch of a ticket says about the life of the same ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TicketRepeat {
    /// `expires_in` is the full 7200 each time, although the ticket dies when it would have: what several users report
    /// of 公众号.
    FullLife,
    /// `expires_in` counts down. For WeCom no report was found; its tokens do so.
    Remaining,
}

/// How a successful WeCom `gettoken` reply looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WorkBody {
    /// `errcode` 0 and `errmsg` "ok": 企业微信 today.
    #[default]
    Ok,
    /// `errcode` 0 and an empty `errmsg`: 企业微信 as older documents show it.
    EmptyMessage,
    /// Neither: the old 企业号.
    Bare,
}

/// How often each endpoint may be called. `u32::MAX` means without limit.
///
/// Days are natural days in UTC+8. For 公众号 no document states the reset instant; WeCom's rate limit document says
/// "natural day".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quotas {
    /// `/cgi-bin/token` a day: 2000, or 200 for a test account ("API Call Limits").
    pub token_per_day: u32,
    /// `/cgi-bin/stable_token` a minute: 10 000 (getStableAccessToken documentation).
    pub stable_per_minute: u32,
    /// `/cgi-bin/stable_token` a day: 500 000 (getStableAccessToken documentation).
    pub stable_per_day: u32,
    /// Forced refreshes a day: 20 (getStableAccessToken documentation).
    pub forced_per_day: u32,
    /// Seconds that two forced refreshes must be apart: 30 (getStableAccessToken documentation).
    pub forced_apart_s: u32,
    /// WeCom `gettoken` a minute: 10 000 (WeCom rate limit document, per corporation and API).
    pub work_per_minute: u32,
    /// WeCom `gettoken` an hour: 150 000 (WeCom rate limit document).
    pub work_per_hour: u32,
    /// Failing WeCom `gettoken` calls an hour, after which the application is blocked for an hour with 45009: 2000 (a
    /// staff member's reply in the developer community; no document says it).
    pub work_failures_per_hour: u32,
    /// Calls of each other API that [`Quotas::api`] says nothing about. Unlimited for public accounts, since each API has
    /// its own number in the console; 10 000 a minute and 150 000 an hour for WeCom (its rate limit document).
    pub each_api: ApiQuota,
    /// WeCom tickets an hour over all applications of a corporation, for each of the two APIs: 400 (JS-SDK signature
    /// document). Each application's own 100 an hour are in [`Quotas::api`].
    pub corporation_tickets_per_hour: u32,
    apis: BTreeMap<String, ApiQuota>,
}

impl Quotas {
    /// The quota of one API, to be read or changed: `quotas.api("/cgi-bin/message/template/send").per_day = 3`.
    ///
    /// Tickets have one from the start. WeCom: 100 an hour (JS-SDK signature document). Public accounts: 10 000 a day,
    /// where a user met 45009; no document has a number.
    pub fn api(&mut self, path: &str) -> &mut ApiQuota {
        let each = self.each_api;
        self.apis.entry(path.to_owned()).or_insert(each)
    }

    pub(crate) fn of_api(&self, path: &str) -> ApiQuota {
        self.apis.get(path).copied().unwrap_or(self.each_api)
    }

    /// The documented numbers for an account of this kind.
    fn of_kind(kind: Kind) -> Self {
        let mut quotas = Self::default();
        if kind == Kind::Work {
            quotas.each_api.per_minute = 10_000;
            quotas.each_api.per_hour = 150_000;
        }
        for ticket in ticket::Kind::ALL {
            let quota = quotas.api(ticket.path());
            match ticket.is_work() {
                true => quota.per_hour = 100,
                false => quota.per_day = 10_000,
            }
        }
        quotas
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            token_per_day: 2_000,
            stable_per_minute: 10_000,
            stable_per_day: 500_000,
            forced_per_day: 20,
            forced_apart_s: 30,
            work_per_minute: 10_000,
            work_per_hour: 150_000,
            work_failures_per_hour: 2_000,
            each_api: ApiQuota::UNLIMITED,
            corporation_tickets_per_hour: 400,
            apis: BTreeMap::new(),
        }
    }
}

/// One account and the rules that the platform applies to it.
///
/// `Debug` does not show the secret.
#[derive(Clone)]
pub struct Account {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) agent: Option<u64>,
    pub(crate) life_s: u32,
    pub(crate) token_length: Option<usize>,
    pub(crate) overlap: Overlap,
    pub(crate) forced: ForcedPredecessor,
    pub(crate) work_repeat: WorkRepeat,
    pub(crate) work_body: WorkBody,
    pub(crate) quotas: Quotas,
    pub(crate) ticket_repeat: TicketRepeat,
    pub(crate) wrong_secret: i32,
    pub(crate) allowed: Option<BTreeSet<IpAddr>>,
    pub(crate) admin: bool,
}

impl Account {
    /// A 公众号 or 服务号, with `/cgi-bin/token` and `/cgi-bin/stable_token`.
    #[must_use]
    pub fn official(appid: &str, secret: &str) -> Self {
        Self::new(Kind::Official, appid, secret)
    }

    /// A 公众号 test account (测试号): 200 calls of `/cgi-bin/token` a day.
    #[must_use]
    pub fn official_test(appid: &str, secret: &str) -> Self {
        let mut account = Self::official(appid, secret);
        account.quotas.token_per_day = 200;
        account
    }

    /// A 小程序, with the same two endpoints; it may not send template messages.
    #[must_use]
    pub fn mini_program(appid: &str, secret: &str) -> Self {
        Self::new(Kind::MiniProgram, appid, secret)
    }

    /// An application of a 企业微信 corporation, with `gettoken`. Each secret of a corporation is an account of its
    /// own; give the second one an [`Account::agent`], so that the two can be told apart.
    #[must_use]
    pub fn work(corpid: &str, secret: &str) -> Self {
        Self::new(Kind::Work, corpid, secret)
    }

    fn new(kind: Kind, id: &str, secret: &str) -> Self {
        Self {
            kind,
            id: id.to_owned(),
            secret: secret.to_owned(),
            agent: None,
            life_s: 7_200,
            token_length: None,
            overlap: Overlap::default(),
            forced: ForcedPredecessor::default(),
            work_repeat: WorkRepeat::default(),
            work_body: WorkBody::default(),
            quotas: Quotas::of_kind(kind),
            ticket_repeat: if matches!(kind, Kind::Work) { TicketRepeat::Remaining } else { TicketRepeat::FullLife },
            wrong_secret: if matches!(kind, Kind::Work) { 40_091 } else { 40_125 },
            allowed: None,
            admin: false,
        }
    }

    /// The WeCom `agentid` that its messages must name (else 301002). The account is then addressed as
    /// `corpid/agentid`.
    #[must_use]
    pub const fn agent(mut self, agentid: u64) -> Self {
        self.agent = Some(agentid);
        self
    }

    /// Seconds that a new token lives; 7200 unless said. 0 is possible: such a token is dead on arrival.
    #[must_use]
    pub const fn life_s(mut self, seconds: u32) -> Self {
        self.life_s = seconds;
        self
    }

    /// The length of its tokens in bytes, kept within 16..=65 536; otherwise the lengths seen in the wild: 136 or
    /// 157, 214 for WeCom.
    #[must_use]
    pub fn token_length(mut self, bytes: usize) -> Self {
        self.token_length = Some(bytes.clamp(16, 65_536));
        self
    }

    /// What a newer token of `/cgi-bin/token` does to the older ones.
    #[must_use]
    pub const fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// What a forced refresh of `/cgi-bin/stable_token` does to the older token.
    #[must_use]
    pub const fn forced_predecessor(mut self, forced: ForcedPredecessor) -> Self {
        self.forced = forced;
        self
    }

    /// What a repeated `gettoken` reports as remaining life.
    #[must_use]
    pub const fn work_repeat(mut self, repeat: WorkRepeat) -> Self {
        self.work_repeat = repeat;
        self
    }

    /// What a repeated fetch of a ticket reports as remaining life: [`TicketRepeat::FullLife`] unless said,
    /// [`TicketRepeat::Remaining`] for WeCom.
    #[must_use]
    pub const fn ticket_repeat(mut self, repeat: TicketRepeat) -> Self {
        self.ticket_repeat = repeat;
        self
    }

    /// How a successful `gettoken` reply looks.
    #[must_use]
    pub const fn work_body(mut self, body: WorkBody) -> Self {
        self.work_body = body;
        self
    }

    /// Its quotas, changed in place: `account.quotas(|q| q.token_per_day = 3)`.
    #[must_use]
    pub fn quotas(mut self, change: impl FnOnce(&mut Quotas)) -> Self {
        change(&mut self.quotas);
        self
    }

    /// The errcode for a wrong secret: 40125 unless said, 40091 for WeCom. The documents also list 40001.
    #[must_use]
    pub const fn wrong_secret(mut self, errcode: i32) -> Self {
        self.wrong_secret = errcode;
        self
    }

    /// Switches the IP allow-list on with these addresses; calls that carry the secret from elsewhere get 40164
    /// (WeCom: 60020). Without this, every address is allowed.
    #[must_use]
    pub fn allow_only(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.allowed = Some(addresses.into_iter().collect());
        self
    }

    /// Whether an administrator must confirm each new address (89503) before it may fetch.
    #[must_use]
    pub const fn admin_confirms_addresses(mut self, yes: bool) -> Self {
        self.admin = yes;
        self
    }

    /// How control calls and counters name it: the id, or `corpid/agentid` when an agent is set.
    #[must_use]
    pub fn name(&self) -> String {
        match self.agent {
            Some(agent) => format!("{}/{agent}", self.id),
            None => self.id.clone(),
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("kind", &self.kind).field("name", &self.name()).finish_non_exhaustive()
    }
}
