//! Is systemd told how the token server is? A socket in its place hears that it is ready, alive, reloading and stopping.

#![cfg(target_os = "linux")]

#[path = "common/mod.rs"]
mod common;
#[path = "common/server.rs"]
mod server;

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use common::{Files, ID, platform};
use server::{Configuration, Server};

/// Bounded, and never reached unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

struct Manager(UnixDatagram);

impl Manager {
    /// The next thing it is told, in lines; signs of life are left out.
    fn hear(&self) -> Vec<String> {
        loop {
            let told = self.next();
            if told != ["WATCHDOG=1"] {
                return told;
            }
        }
    }

    fn next(&self) -> Vec<String> {
        let mut room = [0; 4096];
        let read = self.0.recv(&mut room).expect("it tells in time");
        String::from_utf8_lossy(&room[..read]).lines().map(str::to_owned).collect()
    }
}

#[test]
fn systemd_hears_ready_alive_reloading_and_stopping() {
    let platform = platform().start().unwrap();
    let mut configuration = Configuration::new(&platform.http_url());
    configuration.official("shop", ID).write();
    let files = Files::new();
    let socket = files.path("notify");
    let manager = Manager(UnixDatagram::bind(&socket).expect("a socket"));
    manager.0.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut command = configuration.command(&[]);
    command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "100000").env_remove("WATCHDOG_PID");
    let server = Server::start(command);

    assert_eq!(manager.hear(), ["READY=1", "STATUS=1 accounts"]);
    // It says so of itself, twice in the time it is given and again and again.
    for _ in 0..3 {
        assert_eq!(manager.next(), ["WATCHDOG=1"]);
    }
    configuration.official("second", "wxfedcba9876543210").write();
    server.signal("HUP");
    let reloading = manager.hear();
    assert!(reloading[0] == "RELOADING=1" && reloading[1].starts_with("MONOTONIC_USEC="), "{reloading:?}");
    assert_eq!(manager.hear(), ["READY=1", "STATUS=2 accounts"]);
    server.signal("TERM");
    assert_eq!(manager.hear(), ["STOPPING=1"]);
    assert_eq!(server.end().0, Some(0));
}
