//! What if a connection ends where no server would end it: within a record of TLS, or a handshake? A way to the platform
//! that counts what comes back, and is cut after so many bytes.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

/// The way. It is closed when this is dropped.
pub(crate) struct Cutter {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    to: SocketAddr,
    /// After so many bytes from the platform; one for each connection, and those that come after them are left alone.
    cuts: Vec<u64>,
    closed: AtomicBool,
    /// What came from the platform on the first connection.
    came: AtomicU64,
}

impl Cutter {
    /// A way to `to`, at a port of loopback that the system picks.
    pub(crate) fn new(to: SocketAddr, cuts: Vec<u64>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { to, cuts, closed: AtomicBool::new(false), came: AtomicU64::new(0) });
        let accepting = shared.clone();
        thread::spawn(move || {
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept() {
                if accepting.closed.load(Ordering::Relaxed) {
                    return;
                }
                let (shared, this) = (accepting.clone(), number);
                number += 1;
                // An end is an end, however it comes.
                thread::spawn(move || drop(shared.carry(stream, this)));
            }
        });
        Ok(Self { address, shared })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What has come from the platform on the first connection, in bytes.
    pub(crate) fn came(&self) -> u64 {
        self.shared.came.load(Ordering::Relaxed)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        // Wakes whoever accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn carry(&self, board: TcpStream, number: usize) -> io::Result<()> {
        let platform = TcpStream::connect(self.to)?;
        let (mut from, mut to) = (board.try_clone()?, platform.try_clone()?);
        let there = thread::spawn(move || {
            drop(io::copy(&mut from, &mut to));
            drop(to.shutdown(Shutdown::Write));
        });
        let came = self.back(&platform, &board, number);
        drop(board.shutdown(Shutdown::Both));
        drop(platform.shutdown(Shutdown::Both));
        drop(there.join());
        came
    }

    fn back(&self, mut platform: &TcpStream, mut board: &TcpStream, number: usize) -> io::Result<()> {
        let mut left = self.cuts.get(number).copied().unwrap_or(u64::MAX);
        let mut piece = [0; 4096];
        while left > 0 {
            let n = platform.read(&mut piece)?;
            if n == 0 {
                return Ok(());
            }
            let n = n.min(usize::try_from(left).unwrap_or(n));
            left -= n as u64;
            if number == 0 {
                self.came.fetch_add(n as u64, Ordering::Relaxed);
            }
            board.write_all(&piece[..n])?;
        }
        Ok(())
    }
}
