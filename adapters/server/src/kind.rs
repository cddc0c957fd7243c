//! Which credentials does an account have, and where is each fetched?

use std::fmt;

use wxtoken::{Endpoint, core::Product};

/// One kind of credential of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The `access_token`; every account has one.
    Token,
    /// The ticket by which pages sign for the JS-SDK; of a WeCom account, the corporation's.
    Jsapi,
    /// The ticket of card coupons (卡券); official accounts only.
    WxCard,
    /// The ticket of one WeCom application's pages.
    AgentConfig,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Token, Self::Jsapi, Self::WxCard, Self::AgentConfig];

    /// The name in the configuration and in paths: `token`, `jsapi`, `wx_card`, `agent_config`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Jsapi => "jsapi",
            Self::WxCard => "wx_card",
            Self::AgentConfig => "agent_config",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which of the platform's two token endpoints an official account or a mini program uses. Their tokens do not mix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointChoice {
    /// `/cgi-bin/stable_token`: repeating a fetch is harmless.
    #[default]
    Stable,
    /// `/cgi-bin/token`: every fetch retires the token before it.
    Token,
}

impl EndpointChoice {
    /// The name in the configuration: `stable`, `token`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Token => "token",
        }
    }
}

/// Where a ticket is fetched; `None` when there is no such ticket for accounts of this product.
pub(crate) fn ticket_endpoint(product: Product, kind: Kind) -> Option<&'static Endpoint> {
    match (product, kind) {
        (Product::Platform, Kind::Jsapi) => Some(&Endpoint::JSAPI_TICKET),
        (Product::Platform, Kind::WxCard) => Some(&Endpoint::WX_CARD_TICKET),
        (Product::Work, Kind::Jsapi) => Some(&Endpoint::WORK_JSAPI_TICKET),
        (Product::Work, Kind::AgentConfig) => Some(&Endpoint::WORK_AGENT_TICKET),
        _ => None,
    }
}
