//! How fast does a server answer, and how long does one answer take? A fixed number of requests over some connections that
//! are kept, each with one request under way; the same loop for every server, so that it is the same load.

#![allow(dead_code, reason = "each test uses its share")]

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::epoll;

/// What is asked again and again, and how long an answer is.
pub(crate) struct Question {
    pub(crate) bytes: Vec<u8>,
    /// The length of the answer that these bytes begin with; `None` while that cannot be told yet.
    pub(crate) length: fn(&[u8]) -> Option<usize>,
    /// Whether a whole answer is the right one. Looked at once in a while: the load must not cost more than the server.
    pub(crate) right: fn(&[u8]) -> bool,
}

/// What came of it.
pub(crate) struct Answered {
    pub(crate) took: Duration,
    /// Of each request, sorted.
    latencies: Vec<Duration>,
}

impl Answered {
    /// The latency that so many of a thousand requests kept.
    pub(crate) fn per_mille(&self, of_thousand: usize) -> Duration {
        let nth = (self.latencies.len() * of_thousand / 1000).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(nth).copied().unwrap_or_default()
    }
}

/// Every so many answers one is looked at.
const LOOK: usize = 1000;
const MAX_ANSWER: usize = 16 * 1024;
const NOT_AT_ALL: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };

struct Connection {
    stream: TcpStream,
    sent_at: Instant,
    /// The beginning of an answer, when it came in pieces.
    got: Vec<u8>,
}

/// Connections to one server.
pub(crate) struct Load<'a> {
    question: &'a Question,
    connections: Vec<Connection>,
    poll: rustix::fd::OwnedFd,
}

impl<'a> Load<'a> {
    pub(crate) fn connect(to: SocketAddr, question: &'a Question, connections: usize) -> io::Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let connections = (0..connections as u64)
            .map(|nth| {
                let stream = TcpStream::connect(to)?;
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                epoll::add(&poll, &stream, epoll::EventData::new_u64(nth), epoll::EventFlags::IN)?;
                Ok(Connection { stream, sent_at: now(), got: Vec::new() })
            })
            .collect::<io::Result<_>>()?;
        Ok(Self { question, connections, poll })
    }

    /// Asks so many times in all.
    pub(crate) fn ask(&mut self, requests: usize) -> io::Result<Answered> {
        let began = now();
        let (mut sent, mut latencies) = (0, Vec::with_capacity(requests));
        for connection in self.connections.iter_mut().take(requests) {
            connection.send(self.question)?;
            sent += 1;
        }
        let mut events = Vec::with_capacity(self.connections.len());
        let mut buffer = vec![0; MAX_ANSWER];
        while latencies.len() < requests {
            events.clear();
            // Never asleep: a server on the same machine would be billed for waking us, the more often the slower it is.
            // Clients of a real one are elsewhere.
            epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut events), Some(&NOT_AT_ALL))?;
            for event in &events {
                let nth = usize::try_from(event.data.u64()).map_err(io::Error::other)?;
                let connection = self.connections.get_mut(nth).ok_or(io::ErrorKind::NotFound)?;
                let look = latencies.len() % LOOK == 0;
                if connection.answered(self.question, &mut buffer, look)? {
                    latencies.push(now().saturating_duration_since(connection.sent_at));
                    if sent < requests {
                        connection.send(self.question)?;
                        sent += 1;
                    }
                }
            }
        }
        let took = now().saturating_duration_since(began);
        latencies.sort_unstable();
        Ok(Answered { took, latencies })
    }
}

impl Connection {
    fn send(&mut self, question: &Question) -> io::Result<()> {
        self.sent_at = now();
        // Some hundred bytes find room in an empty socket.
        let written = self.stream.write(&question.bytes)?;
        if written == question.bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Whether the answer is whole.
    fn answered(&mut self, question: &Question, buffer: &mut [u8], look: bool) -> io::Result<bool> {
        let read = self.stream.read(buffer)?;
        let piece = buffer.get(..read).filter(|piece| !piece.is_empty()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let whole = if self.got.is_empty() {
            piece
        } else {
            self.got.extend_from_slice(piece);
            self.got.as_slice()
        };
        match (question.length)(whole) {
            Some(length) if length == whole.len() => {
                if look && !(question.right)(whole) {
                    return Err(io::Error::other(format!("a wrong answer: {}", String::from_utf8_lossy(whole))));
                }
                self.got.clear();
                Ok(true)
            }
            _ if whole.len() >= MAX_ANSWER => Err(io::ErrorKind::InvalidData.into()),
            _ => {
                if self.got.is_empty() {
                    self.got = piece.to_vec();
                }
                Ok(false)
            }
        }
    }
}

/// The length of an answer over HTTP that says it.
pub(crate) fn http_length(whole: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(whole).ok()?;
    let head = text.find("\r\n\r\n")?;
    let mut fields = text.get(..head)?.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    let (_, length) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    Some(head + 4 + length.trim().parse::<usize>().ok()?)
}

#[allow(clippy::disallowed_methods, reason = "it is a measurement")]
fn now() -> Instant {
    Instant::now()
}
