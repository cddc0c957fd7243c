use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use serde_json::Value;

use super::{
    super::{
        super::{Content, Peer},
        tests::{Platform, ask, scene},
    },
    *,
};
use crate::{VirtualClock, config::ClientSpec};

struct Reader<'a> {
    body: Content,
    doors: &'a Doors,
    clock: VirtualClock,
}

impl<'a> Reader<'a> {
    async fn new(doors: &'a Doors, clock: &VirtualClock, key: &str) -> Self {
        let request = Request::get("/v1/status/events").header("authorization", format!("Bearer {key}"));
        let request = request.body(Full::new(Bytes::new())).expect("a request");
        let (head, body) = doors.answer(&Peer { address: None }, request).await.into_parts();
        assert_eq!(head.status, 200);
        let mut reader = Self { body, doors, clock: clock.clone() };
        assert!(reader.hear().await.starts_with("retry: "));
        assert_eq!(reader.hear().await, "event: all\ndata: {}\n\n");
        reader
    }

    /// The next piece. While nothing comes the clock is stepped.
    async fn hear(&mut self) -> String {
        for _ in 0..60 {
            tokio::select! {
                biased;
                frame = self.body.frame() => {
                    let bytes = frame.expect("goes on").expect("whole").into_data().expect("no trailers");
                    return String::from_utf8(bytes.to_vec()).expect("UTF-8");
                }
                () = others() => {}
            }
            later(self.doors, &self.clock, 1).await;
        }
        panic!("nothing was told for a minute");
    }

    /// What is told until an account is: each account's name, state and generation.
    async fn told(&mut self) -> Vec<(String, String, u64)> {
        loop {
            let text = self.hear().await;
            if text == ":\n\n" {
                continue;
            }
            assert!(!text.contains("TOKEN"), "{text}");
            let data = text.strip_prefix("event: accounts\ndata: ").unwrap_or_else(|| panic!("{text}"));
            let data: Value = serde_json::from_str(data).expect("JSON");
            let told = data["accounts"].as_array().expect("a list").iter().map(|account| {
                let text = |name: &str| account[name].as_str().expect("text").to_owned();
                let generation = account["credentials"][0]["generation"].as_u64().expect("a number");
                (text("name"), text("state"), generation)
            });
            return told.collect();
        }
    }
}

async fn later(doors: &Doors, clock: &VirtualClock, seconds: u64) {
    clock.advance(Duration::from_secs(seconds));
    doors.engine.settle().await;
}

async fn others() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn whatever_changes_is_told_once_to_those_who_may_see_it() {
    let (doors, clock, platform): (Doors, VirtualClock, Platform) = scene().await;
    let mut own = Reader::new(&doors, &clock, "K1").await;
    let mut all = Reader::new(&doors, &clock, "K2").await;
    let mut other = Reader::new(&doors, &clock, "K3").await;
    later(&doors, &clock, 1000).await;
    let (_, body) = ask(&doors, "POST", "/v1/accounts/office/token/rotate", "K1").await;
    assert_eq!(body["outcome"], "refreshing");
    doors.engine.settle().await;
    for (reader, sees_all) in [(&mut own, false), (&mut all, true)] {
        let mut told = Vec::new();
        while told.last() != Some(&("office".to_owned(), "ok".to_owned(), 2)) {
            told.extend(reader.told().await);
            assert!(told.len() < 6 && told.iter().all(|(name, ..)| name != "shop" || sees_all), "{told:?}");
        }
    }
    // The one that is refused is tried again and again: its own client hears of that, and of nothing else.
    platform.refuse("wx-shop", 40125);
    later(&doors, &clock, 7200).await;
    assert!(other.told().await.iter().all(|(name, state, _)| name == "shop" && state != "ok"));
}

#[tokio::test]
async fn after_a_reload_everything_is_asked_for_anew() {
    let (doors, clock, _) = scene().await;
    let mut reader = Reader::new(&doors, &clock, "K1").await;
    // From now on it is another's key, who sees only the one.
    doors.set_clients(&[ClientSpec::new("new", "K1", &["shop"], &[])]);
    assert_eq!(reader.hear().await, "event: all\ndata: {}\n\n");
    later(&doors, &clock, 8000).await;
    assert!(reader.told().await.iter().all(|(name, ..)| name == "shop"));
}

#[tokio::test]
async fn what_cannot_be_kept_apart_is_asked_for_anew() {
    let (doors, clock, _) = scene().await;
    let mut reader = Reader::new(&doors, &clock, "K2").await;
    // Within one second, and without anybody's turn between: more than is kept for a reader.
    for _ in 0..5000 {
        ask_nothing_and_stir(&doors);
    }
    assert_eq!(reader.hear().await, "event: all\ndata: {}\n\n");
}

/// A rotation that is held off changes nothing and is published all the same.
fn ask_nothing_and_stir(doors: &Doors) {
    doors.engine.find("office").expect("there").token().rotate();
}
