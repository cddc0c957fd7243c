//! A client that hides nothing: one request over a plain socket, and every byte that comes back.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use wxtoken_platform::{Account, Platform, Running};

pub(crate) const ID: &str = "wx0123456789abcdef";
pub(crate) const SECRET: &str = "5ecret5ecret5ecret5ecret5ecret00";
/// 2023-11-14 22:13:20 UTC, which is 06:13:20 the next day in UTC+8.
pub(crate) const START: u64 = 1_700_000_000_000;

/// One account, and a clock that stands still.
pub(crate) fn frozen() -> Running {
    Platform::builder().account(Account::official(ID, SECRET)).start_at_ms(START).speed(0.0).start().unwrap()
}

pub(crate) fn token_path() -> String {
    format!("/cgi-bin/token?grant_type=client_credential&appid={ID}&secret={SECRET}")
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn token(&self) -> String {
        self.json()["access_token"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn errcode(reply: &Reply) -> i64 {
    reply.json()["errcode"].as_i64().unwrap()
}

pub(crate) fn get(url: &str, path: &str) -> Reply {
    parse(&raw(url, &get_text(path)).unwrap())
}

pub(crate) fn post(url: &str, path: &str, body: &str) -> Reply {
    let text = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    parse(&raw(url, &text).unwrap())
}

pub(crate) fn get_text(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

pub(crate) fn connect(url: &str) -> TcpStream {
    let address = url.strip_prefix("http://").unwrap();
    let socket = TcpStream::connect(address).unwrap();
    // So that a test that fails does so instead of hanging.
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

/// Sends `request` and returns all that comes back, or how reading ended.
pub(crate) fn raw(url: &str, request: &str) -> io::Result<Vec<u8>> {
    let mut socket = connect(url);
    socket.write_all(request.as_bytes())?;
    let mut output = Vec::new();
    socket.read_to_end(&mut output)?;
    Ok(output)
}

pub(crate) fn parse(output: &[u8]) -> Reply {
    let at = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(output[..at].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: output[at + 4..].to_vec() }
}

/// Whether reading runs into the socket's timeout, rather than into the connection's end. Nothing may arrive.
pub(crate) fn is_still_open(socket: &mut TcpStream) -> bool {
    match socket.read(&mut [0]) {
        Ok(0) => false,
        Ok(_) => panic!("something arrived"),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}
