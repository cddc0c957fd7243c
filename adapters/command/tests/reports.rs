//! A million reports of one refused token, from a thousand connections: how often is the platform asked for another?
//!
//! Over real sockets, each connection kept and with one report under way. `WXTOKEN_REPORTS` says how many. Fails when it
//! was asked more than once.

#[path = "common/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
#[path = "speed/load.rs"]
mod load;
#[path = "common/process.rs"]
mod process;
#[path = "common/server.rs"]
mod server;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::run()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("the load is made with epoll, which is Linux's");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::process::ExitCode;
    use std::thread;
    use std::time::Duration;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::common::{ID, platform};
    use super::load::{Load, Question, http_length};
    use super::process;
    use super::server::{Configuration, KEY};

    const CONNECTIONS: usize = 1000;
    /// A token that is refused while it is younger is kept at first: the platform may not know it everywhere yet.
    const YOUNG: Duration = Duration::from_secs(31);

    pub(crate) fn run() -> ExitCode {
        let reports = std::env::var("WXTOKEN_REPORTS").map_or(1_000_000, |text| text.parse().expect("a number"));
        // A thousand sockets here and a thousand there; what is started from here may have as many.
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("up to the hard limit");
        let platform = platform().start().expect("loopback");
        let mut configuration = Configuration::new(&platform.http_url());
        configuration.official("shop", ID);
        let server = configuration.start(&[]);
        let refused = server.token("shop");
        thread::sleep(YOUNG);
        platform.revoke_all(ID).expect("known");
        let before = platform.counters().account(ID).fetched_in_all();

        let body = format!("{{\"access_token\":\"{refused}\",\"errcode\":40001}}");
        let question = Question {
            bytes: format!(
                "POST /v1/accounts/shop/token/report HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {KEY}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                server.address,
                body.len()
            )
            .into_bytes(),
            length: http_length,
            right: |whole| {
                let text = String::from_utf8_lossy(whole);
                let told =
                    ["replaced", "refreshing"].iter().any(|word| text.contains(&format!("\"outcome\":\"{word}\"")));
                text.starts_with("HTTP/1.1 200 ") && told
            },
        };
        let mut load = Load::connect(server.address, &question, CONNECTIONS).expect("it accepts");
        let answered = load.ask(reports).expect("each is answered");
        let fetches = platform.counters().account(ID).fetched_in_all() - before;
        let current = server.token("shop");
        println!(
            "{reports} reports of one token from {CONNECTIONS} connections in {:.1} s: {fetches} upstream fetch; of 99 % the \
             answer came within {:?}; {} kB resident at most",
            answered.took.as_secs_f64(),
            answered.per_mille(990),
            process::peak_rss_kb(server.child.id()),
        );
        let sound = current != refused && platform.token_is_valid(ID, &current);
        if fetches == 1 && sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
