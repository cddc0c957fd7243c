//! The platform as a program: what it prints, what it obeys, how it ends.

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout};

use common::{CORP, Files, ID, SECRET, command, run};

/// Stopped when dropped, so that a failing test leaves nothing behind.
struct Running {
    child: Child,
    /// Open for as long as it runs, unless a test is about a reader that leaves.
    out: Option<BufReader<ChildStdout>>,
    lines: Vec<String>,
}

impl Running {
    /// Starts it and reads its first lines.
    fn start(args: &[&str], lines: usize) -> Self {
        let mut child = command(&[&["platform"], args].concat()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let lines = (0..lines)
            .map(|_| {
                let mut line = String::new();
                out.read_line(&mut line).unwrap();
                line.trim_end().to_owned()
            })
            .collect();
        Self { child, out: Some(out), lines }
    }

    fn url(&self, line: usize, head: &str) -> &str {
        self.lines[line].strip_prefix(head).unwrap_or_else(|| panic!("{head}: {:?}", self.lines))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn account() -> String {
    format!("official:{ID}:{SECRET}")
}

#[test]
fn it_says_where_it_listens_and_serves_the_accounts_it_was_given() {
    let files = Files::new();
    let ca = files.path("ca.pem");
    let work = format!("work:{CORP}/7:{SECRET}");
    let platform =
        Running::start(&["--tls", "--ca-out", &ca, "--account", &account(), "--account", &work, "--seed", "3"], 5);
    let http = platform.url(0, "listening on ");
    assert!(http.starts_with("http://127.0.0.1:"), "{http}");
    let https = platform.url(1, "listening on ");
    assert!(https.starts_with("https://127.0.0.1:"), "{https}");
    assert!(platform.url(2, "control on ").starts_with("http://127.0.0.1:"));
    assert_eq!(platform.lines[3..], [format!("account {ID}"), format!("account {CORP}/7")]);
    assert_eq!(run(&["get", "--id", ID, "--base", http]).code, Some(0));
    assert_eq!(run(&["get", "--id", ID, "--base", https, "--ca", &ca]).code, Some(0));
    assert_eq!(run(&["get", "--kind", "work", "--id", CORP, "--base", http]).code, Some(0));
}

#[test]
fn a_server_that_is_not_to_be_trusted_is_not() {
    let files = Files::new();
    let ca = files.path("ca.pem");
    // Exit 6 says that the server's certificate is not trusted: the secret was not sent.
    for (words, code) in [
        ("--tls-versions 1.2", 0),
        ("--tls-versions 1.3", 0),
        ("--tls-key rsa --tls-name platform.lan", 0),
        ("--tls-key rsa --tls-versions 1.2", 0),
        ("--tls-leaf expired", 6),
        ("--tls-leaf not-yet-valid", 6),
        ("--tls-leaf wrong-host", 6),
        ("--tls-leaf self-signed", 6),
        ("--tls-leaf foreign-authority", 6),
        ("--tls-leaf leaf-as-issuer", 6),
        ("--tls-leaf none", 6),
        ("--tls-key rsa --tls-leaf leaf-as-issuer --tls-versions 1.2", 6),
    ] {
        let mut args = vec!["--tls", "--ca-out", &ca, "--account"];
        let account = account();
        args.push(&account);
        args.extend(words.split(' '));
        // The certificate is written before the first line is.
        let platform = Running::start(&args, 2);
        let ran = run(&["get", "--id", ID, "--base", platform.url(1, "listening on "), "--ca", &ca]);
        assert_eq!(ran.code, Some(code), "{words}: {ran:?}");
    }
    for words in ["--tls --tls-leaf wrong", "--tls-leaf expired", "--tls --tls-versions 1.1", "--tls --tls-key dsa"] {
        let ran = run(&[&["platform"], &words.split(' ').collect::<Vec<_>>()[..]].concat());
        assert_eq!(ran.code, Some(2), "{words}: {ran:?}");
    }
}

#[test]
fn without_accounts_it_makes_some_and_prints_how_to_use_them() {
    let platform = Running::start(&[], 5);
    let http = platform.url(0, "listening on ");
    for (line, kind) in platform.lines[2..].iter().zip(["official", "mini-program", "work"]) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[..2], ["account", kind], "{line}");
        let ran = common::run_with(&["get", "--kind", kind, "--id", words[2], "--base", http], words[6]);
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    }
}

#[test]
fn faults_and_speed_are_obeyed() {
    let faults = ["--fault", "status,status=502,next=1", "--fault", r#"{"kind":"html","skip":1,"next":1}"#];
    let platform = Running::start(&[&["--account", &account(), "--speed", "0"][..], &faults].concat(), 3);
    let get = ["get", "--id", ID, "--base", platform.url(0, "listening on ")];
    let (first, second, third) = (run(&get), run(&get), run(&get));
    assert!(first.stderr.contains("502"), "{first:?}");
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(third.stderr.contains("proxy"), "{third:?}");
    let control = platform.url(1, "control on http://");
    let mut socket = TcpStream::connect(control).unwrap();
    socket.write_all(b"GET /clock HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut clock = String::new();
    socket.read_to_string(&mut clock).unwrap();
    assert!(clock.contains("\"speed\":0.0"), "it stands still: {clock}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_does_not_end_it() {
    // More than a pipe holds: it is still writing when the reader has its line and leaves.
    let mut args = vec!["--account".to_owned(), account()];
    for number in 0..400 {
        args.extend(["--account".to_owned(), format!("official:wx{number:0>500}:made-up")]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut platform = Running::start(&args, 1);
    platform.out = None;
    for _ in 0..3 {
        let ran = run(&["get", "--id", ID, "--base", platform.url(0, "listening on ")]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    assert_eq!(platform.child.try_wait().unwrap(), None);
}

#[cfg(target_os = "linux")]
#[test]
fn an_announcement_that_cannot_be_written_ends_it() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran: common::Ran = command(&["platform"]).stdout(full).output().unwrap().into();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("standard output cannot be written"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_cleanly() {
    for signal in ["INT", "TERM"] {
        let mut platform = Running::start(&[], 1);
        let sent = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &platform.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let status = platform.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "SIG{signal}");
        let mut stderr = String::new();
        platform.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "", "SIG{signal}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_get_with_130() {
    use wxtoken_platform::{Fault, FaultScope};
    let platform = common::platform().start().unwrap();
    platform.fault(Fault::Silence, FaultScope::every_call());
    let mut child =
        command(&["get", "--id", ID, "--base", &platform.http_url()]).env("WXTOKEN_SECRET", SECRET).spawn().unwrap();
    // Once the platform has the request, the command is waiting for the reply.
    while platform.counters().faults == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::yield_now();
    }
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_port_in_use_and_a_mistyped_account_are_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = run(&["platform", "--listen", &address]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains(&address) && ran.stdout.is_empty(), "{ran:?}");
    let ran = run(&["platform", "--account", &account(), "--account", &account()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let ran = run(&["platform", "--fault", "lattency,ms=1"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}
