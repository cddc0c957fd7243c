//! Runs the built command, and a platform for it to talk to.

#![allow(dead_code, reason = "each test file uses its share")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use wxtoken_platform::{Account, Builder, Platform, Running};

pub(crate) const ID: &str = "wx0123456789abcdef";
pub(crate) const CORP: &str = "ww0123456789abcdef";
/// Recognisable wherever it should not be.
pub(crate) const SECRET: &str = "5ecret0f7he7e57-5ecret0f7he7e57";

/// A platform with an official account and a WeCom app, at real time.
pub(crate) fn platform() -> Builder {
    Platform::builder().seed(7).account(Account::official(ID, SECRET)).account(Account::work(CORP, SECRET))
}

/// The command, without anything of the environment that would change what it does.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wxtoken"));
    for name in ["LC_ALL", "LC_MESSAGES", "LANG", "WXTOKEN_SECRET"] {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A platform whose ports are taken and closed: connections are refused, and no other program is given the ports.
pub(crate) fn closed() -> Running {
    let platform = Platform::builder().start().unwrap();
    platform.set_listening(false).unwrap();
    platform
}

/// Runs it with a short limit that it has to run into while it waits for the reply. Where the machine stalls before the
/// connection stands, the limit is used up too soon, and it is run again.
pub(crate) fn run_out_of_time(args: &[&str]) -> Ran {
    for _ in 0..50 {
        let ran = run(&[args, &["--timeout", "300ms"]].concat());
        let too_soon = ["FAIL  connection", "no connection to the host in time", "was not resolved"];
        if !too_soon.iter().any(|words| ran.stdout.contains(words) || ran.stderr.contains(words)) {
            return ran;
        }
    }
    panic!("no connection in fifty runs");
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs it with the secret in the environment.
pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, SECRET)
}

pub(crate) fn run_with(args: &[&str], secret: &str) -> Ran {
    command(args).env("WXTOKEN_SECRET", secret).output().unwrap().into()
}

/// Runs it with this on standard input and no secret in the environment.
pub(crate) fn run_fed(args: &[&str], input: &str) -> Ran {
    let mut child = command(args).stdin(Stdio::piped()).spawn().unwrap();
    // The command may have ended without reading.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap().into()
}

/// A directory that is gone after the test, and files in it.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}
