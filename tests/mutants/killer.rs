//! Does a test notice? Builds its program and runs it, with an end to the patience.

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use crate::tree::Tree;

/// Between two looks at a test that runs.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    Hung,
    DoesNotBuild,
    /// The program ran other tests than those named, or none.
    NotThere,
}

impl Verdict {
    /// The word for a mutant that was met in this way.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Passed => "SURVIVED",
            Self::Failed => "killed",
            Self::Hung => "killed (hangs)",
            Self::DoesNotBuild => "DOES NOT BUILD",
            Self::NotThere => "NO SUCH TEST",
        }
    }
}

/// A test program that was built, if it could be.
pub(crate) struct Killer {
    program: Option<(PathBuf, PathBuf)>,
    output: PathBuf,
}

impl Killer {
    pub(crate) fn build(tree: &Tree, package: &str, target: &str) -> io::Result<Self> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(tree.root())
            .env("CARGO_TARGET_DIR", tree.target())
            // Nobody debugs a mutant, and without it the building, which is most of a run, takes half the time.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .args(["test", "--quiet", "--locked", "--no-run", "--message-format=json", "-p", package]);
        match target {
            "lib" => cargo.arg("--lib"),
            target => cargo.args(["--test", target]),
        };
        let built = cargo.stdin(Stdio::null()).stderr(Stdio::null()).output()?;
        let program = if built.status.success() { Some(test_program(&built.stdout)?) } else { None };
        Ok(Self { program, output: tree.target().join("output") })
    }

    /// Runs these tests of it and no others. A test that takes longer than the patience hangs: under a mutant it has
    /// noticed it, too.
    pub(crate) fn run(&self, tests: &[&str], patience: Duration) -> io::Result<Verdict> {
        let Some((program, folder)) = &self.program else { return Ok(Verdict::DoesNotBuild) };
        let output = File::create(&self.output)?;
        let child = Command::new(program)
            .current_dir(folder)
            .arg("--exact")
            .args(tests)
            // The first violation is enough; nobody reads the smallest one.
            .env("WXTOKEN_SHRINK", "0")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A group of its own, so that a test that hangs can be ended with what it started.
            .process_group(0)
            .spawn()?;
        let Some(status) = ended(child, patience)? else { return Ok(Verdict::Hung) };
        if !status.success() {
            return Ok(Verdict::Failed);
        }
        let all = format!("test result: ok. {} passed; 0 failed; 0 ignored", tests.len());
        let there = String::from_utf8_lossy(&fs::read(&self.output)?).contains(&all);
        Ok(if there { Verdict::Passed } else { Verdict::NotThere })
    }
}

/// The program among the artifacts that cargo names, and the folder that its tests expect to run in.
fn test_program(artifacts: &[u8]) -> io::Result<(PathBuf, PathBuf)> {
    let artifacts = String::from_utf8_lossy(artifacts);
    let found = artifacts.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|artifact| {
        let program = artifact["executable"].as_str().filter(|_| artifact["profile"]["test"] == true)?;
        let folder = PathBuf::from(artifact["manifest_path"].as_str()?).parent()?.to_path_buf();
        Some((PathBuf::from(program), folder))
    });
    found.ok_or_else(|| io::Error::other("cargo named no test program"))
}

/// How it ended; `None` when it had to be ended.
fn ended(mut child: Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let mut status = child.try_wait()?;
    let looks = patience.as_millis().div_ceil(LOOK.as_millis());
    for _ in 0..looks {
        if status.is_some() {
            break;
        }
        thread::sleep(LOOK);
        status = child.try_wait()?;
    }
    if let Some(group) = group {
        // Also what a failed test left behind; that nothing is left is no error.
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.wait()?;
    Ok(status)
}
