//! `wxtoken sign`: a page signed with a ticket of the platform's, its caches, its codes and its messages.

mod common;

use common::{CORP, Files, ID, Ran, closed, platform, run};
use wxtoken_platform::{Account, Platform, Running};

const PAGE: &str = "https://example.com/page?id=7";

fn sign(platform: &Running, id: &str, more: &[&str]) -> Ran {
    let kind = if id == CORP { "work" } else { "official" };
    run(&[&["sign", "--kind", kind, "--id", id, "--base", &platform.http_url()], more].concat())
}

/// The ticket in a cache file.
fn ticket(path: &str) -> String {
    let cache: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    cache["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_page_is_signed_with_the_ticket_that_the_platform_gave() {
    let (platform, files) = (platform().start().unwrap(), Files::new());
    for (id, more, name) in [
        (ID, &[][..], "jsapi_ticket"),
        (CORP, &[], "work_jsapi_ticket"),
        (CORP, &["--ticket", "agent-config"], "work_agent_ticket"),
    ] {
        let cache = files.path(&format!("{id}.token"));
        let page = format!("{PAGE}#top");
        let ran = sign(&platform, id, &[&[&page, "--json", "--cache", &cache], more].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
        let signed: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&signed["appId"], &signed["url"]), (&id.into(), &PAGE.into()));
        let ticket = ticket(&format!("{cache}.{name}"));
        assert!(platform.ticket_is_valid(id, &ticket), "{name}");
        let own = wxtoken::PageSignature::new(
            &wxtoken::Token::new(&ticket).unwrap(),
            signed["nonceStr"].as_str().unwrap(),
            signed["timestamp"].as_u64().unwrap(),
            PAGE,
        );
        assert_eq!(signed["signature"], own.unwrap().as_str());
        assert!(!ran.stdout.contains(&ticket));
        // Again, as lines: from the caches, and signed anew.
        let again = sign(&platform, id, &[&[&page, "--cache", &cache], more].concat());
        assert_eq!(again.code, Some(0), "{again:?}");
        let names: Vec<&str> = again.stdout.lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(names, ["appId", "timestamp", "nonceStr", "signature", "url"]);
        assert!(!again.stdout.contains(signed["signature"].as_str().unwrap()));
    }
    let (of_official, of_work) = (platform.counters().account(ID), platform.counters().account(CORP));
    assert_eq!((of_official.minted, of_official.tickets_minted), (1, 1));
    assert_eq!((of_work.minted, of_work.tickets_minted), (1, 2));
}

#[test]
fn each_failure_has_its_code_and_names_who_must_act() {
    let of_program = Platform::builder().account(Account::mini_program("wx1", common::SECRET)).start().unwrap();
    let platform = platform().start().unwrap();
    let table = [
        (sign(&platform, ID, &["example.com"]), 2, "begin with https://"),
        (sign(&platform, ID, &["https://example.com/a b"]), 2, "percent-encoded"),
        (sign(&platform, ID, &["example.com", "--lang", "zh"]), 2, "网页地址"),
        (sign(&platform, ID, &[PAGE, "--ticket", "corp"]), 2, "--kind work"),
        (sign(&platform, CORP, &[PAGE, "--ticket", "jsapi", "--lang", "zh"]), 2, "agent-config"),
        (run(&["sign", PAGE, "--kind", "mini-program", "--id", "wx1"]), 2, "mini programs have no pages"),
        (sign(&of_program, "wx1", &[PAGE]), 3, "48001"),
        (sign(&platform, "wx9999999999999999", &[PAGE]), 3, "no token to fetch the ticket with: errcode 40013"),
        (sign(&platform, "wx9999999999999999", &[PAGE, "--lang", "zh"]), 3, "没有可用于获取 ticket 的 token"),
    ];
    for (ran, code, says) in table {
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stdout.is_empty() && ran.stderr.lines().count() == 1 && ran.stderr.contains(says), "{ran:?}");
    }
    platform.deny_address(ID, [127, 0, 0, 1].into()).unwrap();
    let denied = sign(&platform, ID, &[PAGE]);
    assert!(denied.code == Some(4) && denied.stderr.contains("the address to allow is 127.0.0.1"), "{denied:?}");
    platform.refuse_with(CORP, -1).unwrap();
    let busy = sign(&platform, CORP, &[PAGE]);
    assert!(busy.code == Some(5) && busy.stderr.contains("no ticket for now"), "{busy:?}");
}

#[test]
fn the_token_of_a_central_server_signs_with_a_ticket_of_the_platform() {
    let (platform, server) = (platform().start().unwrap(), closed());
    let base = platform.http_url();
    let signed = run(&["sign", PAGE, "--id", ID, "--base", &base, "--api-base", &base]);
    assert_eq!(signed.code, Some(0), "{signed:?}");
    let elsewhere = run(&["sign", PAGE, "--id", ID, "--base", &base, "--api-base", &server.http_url()]);
    assert!(elsewhere.code == Some(5) && elsewhere.stderr.contains("no connection"), "{elsewhere:?}");
    assert_eq!(platform.counters().account(ID).fetched_in_all(), 2, "it was the ticket that could not be had");
}

#[test]
fn an_address_without_a_path_is_signed_with_a_warning() {
    let platform = platform().start().unwrap();
    for (url, warned) in
        [("https://example.com", true), ("https://example.com?a=/", true), ("https://example.com/", false)]
    {
        let ran = sign(&platform, ID, &[url]);
        assert_eq!((ran.code, ran.stderr.contains("location.href")), (Some(0), warned), "{ran:?}");
    }
}
