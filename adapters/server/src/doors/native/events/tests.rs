use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, body::Bytes};
use serde_json::Value;

use super::super::{
    super::{Content, Peer},
    scene::{Scene, others},
};
use crate::config::ClientSpec;

/// A reader of the stream.
struct Reader {
    body: Content,
    headers: HeaderMap,
}

impl Reader {
    async fn new(scene: &Scene, key: &str, id: &str) -> Result<Self, u16> {
        let mut request = Request::get("/v1/accounts/shop/events").header("authorization", format!("Bearer {key}"));
        if !id.is_empty() {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Full::new(Bytes::new())).expect("a request");
        let (head, body) = scene.doors.answer(&Peer { address: None }, request).await.into_parts();
        let mut reader = Self { body, headers: head.headers };
        if head.status != 200 {
            return Err(head.status.as_u16());
        }
        let retry = reader.hear().await.expect("it says when to come back");
        let ms = retry.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix("\n\n")).expect("a time");
        assert!((2000..=4000).contains(&ms.parse::<u32>().expect("a number")), "{retry}");
        Ok(reader)
    }

    /// The next piece; `None` at the end. Bounded, and never so long unless something is wrong.
    async fn hear(&mut self) -> Option<String> {
        let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame()).await.expect("something");
        let bytes = frame?.expect("whole").into_data().expect("no trailers");
        Some(String::from_utf8(bytes.to_vec()).expect("UTF-8"))
    }

    /// The next event: its id and its data.
    async fn event(&mut self) -> (String, Value) {
        let text = self.hear().await.expect("an event");
        let lines: Vec<_> = text.lines().collect();
        let [event, id, data, ""] = lines.as_slice() else { panic!("{text:?}") };
        assert_eq!(*event, "event: token");
        let data = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        (id.strip_prefix("id: ").expect("an id").to_owned(), data)
    }
}

#[tokio::test]
async fn each_new_generation_is_told_and_never_what_it_is() {
    let scene = Scene::new().await;
    let mut reader = Reader::new(&scene, "K1", "").await.expect("allowed");
    assert_eq!(reader.headers["content-type"], "text/event-stream");
    assert_eq!(reader.headers["cache-control"], "no-store");
    let (id, data) = reader.event().await;
    assert_eq!((id.as_str(), &data["generation"], &data["expires_in"]), ("token=1", &1.into(), &7198.into()));
    assert!(data["refresh_after"].is_u64() && data.as_object().is_some_and(|data| data.len() == 3), "{data}");
    scene.later(1000).await;
    assert_eq!(reader.hear().await.as_deref(), Some(":\n\n"), "a heartbeat");
    scene.rotate().await;
    let (id, data) = reader.event().await;
    assert_eq!((id.as_str(), &data["generation"]), ("token=2", &2.into()));
    // Who comes back hears only what it does not know; of rubbish nothing is known.
    for (id, news) in [("token=2", false), ("jsapi=7;token=2", false), ("token=1", true), ("token=x;;=", true)] {
        let mut reader = Reader::new(&scene, "K1", id).await.expect("allowed");
        others().await;
        scene.later(15).await;
        let heard = reader.hear().await.expect("something");
        assert_eq!(heard.starts_with("event: token\n"), news, "{id}: {heard}");
    }
}

#[tokio::test]
async fn a_reader_that_lags_gets_the_state_as_it_is() {
    let scene = Scene::new().await;
    let mut reader = Reader::new(&scene, "K1", "").await.expect("allowed");
    assert_eq!(reader.event().await.1["generation"], 1);
    for _ in 0..9 {
        scene.later(1000).await;
        scene.rotate().await;
        others().await;
    }
    // Two pieces may be on their way; nothing else was kept for it.
    let mut heard: Vec<u32> = Vec::new();
    while heard.last() != Some(&10) {
        let text = reader.hear().await.expect("something");
        heard.extend(text.split("\"generation\":").nth(1).and_then(|rest| rest.split(',').next()?.parse::<u32>().ok()));
        assert!(heard.len() <= 3, "{heard:?}");
    }
}

#[tokio::test]
async fn it_ends_when_its_reader_may_not_listen_any_more() {
    let scene = Scene::new().await;
    assert_eq!(Reader::new(&scene, "K2", "").await.err(), Some(403));
    let mut reader = Reader::new(&scene, "K1", "").await.expect("allowed");
    assert_eq!(reader.event().await.0, "token=1");
    // Nothing has changed for it: it hears on, also when the name is another account's now.
    scene.doors.set_clients(&Scene::clients());
    scene.doors.engine.load(&[Scene::account("wx2")]).await.expect("good");
    scene.doors.set_clients(&Scene::clients());
    scene.doors.engine.settle().await;
    assert_eq!(reader.event().await.0, "token=1");
    // Its key is withdrawn: it is the other client's now.
    let mut other = Reader::new(&scene, "K1", "").await.expect("allowed");
    scene.doors.set_clients(&[ClientSpec::new("reporter", "K1", &["shop"], &[])]);
    assert_eq!(reader.hear().await, None);
    // What was on its way comes still.
    while other.hear().await.is_some() {}
    scene.doors.set_clients(&Scene::clients());
    let mut reader = Reader::new(&scene, "K1", "token=1").await.expect("allowed");
    scene.doors.engine.load(&[]).await.expect("good");
    scene.doors.set_clients(&Scene::clients());
    assert_eq!(reader.hear().await, None);
    assert_eq!(Reader::new(&scene, "K1", "").await.err(), Some(403));
    scene.doors.engine.load(&[Scene::account("wx1")]).await.expect("good");
    let mut reader = Reader::new(&scene, "K1", "token=1").await.expect("allowed");
    scene.doors.close();
    assert_eq!(reader.hear().await, None);
}
