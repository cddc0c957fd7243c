//! Messages sent again, because their sender got no answer.

use wxtoken_platform::model::{Model, Request};

use crate::bench::{CORP, ID, T, fetch, gettoken, model, official, token, work};

const MINUTE: u64 = 60_000;

fn post(model: &mut Model, now: u64, path: &str, token: &str, body: &str) -> serde_json::Value {
    let reply = model.handle(now, &Request::post(&format!("{path}?access_token={token}"), body));
    assert_eq!(reply.errcode(), 0);
    reply.json()["msgid"].clone()
}

#[test]
fn a_template_message_with_the_same_id_goes_out_once_in_ten_minutes() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    let path = "/cgi-bin/message/template/send";
    let alarm = r#"{"touser":"o1","template_id":"t","client_msg_id":"17-1","data":{"n":1}}"#;
    let first = post(&mut model, T, path, &a, alarm);
    let again = post(&mut model, T + 10 * MINUTE - 1, path, &a, &alarm.replace("\"n\":1", "\"n\":2"));
    assert_eq!(first, again, "whatever else it says");
    assert_eq!(model.counters(T).account(ID).messages, 1);
    post(&mut model, T, path, &a, &alarm.replace("17-1", "17-2"));
    post(&mut model, T, path, &a, &alarm.replace("o1", "o2"));
    assert_eq!(model.messages().len(), 3, "another id, another recipient");
    post(&mut model, T + 10 * MINUTE, path, &a, alarm);
    assert_eq!(model.messages().len(), 4, "too late");
    let plain = r#"{"touser":"o1","template_id":"t"}"#;
    post(&mut model, T, path, &a, plain);
    post(&mut model, T, path, &a, plain);
    assert_eq!(model.messages().len(), 6, "without an id nobody looks");
}

#[test]
fn a_wecom_message_is_compared_only_when_it_says_so() {
    let mut model = model(work());
    let a = token(&gettoken(&mut model, T));
    let path = "/cgi-bin/message/send";
    let plain = r#"{"touser":"u","msgtype":"text","agentid":7,"text":{"content":"x"}}"#;
    post(&mut model, T, path, &a, plain);
    post(&mut model, T, path, &a, plain);
    assert_eq!(model.counters(T).account(CORP).messages, 2);
    let checked = plain.replace("\"agentid\"", "\"enable_duplicate_check\":1,\"agentid\"");
    let first = post(&mut model, T, path, &a, &checked);
    assert_eq!(post(&mut model, T + 30 * MINUTE - 1, path, &a, &checked), first);
    post(&mut model, T + MINUTE, path, &a, &checked.replace("\"x\"", "\"y\""));
    assert_eq!(model.counters(T).account(CORP).messages, 4, "another text");
    let short = checked.replace("\"agentid\"", "\"duplicate_check_interval\":60,\"agentid\"");
    post(&mut model, T, path, &a, &short);
    post(&mut model, T + MINUTE, path, &a, &short);
    assert_eq!(model.counters(T).account(CORP).messages, 6, "a minute was said");
}
