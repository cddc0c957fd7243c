//! Any account at any base: what is written is one HTTP request that says exactly what went in, and nothing more.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use wxtoken_core::{
    Account, Action, Base, Endpoint, Instant, Keeper, Method, Param, Place, Product, Repeat, Request, Value,
};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    endpoint: u8,
    id: &'a str,
    secret: &'a str,
    base: &'a str,
    extras: Vec<&'a str>,
    force: bool,
    keep_alive: bool,
}

static MIXED: Endpoint = Endpoint::custom(
    "mixed",
    Product::Open,
    Method::Post,
    "/cgi-bin/component/api_authorizer_token",
    &[
        Param::query("component_access_token", Value::Extra(0)),
        Param::query("type", Value::Literal("jsapi")),
        Param::body("component_appid", Value::Id),
        Param::body("authorizer_refresh_token", Value::Extra(1)),
        Param::body("secret", Value::Secret),
    ],
    "authorizer_access_token",
    Repeat::Rotates,
);
static ENDPOINTS: [&Endpoint; 4] = [&Endpoint::STABLE_TOKEN, &Endpoint::TOKEN, &Endpoint::WORK, &MIXED];

fuzz_target!(|input: Input<'_>| {
    let endpoint = ENDPOINTS[usize::from(input.endpoint) % ENDPOINTS.len()];
    let Ok(account) = Account::new(endpoint, input.id, input.secret) else { return };
    let account = match Base::parse(input.base) {
        Ok(base) => account.with_base(base),
        Err(_) => account,
    };
    let mut keeper = Keeper::new(endpoint, 0);
    if input.force {
        keeper.rotate(Instant::ZERO);
    }
    let Action::Fetch(fetch) = keeper.poll(Instant::ZERO) else { panic!("an empty keeper fetches at once") };
    let request = account.request_with(fetch, &input.extras);

    let mut wire = Vec::new();
    request.write_http(&mut wire, input.keep_alive).expect("a Vec takes all");
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut head = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(body_at)) = head.parse(&wire) else { panic!("not one whole head: {head:?}") };
    let body = &wire[body_at..];
    let target = head.path.expect("parsed");
    assert_eq!(head.method, Some(request.method().as_str()));
    assert_eq!(target.len(), request.target_len());
    assert_eq!(body.len(), request.body_len());

    let header = |name: &str| {
        let mut values = head.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value);
        let value = values.next();
        assert!(values.next().is_none(), "{name} comes twice");
        value.map(|v| std::str::from_utf8(v).expect("ASCII"))
    };
    let length = header("content-length").map(|l| l.parse::<usize>().expect("a number"));
    assert_eq!(length, (request.method() == Method::Post).then_some(body.len()));
    assert!(header("transfer-encoding").is_none());
    let base = request.base();
    let root = format!("{}://{}", base.scheme().as_str(), header("host").expect("HTTP/1.1 wants one"));
    assert_eq!(base.to_string(), format!("{root}{}", base.prefix()));
    let mut url = String::new();
    request.write_url(&mut url).expect("a String takes all");
    assert_eq!(url, format!("{root}{target}"));

    says_what_went_in(&request, &input, fetch.is_forced(), target, body);
});

fn says_what_went_in(request: &Request<'_, '_>, input: &Input<'_>, forced: bool, target: &str, body: &[u8]) {
    let endpoint = ENDPOINTS[usize::from(input.endpoint) % ENDPOINTS.len()];
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    assert_eq!(path, format!("{}{}", request.base().prefix(), endpoint.path()));
    let mut query = form_urlencoded::parse(query.as_bytes());
    let mut members = match request.method() {
        Method::Post => serde_json::from_slice(body).expect("a JSON object"),
        _ => serde_json::Map::new(),
    };
    for (name, place, value) in wanted(endpoint) {
        let value = match value {
            Value::Literal(text) => text.into(),
            Value::Id => input.id.into(),
            Value::Secret => input.secret.into(),
            Value::Force => forced.into(),
            Value::Extra(n) => input.extras.get(usize::from(n)).copied().unwrap_or("").into(),
            _ => panic!("a new kind of value"),
        };
        match place {
            Place::Body => assert_eq!(members.remove(name), Some(value)),
            _ => {
                let (seen, text) = query.next().expect("one more parameter");
                assert_eq!((&*seen, Some(&*text)), (name, value.as_str()));
            }
        }
    }
    assert!(members.is_empty() && query.next().is_none(), "something was added");
}

/// What must be said, stated again and independently of the endpoints' own tables.
fn wanted(endpoint: &Endpoint) -> Vec<(&'static str, Place, Value)> {
    use Place::{Body, Query};
    match endpoint.name() {
        "stable_token" => vec![
            ("grant_type", Body, Value::Literal("client_credential")),
            ("appid", Body, Value::Id),
            ("secret", Body, Value::Secret),
            ("force_refresh", Body, Value::Force),
        ],
        "token" => vec![
            ("grant_type", Query, Value::Literal("client_credential")),
            ("appid", Query, Value::Id),
            ("secret", Query, Value::Secret),
        ],
        "gettoken" => vec![("corpid", Query, Value::Id), ("corpsecret", Query, Value::Secret)],
        _ => vec![
            ("component_access_token", Query, Value::Extra(0)),
            ("type", Query, Value::Literal("jsapi")),
            ("component_appid", Body, Value::Id),
            ("authorizer_refresh_token", Body, Value::Extra(1)),
            ("secret", Body, Value::Secret),
        ],
    }
}
