//! What does the platform answer? A pure model: a request and an instant go in, a reply comes out.
//!
//! No clock, no socket and no randomness of its own: instants are milliseconds since the Unix epoch, and everything
//! arbitrary comes from the seed. The same calls at the same instants give the same replies to the byte.

mod account;
mod apis;
mod body;
mod control;
mod counters;
mod errcodes;
mod fetch;
mod gate;
mod ledger;
mod media;
mod message;
mod quota;
mod refusal;
mod repeat;
mod request;
mod rng;
mod rotating;
mod stable;
mod ticket;
mod work;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;

pub use crate::content::Content;
pub use account::{Account, ForcedPredecessor, Kind, Overlap, Quotas, TicketRepeat, WorkBody, WorkRepeat};
pub use body::Quirks;
pub use control::UnknownAccount;
pub use counters::{AccountCounters, Calls, Counters};
pub use media::Medium;
pub use message::Message;
pub use quota::ApiQuota;
pub use refusal::Refusal;
pub use request::{Reply, Request, Upload};

use body::Body;
use errcodes::Scene;
use gate::Gate;
use ledger::{Ledger, Standing};
use quota::{Meter, Window};
pub(crate) use rng::Rng;
use stable::Stable;
use ticket::Corporation;
use work::Work;

/// The platform and everything it remembers. See the module's text.
///
/// Three kinds of method: [`Model::handle`] answers a call, the orders (`rotate_elsewhere`, `refuse`, ...) change what
/// it will answer, and the getters (`counters`, `messages`, `token_is_valid`) look without changing anything.
///
/// Instants may go back; nothing panics, and windows simply begin anew.
pub struct Model {
    entries: Vec<Entry>,
    /// Which entry has a name, and which have an id, the earliest first: there may be a hundred thousand.
    names: HashMap<String, usize>,
    ids: HashMap<String, Vec<usize>>,
    /// By corpid. Public accounts have one too, and make nothing of it.
    corporations: BTreeMap<String, Corporation>,
    rng: Rng,
    quirks: Quirks,
    messages: VecDeque<Message>,
    shelf: media::Shelf,
    strangers: BTreeMap<i32, u64>,
    length_required: u64,
}

/// One account, with what the platform remembers of it.
struct Entry {
    account: Account,
    name: String,
    rotating: Ledger,
    rotating_today: Window,
    stable: Stable,
    stable_minute: Window,
    stable_today: Window,
    work: Work,
    gate: Gate,
    refusals: Vec<Refusal>,
    apis: BTreeMap<String, Meter>,
    tickets: BTreeMap<ticket::Kind, Ledger>,
    counters: AccountCounters,
}

/// What a handler found out: whose call it was (if that is known) and the answer.
struct Outcome {
    entry: Option<usize>,
    kind: Kind,
    result: Result<Body, i32>,
}

impl Model {
    /// A platform without accounts. Equal seeds give equal tokens.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            entries: Vec::new(),
            names: HashMap::new(),
            ids: HashMap::new(),
            corporations: BTreeMap::new(),
            rng: Rng::new(seed),
            quirks: Quirks {
                escape_slashes: false,
                unknown_fields: false,
                errcode_as_string: false,
                expires_in_as_string: false,
                pretty: false,
                content_type: None,
                require_https: false,
            },
            messages: VecDeque::new(),
            shelf: media::Shelf::default(),
            strangers: BTreeMap::new(),
            length_required: 0,
        }
    }

    /// Answers one call at `now`, in milliseconds since the Unix epoch.
    pub fn handle(&mut self, now: u64, request: &Request) -> Reply {
        if request.is_post() && !request.has_content_length {
            // Many users of many languages report this: a chunked POST gets 412 and nothing else.
            self.length_required += 1;
            return Reply::new(412, vec![("server", "nginx".to_owned()), date(now)], Vec::new());
        }
        let fetch = fetch::Door::of(&request.path);
        let outcome = if self.quirks.require_https && !request.secure {
            Outcome { entry: None, kind: self.kind_of_stranger(&request.path), result: Err(43_003) }
        } else if let Some(door) = fetch {
            self.fetch(now, request, door)
        } else if let Some(media_id) = request.path.strip_prefix(media::VIDEOS) {
            Outcome { entry: None, kind: Kind::Official, result: self.video(now, media_id) }
        } else {
            self.call(now, request)
        };
        self.count(&outcome, &request.path, fetch.is_some());
        self.render(now, request, outcome)
    }

    fn count(&mut self, outcome: &Outcome, path: &str, is_fetch: bool) {
        let refused = outcome.result.as_ref().err().copied();
        match (outcome.entry.and_then(|index| self.entries.get_mut(index)), refused) {
            (Some(entry), _) => {
                let by_path = if is_fetch { &mut entry.counters.fetches } else { &mut entry.counters.calls };
                // Known paths only get this far, so the map stays small.
                by_path.entry(path.to_owned()).or_default().count(refused);
            }
            (None, Some(code)) => *self.strangers.entry(code).or_default() += 1,
            (None, None) => {}
        }
    }

    fn render(&mut self, now: u64, request: &Request, outcome: Outcome) -> Reply {
        let work = outcome.kind == Kind::Work;
        let scene = Scene { kind: outcome.kind, ip: request.client_ip, now };
        let mut headers = vec![("server", "nginx".to_owned()), date(now)];
        let failed = outcome.result.is_err();
        let mut body = outcome.result.unwrap_or_else(|code| {
            let message = errcodes::message(code, &scene, &mut self.rng);
            if work {
                headers.push(("error-code", code.to_string()));
                headers.push(("error-msg", message.clone()));
            }
            Body::default().with("errcode", code).with("errmsg", message)
        });
        if work && !failed {
            headers.push(("error-code", "0".to_owned()));
            headers.push(("error-msg", "ok".to_owned()));
        }
        if let Some((content, of_file)) = body.take_file() {
            headers.extend(of_file);
            return Reply { content: Some(content), ..Reply::new(200, headers, Vec::new()) };
        }
        let content_type = match &self.quirks.content_type {
            Some(value) => value.as_str(),
            None if work => "application/json; charset=UTF-8",
            // Published clients handle media errors that carry JSON under this name.
            None if failed && request.path.starts_with("/cgi-bin/media/") => "text/plain",
            None => "application/json; encoding=utf-8",
        };
        headers.push(("content-type", content_type.to_owned()));
        Reply::new(200, headers, body.render(&self.quirks))
    }

    /// Who a token belongs to and how it stands, over all accounts and endpoints.
    fn find_token(&self, token: &str, now: u64) -> Option<(usize, Standing)> {
        self.entries.iter().enumerate().find_map(|(index, entry)| {
            [&entry.rotating, &entry.stable.ledger, &entry.work.ledger]
                .into_iter()
                .find_map(|ledger| ledger.standing(token, now))
                .map(|standing| (index, standing))
        })
    }

    /// In whose words to refuse a call that belongs to nobody, since both hosts are one here.
    fn kind_of_stranger(&self, path: &str) -> Kind {
        let only_work = !self.entries.is_empty() && self.entries.iter().all(|e| e.account.kind == Kind::Work);
        if only_work || path == fetch::Door::Work.path() || apis::WORK_ONLY.contains(&path) {
            Kind::Work
        } else {
            Kind::Official
        }
    }
}

/// By hand, because a derived one would show every token.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
        f.debug_struct("Model").field("accounts", &names).finish_non_exhaustive()
    }
}

fn date(now: u64) -> (&'static str, String) {
    // An HTTP date has four digits for the year, and the formatter refuses more.
    let seconds = (now / 1_000).min(253_402_300_799);
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    ("date", httpdate::fmt_http_date(at))
}
