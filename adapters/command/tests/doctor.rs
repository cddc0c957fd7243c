//! What the doctor finds, says and spends.

mod common;

use std::net::{IpAddr, Ipv4Addr};

use common::{CORP, Files, ID, SECRET, platform, run, run_with};
use wxtoken_platform::{Fault, FaultScope, Leaf};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[test]
fn all_is_well_over_https() {
    let (platform, files) = (platform().tls(true).start().unwrap(), Files::new());
    let (base, ca) = (platform.https_url().unwrap(), files.write("ca.pem", &platform.ca_pem().unwrap()));
    let ran = run(&["doctor", "--id", ID, "--base", &base, "--ca", &ca]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    for step in
        ["ok    configuration", "ok    name", "ok    connection", "ok    TLS: TLSv1", "ok    clock", "ok    token"]
    {
        assert!(ran.stdout.contains(step), "{step}: {}", ran.stdout);
    }
    assert!(ran.stdout.ends_with("All is well.\n"), "{}", ran.stdout);
    let zh = run(&["doctor", "--id", ID, "--base", &base, "--ca", &ca, "--lang", "zh"]);
    assert_eq!(zh.code, Some(0), "{zh:?}");
    assert_eq!(zh.stdout.lines().filter(|line| line.starts_with("正常  ")).count(), 6, "{}", zh.stdout);
    assert!(zh.stdout.ends_with("一切正常。\n"), "{}", zh.stdout);
}

#[test]
fn refusals_are_told_with_what_to_click() {
    let platform = platform().start().unwrap();
    let base = platform.http_url();
    platform.deny_address(ID, HERE).unwrap();
    platform.deny_address(CORP, HERE).unwrap();
    for (args, code, says) in [
        (&["--id", ID][..], 4, &["40164", "IP allow-list", "mp.weixin.qq.com", "address to allow: 127.0.0.1"][..]),
        (&["--id", ID, "--lang", "zh"], 4, &["40164", "IP白名单", "要添加的地址：127.0.0.1"]),
        (&["--id", CORP, "--kind", "work"], 4, &["60020", "work.weixin.qq.com", "Trusted company IPs"]),
        (&["--id", CORP, "--kind", "work", "--lang", "zh"], 4, &["60020", "企业可信IP"]),
        (&["--id", "wx9"], 3, &["40013", "AppID"]),
    ] {
        let ran = run(&[&["doctor", "--base", &base], args].concat());
        assert_eq!(ran.code, Some(code), "{ran:?}");
        for words in says {
            assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
        }
    }
    for (lang, says) in
        [("en", ["40125", "AppSecret", "You can mend this"]), ("zh", ["40125", "AppSecret", "您可以自行修正"])]
    {
        let ran = run_with(&["doctor", "--base", &base, "--id", ID, "--lang", lang], "wrong");
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(says.iter().all(|words| ran.stdout.contains(words)), "{}", ran.stdout);
    }
}

#[test]
fn each_kind_of_bad_certificate_is_named() {
    let (platform, files) = (platform().tls(true).start().unwrap(), Files::new());
    let (base, ca) = (platform.https_url().unwrap(), files.write("ca.pem", &platform.ca_pem().unwrap()));
    for (leaf, says) in [
        (Leaf::Expired, "has expired"),
        (Leaf::NotYetValid, "not valid yet"),
        (Leaf::WrongHost, "for another name"),
        (Leaf::ForeignAuthority, "TLS: the certificate is"),
        (Leaf::SelfSigned, "TLS: the certificate is"),
    ] {
        platform.set_leaf(leaf).unwrap();
        let ran = run(&["doctor", "--id", ID, "--base", &base, "--ca", &ca]);
        assert_eq!(ran.code, Some(6), "{leaf:?}: {ran:?}");
        assert!(ran.stdout.contains("FAIL  TLS") && ran.stdout.contains(says), "{leaf:?}: {}", ran.stdout);
        assert!(ran.stdout.contains("      -> "), "{leaf:?}: {}", ran.stdout);
    }
    platform.set_leaf(Leaf::Good).unwrap();
    let unknown = run(&["doctor", "--id", ID, "--base", &base]);
    assert_eq!(unknown.code, Some(6), "{unknown:?}");
    assert!(unknown.stdout.contains("issued by nobody who is trusted") && unknown.stdout.contains("--ca"));
    assert_eq!(platform.counters().account(ID).fetched_in_all(), 0, "no secret went out");
}

#[test]
fn a_clock_that_is_off_is_a_warning() {
    // Any instant that is not now will do.
    let platform = platform().start_at_ms(1_700_000_000_000).start().unwrap();
    let ran = run(&["doctor", "--id", ID, "--base", &platform.http_url()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("warn  clock: this machine is"), "{}", ran.stdout);
    assert!(ran.stdout.contains("ahead of the host") && ran.stdout.contains("NTP"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("It works; mind the warnings.\n"), "{}", ran.stdout);
}

#[test]
fn a_closed_port_and_a_mistyped_name() {
    let platform = common::closed();
    let base = platform.http_url();
    let closed = run(&["doctor", "--id", ID, "--base", &base]);
    assert_eq!(closed.code, Some(5), "{closed:?}");
    assert!(closed.stdout.contains("FAIL  connection") && closed.stdout.contains("firewall"), "{}", closed.stdout);
    let nameless = run(&["doctor", "--id", ID, "--base", "https://host.invalid"]);
    assert_eq!(nameless.code, Some(5), "{nameless:?}");
    assert!(nameless.stdout.contains("FAIL  name: host.invalid"), "{}", nameless.stdout);
    let zh = run(&["doctor", "--id", ID, "--base", &base, "--lang", "zh"]);
    assert!(zh.stdout.contains("失败  连接") && zh.stdout.contains("防火墙"), "{}", zh.stdout);
}

#[test]
fn nothing_is_fetched_that_somebody_else_would_miss() {
    let (platform, files) = (platform().start().unwrap(), Files::new());
    let (base, cache) = (platform.http_url(), files.path("cache"));
    let rotating = ["doctor", "--id", ID, "--base", &base, "--endpoint", "token"];
    let without = run(&rotating);
    assert_eq!(without.code, Some(0), "{without:?}");
    assert!(without.stdout.contains("asked stable_token instead"), "{}", without.stdout);
    assert_eq!(platform.counters().account(ID).fetched("/cgi-bin/token"), 0);

    let with = [&rotating[..], &["--cache", &cache]].concat();
    assert_eq!(run(&with).code, Some(0));
    let again = run(&with);
    assert!(again.stdout.contains("nothing was fetched"), "{}", again.stdout);
    assert_eq!(platform.counters().account(ID).fetched("/cgi-bin/token"), 1, "once, into the cache");
}

#[test]
fn a_host_that_says_nothing_is_not_waited_for_long() {
    let platform = platform().start().unwrap();
    platform.fault(Fault::Silence, FaultScope::every_call());
    let ran = common::run_out_of_time(&["doctor", "--id", ID, "--base", &platform.http_url()]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stdout.contains("no date") && ran.stdout.contains("no complete reply in time"), "{}", ran.stdout);
    assert!(!ran.stdout.contains(SECRET));
}
