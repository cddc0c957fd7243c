//! What does the fetch cost with edge-http, without name resolution?
#![no_std]
#![no_main]

use core::{
    hint::black_box,
    net::{Ipv4Addr, SocketAddr},
};

use edge_http::{Method, io::client::Connection};
use edge_nal::{Close, Readable, TcpConnect, TcpShutdown, TcpSplit};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use wxtoken_size::{
    BUFFER_LEN,
    executor::block_on,
    socket::{Socket, sooner_or_later},
};
use wxtoken_size_rivals::{Grant, HOST, PATH, read_reply, write_body};

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut buffer = [0; BUFFER_LEN];
    loop {
        let _ = black_box(block_on(fetch(&mut buffer)));
    }
}

async fn fetch(buffer: &mut [u8]) -> Result<Grant, i32> {
    let mut room = [0; 256];
    let body = write_body(&mut room).ok_or(0)?;
    let mut digits = [0; 3];
    let length = write_decimal(body.len(), &mut digits).ok_or(0)?;
    let headers =
        [("Host", HOST), ("Content-Type", "application/json"), ("Content-Length", length), ("Connection", "close")];
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
    let mut connection: Connection<'_, _> = Connection::new(buffer, &Tcp, address);
    connection.initiate_request(true, Method::Post, PATH, &headers).await.map_err(|_| 0)?;
    let mut rest = body;
    while !rest.is_empty() {
        let taken = connection.write(rest).await.map_err(|_| 0)?;
        rest = rest.get(taken..).ok_or(0)?;
    }
    connection.initiate_response().await.map_err(|_| 0)?;
    let mut reply = [0; BUFFER_LEN];
    let mut len = 0;
    while let Some(room) = reply.get_mut(len..).filter(|room| !room.is_empty()) {
        match connection.read(room).await.map_err(|_| 0)? {
            0 => break,
            n => len += n,
        }
    }
    read_reply(reply.get(..len).ok_or(0)?)
}

/// Up to three digits, as `core::fmt` would be kilobytes.
fn write_decimal(n: usize, room: &mut [u8; 3]) -> Option<&str> {
    for (place, unit) in room.iter_mut().zip([100, 10, 1]) {
        *place = b'0' + (n / unit % 10) as u8;
    }
    core::str::from_utf8(room).ok()
}

/// The connector its traits ask for, over the same socket as everybody's.
struct Tcp;

impl TcpConnect for Tcp {
    type Error = ErrorKind;
    type Socket<'a> = TcpSocket;

    async fn connect(&self, remote: SocketAddr) -> Result<TcpSocket, ErrorKind> {
        black_box(remote);
        sooner_or_later(Ok(())).await.map(|()| TcpSocket(Socket))
    }
}

struct TcpSocket(Socket);

impl ErrorType for TcpSocket {
    type Error = ErrorKind;
}

impl Read for TcpSocket {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        self.0.read(room).await
    }
}

impl Write for TcpSocket {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.0.write(bytes).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        self.0.flush().await
    }
}

impl Readable for TcpSocket {
    async fn readable(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl TcpSplit for TcpSocket {
    type Read<'a> = &'a mut Self;
    type Write<'a> = Self;

    fn split(&mut self) -> (&mut Self, Self) {
        (self, Self(Socket))
    }
}

impl TcpShutdown for TcpSocket {
    async fn close(&mut self, _: Close) -> Result<(), ErrorKind> {
        sooner_or_later(Ok(())).await
    }

    async fn abort(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
