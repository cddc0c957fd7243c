//! How is an emulator told to pull the cable, or to press the reset button? By the QEMU Machine Protocol: JSON, a line each.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};

use crate::board;

/// No answer takes so long.
const LIMIT: Duration = Duration::from_secs(20);

/// Where an emulator will call.
pub(crate) struct Waiting(TcpListener);

/// An emulator that obeys.
pub(crate) struct Qmp(BufReader<TcpStream>);

impl Waiting {
    /// Listens at a port of loopback that the system picks.
    pub(crate) fn new() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// What the emulator is told so that it calls.
    pub(crate) fn arguments(&self) -> io::Result<Vec<String>> {
        Ok(vec!["-qmp".to_owned(), format!("tcp:{}", self.0.local_addr()?)])
    }

    /// Waits for its call.
    pub(crate) fn answer(self) -> io::Result<Qmp> {
        let until = board::now() + LIMIT;
        let stream = loop {
            match self.0.accept() {
                Ok((stream, _)) => break stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && board::now() < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(error),
            }
        };
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let mut qmp = Qmp(BufReader::new(stream));
        qmp.next()?;
        qmp.order("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }
}

impl Qmp {
    /// Puts the cable in, or pulls it.
    pub(crate) fn set_link(&mut self, up: bool) -> io::Result<()> {
        self.order("set_link", json!({ "name": "lan", "up": up }))
    }

    /// Lets a board begin that was started in halt (`-S`).
    pub(crate) fn go(&mut self) -> io::Result<()> {
        self.order("cont", json!({}))
    }

    /// Presses the reset button.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        self.order("system_reset", json!({}))
    }

    /// Orders something and waits until it is done.
    fn order(&mut self, what: &str, arguments: Value) -> io::Result<()> {
        writeln!(self.0.get_mut(), "{}", json!({ "execute": what, "arguments": arguments }))?;
        loop {
            // Events come in between.
            let answer = self.next()?;
            if answer.get("return").is_some() {
                return Ok(());
            }
            if let Some(error) = answer.get("error") {
                return Err(io::Error::other(format!("{what}: {error}")));
            }
        }
    }

    fn next(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        serde_json::from_str(&line).map_err(io::Error::from)
    }
}
