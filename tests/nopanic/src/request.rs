//! Base, endpoint, account and request: everything that is said on the way out.

use core::{fmt::Write as _, hint::black_box};

use wxtoken_core::{
    Account, Action, BadAccount, BadBase, BadCredential, Base, Endpoint, Fetch, Instant, Keeper, Method, Param, Policy,
    Product, Repeat, Request, Value,
};

use crate::{sink::Sink, text};

/// An endpoint that uses everything an endpoint can.
static CUSTOM: Endpoint = Endpoint::custom(
    "custom",
    Product::Open,
    Method::Post,
    "/custom",
    &[
        Param::query("type", Value::Literal("jsapi")),
        Param::query("id", Value::Id),
        Param::query("extra", Value::Extra(0)),
        Param::body("secret", Value::Secret),
        Param::body("force", Value::Force),
        Param::body("ticket", Value::Extra(1)),
    ],
    "ticket",
    Repeat::SameWhileValid,
);

static OFFICIAL: [Endpoint; 3] = [Endpoint::STABLE_TOKEN, Endpoint::TOKEN, Endpoint::WORK];

pub(crate) fn drive() {
    for endpoint in OFFICIAL.iter().chain([&CUSTOM]) {
        let endpoint = black_box(endpoint);
        getters(endpoint);
        let Ok(account) = black_box(Account::new(endpoint, text(), text())).map_err(complain) else { continue };
        let Ok(base) = black_box(Base::parse(text())).map_err(complain_of_base) else { continue };
        let account = black_box(account.with_base(base));
        black_box((account.endpoint(), account.base(), account.id()));
        let Some(fetch) = some_fetch(endpoint) else { continue };
        write(black_box(account.request(fetch)));
        write(black_box(account.request_with(fetch, black_box(&[text(), text()]))));
    }
}

fn getters(endpoint: &'static Endpoint) {
    black_box((endpoint.name(), endpoint.product(), endpoint.hosts(), endpoint.default_base(), endpoint.method()));
    black_box((endpoint.path(), endpoint.params(), endpoint.token_field(), endpoint.repeat(), endpoint.policy()));
    black_box(endpoint.with_policy(black_box(Policy::STABLE)));
    for base in endpoint.hosts().iter().copied().map(black_box) {
        black_box((base.scheme().as_str(), base.host_str(), base.port(), base.prefix(), base.is_loopback()));
        let _ = write!(Sink, "{base}");
    }
}

pub(crate) fn some_fetch(endpoint: &'static Endpoint) -> Option<Fetch> {
    match black_box(Keeper::new(endpoint, 0)).poll(black_box(Instant::ZERO)) {
        Action::Fetch(fetch) => Some(black_box(fetch)),
        Action::Wait(_) => None,
    }
}

fn write(request: Request<'_, '_>) {
    black_box((request.method().as_str(), request.content_type(), request.body_len(), request.target_len()));
    let _ = request.write_target(&mut Sink);
    let _ = request.write_url(&mut Sink);
    let _ = request.write_body(&mut Sink);
    let _ = black_box(request.write_http(&mut Sink, black_box(true)));
}

fn complain(why: BadAccount) {
    let _ = write!(Sink, "{}", black_box(why));
    if let BadAccount::Id(BadCredential::Empty) = why {
        black_box(why);
    }
}

fn complain_of_base(why: BadBase) {
    let _ = write!(Sink, "{}", black_box(why));
}
