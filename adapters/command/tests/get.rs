//! What `get` prints, where it takes the secret from, and what it spends.

mod common;

use std::process::Stdio;

use common::{CORP, Files, ID, SECRET, command, platform, run, run_fed, run_with};
use wxtoken_platform::Running;

fn fetches(platform: &Running, id: &str) -> u64 {
    platform.counters().account(id).fetched_in_all()
}

#[test]
fn the_token_alone_or_as_json() {
    let platform = platform().start().unwrap();
    let (base, start) = (platform.http_url(), platform.now_ms() / 1_000);
    let plain = run(&["get", "--id", ID, "--base", &base]);
    let token = plain.stdout.strip_suffix('\n').unwrap();
    assert!(platform.token_is_valid(ID, token), "one line, and nothing but the token");

    let before = platform.now_ms() / 1_000;
    let json = run(&["get", "--id", ID, "--base", &base, "--json"]);
    let after = platform.now_ms().div_ceil(1_000);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    // stable_token repeats its token.
    assert_eq!(value["access_token"], token);
    assert_eq!(value["source"], "fetched");
    let (left, at) = (value["expires_in"].as_u64().unwrap(), value["expires_at"].as_u64().unwrap());
    // Life counts from the sending, which was in between; so was the moment at which it said how much is left.
    assert!((before..=after).contains(&(at - left)), "{before} {at} {left} {after}");
    assert!(left <= 7_200 && left + (after - start) >= 7_190, "{left}, {} s after the first", after - start);
    assert_eq!(value.as_object().unwrap().len(), 4);
}

#[test]
fn every_kind_asks_its_endpoint() {
    let platform = platform().start().unwrap();
    let base = platform.http_url();
    for (args, id, path) in [
        (&["--kind", "official"][..], ID, "/cgi-bin/stable_token"),
        (&["--kind", "mini-program", "--endpoint", "stable"], ID, "/cgi-bin/stable_token"),
        (&["--endpoint", "token"], ID, "/cgi-bin/token"),
        (&["--kind", "work"], CORP, "/cgi-bin/gettoken"),
    ] {
        let before = platform.counters().account(id).fetched(path);
        let ran = run(&[&["get", "--id", id, "--base", &base], args].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(platform.counters().account(id).fetched(path), before + 1, "{args:?}");
    }
}

#[test]
fn a_second_run_takes_the_token_from_the_cache() {
    let (platform, files) = (platform().start().unwrap(), Files::new());
    let (base, cache) = (platform.http_url(), files.path("token.cache"));
    let get = || {
        let ran = run(&["get", "--id", ID, "--base", &base, "--endpoint", "token", "--cache", &cache, "--json"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()
    };
    let (first, second) = (get(), get());
    assert_eq!(first["source"], "fetched");
    assert_eq!(second["source"], "cached");
    assert_eq!(first["access_token"], second["access_token"]);
    assert!(second["expires_in"].as_u64() <= first["expires_in"].as_u64());
    assert_eq!(fetches(&platform, ID), 1, "the platform was asked once");
}

#[test]
fn the_secret_comes_from_where_it_was_said() {
    let (platform, files) = (platform().start().unwrap(), Files::new());
    let base = platform.http_url();
    let get = ["get", "--id", ID, "--base", &base];
    let file = files.write("secret", &format!("{SECRET}\n"));

    assert_eq!(run_fed(&get, SECRET).code, Some(0), "standard input");
    assert_eq!(run_fed(&get, &format!("{SECRET}\n")).code, Some(0), "with its newline");
    assert_eq!(run_fed(&[&get[..], &["--secret-file", "-"]].concat(), SECRET).code, Some(0), "the same by name");
    // What was said outright goes before the variable that is always looked at.
    let with_file = [&get[..], &["--secret-file", &file]].concat();
    assert_eq!(run_with(&with_file, "wrong").code, Some(0), "a file");
    let with_env = [&get[..], &["--secret-env", "OTHER_SECRET"]].concat();
    let named = command(&with_env).env("OTHER_SECRET", SECRET).env("WXTOKEN_SECRET", "wrong").output().unwrap();
    assert_eq!(named.status.code(), Some(0), "a variable by name");
    let missing = run(&with_env);
    assert_eq!(missing.code, Some(3), "{missing:?}");
    assert!(missing.stderr.contains("OTHER_SECRET"), "{missing:?}");
    assert_eq!(fetches(&platform, ID), 5);
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let (platform, files) = (platform().start().unwrap(), Files::new());
    let file = files.write("secret", SECRET);
    let get = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        run(&["get", "--id", ID, "--base", &platform.http_url(), "--secret-file", &file])
    };
    let open = get(0o644);
    assert_eq!(open.code, Some(0), "{open:?}");
    assert!(open.stderr.contains("other users can read") && open.stderr.contains(&file), "{open:?}");
    assert_eq!(get(0o600).stderr, "");
}

#[test]
fn waiting_outlasts_a_passing_fault_and_is_not_the_habit() {
    use wxtoken_platform::{Fault, FaultScope};
    let platform = platform().start().unwrap();
    let base = platform.http_url();
    platform.fault(Fault::Status { status: 502 }, FaultScope::next(1));
    let once = run(&["get", "--id", ID, "--base", &base]);
    assert_eq!(once.code, Some(5), "{once:?}");
    platform.fault(Fault::Status { status: 502 }, FaultScope::next(1));
    let waited = run(&["get", "--id", ID, "--base", &base, "--wait", "10s"]);
    assert_eq!(waited.code, Some(0), "{waited:?}");
    // Nobody waits for what only a person can mend.
    let wrong = run_with(&["get", "--id", ID, "--base", &base, "--wait", "10s"], "wrong");
    assert_eq!(wrong.code, Some(3), "{wrong:?}");
    assert_eq!(platform.counters().account(ID).fetches_refused(40_125), 1);
}

#[test]
fn messages_are_chinese_by_locale_and_by_option() {
    let platform = platform().start().unwrap();
    let get = ["get", "--id", ID, "--base", &platform.http_url()];
    let ran = |args: &[&str], locale: &str| {
        let output = command(args).env("WXTOKEN_SECRET", "wrong").env("LANG", locale).output().unwrap();
        common::Ran::from(output).stderr
    };
    assert!(ran(&get, "zh_CN.UTF-8").contains("密钥"), "by locale");
    assert!(ran(&[&get[..], &["--lang", "zh"]].concat(), "C").contains("密钥"), "by option");
    let english = ran(&[&get[..], &["--lang", "en"]].concat(), "zh_CN.UTF-8");
    assert!(english.contains("the secret is wrong") && english.is_ascii(), "{english}");
}

/// Standard output whose reader is gone, and one that is closed altogether.
#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_failure() {
    let platform = platform().start().unwrap();
    let base = platform.http_url();
    for args in [
        &["get", "--id", ID, "--base", &base][..],
        &["doctor", "--id", ID, "--base", &base],
        &["demo"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(args).env("WXTOKEN_SECRET", SECRET).stdout(Stdio::from(writer)).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}
