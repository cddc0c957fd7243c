//! What stands between devices and the platform? A stand-in for a central token server on the LAN: it knows the account's
//! secret, gives tokens to devices that have a key, and takes no API calls.
//!
//! Just enough of one to show a device that talks to it; it asks the platform anew for each device, and the platform hands
//! out the same token.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::{Value, json};

/// No exchange takes so long.
const LIMIT: Duration = Duration::from_secs(20);
/// No head or body here is so long.
const MOST: u64 = 64 << 10;

/// A server that is listening. It stops when this is dropped.
pub(crate) struct Central {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    platform: SocketAddr,
    key: &'static str,
    secret: &'static str,
    served: AtomicUsize,
    strays: AtomicUsize,
    stops: AtomicBool,
}

impl Central {
    /// Gives whoever has `key` the token that `platform` gives for `secret`.
    pub(crate) fn start(platform: SocketAddr, key: &'static str, secret: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (served, strays, stops) = Default::default();
        let shared = Arc::new(Shared { platform, key, secret, served, strays, stops });
        let answering = shared.clone();
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if answering.stops.load(Ordering::SeqCst) {
                    break;
                }
                // A device that goes away in the midst comes again.
                drop(stream.and_then(|stream| answering.answer(stream)));
            }
        });
        Ok(Self { address, shared, thread: Some(thread) })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many devices got a token, and how many requests were none for a token, or without the key.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.shared.served.load(Ordering::SeqCst), self.shared.strays.load(Ordering::SeqCst))
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::SeqCst);
        // What it waits for.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn answer(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(LIMIT))?;
        let (line, body) = read(&stream)?;
        let mut asked: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut reply = stream;
        if line != "POST /cgi-bin/stable_token HTTP/1.1" || asked["secret"] != self.key {
            self.strays.fetch_add(1, Ordering::SeqCst);
            return reply.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        asked["secret"] = json!(self.secret);
        let body = asked.to_string();
        let mut platform = TcpStream::connect(self.platform)?;
        platform.set_read_timeout(Some(LIMIT))?;
        let head = "POST /cgi-bin/stable_token HTTP/1.1\r\nHost: platform\r\nContent-Type: application/json\r\n";
        write!(platform, "{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        let mut token = Vec::new();
        platform.take(MOST).read_to_end(&mut token)?;
        self.served.fetch_add(1, Ordering::SeqCst);
        reply.write_all(&token)
    }
}

/// The first line of a request, and its body.
fn read(stream: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream.take(MOST));
    let (mut first, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        first.get_or_insert_with(|| line.to_owned());
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    Ok((first.unwrap_or_default(), body))
}
