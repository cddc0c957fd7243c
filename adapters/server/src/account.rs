//! Whose credentials are kept: what an operator says of an account, checked, and what it becomes.

use std::{collections::HashSet, fmt, sync::Arc};

use sha2::{Digest, Sha256};
use wxtoken::{
    BadAccount, BadBase, Endpoint,
    core::{self, Base, Product, Scheme},
};
use zeroize::Zeroizing;

use crate::{
    engine::Cell,
    kind::{EndpointChoice, Kind, ticket_endpoint},
    store::Key,
};

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountKind {
    /// 公众号 or 服务号.
    Official,
    /// 小程序.
    MiniProgram,
    /// An application of 企业微信.
    Work,
}

impl AccountKind {
    /// The name in the configuration: `official`, `mini-program`, `work`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::MiniProgram => "mini-program",
            Self::Work => "work",
        }
    }

    const fn endpoint(self, choice: EndpointChoice) -> &'static Endpoint {
        match (self, choice) {
            (Self::Work, _) => &Endpoint::WORK,
            (_, EndpointChoice::Stable) => &Endpoint::STABLE_TOKEN,
            (_, EndpointChoice::Token) => &Endpoint::TOKEN,
        }
    }
}

/// What an operator says of one account. `Debug` shows no secret.
#[derive(Clone)]
pub struct AccountSpec {
    /// What readers call it.
    pub name: String,
    /// What kind it is.
    pub kind: AccountKind,
    /// Which endpoint its token comes from; without meaning for WeCom.
    pub endpoint: EndpointChoice,
    /// The appid or corpid.
    pub id: String,
    /// The appsecret or corpsecret.
    pub secret: Zeroizing<String>,
    /// Another host than the official one.
    pub base: Option<String>,
    /// The tickets that are kept beside the token.
    pub tickets: Vec<Kind>,
}

impl AccountSpec {
    /// An account of this kind on its official host, with the stable endpoint and without tickets.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: AccountKind, id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
            endpoint: EndpointChoice::Stable,
            id: id.into(),
            secret: Zeroizing::new(secret.into()),
            base: None,
            tickets: Vec::new(),
        }
    }
}

impl fmt::Debug for AccountSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountSpec")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("endpoint", &self.endpoint)
            .field("id", &self.id)
            .field("base", &self.base)
            .field("tickets", &self.tickets)
            .finish_non_exhaustive()
    }
}

/// What is wrong with an account. Its operator must mend the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadSpec {
    /// The id or the secret cannot be one.
    Account(BadAccount),
    /// The base cannot be one.
    Base(BadBase),
    /// The base is plain http to a host that is not this machine.
    PlainHttp,
    /// Accounts of this kind have no such ticket.
    NoSuchTicket(Kind),
    /// The ticket is named twice.
    TicketTwice(Kind),
}

impl fmt::Display for BadSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(why) => why.fmt(f),
            Self::Base(why) => why.fmt(f),
            Self::PlainHttp => f.write_str(
                "its base is plain http to another machine, which would show the secret on the way; use https://, or a loopback address",
            ),
            Self::NoSuchTicket(kind) => write!(
                f,
                "accounts of this kind have no ticket {kind}: official accounts have jsapi and wx_card, WeCom applications jsapi and agent_config, mini programs none"
            ),
            Self::TicketTwice(kind) => write!(f, "the ticket {kind} is named twice; name it once"),
        }
    }
}

impl std::error::Error for BadSpec {}

/// One account's identity: the strings behind core's borrowed account, checked, owned and wiped.
pub(crate) struct Who {
    pub(crate) kind: AccountKind,
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) id: Box<str>,
    secret: Zeroizing<Box<str>>,
    /// As [`Base`] writes it; `None` for the endpoint's first official host.
    base: Option<Arc<str>>,
    digest: [u8; 32],
}

impl Who {
    /// An account that was checked and has this [digest](Self::digest_of). Takes the texts out of `spec`: of a hundred
    /// thousand accounts copies would be much. `bases` are those of the accounts so far, which share them.
    pub(crate) fn new(spec: AccountSpec, digest: [u8; 32], bases: &mut HashSet<Arc<str>>) -> Self {
        let endpoint = spec.kind.endpoint(spec.endpoint);
        let base = base(&spec, endpoint).ok().flatten().map(|base| {
            let known = bases.get(base.as_str()).cloned();
            known.unwrap_or_else(|| {
                let base = Arc::<str>::from(base);
                bases.insert(base.clone());
                base
            })
        });
        Self { kind: spec.kind, endpoint, id: spec.id.into_boxed_str(), secret: boxed(spec.secret), base, digest }
    }

    /// Checks an account; see [`digest`](Self::digest).
    pub(crate) fn digest_of(spec: &AccountSpec) -> Result<[u8; 32], BadSpec> {
        let endpoint = spec.kind.endpoint(spec.endpoint);
        core::Account::new(endpoint, &spec.id, &spec.secret).map_err(BadSpec::Account)?;
        for (nth, ticket) in spec.tickets.iter().enumerate() {
            ticket_endpoint(endpoint.product(), *ticket)
                .filter(|_| spec.kind != AccountKind::MiniProgram)
                .ok_or(BadSpec::NoSuchTicket(*ticket))?;
            if spec.tickets.iter().take(nth).any(|earlier| earlier == ticket) {
                return Err(BadSpec::TicketTwice(*ticket));
            }
        }
        let written = base(spec, endpoint)?.unwrap_or_else(|| endpoint.default_base().to_string());
        Ok(digest(&[endpoint.name(), &written, &spec.id], spec.secret.as_bytes()))
    }

    pub(crate) fn product(&self) -> Product {
        self.endpoint.product()
    }

    pub(crate) fn base(&self) -> Base<'_> {
        self.base.as_deref().and_then(|base| Base::parse(base).ok()).unwrap_or_else(|| self.endpoint.default_base())
    }

    /// Tells this account from every other, two apps of one corp included, and gives away nothing of the secret.
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Where a credential of this account lies in the store. A changed secret, base or endpoint makes it another one.
    pub(crate) fn key(&self, kind: Kind) -> Key {
        Key::new(digest(&[kind.name()], &self.digest))
    }

    /// The account as core wants it, at the endpoint of one of its credentials. It was checked when this was made, so it
    /// is always `Some`.
    pub(crate) fn account(&self, kind: Kind) -> Option<core::Account<'_>> {
        self.account_at(self.endpoint(kind)?)
    }

    /// The same at an endpoint of our own making.
    pub(crate) fn account_at(&self, endpoint: &'static Endpoint) -> Option<core::Account<'_>> {
        let account = core::Account::new(endpoint, &self.id, &self.secret).ok()?;
        Some(account.with_base(self.base()))
    }

    pub(crate) fn endpoint(&self, kind: Kind) -> Option<&'static Endpoint> {
        match kind {
            Kind::Token => Some(self.endpoint),
            kind => ticket_endpoint(self.product(), kind),
        }
    }
}

/// As [`Base`] writes it, so that two spellings of one base are one account; `None`: the endpoint's own.
fn base(spec: &AccountSpec, endpoint: &Endpoint) -> Result<Option<String>, BadSpec> {
    let base = spec.base.as_deref().map(Base::parse).transpose().map_err(BadSpec::Base)?;
    if base.is_some_and(|base| base.scheme() == Scheme::Http && !base.is_loopback()) {
        return Err(BadSpec::PlainHttp);
    }
    Ok(base.filter(|base| *base != endpoint.default_base()).map(|base| base.to_string()))
}

/// A text with room to spare would be copied by its shortening, and the copy not be wiped.
fn boxed(mut secret: Zeroizing<String>) -> Zeroizing<Box<str>> {
    if secret.capacity() == secret.len() {
        return Zeroizing::new(std::mem::take(&mut *secret).into_boxed_str());
    }
    Zeroizing::new(secret.as_str().into())
}

/// Each part with its length before it, so that no two accounts run together into one text.
fn digest(parts: &[&str], last: &[u8]) -> [u8; 32] {
    let last: [u8; 32] = Sha256::digest(last).into();
    let mut all = Sha256::new();
    for part in parts.iter().map(|part| part.as_bytes()).chain([last.as_slice()]) {
        all.update((part.len() as u64).to_be_bytes());
        all.update(part);
    }
    all.finalize().into()
}

/// What an account has become: its name, and the credentials kept for it.
pub(crate) struct Entry {
    pub(crate) name: Arc<str>,
    pub(crate) who: Arc<Who>,
    /// The token first, then tickets.
    pub(crate) cells: Box<[Arc<Cell>]>,
}

impl Entry {
    /// Whether these are the tickets beside the token.
    pub(crate) fn has(&self, tickets: &[Kind]) -> bool {
        self.cells.iter().map(|cell| cell.kind).skip(1).eq(tickets.iter().copied())
    }
}

/// One account of an [`Engine`](crate::Engine), cheap to clone. It stays usable after the account was taken out of the
/// configuration; nothing is fetched for it then.
#[derive(Clone)]
pub struct Account {
    pub(crate) entry: Arc<Entry>,
    pub(crate) inner: Arc<crate::engine::Inner>,
}

impl Account {
    /// What readers call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> AccountKind {
        self.entry.who.kind
    }

    /// Whose errcodes it speaks.
    #[must_use]
    pub fn product(&self) -> Product {
        self.entry.who.product()
    }

    /// The appid or corpid.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.entry.who.id
    }

    /// The host its credentials come from, and its API calls go to.
    #[must_use]
    pub fn base(&self) -> Base<'_> {
        self.entry.who.base()
    }

    /// The endpoint its token comes from.
    #[must_use]
    pub fn endpoint(&self) -> &'static Endpoint {
        self.entry.who.endpoint
    }

    /// The kinds of credential kept for it, the token first.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        self.entry.cells.iter().map(|cell| cell.kind)
    }

    /// Its credential of this kind; `None` when that one is not kept.
    #[must_use]
    pub fn credential(&self, kind: Kind) -> Option<crate::Credential> {
        let cell = self.entry.cells.iter().find(|cell| cell.kind == kind)?;
        Some(crate::Credential { cell: cell.clone(), inner: self.inner.clone() })
    }

    /// Its access token's credential.
    #[must_use]
    pub fn token(&self) -> crate::Credential {
        // Every entry is made with its token first.
        crate::Credential { cell: self.entry.cells[0].clone(), inner: self.inner.clone() }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name()).field("id", &self.id()).finish_non_exhaustive()
    }
}
