//! What does `wxtoken serve` take with a hundred thousand accounts? Memory once all have tokens, after a reload and after a
//! restart; how soon the first answer comes then, and that it fetches nothing.
//!
//! The platform runs in a process of its own. `WXTOKEN_CROWD` says how many accounts, `WXTOKEN_CROWD_MB` how many megabytes
//! may be resident at any time from a start on, while the configuration is read, too. Fails when that is missed.

#[path = "common/mod.rs"]
mod common;
#[path = "common/process.rs"]
mod process;
#[path = "common/server.rs"]
mod server;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::SECRET;
use server::{Configuration, Server, ask};
use wxtoken_platform::{Account, Platform};

const ARGUMENT: &str = "--as-the-platform";
/// As many readers' accounts as the client may read.
const READ: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(600);

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn id(account: usize) -> String {
    format!("wx{account:016}")
}

/// Killed when dropped.
struct FarSide(Child);

impl Drop for FarSide {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs until the parent ends it.
fn be_the_platform(accounts: usize) {
    let mut builder = Platform::builder().max_connections(4096);
    for account in 0..accounts {
        builder = builder.account(Account::official(&id(account), SECRET));
    }
    let platform = builder.start().expect("loopback");
    println!("{}", platform.http_url());
    platform.wait();
}

fn main() -> ExitCode {
    let (accounts, most_mb) = (number("WXTOKEN_CROWD", 100_000), number("WXTOKEN_CROWD_MB", 200));
    if std::env::args().nth(1).as_deref() == Some(ARGUMENT) {
        be_the_platform(accounts);
        return ExitCode::SUCCESS;
    }
    let mut child = Command::new(std::env::current_exe().expect("this one"));
    let mut far_side = FarSide(child.arg(ARGUMENT).stdout(Stdio::piped()).spawn().expect("a second process"));
    let mut url = String::new();
    BufReader::new(far_side.0.stdout.take().expect("piped")).read_line(&mut url).expect("its address");

    let mut configuration = Configuration::new(url.trim_end());
    for account in 0..accounts {
        configuration.official(&format!("a{account}"), &id(account));
    }
    configuration.readers_of(READ).write();
    let began = now();
    let server = configuration.start_as_written(&[]);
    let listening = since(began);
    all_ready(&server, accounts);
    let filled = since(began);
    // What the start needed is given back by then.
    thread::sleep(Duration::from_secs(5));
    let (kb, peak) = (process::rss_kb(server.child.id()), process::peak_rss_kb(server.child.id()));
    println!(
        "{accounts} accounts: listening after {listening:?}, all of them have a token after {filled:?}; {kb} kB resident, \
         {peak} kB at most; {:?} of processor time",
        process::cpu(server.child.id()),
    );
    let token = server.token("a7");
    // One fewer: all others stay as they are.
    configuration.without(&format!("a{}", accounts - 1)).write();
    server.signal("HUP");
    server.wait_for_log("the configuration was read again");
    thread::sleep(Duration::from_secs(5));
    // Told only: of what a reload needed glibc keeps up to 64 MB for the next one, unless its environment says otherwise.
    let (kb_reloaded, most) = (process::rss_kb(server.child.id()), process::peak_rss_kb(server.child.id()));
    println!("after a reload: {kb_reloaded} kB resident, {most} kB at most meanwhile");
    server.kill();

    let began = now();
    let server = configuration.start_as_written(&[]);
    let again = server.token("a7");
    let first = since(began);
    let (status, ready) = server.get("/readyz");
    thread::sleep(Duration::from_secs(5));
    let (kb_again, peak_again) = (process::rss_kb(server.child.id()), process::peak_rss_kb(server.child.id()));
    println!("killed and started again: first answer after {first:?}; {kb_again} kB resident, {peak_again} kB at most");
    assert_eq!((again, status), (token, 200), "{ready}");
    // The system's kB are 1024 bytes; a megabyte is a million.
    let most = peak.max(peak_again) * 1024;
    let met = most <= most_mb as u64 * 1_000_000;
    println!("{} MB; target {most_mb} MB: {}", most.div_ceil(1_000_000), if met { "met" } else { "MISSED" });
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all_ready(server: &Server, accounts: usize) {
    let began = now();
    loop {
        let (_, body) = ask(server.address, "GET", "/readyz", "").expect("it answers");
        if body["ready"] == accounts {
            return;
        }
        assert!(since(began) < PATIENCE, "{body}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[allow(clippy::disallowed_methods, reason = "it is a measurement")]
fn now() -> Instant {
    Instant::now()
}

fn since(earlier: Instant) -> Duration {
    now().saturating_duration_since(earlier)
}
