//! What `call` and `send` print, what they send, and how they end.

mod common;

use common::{CORP, Files, ID, Ran, SECRET, command, platform, run, run_fed};
use wxtoken_platform::{Fault, FaultScope, Refusal, Running};

struct Scene {
    platform: Running,
    files: Files,
    base: String,
}

impl Scene {
    fn new() -> Self {
        let platform = platform().start().unwrap();
        Self { base: platform.http_url(), platform, files: Files::new() }
    }

    fn official(&self, args: &[&str]) -> Ran {
        let cache = self.files.path("mp.cache");
        run(&[args, &["--id", ID, "--base", &self.base, "--cache", &cache]].concat())
    }

    fn work(&self, args: &[&str]) -> Ran {
        let cache = self.files.path("work.cache");
        run(&[args, &["--id", CORP, "--base", &self.base, "--cache", &cache]].concat())
    }

    fn last(&self) -> serde_json::Value {
        self.platform.messages().pop().unwrap().body
    }
}

#[test]
fn a_call_prints_the_reply_and_nothing_else() {
    let scene = Scene::new();
    let ran = scene.official(&["call", "GET", "/cgi-bin/getcallbackip"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(ran.stdout, "{\"ip_list\":[\"192.0.2.1\",\"192.0.2.2\"]}\n");
    let file = scene.files.path("reply.json");
    let ran = scene.official(&["call", "get", "/cgi-bin/getcallbackip", "-o", &file]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    assert!(std::fs::read_to_string(&file).unwrap().contains("ip_list"));
    let query = ["--kind", "work", "--query", "type=agent_config"];
    let ran = scene.work(&[&["call", "GET", "/cgi-bin/ticket/get"][..], &query].concat());
    assert!(ran.code == Some(0) && ran.stdout.contains("\"ticket\""), "{ran:?}");
}

#[test]
fn data_are_the_text_a_file_or_standard_input() {
    let scene = Scene::new();
    let body = r#"{"touser":"o1","template_id":"t1","data":{"温":{"value":"90"}}}"#;
    let file = scene.files.write("body.json", body);
    let path = "/cgi-bin/message/template/send";
    for data in [body, &format!("@{file}")] {
        let ran = scene.official(&["call", "POST", path, "--data", data]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(scene.last(), serde_json::from_str::<serde_json::Value>(body).unwrap());
    }
    let secret = scene.files.write("secret", SECRET);
    let args = ["call", "POST", path, "--id", ID, "--base", &scene.base, "--data", "-"];
    let ran = run_fed(&[&args[..], &["--secret-file", &secret]].concat(), body);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(scene.platform.messages().len(), 3);
    // It cannot be two things at once.
    let ran = run_fed(&args, body);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("WXTOKEN_SECRET"), "{ran:?}");
}

#[test]
fn every_end_has_its_code_and_says_who_must_act() {
    let scene = Scene::new();
    let template = ["call", "POST", "/cgi-bin/message/template/send", "--data"];
    let message = r#"{"touser":"o1","template_id":"t1"}"#;
    let refused = scene.official(&[&template[..], &[r#"{"touser":"","template_id":"t1"}"#]].concat());
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stdout.contains("\"errcode\":40003"), "a script reads it: {refused:?}");
    assert!(refused.stderr.contains("the receiver's openid"), "{refused:?}");
    let chinese = scene.official(&[&template[..], &["{}", "--lang", "zh"]].concat());
    assert!(chinese.stderr.contains("调用本身需要修改：errcode 40003：OpenID"), "{chinese:?}");
    for (errcode, code, words) in
        [(48_001, 3, "not granted"), (50_002, 4, "an administrator"), (45_009, 5, "try later")]
    {
        scene.platform.refuse(ID, Refusal::using(errcode).times(1)).unwrap();
        let ran = scene.official(&[&template[..], &[message]].concat());
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(words) && ran.stdout.contains(&errcode.to_string()), "{ran:?}");
    }
    scene.platform.fault(Fault::ReplyLost, FaultScope::next_call().on_path("/cgi-bin/message/"));
    let lost = scene.official(&[&template[..], &[message]].concat());
    assert_eq!(lost.code, Some(7), "{lost:?}");
    assert!(lost.stderr.contains("may have been executed") && lost.stdout.is_empty(), "{lost:?}");
    assert_eq!(scene.platform.messages().len(), 1, "executed once");
    scene.platform.fault(Fault::Redirect { location: "/x".to_owned() }, FaultScope::next_call());
    let moved = scene.official(&["call", "GET", "/cgi-bin/getcallbackip"]);
    assert!(moved.code == Some(3) && moved.stderr.contains("302"), "{moved:?}");
    for args in [
        &["call", "GET", "cgi-bin/x"][..],
        &["call", "GET", "/x?type=1"],
        &["call", "GET", "/x", "--query", "access_token=1"],
        &["call", "GET", "/x", "--query", "type"],
        &["call", "GET", "/x", "--data", "{}"],
        &["call", "POST", "/x"],
        &["call", "PUT", "/x"],
        &["send", "custom", "--to", "o1"],
        &["send", "work", "--agent", "7", "--text", "x"],
    ] {
        let ran = scene.official(args);
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
}

#[test]
fn a_token_that_was_rotated_elsewhere_is_replaced_once() {
    let scene = Scene::new();
    let call = ["call", "GET", "/cgi-bin/getcallbackip", "--endpoint", "token"];
    assert_eq!(scene.official(&call).code, Some(0));
    // The cache's token is dead, and old enough not to be forgiven.
    scene.platform.rotate_elsewhere(ID).unwrap();
    scene.platform.rotate_elsewhere(ID).unwrap();
    let before = scene.platform.counters().account(ID).fetched_in_all();
    scene.platform.revoke_all(ID).unwrap();
    let ran = scene.official(&call);
    // Younger than half a minute: it is said that another call may do, and the platform is not asked for another token.
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert_eq!(scene.platform.counters().account(ID).fetched_in_all(), before);
}

#[test]
fn messages_are_sent_as_the_documents_have_them() {
    let scene = Scene::new();
    let ran = scene.official(&[
        "send",
        "template",
        "--to",
        "o1",
        "--template",
        "t1",
        "--value",
        "温度=90=℃",
        "--url",
        "https://example.com/?a=1",
        "--message-id",
        "alarm-7",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let number = scene.platform.messages()[0].id;
    assert_eq!(ran.stdout, format!("{number}\n"));
    assert_eq!(
        scene.last(),
        serde_json::json!({
            "touser": "o1", "template_id": "t1", "url": "https://example.com/?a=1", "client_msg_id": "alarm-7",
            "data": { "温度": { "value": "90=℃" } },
        })
    );
    let ran = scene.official(&["send", "custom", "--to", "o1", "--text", "您好"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(scene.last(), serde_json::json!({ "touser": "o1", "msgtype": "text", "text": { "content": "您好" } }));
    let said = scene.files.write("said.md", "**超温**\n");
    let ran = scene.work(&[
        "send",
        "work",
        "--agent",
        "7",
        "--to-user",
        "u1",
        "--to-user",
        "u2",
        "--to-tag",
        "3",
        "--markdown",
        &format!("@{said}"),
        "--once-within",
        "60s",
    ]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "--kind need not be said: {ran:?}");
    assert!(!ran.stdout.trim_end().is_empty());
    assert_eq!(
        scene.last(),
        serde_json::json!({
            "touser": "u1|u2", "totag": "3", "msgtype": "markdown", "agentid": 7, "markdown": { "content": "**超温**" },
            "enable_duplicate_check": 1, "duplicate_check_interval": 60,
        })
    );
    let wrong = scene.official(&["send", "custom", "--to", "o1", "--text", "x", "--kind", "work"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let scene = Scene::new();
    let mut child = command(&["call", "GET", "/cgi-bin/getcallbackip", "--id", ID, "--base", &scene.base])
        .env("WXTOKEN_SECRET", SECRET)
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
