//! Does a file pass through the platform without being held? Alone in its process, whose peak is what is measured.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::TcpStream;

use wxtoken_platform::{Account, Platform};

const LEN: usize = 20 << 20;
static PIECE: [u8; 64 << 10] = [b'x'; 64 << 10];

/// The most memory that this process ever had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

/// The end of the reply, after `sent`.
fn exchange(address: &str, head: &str, sent: usize, tail: &str) -> (usize, String) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    for _ in 0..sent / PIECE.len() {
        socket.write_all(&PIECE).unwrap();
    }
    socket.write_all(tail.as_bytes()).unwrap();
    let (mut received, mut last, mut buf) = (0, Vec::new(), vec![0; 64 << 10]);
    loop {
        let read = socket.read(&mut buf).unwrap();
        if read == 0 {
            return (received, String::from_utf8_lossy(&last).into_owned());
        }
        received += read;
        last = buf[..read].to_vec();
    }
}

#[test]
fn twenty_megabytes_up_and_down_take_less_than_half_of_one_file() {
    let platform = Platform::builder().account(Account::work("ww1", "s")).start().unwrap();
    let address = platform.http_addr().to_string();
    let get =
        |path: &str| exchange(&address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 0, "");
    let word = |reply: &str, name: &str| {
        let (_, rest) = reply.split_once(&format!("\"{name}\":\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let token = word(&get("/cgi-bin/gettoken?corpid=ww1&corpsecret=s").1, "access_token");
    let open = "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a\"\r\n\r\n";
    let close = "\r\n--b--\r\n";
    let head = format!(
        "POST /cgi-bin/media/upload?access_token={token}&type=file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n{open}",
        open.len() + LEN + close.len()
    );
    let before = peak();
    for _ in 0..3 {
        let media_id = word(&exchange(&address, &head, LEN, close).1, "media_id");
        let (received, _) = get(&format!("/cgi-bin/media/get?access_token={token}&media_id={media_id}"));
        assert!(received > LEN);
    }
    assert_eq!(platform.media().iter().map(|medium| medium.bytes).sum::<u64>(), 3 * LEN as u64);
    let grown = peak() - before;
    println!("grown by {} KiB", grown >> 10);
    assert!(grown < LEN / 2, "grown by {grown} bytes");
}
