//! The messages that have helpers: their bodies as the documents have them, and how often they arrive.

use std::time::Duration;

use wxtoken::{CallError, CallReason, Client, CustomMessage, Endpoint, TemplateMessage, WorkMessage};
use wxtoken_platform::{Fault, FaultScope};

use crate::{
    time::{CORP, Time},
    world::{ID, SECRET},
};

fn official(time: &Time) -> Client {
    time.builder(&Endpoint::STABLE_TOKEN).background(false).build().expect("fine")
}

fn work(time: &Time) -> Client {
    Client::builder(&Endpoint::WORK, CORP, SECRET)
        .base(time.platform.http_url())
        .clock(time.clone())
        .background(false)
        .build()
        .expect("fine")
}

#[test]
fn the_probe_has_addresses_whatever_the_product() {
    let time = Time::sleeping();
    assert!(!official(&time).probe().expect("alive").is_empty());
    assert!(!work(&time).probe().expect("alive").is_empty());
}

#[test]
fn messages_are_as_the_documents_have_them() {
    let time = Time::sleeping();
    let (official, work) = (official(&time), work(&time));
    let template = TemplateMessage::new("o1", "t1")
        .value("温度", "90 ℃ \"高\"")
        .url("https://example.com/?a=1&b=2")
        .mini_program("wx1", "page?x=1")
        .client_msg_id("alarm-7");
    assert!(official.send_template(&template).expect("accepted") > 0);
    official.send_custom(&CustomMessage::text("o1", "你好\n\u{1}")).expect("accepted");
    let sent = work
        .send_work(&WorkMessage::markdown(7, "**超温** 90 ℃").to_users(&["u1", "u2"]).to_parties(&["3"]).confidential())
        .expect("accepted");
    assert!(!sent.msgid.is_empty() && sent.missed().next().is_none());
    let bodies: Vec<_> = time.platform.messages().into_iter().map(|message| message.body).collect();
    assert_eq!(
        bodies,
        [
            serde_json::json!({
                "touser": "o1", "template_id": "t1", "url": "https://example.com/?a=1&b=2",
                "miniprogram": { "appid": "wx1", "pagepath": "page?x=1" },
                "client_msg_id": "alarm-7", "data": { "温度": { "value": "90 ℃ \"高\"" } },
            }),
            serde_json::json!({ "touser": "o1", "msgtype": "text", "text": { "content": "你好\n\u{1}" } }),
            serde_json::json!({
                "touser": "u1|u2", "toparty": "3", "msgtype": "markdown", "agentid": 7, "safe": 1,
                "markdown": { "content": "**超温** 90 ℃" },
            }),
        ]
    );
    // The platform refuses \uXXXX as WeCom does: those were the characters themselves.
}

#[test]
fn a_message_whose_reply_is_lost_arrives_once_and_is_sent_again_only_where_it_is_known_again() {
    let time = Time::sleeping();
    let (official, work) = (official(&time), work(&time));
    let text = || WorkMessage::text(7, "超温").to_users(&["@all"]);
    type Send<'a> = (&'a str, Box<dyn Fn() -> Result<(), CallError> + 'a>, bool);
    let cases: [Send<'_>; 4] = [
        ("template", Box::new(|| official.send_template(&TemplateMessage::new("o1", "t1")).map(drop)), true),
        ("custom", Box::new(|| official.send_custom(&CustomMessage::text("o1", "x"))), false),
        ("work", Box::new(|| work.send_work(&text()).map(drop)), false),
        ("work, once", Box::new(|| work.send_work(&text().once_within(Duration::from_secs(60))).map(drop)), true),
    ];
    for (name, send, again) in cases {
        let before = time.platform.messages().len();
        time.platform.fault(Fault::ReplyLost, FaultScope::next_call().on_path("/cgi-bin/message/"));
        let result = send();
        assert_eq!(result.is_ok(), again, "{name} {result:?}");
        if let Err(error) = result {
            assert!(matches!(error, CallError::Unanswered(_)), "{name} {error}");
        }
        assert_eq!(time.platform.messages().len() - before, 1, "{name}: executed once");
    }
    // Two messages of the same words are two.
    let before = time.platform.messages().len();
    for _ in 0..2 {
        official.send_template(&TemplateMessage::new("o1", "t1")).expect("accepted");
        let _ = work.send_work(&text()).expect("accepted");
    }
    assert_eq!(time.platform.messages().len() - before, 4);
}

#[test]
fn a_message_of_the_other_product_is_not_sent_and_costs_no_token() {
    let time = Time::sleeping();
    let (official, work) = (official(&time), work(&time));
    let errors = [
        official.send_work(&WorkMessage::text(7, "x")).map(drop),
        work.send_custom(&CustomMessage::text("o1", "x")),
        work.send_template(&TemplateMessage::new("o1", "t1")).map(drop),
    ];
    for error in errors {
        assert!(matches!(error, Err(CallError::Caller(CallReason::WrongProduct))), "{error:?}");
    }
    assert_eq!(time.platform.counters().account(ID).fetched_in_all(), 0);
}

#[test]
fn receivers_that_do_not_get_it_are_named() {
    let world = crate::world::World::sleeping();
    let script = crate::script::Script::new(|_, _| {
        crate::script::reply(r#"{"errcode":0,"invaliduser":"u1|u2","invalidtag":"","unlicenseduser":"u3","msgid":"m"}"#)
    });
    let client = Client::builder(&Endpoint::WORK, CORP, SECRET).clock(world).transport(script).background(false);
    let sent = client.build().expect("fine").send_work(&WorkMessage::text(7, "x").to_users(&["u1"])).expect("accepted");
    assert_eq!(sent.missed().collect::<Vec<_>>(), ["u1", "u2", "u3"]);
}
