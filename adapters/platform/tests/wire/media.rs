//! Files over the wire: a form goes in, the same bytes come out.

use std::io::{Read, Write};

use serde_json::Value;
use wxtoken_platform::{Fault, FaultScope, Platform, Running};

use super::client::{ID, Reply, connect, errcode, frozen, get, parse, raw, token_path};

const BOUNDARY: &str = "----boundary7";

/// Bytes that repeat only after a long while, line ends and pieces of boundaries among them.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(len)
    .collect();
    for (index, trap) in [b"\r\n".as_slice(), b"\r\n--", b"\r\n------boundary", b"--"].iter().enumerate() {
        let at = (index + 1) * len / 5;
        bytes[at..at + trap.len()].copy_from_slice(trap);
    }
    bytes
}

fn form(name: &str, filename: &str, content: &[u8]) -> Vec<u8> {
    let mut form = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nfirst\r\n--{BOUNDARY}\r\n\
         Content-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"; filelength={}\r\n\
         Content-Type: image/png\r\n\r\n",
        content.len()
    )
    .into_bytes();
    form.extend_from_slice(content);
    form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    form
}

fn token(platform: &Running) -> String {
    get(&platform.http_url(), &token_path()).token()
}

fn head(token: &str, length: usize) -> String {
    format!(
        "POST /cgi-bin/media/upload?access_token={token}&type=image HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn upload(platform: &Running, token: &str, form: &[u8]) -> Reply {
    let mut socket = connect(&platform.http_url());
    socket.write_all(head(token, form.len()).as_bytes()).unwrap();
    socket.write_all(form).unwrap();
    let mut output = Vec::new();
    socket.read_to_end(&mut output).unwrap();
    parse(&output)
}

fn download(platform: &Running, token: &str, media_id: &Value) -> Reply {
    let media_id = media_id.as_str().unwrap();
    get(&platform.http_url(), &format!("/cgi-bin/media/get?access_token={token}&media_id={media_id}"))
}

#[test]
fn ten_megabytes_byte_for_byte() {
    let platform = frozen();
    let token = token(&platform);
    let content = noise(10 << 20);
    let reply = upload(&platform, &token, &form("media", "a.png", &content));
    let media_id = reply.json()["media_id"].clone();
    let back = download(&platform, &token, &media_id);
    assert!(back.body == content, "{} bytes came back of {}", back.body.len(), content.len());
    assert_eq!(back.header("content-length"), Some((10 << 20).to_string().as_str()));
    assert_eq!(back.header("content-type"), Some("image/png"));
    assert_eq!(platform.media()[0].content_type.as_deref(), Some("image/png"));
    let listed = get(&platform.control_url(), "/media").json();
    assert_eq!((&listed[0]["media_id"], &listed[0]["bytes"]), (&media_id, &(10 << 20).into()));
    assert_eq!(listed[0]["sha256"].as_str().unwrap(), platform.media()[0].sha256);
}

#[test]
fn forms_that_are_none() {
    let platform = frozen();
    let token = token(&platform);
    let whole = form("media", "a.png", &noise(5_000));
    let without_end = &whole[..whole.len() - 6];
    assert_eq!(errcode(&upload(&platform, &token, without_end)), 41_005, "broken off");
    assert_eq!(errcode(&upload(&platform, &token, &form("medium", "a.png", b"x"))), 41_005, "another name");
    assert_eq!(errcode(&upload(&platform, &token, b"no form at all")), 41_005);
    let nameless = form("media", "a.png", b"x");
    let nameless = String::from_utf8(nameless).unwrap().replace("; filename=\"a.png\"", "");
    assert_eq!(errcode(&upload(&platform, &token, nameless.as_bytes())), 41_005);
    assert!(platform.media().is_empty());
    assert!(upload(&platform, &token, &whole).json()["media_id"].is_string());
}

#[test]
fn what_follows_the_form_is_read_before_the_answer() {
    let platform = frozen();
    let token = token(&platform);
    let mut long = form("media", "a.png", b"x");
    long.resize(4 << 20, b' ');
    assert!(upload(&platform, &token, &long).json()["media_id"].is_string());
}

#[test]
fn a_form_beyond_the_limit_gets_413_and_a_cut_one_nothing() {
    let platform = Platform::builder()
        .account(wxtoken_platform::Account::official(ID, super::client::SECRET))
        .max_form(100_000)
        .max_body(1_000)
        .start()
        .unwrap();
    let token = token(&platform);
    assert!(upload(&platform, &token, &form("media", "a.png", &noise(90_000))).json()["media_id"].is_string());
    let large = form("media", "a.png", &noise(110_000));
    assert_eq!(upload(&platform, &token, &large).status, 413);
    let cut = format!("{}--{BOUNDARY}\r\n", head(&token, 500));
    let mut socket = connect(&platform.http_url());
    socket.write_all(cut.as_bytes()).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    let mut output = Vec::new();
    drop(socket.read_to_end(&mut output));
    assert!(!String::from_utf8_lossy(&output).contains("media_id"));
    assert_eq!(platform.media().len(), 1);
}

#[test]
fn a_chunked_form_gets_412() {
    let platform = frozen();
    let token = token(&platform);
    let request = head(&token, 0).replace("Content-Length: 0", "Transfer-Encoding: chunked") + "0\r\n\r\n";
    assert!(raw(&platform.http_url(), &request).unwrap().starts_with(b"HTTP/1.1 412"));
}

#[test]
fn a_video_is_fetched_from_the_address_given() {
    let platform = frozen();
    let token = token(&platform);
    let content = noise(100_000);
    let form = form("media", "a.mp4", &content);
    let head = head(&token, form.len()).replace("type=image", "type=video");
    let mut socket = connect(&platform.http_url());
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&form).unwrap();
    let mut output = Vec::new();
    socket.read_to_end(&mut output).unwrap();
    let media_id = parse(&output).json()["media_id"].clone();
    let address = download(&platform, &token, &media_id).json()["video_url"].as_str().unwrap().to_owned();
    let path = address.strip_prefix("http://x").unwrap();
    assert!(get(&platform.http_url(), path).body == content);
}

#[test]
fn faults_happen_to_downloads_too() {
    let platform = frozen();
    let token = token(&platform);
    let content = noise(200_000);
    let media_id = upload(&platform, &token, &form("media", "a.png", &content)).json()["media_id"].clone();
    let scope = || FaultScope::next_call().on_path("/cgi-bin/media/get");
    platform.fault(Fault::Cut { after: 150_000 }, scope());
    let cut = download(&platform, &token, &media_id);
    assert_eq!(cut.header("content-length"), Some("200000"));
    assert!(cut.body == content[..150_000]);
    platform.fault(Fault::Body { bytes: b"{}".to_vec() }, scope().executed(true));
    assert_eq!(download(&platform, &token, &media_id).body, b"{}");
    platform.fault(Fault::Garbage, scope().executed(true));
    assert!(download(&platform, &token, &media_id).body.len() < 1_000);
    platform.fault(Fault::Chunked { chunk: 1_000, extensions: false, trailers: false, with_length: false }, scope());
    assert!(download(&platform, &token, &media_id).body.len() > 200_000);
    assert!(download(&platform, &token, &media_id).body == content);
}
