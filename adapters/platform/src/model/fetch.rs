//! How does a fetch of a token go? The order in which the platform checks, the same for all three endpoints.
//!
//! appid, grant_type, secret, ordered refusals, frozen secret, address, administrator, quota. That appid comes before
//! grant_type was seen in a published probe; no document states the rest of the order.

use serde_json::Value;

use super::account::{Account, Kind, WorkBody};
use super::body::Body;
use super::gate::Shut;
use super::quota::Span;
use super::refusal;
use super::request::Request;
use super::rng::Rng;
use super::{Entry, Model, Outcome, rotating};

/// The endpoints that hand out tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Rotating,
    Stable,
    Work,
}

/// What a caller has to say for itself.
#[derive(Default)]
struct Claim {
    id: Option<String>,
    secret: Option<String>,
    grant: Option<String>,
    force: bool,
}

impl Door {
    pub(super) fn of(path: &str) -> Option<Self> {
        [Self::Rotating, Self::Stable, Self::Work].into_iter().find(|door| door.path() == path)
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Rotating => "/cgi-bin/token",
            Self::Stable => "/cgi-bin/stable_token",
            Self::Work => "/cgi-bin/gettoken",
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Rotating | Self::Stable => Kind::Official,
            Self::Work => Kind::Work,
        }
    }

    fn serves(self, account: &Account) -> bool {
        (self == Self::Work) == (account.kind == Kind::Work)
    }

    fn claim(self, request: &Request) -> Result<Claim, i32> {
        let query = |name| request.param(name).map(str::to_owned);
        Ok(match self {
            Self::Rotating if request.is_post() && !request.body.is_empty() => {
                // The documents say GET; an older tutorial posts a form, and that has worked.
                let mut claim = Claim::default();
                for (name, value) in form_urlencoded::parse(&request.body).into_owned() {
                    match name.as_str() {
                        "appid" => claim.id = Some(value),
                        "secret" => claim.secret = Some(value),
                        "grant_type" => claim.grant = Some(value),
                        _ => {}
                    }
                }
                claim
            }
            Self::Rotating => {
                Claim { id: query("appid"), secret: query("secret"), grant: query("grant_type"), force: false }
            }
            Self::Stable => {
                if !request.is_post() {
                    return Err(43_002);
                }
                // What is no JSON object counts as one without fields: a form gets 41002.
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let field = |name: &str| body[name].as_str().map(str::to_owned);
                Claim {
                    id: field("appid"),
                    secret: field("secret"),
                    grant: field("grant_type"),
                    force: body["force_refresh"].as_bool().unwrap_or(false),
                }
            }
            Self::Work => Claim { id: query("corpid"), secret: query("corpsecret"), grant: None, force: false },
        })
    }
}

impl Model {
    pub(super) fn fetch(&mut self, now: u64, request: &Request, door: Door) -> Outcome {
        let (entry, result) = match self.identify(request, door) {
            Err((entry, code)) => (entry, Err(code)),
            Ok((index, force)) => {
                let Self { entries, rng, .. } = self;
                let entry = &mut entries[index];
                let result = entry.admit(now, request).and_then(|()| entry.grant(now, door, force, rng));
                (Some(index), result)
            }
        };
        if let (Door::Work, Some(index), Err(code)) = (door, entry, &result)
            && *code != 45_009
        {
            let entry = &mut self.entries[index];
            entry.work.count_failure(&entry.account, now);
        }
        Outcome { entry, kind: door.kind(), result }
    }

    /// Whose fetch it is, and whether it is forced. A refusal names the account as soon as the id is known.
    fn identify(&self, request: &Request, door: Door) -> Result<(usize, bool), (Option<usize>, i32)> {
        let claim = door.claim(request).map_err(|code| (None, code))?;
        let id = claim.id.filter(|id| !id.is_empty()).ok_or((None, 41_002))?;
        let all = self.ids.get(&*id).map_or(&[][..], Vec::as_slice).iter().copied();
        let mut served = all.filter(|index| door.serves(&self.entries[*index].account));
        let first = served.clone().next().ok_or((None, 40_013))?;
        if door != Door::Work && claim.grant.as_deref() != Some("client_credential") {
            return Err((Some(first), 40_002));
        }
        let secret = claim.secret.filter(|s| !s.is_empty()).ok_or((Some(first), 41_004))?;
        let index = served
            .find(|index| self.entries[*index].account.secret == secret)
            .ok_or((Some(first), self.entries[first].account.wrong_secret))?;
        Ok((index, claim.force))
    }
}

impl Entry {
    fn admit(&mut self, now: u64, request: &Request) -> Result<(), i32> {
        if let Some(code) = refusal::next(&mut self.refusals, now, None) {
            return Err(code);
        }
        if self.gate.frozen {
            return Err(40_243);
        }
        self.gate.pass(request.client_ip, now).map_err(|shut| match shut {
            Shut::NotAllowed if self.account.kind == Kind::Work => 60_020,
            Shut::NotAllowed => 40_164,
            Shut::Notified => {
                self.counters.admin_notified += 1;
                89_503
            }
            Shut::Pending => 89_501,
            Shut::RefusedOnce => 89_507,
            Shut::RefusedTwice => 89_506,
        })
    }

    fn grant(&mut self, now: u64, door: Door, force: bool, rng: &mut Rng) -> Result<Body, i32> {
        let account = &self.account;
        match door {
            Door::Rotating => {
                if !self.rotating_today.take(Span::Day, now, account.quotas.token_per_day) {
                    return Err(45_009);
                }
                let token = mint(account, rng);
                let expires_in = rotating::grant(&mut self.rotating, account, token.clone(), now);
                self.counters.minted += 1;
                Ok(success(token, expires_in))
            }
            Door::Stable => {
                if !self.stable_minute.take(Span::Minute, now, account.quotas.stable_per_minute) {
                    return Err(45_011);
                }
                if !self.stable_today.take(Span::Day, now, account.quotas.stable_per_day) {
                    return Err(45_009);
                }
                let granted = if force {
                    self.stable.forced(account, now, || mint(account, rng))?
                } else {
                    self.stable.normal(account, now, || mint(account, rng))
                };
                self.counters.minted += u64::from(granted.minted);
                self.counters.forced += u64::from(granted.forced);
                Ok(success(granted.token, granted.expires_in))
            }
            Door::Work => {
                self.work.take_quota(account, now)?;
                let granted = self.work.grant(account, now, || mint(account, rng));
                self.counters.minted += u64::from(granted.minted);
                let body = match account.work_body {
                    WorkBody::Ok => Body::default().with("errcode", 0).with("errmsg", "ok"),
                    WorkBody::EmptyMessage => Body::default().with("errcode", 0).with("errmsg", ""),
                    WorkBody::Bare => Body::default(),
                };
                Ok(body.with("access_token", granted.token).with("expires_in", granted.expires_in))
            }
        }
    }
}

/// A token of the account's kind: a two-digit prefix and an underscore for 公众号 and 小程序, none for WeCom.
pub(super) fn mint(account: &Account, rng: &mut Rng) -> String {
    let work = account.kind == Kind::Work;
    let mut token = String::from(if work { "" } else { "93_" });
    let length = account.token_length.unwrap_or_else(|| match work {
        true => 214,
        false if rng.chance(0.5) => 136,
        false => 157,
    });
    rng.fill_token(&mut token, length);
    token
}

/// Without an errcode, as the real one.
fn success(token: String, expires_in: u64) -> Body {
    Body::default().with("access_token", token).with("expires_in", expires_in)
}
