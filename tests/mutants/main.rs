//! Would the tests notice? Plants each bug of the museum (and some others) in a copy of the tree and demands that the
//! test named beside it fails.
//!
//! `cargo run -p wxtoken-mutants -- [NAME...]` plants all, or those whose name contains a given word; `--from NAME`
//! begins there, where an earlier run ended; `--list` only names them, in the order of a run. A mutant whose text is no
//! longer found exactly once is an error: a mutant that plants nothing proves nothing. The exit code is 0 when all that
//! were planted were noticed.

mod calls;
mod killer;
mod list;
mod program;
mod server;
#[cfg(test)]
mod tests;
mod tickets;
mod tree;

use std::{
    collections::BTreeMap,
    io,
    process::ExitCode,
    time::{Duration, Instant},
};

use killer::{Killer, Verdict};
use list::Mutant;
use tree::Tree;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen = choose(&arguments);
    if chosen.is_empty() {
        eprintln!("seeded-mutants: no mutant has such a name; --list names them");
        return ExitCode::FAILURE;
    }
    if arguments.iter().any(|a| a == "--list") {
        chosen.iter().for_each(|mutant| println!("{}", mutant.name));
        return ExitCode::SUCCESS;
    }
    match run(&chosen) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("seeded-mutants: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Those asked for, by killer: one test program after the other, so that little is built in vain.
fn choose(arguments: &[String]) -> Vec<&'static Mutant> {
    let mut words: Vec<&str> = Vec::new();
    let mut from = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--list" => {}
            "--from" => from = Some(rest.next().map_or("", |name| name)),
            word => words.push(word),
        }
    }
    let mut all: Vec<_> = list::all().collect();
    all.sort_by_key(|mutant| mutant.killer);
    let begin = from.map_or(Some(0), |name| all.iter().position(|mutant| mutant.name.contains(name)));
    let Some(begin) = begin else { return Vec::new() };
    all.drain(..begin);
    all.retain(|mutant| words.is_empty() || words.iter().any(|word| mutant.name.contains(word)));
    all
}

/// How long a program's tests may take without a mutant.
const AT_MOST: Duration = Duration::from_secs(3600);

/// How long each program's tests took without a mutant, by package and target.
type Took = BTreeMap<(&'static str, &'static str), Duration>;

/// Whether all were noticed.
fn run(chosen: &[&'static Mutant]) -> io::Result<bool> {
    let tree = Tree::copy()?;
    let took = pass_without(&tree, chosen)?;
    let mut unnoticed = Vec::new();
    let began = now();
    for (n, mutant) in chosen.iter().enumerate() {
        let (planted_at, (package, target, test)) = (now(), mutant.killer);
        let sound = tree.plant(mutant)?;
        // By the machine's own speed: all of its tests took this long, one of them hangs after four times that.
        let patience = Duration::from_secs(60) + took.get(&(package, target)).map_or(AT_MOST, |took| *took * 4);
        let verdict = Killer::build(&tree, package, target).and_then(|killer| killer.run(&[test], patience));
        tree.put_back(mutant, sound)?;
        let verdict = verdict?;
        if verdict != Verdict::Failed && verdict != Verdict::Hung {
            unnoticed.push((mutant.name, verdict));
        }
        println!(
            "[{:>3}/{}] {:<15} {:>4} s  {:<62} by {target}::{test}",
            n + 1,
            chosen.len(),
            verdict.word(),
            since(planted_at).as_secs(),
            mutant.name,
        );
    }
    println!(
        "{} of {} mutants killed in {} min",
        chosen.len() - unnoticed.len(),
        chosen.len(),
        since(began).as_secs().div_ceil(60)
    );
    for (name, verdict) in &unnoticed {
        println!("{}: {name}", verdict.word());
    }
    Ok(unnoticed.is_empty())
}

/// A test that fails by itself kills nothing, and neither does one that is not there.
fn pass_without(tree: &Tree, chosen: &[&'static Mutant]) -> io::Result<Took> {
    println!("first without a mutant: every test named must be there and pass");
    let (mut rest, mut took) = (chosen, Took::new());
    while let Some(first) = rest.first() {
        let (package, target, _) = first.killer;
        let same = rest.iter().take_while(|m| (m.killer.0, m.killer.1) == (package, target)).count();
        let (group, others) = rest.split_at(same);
        rest = others;
        let mut tests: Vec<_> = group.iter().map(|mutant| mutant.killer.2).collect();
        tests.dedup();
        let building = now();
        let killer = Killer::build(tree, package, target)?;
        let running = now();
        let verdict = killer.run(&tests, AT_MOST)?;
        let (built_s, ran) = (running.saturating_duration_since(building).as_secs(), since(running));
        if verdict != Verdict::Passed {
            let problem = format!("{package} {target}, without a mutant: {}; of {tests:?}", verdict.word());
            return Err(io::Error::other(problem));
        }
        println!("  {package} {target}: {} tests pass; {built_s} s to build, {} s to run", tests.len(), ran.as_secs());
        took.insert((package, target), ran);
    }
    Ok(took)
}

#[allow(clippy::disallowed_methods, reason = "how long a run takes is the one time that matters here")]
fn now() -> Instant {
    Instant::now()
}

fn since(earlier: Instant) -> Duration {
    now().saturating_duration_since(earlier)
}
