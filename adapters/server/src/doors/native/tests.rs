use std::{pin::pin, sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};

use super::scene::{Scene, others, seconds};

#[tokio::test]
async fn who_has_it_already_learns_only_how_long_it_is_good() {
    let scene = Scene::new().await;
    let (status, body, headers) = scene.get("", "").await;
    assert_eq!((status, &body["access_token"]), (200, &json!("T1")));
    assert_eq!(seconds(&headers, "wxtoken-expires-in"), body["expires_in"].as_u64().expect("a number"));
    assert_eq!(seconds(&headers, "wxtoken-refresh-after"), body["refresh_after"].as_u64().expect("a number"));
    let tag = headers["etag"].to_str().expect("text").to_owned();
    assert!(tag.starts_with("W/\"1-"), "{tag}");
    scene.later(100).await;
    let (status, body, headers) = scene.get("", &tag).await;
    assert_eq!((status, body), (304, Value::Null));
    assert_eq!(headers["etag"], tag.as_str());
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(seconds(&headers, "wxtoken-expires-in"), 7098);
    assert!((6700..7098).contains(&seconds(&headers, "wxtoken-refresh-after")), "{headers:?}");
    assert!(!headers.contains_key("content-type"), "{headers:?}");
    scene.rotate().await;
    let (status, body, headers) = scene.get("", &tag).await;
    assert_eq!((status, &body["access_token"], &body["generation"]), (200, &json!("T2"), &json!(2)));
    assert_ne!(headers["etag"], tag.as_str());
}

#[tokio::test]
async fn a_long_poll_ends_with_the_next_generation_or_after_its_time() {
    let scene = Scene::new().await;
    let (_, _, headers) = scene.get("", "").await;
    let tag = headers["etag"].to_str().expect("text");
    for tag in [tag, "*"] {
        // So old that another one may be fetched.
        scene.later(1000).await;
        let before = scene.doors.engine.find("shop").expect("there").token().snapshot().generation();
        let mut asking = pin!(scene.get("?wait=30", tag));
        tokio::select! {
            biased;
            answer = &mut asking => panic!("it did not wait: {answer:?}"),
            () = others() => {}
        }
        scene.rotate().await;
        let (status, body, _) = asking.await;
        assert_eq!((status, &body["generation"]), (200, &json!(before + 1)), "{tag}");
    }
    let (_, _, headers) = scene.get("", "").await;
    let tag = headers["etag"].to_str().expect("text");
    for (query, seconds) in [("?wait=30", 30), ("?wait=1000", 60)] {
        let mut asking = pin!(scene.get(query, tag));
        for wait in [seconds - 1, 1] {
            tokio::select! {
                biased;
                answer = &mut asking => panic!("it did not wait: {answer:?}"),
                () = others() => {}
            }
            scene.later(wait).await;
        }
        assert_eq!(asking.await.0, 304, "{query}");
    }
    // Nobody is kept waiting by a server that ends.
    assert_eq!(scene.get("?wait=0", tag).await.0, 304);
    scene.doors.close();
    assert_eq!(scene.get("?wait=30", tag).await.0, 304);
}

#[tokio::test]
async fn who_waits_for_a_fetch_is_answered_before_they_give_up() {
    let scene = Scene::new().await;
    scene.platform.is_silent.store(true, Ordering::Relaxed);
    scene.clock.advance(Duration::from_secs(7200));
    let mut asking = pin!(scene.get("", ""));
    for wait in [7_999, 1] {
        tokio::select! {
            biased;
            answer = &mut asking => panic!("it did not wait: {answer:?}"),
            () = others() => {}
        }
        scene.clock.advance(Duration::from_millis(wait));
    }
    let (status, body, headers) = tokio::select! {
        biased;
        answer = asking => answer,
        () = others() => panic!("it still waits"),
    };
    assert_eq!((status, &body["act"]), (503, &json!("nobody")), "{body}");
    assert!((1..=10).contains(&seconds(&headers, "retry-after")), "{headers:?}");
}

#[tokio::test]
async fn one_exchange_heals_a_device() {
    let scene = Scene::new().await;
    let fingerprint = |text| format!("{:016x}", wxtoken::Fingerprint::of(text).to_bits());
    let body = |text| format!("{{\"fingerprint\":\"{}\",\"errcode\":40001,\"read\":true}}", fingerprint(text));
    let (status, answer, headers) = scene.report("K1", &body("T0")).await;
    assert_eq!((status, &answer["outcome"], &answer["access_token"]), (200, &json!("replaced"), &json!("T1")));
    assert!(answer["expires_in"].is_u64() && answer["refresh_after"].is_u64(), "{answer}");
    assert_eq!(headers["cache-control"], "no-store");
    // Grown up, so that it is believed at once.
    scene.later(1000).await;
    let (status, answer, _) = scene.report("K1", &body("T1")).await;
    assert_eq!((status, &answer["outcome"], &answer["access_token"]), (200, &json!("refreshing"), &json!("T2")));
    assert_eq!((&answer["generation"], scene.platform.fetches.load(Ordering::Relaxed)), (&json!(2), 2));
    // Whoever may only report is told nothing, and nothing happens.
    let (status, answer, _) = scene.report("K2", &body("T2")).await;
    assert_eq!((status, answer.get("access_token")), (403, None));
    let (status, answer, _) = scene.report("K2", &format!("{{\"fingerprint\":\"{}\"}}", fingerprint("T0"))).await;
    assert_eq!((status, answer), (200, json!({ "outcome": "replaced", "generation": 2 })));
    // Nothing is to be had: it says so as a read does.
    scene.later(1000).await;
    scene.platform.refuses.store(true, Ordering::Relaxed);
    let (status, answer, headers) = scene.report("K1", &body("T2")).await;
    assert_eq!((status, &answer["type"]), (503, &json!("urn:wxtoken:problem:no-credential")), "{answer}");
    assert!(seconds(&headers, "retry-after") > 0);
}

#[tokio::test]
async fn an_errcode_about_something_else_drops_nothing() {
    let scene = Scene::new().await;
    scene.later(1000).await;
    for (errcode, outcome) in [(45009, "kept"), (48001, "kept"), (0, "kept"), (-1, "kept"), (42001, "refreshing")] {
        let (status, answer, _) =
            scene.report("K1", &format!("{{\"access_token\":\"T1\",\"errcode\":{errcode}}}")).await;
        assert_eq!((status, &answer["outcome"]), (200, &json!(outcome)), "{errcode}");
    }
    scene.doors.engine.settle().await;
    assert_eq!(scene.platform.fetches.load(Ordering::Relaxed), 2);
}
