//! A token server as a program, and the smallest client of it.

#![allow(dead_code, reason = "each test file uses its share")]

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::common::{Files, SECRET, command};

pub(crate) const KEY: &str = "wxtk_of-the-tests";
/// Bounded, and never reached unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration whose server listens on a port of the system's choice.
pub(crate) struct Configuration {
    files: Files,
    accounts: Vec<(String, String)>,
    base: String,
    /// More lines before all tables, and of the client's.
    more: (String, String),
    readers_of: usize,
    listen: SocketAddr,
}

impl Configuration {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            files: Files::new(),
            accounts: Vec::new(),
            base: base.to_owned(),
            more: Default::default(),
            readers_of: usize::MAX,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    /// The client is given so many of the accounts only.
    pub(crate) fn readers_of(&mut self, accounts: usize) -> &mut Self {
        self.readers_of = accounts;
        self
    }

    /// Not on a port of the system's choice, but where a server was before.
    pub(crate) fn listen(&mut self, address: SocketAddr) -> &mut Self {
        self.listen = address;
        self
    }

    /// Adds an account: its name, and the rest of its table.
    pub(crate) fn account(&mut self, name: &str, rest: &str) -> &mut Self {
        self.accounts.push((name.to_owned(), rest.to_owned()));
        self
    }

    pub(crate) fn official(&mut self, name: &str, id: &str) -> &mut Self {
        self.account(name, &format!("kind = \"official\"\nid = \"{id}\"\nsecret = {{ env = \"SHOP_SECRET\" }}\n"))
    }

    /// Adds lines before all tables, and lines of the client's table.
    pub(crate) fn more(&mut self, top: &str, client: &str) -> &mut Self {
        self.more = (top.to_owned(), client.to_owned());
        self
    }

    pub(crate) fn without(&mut self, name: &str) -> &mut Self {
        self.accounts.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn path(&self) -> String {
        self.files.path("wxtoken.toml")
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn store(&self) -> String {
        self.files.path("wxtoken.redb")
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.files.path(name)
    }

    pub(crate) fn write(&self) {
        let (top, client) = &self.more;
        let mut text = format!("listen = \"{}\"\n{top}", self.listen);
        for (name, rest) in &self.accounts {
            write!(text, "[[account]]\nname = \"{name}\"\nbase = \"{}\"\n{rest}", self.base).unwrap();
        }
        let names: Vec<String> =
            self.accounts.iter().take(self.readers_of).map(|(name, _)| format!("\"{name}\"")).collect();
        let hash: String = Sha256::digest(KEY).iter().map(|byte| format!("{byte:02x}")).collect();
        write!(
            text,
            "[[client]]\nname = \"tests\"\nkey_sha256 = \"{hash}\"\naccounts = [{}]\nmay = [\"read\", \"report\", \"rotate\"]\n{client}",
            names.join(", ")
        )
        .unwrap();
        self.files.write("wxtoken.toml", &text);
    }

    pub(crate) fn command(&self, options: &[&str]) -> Command {
        let mut command = command(&[&["serve", "--config", &self.path()], options].concat());
        command.env("SHOP_SECRET", SECRET);
        command
    }

    /// Writes the configuration and starts the server; when this returns, it listens.
    pub(crate) fn start(&self, options: &[&str]) -> Server {
        self.write();
        self.start_as_written(options)
    }

    /// Starts the server with the configuration that was written before.
    pub(crate) fn start_as_written(&self, options: &[&str]) -> Server {
        Server::start(self.command(options))
    }
}

/// Killed when dropped, so that a failing test leaves nothing behind.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    log: Log,
}

/// What a server has said so far, and is saying.
struct Log {
    said: Arc<(Mutex<String>, Condvar)>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Log {
    /// Reads all the time, or a talkative server would wait for us.
    fn of(stderr: ChildStderr) -> Self {
        let said = Arc::<(Mutex<String>, Condvar)>::default();
        let (text, news) = (said.clone(), said.clone());
        let reader = std::thread::spawn(move || {
            let (mut stderr, mut line) = (BufReader::new(stderr), Vec::new());
            while stderr.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                text.0.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                news.1.notify_all();
                line.clear();
            }
        });
        Self { said, reader: Some(reader) }
    }

    /// All of it, once its server has ended.
    fn end(&mut self) -> String {
        self.reader.take().unwrap().join().unwrap();
        self.said.0.lock().unwrap().clone()
    }
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut log = Log::of(child.stderr.take().unwrap());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = line.trim_end().strip_prefix("listening on ").and_then(|url| url.split_once("://"));
        let Some(address) = said.map(|(_, at)| at.parse().unwrap()) else {
            drop(child.wait());
            panic!("it did not start: {}", log.end());
        };
        Self { child, address, log }
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        ask(self.address, "GET", path, "").unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, Value) {
        ask(self.address, "POST", path, body).unwrap()
    }

    /// The token of an account that has one, or is about to.
    pub(crate) fn token(&self, account: &str) -> String {
        let (status, body) = self.get(&format!("/v1/accounts/{account}/token"));
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits until its log has this.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let (said, news) = &*self.log.said;
        let said = said.lock().unwrap();
        let (said, _) = news.wait_timeout_while(said, PATIENCE, |said| !said.contains(text)).unwrap();
        assert!(said.contains(text), "{text:?} is not in {said}");
    }

    /// Waits for its end; returns its exit code and its log.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.log.end())
    }

    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.end()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One request on a connection of its own. An error means that no whole answer came.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<(u16, Value)> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    ask_on(stream, method, path, body)
}

/// The same on a connection that stands.
pub(crate) fn ask_on(
    mut stream: impl io::Read + io::Write,
    method: &str,
    path: &str,
    body: &str,
) -> io::Result<(u16, Value)> {
    let length = body.len();
    stream.write_all(
        format!(
            "{method} {path} HTTP/1.1\r\nHost: tests\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .as_bytes(),
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8(answer).map_err(io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    if length != Some(body.len()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    // What came whole must be sound.
    Ok((status, serde_json::from_str(body).expect("a whole answer is JSON")))
}
