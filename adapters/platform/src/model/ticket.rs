//! What does a fetch of a ticket get? The same ticket until it dies, a new one after that.
//!
//! A ticket signs pages for the JS-SDK. It needs a valid token to be fetched and no token to live on: neither a newer
//! token nor a revocation ends it.

use super::account::{Account, TicketRepeat};
use super::body::Body;
use super::ledger::Ledger;
use super::quota::{ApiQuota, Meter};
use super::request::Request;
use super::{Entry, Rng};

/// Seconds that a ticket lives.
const LIFE_S: u32 = 7_200;

/// Characters of a ticket, as seen in published samples.
const LENGTH: usize = 86;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Jsapi,
    WxCard,
    /// Of the corporation: all its applications get the same one.
    Corporation,
    /// Of one application.
    Agent,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Jsapi, Self::WxCard, Self::Corporation, Self::Agent];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Jsapi | Self::WxCard => "/cgi-bin/ticket/getticket",
            Self::Corporation => "/cgi-bin/get_jsapi_ticket",
            Self::Agent => "/cgi-bin/ticket/get",
        }
    }

    pub(crate) const fn is_work(self) -> bool {
        matches!(self, Self::Corporation | Self::Agent)
    }

    /// The value of the parameter `type` that asks for it; none where the path says it all.
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::Jsapi => Some("jsapi"),
            Self::WxCard => Some("wx_card"),
            Self::Corporation => None,
            Self::Agent => Some("agent_config"),
        }
    }

    /// What is asked for. 40097 (WeCom: 40058), "invalid parameter", when no kind is; no document names the code.
    fn asked(request: &Request) -> Result<Self, i32> {
        let mut of_path = Self::ALL.into_iter().filter(|kind| kind.path() == request.path);
        let work = of_path.clone().any(Self::is_work);
        let asked = request.param("type");
        of_path.find(|kind| kind.word().is_none_or(|word| asked == Some(word))).ok_or(if work {
            40_058
        } else {
            40_097
        })
    }
}

/// What the applications of a corporation have in common.
#[derive(Default)]
pub(crate) struct Corporation {
    ticket: Ledger,
    corporation_tickets: Meter,
    agent_tickets: Meter,
}

/// One answer to a fetch; the account's own quota has been taken before.
pub(super) fn grant(
    now: u64,
    request: &Request,
    entry: &mut Entry,
    corporation: &mut Corporation,
    rng: &mut Rng,
) -> Result<Body, i32> {
    let kind = Kind::asked(request)?;
    let quota = ApiQuota { per_hour: entry.account.quotas.corporation_tickets_per_hour, ..ApiQuota::UNLIMITED };
    let (ledger, shared) = match kind {
        Kind::Corporation => (&mut corporation.ticket, Some(&mut corporation.corporation_tickets)),
        Kind::Agent => (entry.tickets.entry(kind).or_default(), Some(&mut corporation.agent_tickets)),
        Kind::Jsapi | Kind::WxCard => (entry.tickets.entry(kind).or_default(), None),
    };
    if let Some(meter) = shared {
        meter.take(now, quota, true).map_err(|_| 45_009)?;
    }
    let (ticket, expires_in, minted) = current(ledger, &entry.account, now, rng);
    entry.counters.tickets_minted += u64::from(minted);
    Ok(Body::default().with("errcode", 0).with("errmsg", "ok").with("ticket", ticket).with("expires_in", expires_in))
}

/// The ticket that is alive at `now`, minted if need be; the life it is said to have; and whether it was minted.
fn current(ledger: &mut Ledger, account: &Account, now: u64, rng: &mut Rng) -> (String, u64, bool) {
    if let Some(current) = ledger.newest()
        && current.is_alive(now)
    {
        let expires_in = match account.ticket_repeat {
            TicketRepeat::FullLife => u64::from(LIFE_S),
            TicketRepeat::Remaining => current.remaining_s(now),
        };
        return (current.token.clone(), expires_in, false);
    }
    let mut ticket = String::new();
    rng.fill_token(&mut ticket, LENGTH);
    (ledger.push(ticket, now, LIFE_S).token.clone(), u64::from(LIFE_S), true)
}

/// Whether one of the account's tickets, or of its corporation's, is this one and alive.
pub(super) fn is_valid(entry: &Entry, corporation: Option<&Corporation>, now: u64, ticket: &str) -> bool {
    let of_corporation = corporation.map(|corporation| &corporation.ticket);
    entry.tickets.values().chain(of_corporation).any(|ledger| ledger.knows_alive(ticket, now))
}
