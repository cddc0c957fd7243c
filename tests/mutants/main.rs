//! Would the tests notice? Plants each bug of the museum (and some others) in a copy of the tree and demands that the
//! test named beside it fails.
//!
//! `cargo run -p wxtoken-tests --bin seeded-mutants [NAME...]` plants all, or those whose name contains a given word.
//! A mutant whose text is no longer found exactly once is an error: a mutant that plants nothing proves nothing.

mod list;

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

use list::{MUTANTS, Mutant};
use rustix::process::{Pid, Signal, kill_process_group};

/// A test that hangs under a mutant has noticed it, too. Counted in polls of a tenth of a second.
const PATIENCE: u32 = 1_800;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match run(&wanted) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("seeded-mutants: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns how many survived.
fn run(wanted: &[String]) -> io::Result<usize> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let home = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| source.join("target"), PathBuf::from)
        .join("seeded-mutants");
    let tree = home.join("tree");
    copy(&source, &tree)?;
    let chosen: Vec<&Mutant> =
        MUTANTS.iter().filter(|m| wanted.is_empty() || wanted.iter().any(|w| m.name.contains(w.as_str()))).collect();

    println!("first without a mutant: every test named must pass");
    let tests: BTreeSet<_> = chosen.iter().map(|m| m.killer).collect();
    for (package, target, test) in tests {
        if !passes(&tree, &home, package, target, test)? {
            return Err(io::Error::other(format!("{package} {target} {test} fails without a mutant")));
        }
    }

    let mut survivors = 0;
    for mutant in chosen {
        let file = tree.join(mutant.file);
        let text = fs::read_to_string(&file)?;
        let found = text.matches(mutant.from).count();
        if found != 1 {
            return Err(io::Error::other(format!("{}: its text stands {found} times in {}", mutant.name, mutant.file)));
        }
        fs::write(&file, text.replacen(mutant.from, mutant.to, 1))?;
        let (package, target, test) = mutant.killer;
        let survived = passes(&tree, &home, package, target, test);
        fs::write(&file, text)?;
        let survived = survived?;
        survivors += usize::from(survived);
        let verdict = if survived { "SURVIVED" } else { "killed" };
        println!("{verdict:<9}{:<58} by {target}::{test}", mutant.name);
    }
    println!("{} survived", if survivors == 0 { "none".to_owned() } else { survivors.to_string() });
    Ok(survivors)
}

/// Whether the test passes; `Err` when it does not even build.
fn passes(tree: &Path, home: &Path, package: &str, target: &str, test: &str) -> io::Result<bool> {
    let cargo = || {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(tree)
            .env("CARGO_TARGET_DIR", home.join("target"))
            .args(["test", "--quiet", "--locked", "-p", package]);
        match target {
            "lib" => cargo.arg("--lib"),
            target => cargo.args(["--test", target]),
        };
        cargo.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        cargo
    };
    if !cargo().arg("--no-run").status()?.success() {
        return Err(io::Error::other(format!("{package} {target} does not build; a mutant must")));
    }
    // A group of its own, so that a test that hangs can be ended with the cargo that started it.
    let child = cargo().args(["--", "--exact", test]).process_group(0).spawn()?;
    finished_well(child)
}

fn finished_well(mut child: Child) -> io::Result<bool> {
    for _ in 0..PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        thread::sleep(Duration::from_millis(100));
    }
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process_group(group, Signal::KILL)?;
    }
    child.wait()?;
    Ok(false)
}

/// Copies what git would take, rewriting only what differs, so that a second run builds little.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let list = Command::new("git").current_dir(from).args(["ls-files", "-z", "-co", "--exclude-standard"]).output()?;
    if !list.status.success() {
        return Err(io::Error::other("git ls-files failed; run it inside the checkout"));
    }
    for name in String::from_utf8_lossy(&list.stdout).split('\0').filter(|name| !name.is_empty()) {
        let (source, target) = (from.join(name), to.join(name));
        let Ok(wanted) = fs::read(&source) else { continue };
        if fs::read(&target).is_ok_and(|there| there == wanted) {
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&target, wanted)?;
    }
    Ok(())
}
