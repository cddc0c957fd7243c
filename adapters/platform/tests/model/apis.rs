//! The APIs behind the token.

use wxtoken_platform::Account;
use wxtoken_platform::model::{Model, Request};

use crate::bench::{CORP, ID, SECRET, T, fetch, gettoken, model, official, token, work};

fn post(model: &mut Model, path: &str, token: &str, body: &str) -> i64 {
    model.handle(T, &Request::post(&format!("{path}?access_token={token}"), body)).errcode()
}

#[test]
fn a_token_missing_made_up_or_of_the_other_product() {
    let mut model = model(official());
    model.add(work()).unwrap();
    let public = token(&fetch(&mut model, T));
    let corporate = token(&gettoken(&mut model, T));
    let mut ask = |target: String| model.handle(T, &Request::get(&target)).errcode();
    assert_eq!(ask("/cgi-bin/getcallbackip".to_owned()), 41_001);
    assert_eq!(ask("/cgi-bin/getcallbackip?access_token=".to_owned()), 41_001);
    assert_eq!(ask("/cgi-bin/getcallbackip?access_token=made-up".to_owned()), 40_001);
    assert_eq!(ask(format!("/cgi-bin/getcallbackip?access_token={public}")), 0);
    assert_eq!(ask(format!("/cgi-bin/getcallbackip?access_token={corporate}")), 0);
    assert_eq!(ask(format!("/cgi-bin/message/send?access_token={public}")), 40_014);
    assert_eq!(ask(format!("/cgi-bin/message/custom/send?access_token={corporate}")), 40_001);
    assert_eq!(ask("/cgi-bin/no_such_api".to_owned()), 40_066);
    let counters = model.counters(T);
    assert_eq!((counters.account(ID).calls_accepted(), counters.account(CORP).calls_accepted()), (1, 1));
    assert_eq!(counters.strangers[&40_001], 2);
}

#[test]
fn a_template_message() {
    let mut model = model(official());
    let a = token(&fetch(&mut model, T));
    let path = "/cgi-bin/message/template/send";
    assert_eq!(post(&mut model, path, &a, r#"{"touser":"o1","template_id":"t1","data":{}}"#), 0);
    assert_eq!(post(&mut model, path, &a, r#"{"template_id":"t1"}"#), 40_003);
    assert_eq!(post(&mut model, path, &a, r#"{"touser":"o1"}"#), 40_037);
    assert_eq!(post(&mut model, path, &a, ""), 44_002);
    assert_eq!(post(&mut model, path, &a, "not json"), 47_001);
    assert_eq!(model.handle(T, &Request::get(&format!("{path}?access_token={a}"))).errcode(), 43_002);
    let messages = model.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].account.as_str(), &messages[0].body["touser"]), (ID, &"o1".into()));
    assert_eq!(model.counters(T).account(ID).messages, 1);
}

#[test]
fn a_customer_message_and_a_mini_program_without_templates() {
    let mut model = model(Account::mini_program(ID, SECRET));
    let a = token(&fetch(&mut model, T));
    let text = r#"{"touser":"o1","msgtype":"text","text":{"content":"你好"}}"#;
    assert_eq!(post(&mut model, "/cgi-bin/message/custom/send", &a, text), 0);
    assert_eq!(post(&mut model, "/cgi-bin/message/custom/send", &a, r#"{"touser":"o1"}"#), 40_008);
    let unknown = r#"{"touser":"o1","msgtype":"markdown"}"#;
    assert_eq!(post(&mut model, "/cgi-bin/message/custom/send", &a, unknown), 40_008, "markdown is WeCom's");
    let escaped = r#"{"touser":"o1","msgtype":"text","text":{"content":"\u4f60"}}"#;
    assert_eq!(post(&mut model, "/cgi-bin/message/custom/send", &a, escaped), 0, "only WeCom refuses escapes");
    assert_eq!(post(&mut model, "/cgi-bin/message/template/send", &a, r#"{"touser":"o1","template_id":"t"}"#), 48_001);
    assert_eq!(model.messages()[0].body["text"]["content"], "你好");
}

#[test]
fn a_wecom_message() {
    let mut model = model(work().agent(7));
    let a = token(&gettoken(&mut model, T));
    let path = "/cgi-bin/message/send";
    assert_eq!(post(&mut model, path, &a, r#"{"touser":"u","msgtype":"text","agentid":7}"#), 0);
    assert_eq!(post(&mut model, path, &a, r#"{"totag":"t","msgtype":"text","agentid":"7"}"#), 0);
    assert_eq!(post(&mut model, path, &a, r#"{"touser":"u","msgtype":"text","agentid":8}"#), 301_002);
    assert_eq!(post(&mut model, path, &a, r#"{"msgtype":"text","agentid":7}"#), 40_031);
    assert_eq!(post(&mut model, path, &a, r#"{"touser":"\u4f60","msgtype":"text","agentid":7}"#), 40_033);
    assert_eq!(
        post(
            &mut model,
            path,
            &a,
            r##"{"touser":"u","msgtype":"markdown","agentid":7,"markdown":{"content":"# 你"}}"##
        ),
        0
    );
    assert_eq!(model.messages()[2].body["markdown"]["content"], "# 你");
    assert_eq!(post(&mut model, path, &a, r#"{"touser":"u","msgtype":"wxcard","agentid":7}"#), 40_008);
    assert_eq!(model.counters(T).account(CORP).messages, 3);
}
