//! Exit code and message of `get` for everything that a platform, a network and a user can do to it. Prints the table.

mod common;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use common::{Files, ID, Ran, SECRET, closed, platform, run, run_out_of_time, run_with};
use wxtoken_platform::{Account, Fault, FaultScope, Leaf, Platform};

struct Table(String);

impl Table {
    /// Asserts one row and takes it down. A token is never printed.
    fn row(&mut self, case: &str, ran: &Ran, code: i32, says: &[&str]) {
        assert_eq!(ran.code, Some(code), "{case}: {ran:?}");
        if code == 0 {
            assert!(ran.stdout.trim_end().len() >= 100 && ran.stderr.is_empty(), "{case}: {ran:?}");
        } else {
            assert!(ran.stdout.is_empty(), "{case}: {ran:?}");
            assert_eq!(ran.stderr.lines().count(), 1, "one line and no more, {case}: {ran:?}");
        }
        for words in says {
            assert!(ran.stderr.contains(words), "{case} should say {words:?}: {ran:?}");
        }
        assert!(!ran.stderr.contains(SECRET), "{case}");
        let message = if code == 0 { "(the token, on standard output)" } else { ran.stderr.trim_end() };
        let _ = writeln!(self.0, "| {case} | {code} | {message} |");
    }
}

#[test]
fn every_case_has_its_code_and_its_message() {
    let files = Files::new();
    let mut table = Table("| case | exit code | message |\n|---|---|---|\n".to_owned());
    let platform = platform().tls(true).start().unwrap();
    let (http, https) = (platform.http_url(), platform.https_url().unwrap());
    let ca = files.write("ca.pem", &platform.ca_pem().unwrap());
    let get = |base: &str, more: &[&str]| run(&[&["get", "--id", ID, "--base", base], more].concat());

    table.row("http on loopback", &get(&http, &[]), 0, &[]);
    table.row("https, its CA given", &get(&https, &["--ca", &ca]), 0, &[]);
    table.row("https by name", &get(&https.replace("127.0.0.1", "localhost"), &["--ca", &ca]), 0, &[]);

    let stranger = Platform::builder().tls(true).start().unwrap();
    let other_ca = files.write("other.pem", &stranger.ca_pem().unwrap());
    let untrusted = &["not trusted", "private CA"];
    table.row("https, another CA given", &get(&https, &["--ca", &other_ca]), 6, untrusted);
    table.row("https, no CA given", &get(&https, &[]), 6, untrusted);
    platform.set_leaf(Leaf::Expired).unwrap();
    table.row("https, certificate expired", &get(&https, &["--ca", &ca]), 6, &["not trusted", "date"]);
    platform.set_leaf(Leaf::WrongHost).unwrap();
    table.row("https, certificate of another host", &get(&https, &["--ca", &ca]), 6, untrusted);
    assert_eq!(platform.counters().account(ID).fetched_in_all(), 3, "nothing was sent where TLS failed");

    let wrong = run_with(&["get", "--id", ID, "--base", &http], "mistyped");
    table.row("a wrong secret", &wrong, 3, &["40125", "the secret is wrong"]);
    let stranger_id = run(&["get", "--id", "wx9999999999999999", "--base", &http]);
    table.row("an unknown appid", &stranger_id, 3, &["40013", "appid"]);
    platform.deny_address(ID, IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
    let denied = &["40164", "an administrator must act", "the address to allow is 127.0.0.1"];
    table.row("an address not allowed", &get(&http, &[]), 4, denied);
    platform.allow_address(ID, IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
    for (case, errcode, code, says) in [
        ("a frozen secret", 40_243, 4, "frozen"),
        ("an administrator must confirm", 89_503, 4, "confirm this address"),
        ("the day's quota used up", 45_009, 5, "quota of this day"),
        ("the platform is busy", -1, 5, "busy"),
        ("an unknown errcode", 12_345, 5, "12345"),
    ] {
        platform.refuse_with(ID, errcode).unwrap();
        table.row(case, &get(&http, &[]), code, &[&errcode.to_string(), says]);
        platform.accept(ID).unwrap();
    }

    let long = Platform::builder().account(Account::official(ID, SECRET).token_length(513)).start().unwrap();
    table.row("a token of 513 bytes", &get(&long.http_url(), &[]), 5, &["longer than the 512 bytes"]);
    for (case, fault, says) in [
        ("a reply of 1 MB", Fault::Oversize { bytes: 1 << 20 }, "longer than 4096 bytes"),
        ("an HTML page", Fault::Html, "proxy"),
        ("a redirect", Fault::Redirect { location: "/".to_owned() }, "302"),
        ("a bad gateway", Fault::Status { status: 502 }, "502"),
        ("a cut reply", Fault::Cut { after: 20 }, "broke"),
    ] {
        platform.fault(fault, FaultScope::next_call());
        table.row(case, &get(&http, &[]), 5, &[says]);
    }
    let slow = [
        ("a reply that trickles for ever", Fault::Trickle { bytes: 1, every_ms: 20 }),
        ("no reply at all", Fault::Silence),
    ];
    for (case, fault) in slow {
        platform.fault(fault, FaultScope::every_call());
        let ran = run_out_of_time(&["get", "--id", ID, "--base", &http]);
        table.row(case, &ran, 5, &["no complete reply in time"]);
        platform.clear_faults();
    }

    table.row("a closed port", &get(&closed().http_url(), &[]), 5, &["no connection to the host"]);
    table.row("a name that does not exist", &get("https://host.invalid", &[]), 5, &["not resolved"]);
    table.row("TLS to a plain port", &get(&http.replace("http:", "https:"), &["--ca", &ca]), 5, &["TLS"]);
    table.row("plain http off loopback", &get("http://192.0.2.1", &[]), 3, &["plain http", "--allow-plain-http"]);
    table.row("a base that is none", &get("api.weixin.qq.com", &[]), 3, &["http"]);
    table.row("a CA file that is none", &get(&https, &["--ca", "/nowhere/ca.pem"]), 3, &["cannot be read"]);
    let bad = files.write("bad.pem", "no certificate");
    table.row("a CA file without a certificate", &get(&https, &["--ca", &bad]), 3, &["PEM"]);
    table.row("an empty secret", &run_with(&["get", "--id", ID, "--base", &http], ""), 3, &["secret is empty"]);
    let newline = run_with(&["get", "--id", ID, "--base", &http], "secret\n\n");
    table.row("a secret with two newlines", &newline, 3, &["newline"]);
    table.row("no secret anywhere", &no_secret(&http), 3, &["no secret", "WXTOKEN_SECRET"]);

    println!("{}", table.0);
}

fn no_secret(base: &str) -> Ran {
    common::command(&["get", "--id", ID, "--base", base]).output().unwrap().into()
}

#[test]
fn a_wrong_call_is_told_from_a_wrong_configuration() {
    for args in [
        &["get"][..],
        &["get", "--id", ID, "--secret", "x"],
        &["get", "--id", ID, "--kind", "work", "--endpoint", "token"],
        &["get", "--id", ID, "--secret-env", "A", "--secret-file", "B"],
        &["get", "--id", ID, "--timeout", "soon"],
        &["nothing"],
        &[],
    ] {
        let ran = run(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{args:?}: {ran:?}");
    }
}
