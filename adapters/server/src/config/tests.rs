use std::{fs, os::unix::fs::PermissionsExt as _};

use super::*;

const SECRET: &str = "5ec3e7c0ffee5ec3e7c0ffee5ec3e7c0";
const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn environment(name: &str) -> Option<String> {
    (name == "SHOP_SECRET").then(|| SECRET.to_owned())
}

fn read(text: &str) -> Result<Config, Vec<String>> {
    file::read(text, Path::new("/etc/wxtoken"), &environment)
}

fn problems(text: &str) -> Vec<String> {
    read(text).expect_err("it is wrong")
}

fn account(lines: &str) -> String {
    format!(
        "[[account]]\nname = \"shop\"\nkind = \"official\"\nid = \"wx1\"\nsecret = {{ env = \"SHOP_SECRET\" }}\n{lines}\n"
    )
}

fn client(lines: &str) -> String {
    format!(
        "{}[[client]]\nname = \"billing\"\nkey_sha256 = \"{HASH}\"\naccounts = [\"shop\"]\nmay = [\"read\"]\n{lines}\n",
        account("")
    )
}

#[test]
fn the_template_is_sound_with_all_its_comments_in() {
    let config = read(template()).expect("as it stands");
    assert_eq!((config.accounts.len(), config.clients.len()), (1, 0));
    assert_eq!(config.store, Path::new("/etc/wxtoken/wxtoken.redb"));
    // Every example in it, too: what is commented out but a second secret and a file that is not there.
    let all: String = template()
        .lines()
        .filter(|line| {
            ![" ca = ", "[tls]", "cert = ", "key = ", "client_ca = "].iter().any(|key| line.contains(key))
                && !line.starts_with("# secret")
        })
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || rest.split(' ').nth(1) == Some("=") => rest.to_owned() + "\n",
            _ => line.to_owned() + "\n",
        })
        .collect();
    let config = read(&all).expect("with its examples");
    assert_eq!((config.clients.len(), config.accounts[0].tickets.len()), (1, 1));
    assert_eq!(config.accounts[0].base.as_deref(), Some("https://api2.weixin.qq.com"));
}

#[test]
fn an_unknown_key_names_the_nearest() {
    for (text, want) in [
        ("lisen = \"127.0.0.1:1\"", "the key \"lisen\" is not known; did you mean \"listen\"?"),
        ("[upstream]\nconcurency = 3", "upstream: the key \"concurency\" is not known; did you mean \"concurrency\"?"),
        (&account("tickts = []"), "account shop: the key \"tickts\" is not known; did you mean \"tickets\"?"),
        (
            &client("key_sha265 = \"\""),
            "client billing: the key \"key_sha265\" is not known; did you mean \"key_sha256\"?",
        ),
        (
            &account("").replace("{ env", "{ evn = \"A\", env"),
            "account shop: secret: the key \"evn\" is not known; did you mean \"env\"?",
        ),
        (
            "qqqqqqqqqqqq = 1",
            "the key \"qqqqqqqqqqqq\" is not known; known are listen, allow_plain_http, tls, unix, store, audit, upstream, account, client",
        ),
    ] {
        assert_eq!(problems(text), [want], "{text}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let text =
        format!("listen = \"here\"\n{}", account("endpoint = \"stabel\"\nids = 1").replace("official", "oficial"));
    assert_eq!(
        problems(&text),
        [
            "account shop: the key \"ids\" is not known; did you mean \"id\"?",
            "listen: \"here\" is not ADDRESS:PORT; write for instance \"127.0.0.1:8440\"",
            "account shop: kind: \"oficial\" is not known; did you mean \"official\"?",
        ]
    );
}

#[test]
fn other_machines_must_be_let_in_in_so_many_words() {
    assert!(problems("listen = \"0.0.0.0:8440\"")[0].contains("allow_plain_http = true"));
    assert!(read("listen = \"0.0.0.0:8440\"\nallow_plain_http = true").is_ok());
    assert!(read("listen = \"[::1]:8440\"").is_ok());
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    for value in
        [format!("\"{SECRET}\""), format!("[\"{SECRET}\"]"), "5353".to_owned(), "5.3".to_owned(), "true".to_owned()]
    {
        let told = problems(&account("").replace("{ env = \"SHOP_SECRET\" }", &value));
        assert!(told[0].contains("does not stand in this file") && told[0].starts_with("line 5"), "{told:?}");
        assert!(!told[0].contains("5ec3") && !told[0].contains("5353") && !told[0].contains("5.3"), "{told:?}");
    }
    let torn = problems(&account("").replace("{ env = \"SHOP_SECRET\" }", &format!("\"{SECRET}")));
    assert!(!torn[0].contains("5ec3"), "{torn:?}");
    let as_hash = problems(&client("").replace(HASH, SECRET));
    assert!(as_hash[0].contains("64 hex digits") && !as_hash[0].contains("5ec3"), "{as_hash:?}");
}

#[test]
fn a_secret_comes_from_where_it_may() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str, mode| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
    };
    write("good", &format!("{SECRET}\r\n"), 0o600);
    write("open", SECRET, 0o640);
    write("two-lines", "a\nb\n", 0o400);
    write("long", &"x".repeat(5000), 0o600);
    let credentials = folder.path().display().to_string();
    let environment = |name: &str| match name {
        "CREDENTIALS_DIRECTORY" => Some(credentials.clone()),
        name => environment(name),
    };
    let of = |source: &str| {
        let text = account("").replace("{ env = \"SHOP_SECRET\" }", source);
        file::read(&text, folder.path(), &environment).map(|config| config.accounts[0].secret.as_str().to_owned())
    };
    for source in ["{ env = \"SHOP_SECRET\" }", "{ file = \"good\" }", "{ credential = \"good\" }"] {
        assert_eq!(of(source).as_deref(), Ok(SECRET), "{source}");
    }
    for (source, want) in [
        ("{ env = \"OTHER\" }", "OTHER is not set"),
        ("{ file = \"open\" }", "others can read it (mode 640); chmod 600 it"),
        ("{ file = \"none\" }", "No such file"),
        ("{ file = \"long\" }", "longer than a secret"),
        ("{ file = \"two-lines\" }", "has a control character"),
        ("{ credential = \"../good\" }", "no name of a systemd credential"),
        ("{ credential = \"none\" }", "No such file"),
        ("{ }", "names none or several"),
        ("{ env = \"SHOP_SECRET\", file = \"good\" }", "names none or several"),
    ] {
        let told = of(source).expect_err(source);
        assert!(told[0].contains(want), "{source}: {told:?}");
    }
}

#[test]
fn accounts_and_clients_fit_together() {
    for (text, want) in [
        (account("base = \"http://10.0.0.1\""), "plain http to another machine"),
        (account("tickets = [\"agent_config\"]"), "no ticket agent_config"),
        (account("").replace("\"shop\"", "\"a/b\""), "its name stands in paths"),
        (account("") + &account(""), "two accounts are named shop"),
        (account("") + &account("").replace("\"shop\"", "\"stop\""), "shop and stop are the same"),
        (account("endpoint = \"token\"").replace("official", "work"), "one endpoint only"),
        (client("").replace("[\"shop\"]", "[\"shpo\"]"), "no account \"shpo\"; did you mean \"shop\"?"),
        (client("").replace("[\"read\"]", "[\"raed\"]"), "may: \"raed\" is not known; did you mean \"read\"?"),
        (client("call = [\"/cgi-bin/../x\"]"), "client billing: call: \"/cgi-bin/../x\" is not the path of an API"),
        (client("").replace(&format!("\"{HASH}\""), "[]"), "one hash, or two"),
        (client("") + &client("").split_off(account("").len()), "have the same key"),
    ] {
        let told = problems(&text);
        assert!(told[0].contains(want), "{want}: {told:?}");
    }
}

#[test]
fn debug_has_no_secret() {
    assert!(!format!("{:?}", read(template()).expect("sound")).contains(SECRET));
}

#[test]
fn a_client_is_bound_to_networks_and_to_a_pace() {
    let config = read(&client("networks = [\"10.0.0.0/8\", \"fd00::1\"]\nrate = 20")).expect("sound");
    let client_of = |config: &Config| config.clients.first().cloned().expect("one");
    let spec = client_of(&config);
    assert_eq!(spec.networks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "fd00::1/128"]);
    assert_eq!(spec.rate, RateSpec::new(20, 40));
    assert_eq!(client_of(&read(&client("rate = 20\nburst = 5")).expect("sound")).rate, RateSpec::new(20, 5));
    let all = client("").replace("accounts = [\"shop\"]", "accounts = [\"*\"]");
    assert_eq!(client_of(&read(&all).expect("sound")).accounts, ["*"]);
    for (lines, want) in [
        ("networks = [\"10.0.0.0/33\"]", "networks: \"10.0.0.0/33\" is neither a network nor an address"),
        ("rate = 0", "`rate` and `burst` are at least 1"),
        ("burst = 7", "`burst` goes with `rate`"),
    ] {
        let problems = problems(&client(lines));
        assert!(problems.iter().any(|problem| problem.contains(want)), "{problems:?}");
    }
}

/// Some pieces long.
fn long(last: &str) -> String {
    let one = |nth| account("").replace("shop", &format!("shop-{nth}")).replace("wx1", &format!("wx{nth}"));
    let mut text: String = (0..2_000).map(one).collect();
    text.push_str(last);
    text
}

#[test]
fn a_long_file_is_read_in_pieces_and_judged_as_a_whole() {
    let text = long("[upstream]\nconcurrency = 7\n");
    assert!(file::in_pieces(&text).is_some());
    let config = read(&text).expect("sound");
    assert_eq!((config.accounts.len(), config.upstream.concurrency.get()), (2_000, 7));
    assert_eq!(config.accounts[1_999].name, "shop-1999");
    // Its last account's name and number are those in the whole file.
    let text = long("[[account]]\nnam = \"x\"\n");
    let told = problems(&text);
    assert!(told.iter().any(|told| told.contains("account number 2001: the key \"nam\"")), "{told:?}");
    let told = problems(&long("[[account]\n"));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("line 12001, column"), "{told:?}");
    // What belongs together may lie far apart, and what is there twice may, too.
    let once = "[upstream]\nconcurrency = 7\n";
    let told = problems(&format!("{once}{}", long(once)));
    assert!(told[0].contains("duplicate key"), "{told:?}");
    let text = client("").replace("secret = { env = \"SHOP_SECRET\" }\n", &"# long\n".repeat(10_000));
    let text = text + "[account.secret]\nenv = \"SHOP_SECRET\"\n";
    assert!(file::in_pieces(&text).is_none());
    assert_eq!(read(&text).expect("sound").clients.len(), 1);
}
