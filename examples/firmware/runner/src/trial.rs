//! Did one case go as it should? Starts a platform for it, boots the image, and holds what happened against the case.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use wxtoken_platform::{Account, Platform, Running};

use crate::{
    board,
    cases::{Base, Case},
    log::Reader,
};

/// The account of the image, as its `provision.rs` has it.
pub(crate) const ID: &str = "wx0123456789abcdef";
/// Its secret there.
pub(crate) const SECRET: &str = "an-example-device-key-0001";
/// So many bytes in a row of a secret or a token in a log are a leak.
const LEAK: usize = 8;

/// What happened.
pub(crate) struct Report {
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
    pub(crate) lines: Vec<String>,
    /// What was not as it should be; empty is good.
    pub(crate) complaints: Vec<String>,
}

/// Runs one case.
pub(crate) fn run(case: &Case, image: &str, reader: &Reader) -> Report {
    attempt(case, image, reader).unwrap_or_else(|error| Report {
        code: None,
        took: Duration::ZERO,
        lines: Vec::new(),
        complaints: vec![format!("the trial itself failed: {error}")],
    })
}

fn attempt(case: &Case, image: &str, reader: &Reader) -> io::Result<Report> {
    let account = (case.account)(Account::official(ID, case.secret));
    let platform = Platform::builder().account(account).speed(f64::from(case.hurry)).start()?;
    (case.prepare)(&platform);
    let port = platform.http_addr().port();
    let mut words = vec![
        "device=17".to_owned(),
        format!("attempts={}", case.attempts),
        format!("tokens={}", case.tokens),
        format!("hurry={}", case.hurry),
        format!("spread={}", case.spread_s),
    ];
    match case.base {
        Base::Http => words.push(format!("base=http://10.0.2.2:{port}")),
        Base::Https => words.push(format!("base=https://10.0.2.2:{port}")),
        Base::Missing => {}
    }
    let ended = thread::scope(|scope| {
        if let Some((after, what)) = case.meanwhile {
            let platform = &platform;
            scope.spawn(move || {
                thread::sleep(after);
                what(platform);
            });
        }
        board::boot(image, &words)
    })?;
    let mut complaints = Vec::new();
    let lines = reader.lines(&ended.log).unwrap_or_else(|why| {
        complaints.push(why);
        Vec::new()
    });
    match ended.code {
        Some(code) if code == case.code => {}
        Some(code) => complaints.push(format!("exit code {code} instead of {}", case.code)),
        None => complaints.push("it did not end in time".to_owned()),
    }
    for words in case.says {
        if !lines.iter().any(|line| line.contains(words)) {
            complaints.push(format!("it does not say: {words}"));
        }
    }
    let counters = platform.counters();
    let fetched = counters.account(ID).fetched_in_all();
    if fetched != case.fetched {
        complaints.push(format!("{fetched} fetches were granted instead of {}", case.fetched));
    }
    // One connection for each attempt: nothing is followed, nothing tried twice. An outage has no connections to count.
    if case.meanwhile.is_none() && counters.connections > u64::from(case.attempts) {
        complaints.push(format!("{} connections in {} attempts", counters.connections, case.attempts));
    }
    let token = token(&platform, case.secret)?;
    for (what, hidden) in [("the secret", SECRET), ("the platform's secret", case.secret), ("the token", &token)] {
        let mut pieces = hidden.as_bytes().windows(LEAK);
        if pieces.any(|piece| lines.iter().any(|line| line.as_bytes().windows(LEAK).any(|part| part == piece))) {
            complaints.push(format!("{what} is in the log"));
        }
    }
    Ok(Report { code: ended.code, took: ended.took, lines, complaints })
}

/// The account's token: the platform hands out the same one that the image got. Asked for without any of wxtoken's code.
fn token(platform: &Running, secret: &str) -> io::Result<String> {
    platform.clear_faults();
    platform.set_listening(true)?;
    let unknown = |_| io::Error::other("the platform lost the account");
    platform.accept(ID).map_err(unknown)?;
    platform.allow_address(ID, [127, 0, 0, 1].into()).map_err(unknown)?;
    let body = format!(r#"{{"grant_type":"client_credential","appid":"{ID}","secret":"{secret}"}}"#);
    let reply = post(platform.http_addr(), "/cgi-bin/stable_token", &body)?;
    let token = reply.split_once(r#""access_token":""#).and_then(|(_, rest)| rest.split_once('"'));
    token.map(|(token, _)| token.to_owned()).ok_or_else(|| io::Error::other("the platform gave no token"))
}

fn post(to: SocketAddr, path: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(to)?;
    write!(stream, "POST {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n")?;
    write!(stream, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}
