use std::{collections::BTreeSet, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use serde_json::Value;

use super::super::{
    Doors, Peer,
    status::tests::{ask, scene},
};

async fn scraped(doors: &Doors, query: &str, key: &str) -> String {
    let request = Request::get(format!("/metrics{query}")).header("authorization", format!("Bearer {key}"));
    let request = request.body(Full::new(Bytes::new())).expect("a request");
    let (head, body) = doors.answer(&Peer { address: None }, request).await.into_parts();
    assert_eq!(head.status, 200);
    assert!(head.headers["content-type"].to_str().is_ok_and(|value| value.starts_with("application/openmetrics-text")));
    let text = String::from_utf8(body.collect().await.expect("whole").to_bytes().to_vec()).expect("UTF-8");
    assert!(
        text.ends_with("# EOF\n") && !text.contains("TOKEN") && !text.contains("TICKET") && !text.contains("secret")
    );
    text
}

/// The value of a sample by its name and labels, as they are written.
fn value(text: &str, sample: &str) -> Option<f64> {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok());
    let value = values.next();
    assert_eq!(values.next(), None, "{sample} is there once");
    value
}

#[tokio::test]
async fn what_happened_is_in_the_numbers() {
    let (doors, clock, _) = scene().await;
    for _ in 0..3 {
        assert_eq!(ask(&doors, "GET", "/v1/accounts/cards/token", "K1").await.0, 200);
    }
    assert_eq!(ask(&doors, "GET", "/v1/accounts/shop/token", "K1").await.0, 403);
    assert_eq!(ask(&doors, "GET", "/v1/nothing", "K1").await.0, 404);
    clock.advance(Duration::from_secs(1000));
    assert_eq!(ask(&doors, "POST", "/v1/accounts/office/token/rotate", "K1").await.1["outcome"], "refreshing");
    doors.engine.settle().await;
    let text = scraped(&doors, "", "K2").await;
    for (sample, want) in [
        (r#"wxtoken_accounts{state="ok"}"#, 2.0),
        (r#"wxtoken_accounts{state="down"}"#, 1.0),
        ("wxtoken_accounts_apart", 3.0),
        (r#"wxtoken_credential_valid{account="cards",kind="token"}"#, 1.0),
        (r#"wxtoken_credential_valid{account="shop",kind="token"}"#, 0.0),
        (r#"wxtoken_credential_failing{account="shop",kind="token"}"#, 1.0),
        (r#"wxtoken_credential_remaining_seconds{account="cards",kind="wx_card"}"#, 6198.0),
        (r#"wxtoken_credential_generation{account="office",kind="token"}"#, 2.0),
        (r#"wxtoken_credential_saved{account="office",kind="token"}"#, 1.0),
        (r#"wxtoken_ledger_fetches{account="office",kind="token"}"#, 2.0),
        (r#"wxtoken_ledger_limit{account="office",kind="token"}"#, 500.0),
        (r#"wxtoken_reads_total{account="cards",kind="token"}"#, 3.0),
        (r#"wxtoken_fetches_total{outcome="granted"}"#, 4.0),
        (r#"wxtoken_rotations_total{outcome="refreshing"}"#, 1.0),
        (r#"wxtoken_reports_total{outcome="kept"}"#, 0.0),
        (r#"wxtoken_requests_total{route="token",status="2xx"}"#, 3.0),
        (r#"wxtoken_requests_total{route="token",status="4xx"}"#, 1.0),
        (r#"wxtoken_requests_total{route="none",status="4xx"}"#, 1.0),
        (r#"wxtoken_requests_total{route="rotate",status="2xx"}"#, 1.0),
        (r#"wxtoken_store_trouble{class="none"}"#, 0.0),
        ("wxtoken_fetching", 0.0),
        ("wxtoken_uptime_seconds", 1000.0),
        (concat!("wxtoken_build{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
    ] {
        assert_eq!(value(&text, sample), Some(want), "{sample} in\n{text}");
    }
    assert!(
        value(&text, r#"wxtoken_fetches_total{outcome="refused"}"#).is_some_and(|refused| refused >= 1.0),
        "{text}"
    );
}

#[tokio::test]
async fn everybody_sees_their_own_accounts_and_nothing_of_the_server() {
    let (doors, ..) = scene().await;
    let own = scraped(&doors, "", "K3").await;
    assert_eq!(value(&own, r#"wxtoken_accounts{state="down"}"#), Some(1.0));
    assert!(own.contains("account=\"shop\"") && !own.contains("cards") && !own.contains("office"), "{own}");
    assert!(!own.contains("wxtoken_fetches") && !own.contains("wxtoken_requests"), "{own}");
}

#[tokio::test]
async fn many_accounts_are_counted_and_only_some_told_apart() {
    let (doors, ..) = scene().await;
    let text = scraped(&doors, "?accounts=1", "K2").await;
    assert_eq!(
        (value(&text, r#"wxtoken_accounts{state="ok"}"#), value(&text, "wxtoken_accounts_apart")),
        (Some(2.0), Some(1.0))
    );
    assert!(text.contains("account=\"cards\"") && !text.contains("account=\"office\""), "{text}");
    assert_eq!(
        value(&scraped(&doors, "?accounts=99999999999999999999", "K2").await, "wxtoken_accounts_apart"),
        Some(3.0)
    );
    for bad in ["?accounts=", "?accounts=x", "?accounts=1&accounts=2"] {
        let (status, body) = ask(&doors, "GET", &format!("/metrics{bad}"), "K2").await;
        assert_eq!((status, &body["type"]), (400, &"urn:wxtoken:problem:bad-metrics-query".into()), "{bad}");
    }
}

#[tokio::test]
async fn the_dashboard_asks_only_for_numbers_that_there_are() {
    let (doors, ..) = scene().await;
    assert_eq!(ask(&doors, "GET", "/v1/accounts/cards/token", "K1").await.0, 200);
    let text = scraped(&doors, "", "K2").await;
    let there: BTreeSet<&str> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next()).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/grafana.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("there")).expect("JSON");
    let mut asked = BTreeSet::new();
    queries(&dashboard, &mut |query| {
        let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        asked.extend(words.filter(|word| word.starts_with("wxtoken_")).map(str::to_owned));
    });
    for name in &asked {
        assert!(there.contains(name.as_str()), "{name} is not in {there:?}");
    }
    // Whatever is worth giving is worth showing.
    let not_shown: Vec<_> = there.iter().filter(|name| !asked.contains(**name)).collect();
    assert_eq!(not_shown, [&"wxtoken_accounts_apart"]);
}

/// Each query in a dashboard: whatever is called `expr` or `query`.
fn queries(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if let (true, Some(query)) = (name == "expr" || name == "query", value.as_str()) {
                    found(query);
                }
                queries(value, found);
            }
        }
        Value::Array(array) => array.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}
