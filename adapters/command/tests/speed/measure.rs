//! Which server costs how much? They take turns, round after round, so that what else the machine does meets all of them.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_setaffinity};
use wxtoken_platform::{Account, Platform};

use crate::common::{Files, ID, SECRET};
use crate::load::{Load, Question, http_length};
use crate::process::{cpu, peak_rss_kb};
use crate::rivals::{Rival, resp};
use crate::server::{Configuration, KEY};

const CONNECTIONS: usize = 64;
/// Of processor time for a request, at most.
const OF_NGINX: f64 = 1.0;
const OF_REDIS: f64 = 1.5;

struct Contestant {
    name: &'static str,
    pid: u32,
    address: SocketAddr,
    question: Question,
    legs: Vec<Leg>,
}

/// One server in one round.
struct Leg {
    cpu_us: f64,
    per_s: f64,
    median: Duration,
    p99: Duration,
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

pub(crate) fn run() -> ExitCode {
    let (rounds, requests) = (number("WXTOKEN_ROUNDS", 9), number("WXTOKEN_REQUESTS", 200_000));
    pin(1);
    let platform = Platform::builder().seed(1).account(Account::official(ID, SECRET).token_length(512));
    let platform = platform.start().expect("loopback");
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID);
    // What is started from here has the first processor.
    pin(0);
    let server = configuration.start(&[]);
    let (status, body) = server.get("/v1/accounts/shop/token");
    assert_eq!(status, 200, "{body}");
    let token = body["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(token.len(), 512);
    let files = Files::new();
    let nginx = Rival::nginx(files.path("").as_ref(), &body.to_string()).expect("nginx of the package nginx-light");
    let redis = Rival::redis(files.path("").as_ref(), "token", &token).expect("redis-server");
    pin(1);

    let ask = |address: SocketAddr| {
        format!(
            "GET /v1/accounts/shop/token HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\nAccept: application/json\r\n\r\n"
        )
    };
    let http = |address| Question { bytes: ask(address).into_bytes(), length: http_length, right: http_right };
    let redis_question =
        Question { bytes: resp(&["GET", "token"]), length: resp_length, right: |whole| whole.starts_with(b"$512\r\n") };
    let contestant = |name, pid, address, question| Contestant { name, pid, address, question, legs: Vec::new() };
    let mut contestants = [
        contestant("wxtoken", server.child.id(), server.address, http(server.address)),
        contestant("nginx", nginx.pid(), nginx.address, http(nginx.address)),
        contestant("redis", redis.pid(), redis.address, redis_question),
    ];
    println!(
        "{rounds} rounds of {requests} requests, {CONNECTIONS} connections; `wxtoken serve` reads a held token of 512 bytes with a \
         key ({} bytes of JSON), nginx has one worker and returns a text of the same length, Redis returns the 512 bytes to GET",
        body.to_string().len()
    );
    for round in 0..rounds {
        for contestant in &mut contestants {
            contestant.run(requests);
        }
        let legs = contestants.iter().filter_map(|contestant| Some((contestant.name, contestant.legs.last()?.cpu_us)));
        let legs: Vec<String> = legs.map(|(name, cpu_us)| format!("{name} {cpu_us:.2}")).collect();
        println!("  round {}: {} us a request", round + 1, legs.join(", "));
    }
    let [ours, nginx, redis] = &contestants;
    for contestant in [ours, nginx, redis] {
        contestant.print();
    }
    let met = [ratio(ours, nginx, OF_NGINX), ratio(ours, redis, OF_REDIS)];
    if met == [true; 2] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Contestant {
    fn run(&mut self, requests: usize) {
        let mut load = Load::connect(self.address, &self.question, CONNECTIONS).expect("it accepts");
        load.ask(requests / 20).expect("it answers");
        let before = cpu(self.pid);
        let answered = load.ask(requests).expect("it answers");
        let spent = cpu(self.pid).saturating_sub(before);
        self.legs.push(Leg {
            cpu_us: spent.as_secs_f64() * 1e6 / requests as f64,
            per_s: requests as f64 / answered.took.as_secs_f64(),
            median: answered.per_mille(500),
            p99: answered.per_mille(990),
        });
    }

    fn print(&self) {
        let of = |value: fn(&Leg) -> f64| spread(self.legs.iter().map(value).collect());
        println!(
            "{:<8} {} us of processor time a request; {} requests/s; latency {} us, of 99 % at most {} us; {} kB resident at most",
            self.name,
            of(|leg| leg.cpu_us),
            of(|leg| leg.per_s),
            of(|leg| leg.median.as_secs_f64() * 1e6),
            of(|leg| leg.p99.as_secs_f64() * 1e6),
            peak_rss_kb(self.pid),
        );
    }
}

/// Whether what ours takes of the other's, round by round, keeps the target in the median.
fn ratio(ours: &Contestant, other: &Contestant, target: f64) -> bool {
    let ratios: Vec<f64> = ours.legs.iter().zip(&other.legs).map(|(ours, other)| ours.cpu_us / other.cpu_us).collect();
    let met = median(ratios.clone()) <= target;
    let word = if met { "met" } else { "MISSED" };
    println!("processor time of {}: {} times; target {target}: {word}", other.name, spread(ratios));
    met
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median, the least and the most.
fn spread(values: Vec<f64>) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    let digits = if most < 1000.0 { 2 } else { 0 };
    format!("{:.digits$} ({least:.digits$} to {most:.digits$})", median(values))
}

/// A machine with one processor has it for all.
fn pin(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor);
    if let Err(error) = sched_setaffinity(None, &set) {
        println!("not pinned to processor {processor}: {error}");
    }
}

fn http_right(whole: &[u8]) -> bool {
    let text = std::str::from_utf8(whole).unwrap_or_default();
    text.starts_with("HTTP/1.1 200 ") && text.contains("\"access_token\":\"") && text.contains("\"expires_in\":")
}

fn resp_length(whole: &[u8]) -> Option<usize> {
    let head = whole.iter().position(|byte| *byte == b'\n')? + 1;
    let length = std::str::from_utf8(whole.get(1..head)?).ok()?.trim();
    Some(head + length.parse::<usize>().ok()? + 2)
}
