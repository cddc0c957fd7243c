//! Whom is the server compared with? nginx that returns a fixed text, and Redis that returns a value, each as its package
//! comes but for what would slow it down here.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// Killed when dropped, with the workers it started.
pub(crate) struct Rival {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Rival {
    /// One worker that answers everything with this body. No log, no limit to what one connection may ask.
    pub(crate) fn nginx(folder: &Path, body: &str) -> io::Result<Self> {
        let address = free()?;
        let configuration = format!(
            "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr crit;\n\
             events {{ worker_connections 1024; }}\n\
             http {{\n  access_log off;\n  keepalive_requests 1000000000;\n  keepalive_timeout 600;\n  default_type application/json;\n\
             \x20 client_body_temp_path body;\n  proxy_temp_path proxy;\n  fastcgi_temp_path fastcgi;\n  uwsgi_temp_path uwsgi;\n  scgi_temp_path scgi;\n\
             \x20 server {{\n    listen {address};\n    location / {{ return 200 '{body}'; }}\n  }}\n}}\n"
        );
        fs::write(folder.join("nginx.conf"), configuration)?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder).args(["-e", "stderr", "-c", "nginx.conf"]);
        Self::start(command, address)
    }

    /// With this value, in memory only.
    pub(crate) fn redis(folder: &Path, key: &str, value: &str) -> io::Result<Self> {
        let address = free()?;
        let mut command = Command::new("redis-server");
        command.current_dir(folder).args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
        let rival = Self::start(command, address)?;
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(&resp(&["SET", key, value]))?;
        let mut reply = [0; 5];
        stream.read_exact(&mut reply)?;
        if &reply == b"+OK\r\n" { Ok(rival) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn start(mut command: Command, address: SocketAddr) -> io::Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let rival = Self { child, address };
        for _ in 0..500 {
            if TcpStream::connect(address).is_ok() {
                return Ok(rival);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(io::Error::other(format!("{command:?} does not listen")))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // By a signal that it may obey: a master that is killed leaves its workers behind.
        drop(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status());
        drop(self.child.wait());
    }
}

/// A command as Redis reads it.
pub(crate) fn resp(words: &[&str]) -> Vec<u8> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    command.into_bytes()
}

/// An address that nobody listened on a moment ago.
fn free() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
