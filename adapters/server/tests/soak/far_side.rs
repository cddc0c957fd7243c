//! The platform in a process of its own, so that its memory and its work are not counted as the server's.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use wxtoken_platform::{Account, Platform};

/// Makes this program the platform.
pub(crate) const ARGUMENT: &str = "--as-the-platform";
pub(crate) const SECRET: &str = "5ec3e7-of-all-of-them";

pub(crate) fn id(nth: u64) -> String {
    format!("wx{nth:016}")
}

/// Runs until the parent orders the end.
pub(crate) fn run(accounts: u64, start: Duration) {
    let mut builder = Platform::builder().speed(0.0).start_at_ms(start.as_millis() as u64).max_connections(4096);
    for nth in 0..accounts {
        builder = builder.account(Account::official(&id(nth), SECRET));
    }
    let platform = builder.start().expect("loopback");
    println!("{} {}", platform.http_url(), platform.control_url());
    platform.wait();
}

pub(crate) struct FarSide {
    child: Child,
    url: String,
    control: String,
}

impl FarSide {
    pub(crate) async fn start() -> Self {
        let program = std::env::current_exe().expect("this one");
        let mut child = Command::new(program).arg(ARGUMENT).stdout(Stdio::piped()).spawn().expect("a second process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("its addresses");
        let (url, control) = line.trim_end().split_once(' ').expect("two");
        let control = control.trim_start_matches("http://").to_owned();
        Self { child, url: url.to_owned(), control }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn advance(&self, by: Duration) {
        self.order("POST", "/clock/advance", &format!("{{\"ms\":{}}}", by.as_millis())).await;
    }

    /// All fetches that the platform has executed or refused.
    pub(crate) async fn fetches(&self) -> u64 {
        let counters = self.order("GET", "/counters", "").await;
        let accounts = counters["accounts"].as_object().expect("accounts");
        let fetches =
            accounts.values().filter_map(|account| account["fetches"].as_object()).flat_map(|paths| paths.values());
        fetches
            .map(|calls| {
                let refused: u64 =
                    calls["refused"].as_object().map_or(0, |codes| codes.values().filter_map(Value::as_u64).sum());
                calls["accepted"].as_u64().unwrap_or(0) + refused
            })
            .sum()
    }

    async fn order(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.control).await.expect("it listens");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: control\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("a whole answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200"), "{head} {body}");
        serde_json::from_str(body).expect("JSON")
    }
}

impl Drop for FarSide {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
