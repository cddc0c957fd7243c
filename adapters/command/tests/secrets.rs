//! Neither secret nor token is ever said, at the most verbose, whatever goes wrong. Only `get` prints a token, and only
//! on standard output.

mod common;

use std::io::{BufRead as _, BufReader, Read as _};

use common::{CORP, Files, ID, Ran, SECRET, command, platform, run};
use wxtoken_platform::{Fault, FaultScope};

const PAGE: &str = "https://example.com/page?id=7#top";

/// Everything that must not be seen, in the spellings it has on the wire.
struct Forbidden(Vec<String>);

impl Forbidden {
    fn check(&self, what: &str, text: &str) {
        for secret in &self.0 {
            assert!(!text.contains(secret.as_str()), "{what} says a secret: {text}");
        }
    }
}

#[test]
fn nothing_says_a_secret_or_a_token() {
    let (platform, files) = (platform().tls(true).start().unwrap(), Files::new());
    let (http, https) = (platform.http_url(), platform.https_url().unwrap());
    let ca = files.write("ca.pem", &platform.ca_pem().unwrap());
    let cache = files.path("cache");
    let mut forbidden = Forbidden(vec![SECRET.to_owned()]);
    for (kind, id) in [("official", ID), ("work", CORP)] {
        let token = run(&["get", "--kind", kind, "--id", id, "--base", &http]).stdout;
        assert!(platform.token_is_valid(id, token.trim_end()));
        forbidden.0.push(token.trim_end().to_owned());
    }
    // Its caches hold the only copies of the tickets that anybody sees.
    let kept = files.path("kept");
    for (kind, id, ticket) in [("official", ID, "jsapi_ticket"), ("work", CORP, "work_jsapi_ticket")] {
        let signed =
            run(&["sign", PAGE, "--kind", kind, "--id", id, "--base", &http, "--cache", &format!("{kept}{kind}")]);
        assert_eq!(signed.code, Some(0), "{signed:?}");
        let cache = std::fs::read_to_string(format!("{kept}{kind}.{ticket}")).unwrap();
        let cache: serde_json::Value = serde_json::from_str(&cache).unwrap();
        forbidden.0.push(cache["token"].as_str().unwrap().to_owned());
        forbidden.check("sign", &(signed.stdout + &signed.stderr));
    }
    let (photo, down) = (files.write("photo.png", "a photo"), files.path("down.png"));
    let text = format!("@{photo}");
    let uses: [&[&str]; 6] = [
        &["call", "GET", "/cgi-bin/getcallbackip"],
        &["call", "POST", "/cgi-bin/message/send", "--data", &text],
        &["send", "custom", "--to", "o1", "--text", &text],
        &["send", "work", "--agent", "7", "--to-user", "u1", "--text", &text],
        &["upload", &photo, "--type", "image"],
        &["download", "no-such-id", "-o", &down],
    ];

    let faults = [
        None,
        Some(Fault::Status { status: 500 }),
        Some(Fault::Html),
        Some(Fault::Garbage),
        Some(Fault::ReplyLost),
        Some(Fault::Cut { after: 30 }),
        Some(Fault::Redirect { location: "http://192.0.2.1/".to_owned() }),
        // A peer that sends everything back that it was told.
        Some(Fault::Body { bytes: format!("{{\"errcode\":40001,\"errmsg\":\"{SECRET} rid: {SECRET}\"}}").into() }),
        Some(Fault::Raw { bytes: format!("HTTP/1.1 {SECRET}\r\nDate: {SECRET}\r\n\r\n{SECRET}").into() }),
    ];
    let ways: [&[&str]; 5] = [
        &["--id", ID, "--base", &http],
        &["--id", ID, "--base", &https, "--ca", &ca],
        &["--id", ID, "--base", &https],
        &["--id", CORP, "--kind", "work", "--base", &http, "--cache", &cache],
        &["--id", ID, "--base", "http://127.0.0.1:1", "--endpoint", "token"],
    ];
    let (mut events, mut failures) = (0, 0);
    for fault in &faults {
        for way in ways {
            for subcommand in [&["get"][..], &["doctor"], &["sign", PAGE]] {
                platform.clear_faults();
                if let Some(fault) = fault {
                    platform.fault(fault.clone(), FaultScope::every_call());
                }
                let args = [subcommand, &["-vvv", "--timeout", "2s"], way].concat();
                let ran = run(&args);
                let what = format!("{args:?} with {fault:?}");
                forbidden.check(&what, &ran.stderr);
                if subcommand != ["get"] || ran.code != Some(0) {
                    forbidden.check(&what, &ran.stdout);
                }
                events += ran.stderr.matches(" DEBUG wxtoken").count();
            }
        }
        // The fetch goes well and the call does not; its reply is printed, and holds neither secret nor token.
        for (number, subcommand) in uses.into_iter().enumerate() {
            let (way, token) = [(ways[0], &forbidden.0[1]), (ways[3], &forbidden.0[2])][number % 2];
            // A peer that sends everything back that it was told.
            let echo = format!("{{\"errcode\":40003,\"errmsg\":\"{SECRET} {token}\"}}");
            let echo = Fault::Body { bytes: echo.into() };
            for fault in [fault.as_ref(), fault.is_none().then_some(&echo)].into_iter().flatten() {
                platform.clear_faults();
                for path in ["/cgi-bin/getcallbackip", "/cgi-bin/message/", "/cgi-bin/media/"] {
                    platform.fault(fault.clone(), FaultScope::every_call().on_path(path));
                }
                let args = [subcommand, &["-vvv", "--timeout", "2s", "--limit", "900ms"], way].concat();
                let ran = run(&args);
                failures += usize::from(ran.code != Some(0));
                forbidden.check(&format!("{args:?} with {fault:?}"), &(ran.stdout + &ran.stderr));
            }
        }
    }
    // Else the silence would prove nothing.
    assert!(events > 50, "the events of the library are there: {events}");
    assert!(failures > 40, "the calls failed, all but those whose reply was shorter than the cut: {failures}");

    for args in [
        &["demo", "-vvv"][..],
        &["--help"],
        &["man"],
        &["get", "-vvv", "--id", ID, "--secret-file", "/nowhere"],
        &["get", "-vvv", "--id", ID, &format!("--secret={SECRET}")],
        &["get", "-vvv", "--id", ID, "--base", &format!("https://user:{SECRET}@host")],
        &["call", "GET", "/x", "-vvv", "--id", ID, "--api-base", &format!("https://user:{SECRET}@host")],
        &["platform", "-vvv", "--listen", "192.0.2.1:1", "--account", &format!("official:{ID}:{SECRET}")],
        &["platform", "--account", &format!("oficial:{ID}:{SECRET}")],
    ] {
        let ran = run(args);
        // clap repeats an argument that it refuses. A made-up secret may stand there; a real one is never taken there.
        let refused_by_clap = ran.code == Some(2) && args[0] == "platform";
        if !refused_by_clap {
            forbidden.check(&format!("{args:?}"), &(ran.stdout + &ran.stderr));
        }
    }
}

#[test]
fn a_platform_says_nothing_of_the_accounts_it_was_given() {
    let mut child = command(&["platform", "-vvv", "--account", &format!("official:{ID}:{SECRET}")]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    let base = first.trim_end().strip_prefix("listening on ").unwrap();
    let got: Ran = run(&["get", "--id", ID, "--base", base]);
    let wrong = common::run_with(&["get", "--id", ID, "--base", base], &format!("{SECRET}x"));
    child.kill().unwrap();
    let mut text = first.clone();
    out.read_to_string(&mut text).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    assert_eq!((got.code, wrong.code), (Some(0), Some(3)));
    Forbidden(vec![SECRET.to_owned(), got.stdout.trim_end().to_owned()]).check("the platform", &text);
}
