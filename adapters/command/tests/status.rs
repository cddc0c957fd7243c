//! What a token server's accounts are like is told in a terminal, with the remedy, and to scripts by the exit code.

#![cfg(unix)]

#[path = "common/mod.rs"]
mod common;
#[path = "common/server.rs"]
mod server;

use std::process::Command;

use common::{SECRET, command};
use server::{Configuration, KEY};
use wxtoken_platform::{Account, Platform, Running};

const ID: &str = "wx0123456789abcdef";
const OTHER: &str = "wx0123456789abcde0";

fn platform() -> Running {
    let builder = Platform::builder().account(Account::official(ID, SECRET)).account(Account::official(OTHER, SECRET));
    builder.start().unwrap()
}

fn status(server: &server::Server, key: &str, options: &[&str]) -> (Option<i32>, String, String) {
    let url = format!("http://{}", server.address);
    said(command(&[&["status", "--server", &url], options].concat()).env("WXTOKEN_KEY", key))
}

fn said(command: &mut Command) -> (Option<i32>, String, String) {
    let out = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn it_tells_how_accounts_are_and_what_to_do() {
    let platform = platform();
    platform.deny_address(OTHER, "127.0.0.1".parse().unwrap()).unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID).official("stall", OTHER);
    let server = configuration.start(&[]);
    let token = server.token("shop");
    assert_eq!(server.get("/v1/accounts/stall/token").0, 503);

    let (code, said, wrong) = status(&server, KEY, &[]);
    assert_eq!((code, wrong.as_str()), (Some(5), ""), "{said}");
    for words in ["shop", "token", "ok", "1 h 59 min", "stall", "down", "40164", "127.0.0.1", "2 accounts: 1 without"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let (_, zh, _) = status(&server, KEY, &["--lang", "zh"]);
    assert!(zh.contains("无凭据") && zh.contains("127.0.0.1") && zh.contains("2 个账号：1 个没有有效凭据"), "{zh}");
    let (code, well, _) = status(&server, KEY, &["--state", "ok"]);
    assert!(code == Some(0) && well.contains("shop") && !well.contains("stall"), "{code:?} {well}");
    let (code, json, _) = status(&server, KEY, &["--json", "--state", "down,failing"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (code, json["accounts"].as_array().unwrap().len(), &json["accounts"][0]["name"]),
        (Some(5), 1, &"stall".into())
    );
    for secret in [KEY, SECRET, &token] {
        assert!(!said.contains(secret) && !zh.contains(secret) && !json.to_string().contains(secret));
    }
}

#[test]
fn who_must_act_is_told_by_the_exit_code() {
    let platform = platform();
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID);
    let server = configuration.start(&[]);
    server.token("shop");
    assert_eq!(status(&server, KEY, &[]).0, Some(0));
    let (code, _, wrong) = status(&server, "wxtk_wrong", &["-vvv"]);
    assert!(code == Some(3) && wrong.contains("does not know this key") && !wrong.contains("wxtk_wrong"), "{wrong}");
    let (code, _, wrong) = said(&mut command(&["status"]));
    assert!(code == Some(3) && wrong.contains("WXTOKEN_KEY"), "{wrong}");
    let (code, _, wrong) = said(command(&["status", "--server", "http://192.0.2.1:8440"]).env("WXTOKEN_KEY", KEY));
    assert!(code == Some(3) && wrong.contains("--allow-plain-http"), "{wrong}");
    let url = format!("http://{}", server.address);
    server.kill();
    let (code, _, wrong) = said(command(&["status", "--server", &url]).env("WXTOKEN_KEY", KEY));
    assert!(code == Some(5) && wrong.contains("is the server running"), "{wrong}");
}

#[test]
fn who_watches_sees_it_come_back() {
    let platform = platform();
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID);
    let server = configuration.start(&[]);
    server.token("shop");
    let address = server.address;
    let url = format!("http://{address}");
    let mut watching = command(&["status", "--server", &url, "--watch", "1"]);
    let mut watching = Watching(watching.env("WXTOKEN_KEY", KEY).spawn().unwrap());
    let (mut out, mut err) = (lines(watching.0.stdout.take().unwrap()), lines(watching.0.stderr.take().unwrap()));
    assert!(out.by_ref().take(40).any(|line| line.unwrap().contains("shop")));
    server.kill();
    assert!(err.by_ref().take(1).any(|line| line.unwrap().contains("was not reached")));
    configuration.listen(address);
    let _server = configuration.start(&[]);
    assert!(out.by_ref().take(40).any(|line| line.unwrap().contains("shop")));
}

/// Ended however the test ends.
struct Watching(std::process::Child);

impl Drop for Watching {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn lines(of: impl std::io::Read) -> std::io::Lines<std::io::BufReader<impl std::io::Read>> {
    std::io::BufRead::lines(std::io::BufReader::new(of))
}
