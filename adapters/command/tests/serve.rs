//! The token server as a program: how it starts, answers, reloads, ends, and what it never says.

#![cfg(unix)]

#[path = "common/mod.rs"]
mod common;
#[path = "common/server.rs"]
mod server;

use common::{CORP, Files, ID, Ran, SECRET, command, platform, run};
use server::{Configuration, KEY, ask};
use wxtoken_platform::{Account, Fault, FaultScope, Running, TimeBase};

fn fetches(platform: &Running, name: &str) -> u64 {
    platform.counters().account(name).fetched_in_all()
}

#[test]
fn a_token_is_served_and_a_restart_fetches_nothing() {
    let platform = platform().start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID);
    let server = configuration.start(&[]);
    let token = server.token("shop");
    assert!(platform.token_is_valid(ID, &token));
    server.signal("TERM");
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("a new credential") && log.contains("account=shop"), "{log}");
    let server = configuration.start(&[]);
    assert_eq!((server.token("shop"), fetches(&platform, ID)), (token.clone(), 1));
    // Killed, and started again.
    server.kill();
    let server = configuration.start(&[]);
    assert_eq!((server.token("shop"), fetches(&platform, ID)), (token.clone(), 1));
    // A dead platform is nobody's business while a token lives.
    platform.set_listening(false).unwrap();
    server.kill();
    let server = configuration.start(&[]);
    assert_eq!(server.token("shop"), token);
    assert_eq!(server.get("/readyz").0, 200);
}

#[test]
fn a_reload_keeps_what_did_not_change() {
    let platform = platform().account(Account::official("wx2", SECRET)).start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID).account(
        "app",
        &format!("kind = \"work\"\nid = \"{CORP}\"\nsecret = {{ env = \"SHOP_SECRET\" }}\ntickets = [\"jsapi\"]\n"),
    );
    let server = configuration.start(&["-v"]);
    let (shop, app) = (server.token("shop"), server.token("app"));
    let (_, ticket) = server.get("/v1/accounts/app/tickets/jsapi");
    assert!(platform.ticket_is_valid(CORP, ticket["ticket"].as_str().unwrap()), "{ticket}");
    // A broken configuration changes nothing.
    let good = std::fs::read_to_string(configuration.path()).unwrap();
    std::fs::write(configuration.path(), good.replace("shop", "sh/op")).unwrap();
    server.signal("HUP");
    server.wait_for_log("its name stands in paths");
    assert_eq!(server.token("shop"), shop);
    // Nor does one that is only being written.
    std::fs::write(configuration.path(), "").unwrap();
    server.signal("HUP");
    server.wait_for_log("it names no account any more");
    assert_eq!(server.token("shop"), shop);
    // One gone, one new, one kept under another name.
    configuration.without("shop").without("app").official("shop-2", "wx2").account(
        "application",
        &format!("kind = \"work\"\nid = \"{CORP}\"\nsecret = {{ env = \"SHOP_SECRET\" }}\ntickets = [\"jsapi\"]\n"),
    );
    configuration.write();
    server.signal("HUP");
    server.wait_for_log("the configuration was read again");
    let there = |name: &str| server.get(&format!("/v1/accounts/{name}/token")).0 == 200;
    assert!(there("shop-2"));
    assert_eq!(server.token("application"), app);
    assert!(!there("shop") && !there("app"));
    assert_eq!((fetches(&platform, CORP), fetches(&platform, "wx2"), fetches(&platform, ID)), (1, 1, 1));
    server.signal("TERM");
    let (code, log) = server.end();
    assert_eq!(code, Some(0));
    assert_eq!(log.matches("the configuration was read again").count(), 1, "{log}");
}

#[test]
fn commands_take_a_server_as_their_source() {
    let platform = platform().start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID);
    let server = configuration.start(&[]);
    let (base, api) = (format!("http://{}", server.address), platform.http_url());
    let with = |key: &str, args: &[&str], more: &[&str]| {
        let args = [args, &["--endpoint", "server", "-vvv"], more].concat();
        Ran::from(command(&args).env("WXTOKEN_SECRET", key).output().unwrap())
    };
    let got = with(KEY, &["get"], &["--base", &base, "--id", "shop"]);
    assert_eq!((got.code, got.stdout.trim_end()), (Some(0), &*server.token("shop")), "{}", got.stderr);
    let call = ["call", "GET", "/cgi-bin/getcallbackip", "--api-base", &api];
    let called = with(KEY, &call, &["--base", &base, "--id", "shop"]);
    assert!(called.code == Some(0) && called.stdout.contains("ip_list"), "{called:?}");
    assert_eq!(fetches(&platform, ID), 1);
    for (key, id, code, words) in [("wxtk_wrong", "shop", 3, "401"), (KEY, "other", 3, "403")] {
        let refused = with(key, &["get"], &["--base", &base, "--id", id]);
        assert!(refused.code == Some(code) && refused.stderr.contains(words), "{refused:?}");
        assert!(!refused.stderr.contains(key), "{refused:?}");
    }
    let nowhere = with(KEY, &["get"], &["--id", "shop"]);
    assert!(nowhere.code == Some(2) && nowhere.stderr.contains("--base"), "{nowhere:?}");
}

#[test]
fn a_damaged_store_is_set_aside_and_a_second_server_touches_nothing() {
    let platform = platform().start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID);
    std::fs::write(configuration.store(), "this is no store\n".repeat(1000)).unwrap();
    let server = configuration.start(&[]);
    server.token("shop");
    let second = configuration.command(&[]).output().unwrap();
    let told = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("another process uses it"), "{told}");
    let log = server.kill();
    assert!(log.contains("the store is damaged; it was set aside"), "{log}");
    let folder = std::fs::read_dir(std::path::Path::new(&configuration.store()).parent().unwrap()).unwrap();
    let kept = folder.map(|entry| entry.unwrap().path()).find(|path| path.to_string_lossy().contains(".damaged-"));
    assert!(std::fs::read_to_string(kept.unwrap()).unwrap().starts_with("this is no store"));
}

#[test]
fn init_writes_what_check_understands_and_touches_no_file() {
    let files = Files::new();
    let path = files.path("w.toml");
    let made = run(&["serve", "--init", "--config", &path]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.stdout.contains("--check"), "{made:?}");
    let written = std::fs::read_to_string(&path).unwrap();
    let again = run(&["serve", "--init", "--config", &path]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("is not touched"), "{again:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written);
    let unset = run(&["serve", "--check", "--config", &path]);
    assert_eq!(unset.code, Some(3), "{unset:?}");
    assert!(unset.stderr.contains("the variable SHOP_SECRET is not set"), "{unset:?}");
    let sound = command(&["serve", "--check", "--config", &path]).env("SHOP_SECRET", SECRET).output().unwrap();
    let told = String::from_utf8(sound.stdout).unwrap();
    assert_eq!(sound.status.code(), Some(0), "{told}");
    assert!(told.contains("is sound: 1 accounts"), "{told}");
    let none = run(&["serve", "--config", &files.path("none.toml")]);
    assert_eq!(none.code, Some(3), "{none:?}");
    assert!(none.stderr.contains("--init"), "{none:?}");
    // Only the configuration was made.
    assert_eq!(std::fs::read_dir(std::path::Path::new(&path).parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn keys_are_new_each_time_and_their_hash_is_right() {
    use sha2::{Digest as _, Sha256};
    let keys = [run(&["key", "new"]), run(&["key", "new"])].map(|made| {
        let value = |name: &str| {
            let line =
                made.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'));
            line.unwrap_or_else(|| panic!("{name}: {made:?}")).to_owned()
        };
        let (key, hash) = (value("key"), value("key_sha256"));
        assert_eq!(hash, Sha256::digest(&key).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        assert_eq!(key.len(), "wxtk_".len() + 64);
        key
    });
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn neither_log_nor_store_has_a_secret_and_no_log_a_token() {
    let platform = platform().start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    let work =
        format!("kind = \"work\"\nid = \"{CORP}\"\nsecret = {{ env = \"SHOP_SECRET\" }}\ntickets = [\"jsapi\"]\n");
    configuration.official("shop", ID).account("app", &work);
    let mut logs = String::new();
    let mut said = Vec::new();
    for fault in [
        None,
        Some(Fault::Garbage),
        Some(Fault::ReplyLost),
        Some(Fault::Redirect { location: "http://192.0.2.1/".to_owned() }),
        Some(Fault::Body { bytes: format!("{{\"errcode\":40001,\"errmsg\":\"{SECRET} rid: {SECRET}\"}}").into() }),
        Some(Fault::Raw { bytes: format!("HTTP/1.1 {SECRET}\r\nDate: {SECRET}\r\n\r\n{SECRET}").into() }),
    ] {
        platform.clear_faults();
        let server = configuration.start(&["-vvv"]);
        if fault.is_none() {
            let token = server.token("shop");
            said.push(server.token("app"));
            said.push(server.get("/v1/accounts/app/tickets/jsapi").1["ticket"].as_str().unwrap().to_owned());
            server.post("/v1/accounts/shop/token/report", &format!("{{\"access_token\":\"{token}\"}}"));
            said.push(token);
        }
        if let Some(fault) = fault {
            platform.fault(fault, FaultScope::every_call());
            // Whatever was fetched before is fetched again by a store that knows nothing.
            std::fs::rename(configuration.store(), configuration.file("old.redb")).unwrap();
            let fresh = configuration.start(&["-vvv"]);
            for path in ["shop/token", "app/token", "app/tickets/jsapi"] {
                let (status, body) = fresh.get(&format!("/v1/accounts/{path}"));
                assert_eq!(status, 503, "{body}");
                logs.push_str(&body.to_string());
            }
            fresh.post(&format!("/v1/accounts/{SECRET}/token/report"), SECRET);
            logs.push_str(&fresh.kill());
        }
        server.signal("TERM");
        logs.push_str(&server.end().1);
    }
    assert!(
        logs.matches(" DEBUG wxtoken_server").count() > 10 && logs.contains("no credential from this try"),
        "{logs}"
    );
    for secret in said.iter().map(String::as_str).chain([SECRET, KEY]) {
        assert!(!logs.contains(secret), "{secret}: {logs}");
    }
    for name in ["old.redb", "wxtoken.redb"] {
        let Ok(store) = std::fs::read(configuration.file(name)) else { continue };
        assert!(store.len() > 4096 && !store.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "{name}");
    }
}

#[test]
fn whatever_is_asked_no_log_audit_or_state_has_a_key_a_secret_or_a_token() {
    let platform = platform().start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    let work =
        format!("kind = \"work\"\nid = \"{CORP}\"\nsecret = {{ env = \"SHOP_SECRET\" }}\ntickets = [\"jsapi\"]\n");
    configuration.official("shop", ID).account("app", &work);
    configuration.more("audit = \"audit.jsonl\"\n", "call = [\"/cgi-bin/*\"]\n");
    let server = configuration.start(&["-vvv"]);
    let mut said = vec![server.token("shop"), server.token("app")];
    // What is asked in WeChat's shape has the key in its URL, or the token.
    let sdk = |query: &str| server.get(&format!("/cgi-bin/{query}")).1;
    let token = sdk(&format!("token?grant_type=client_credential&appid={ID}&secret={KEY}"));
    assert_eq!(token["access_token"].as_str(), Some(&*said[0]));
    said.push(sdk(&format!("gettoken?corpid={CORP}&corpsecret={KEY}"))["access_token"].as_str().unwrap().to_owned());
    said.push(sdk(&format!("get_jsapi_ticket?access_token={}", said[1]))["ticket"].as_str().unwrap().to_owned());
    sdk(&format!("token?grant_type=client_credential&appid={SECRET}&secret={SECRET}"));
    let (status, called) = server.get(&format!("/v1/accounts/shop/call/cgi-bin/getcallbackip?access_token={SECRET}"));
    assert_eq!(status, 200, "{called}");
    platform.revoke_all(ID).unwrap();
    let (_, called_again) = server.get("/v1/accounts/shop/call/cgi-bin/getcallbackip");
    server.post("/v1/accounts/shop/token/report", &format!("{{\"access_token\":\"{}\",\"errcode\":40001}}", said[0]));
    server.post("/v1/accounts/shop/token/rotate", "{}");
    server.post(&format!("/v1/accounts/{SECRET}/token/rotate"), SECRET);
    // What people and their dashboards see.
    let mut shown = format!("{called}{called_again}");
    for path in ["/v1/accounts", "/v1/status", "/healthz", "/readyz", "/openapi.json"] {
        shown.push_str(&server.get(path).1.to_string());
    }
    server.signal("TERM");
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    let audit = std::fs::read_to_string(configuration.file("audit.jsonl")).unwrap();
    for what in ["read", "report", "rotate", "call"] {
        assert!(audit.lines().any(|line| line.contains(&format!("\"what\":\"{what}\""))), "{what}: {audit}");
    }
    assert!(log.matches(" DEBUG wxtoken_server").count() > 10, "{log}");
    for secret in said.iter().map(String::as_str).chain([SECRET, KEY]) {
        for (what, text) in [("the log", &log), ("the audit log", &audit), ("what is shown", &shown)] {
            assert!(!text.contains(secret), "{secret} in {what}: {text}");
        }
    }
    let store = std::fs::read(configuration.store()).unwrap();
    for secret in [SECRET, KEY] {
        assert!(!store.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in the store");
    }
    assert!(store.windows(said[1].len()).any(|window| window == said[1].as_bytes()), "the token is what it is for");
}

#[test]
fn requests_under_way_are_finished_when_it_is_told_to_stop() {
    let platform = platform().start().unwrap();
    platform.fault(Fault::Latency { ms: 700, by: TimeBase::Real }, FaultScope::every_call());
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID);
    let server = configuration.start(&[]);
    let address = server.address;
    let asking = std::thread::spawn(move || ask(address, "GET", "/v1/accounts/shop/token", ""));
    // Its fetch has reached the platform, so the reader is waiting, or will be.
    while platform.counters().faults == 0 {
        std::thread::yield_now();
    }
    while ask(address, "GET", "/healthz", "").is_err() {}
    server.signal("TERM");
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    // What was fetched is in the store, whether or not the reader got in before the end.
    drop(asking.join().unwrap());
    let server = configuration.start(&[]);
    server.token("shop");
    assert_eq!(fetches(&platform, ID), 1);
}
