//! Can every mutant still be planted? In the ordinary run, so that the list cannot rot between two full ones.

use std::{collections::BTreeSet, fs, path::Path};

use super::{
    choose, list,
    tree::{checkout, planted},
};

#[test]
fn every_mutant_can_still_be_planted() {
    let mut rotten = Vec::new();
    for mutant in list::all() {
        let text = fs::read_to_string(checkout().join(mutant.file)).expect(mutant.file);
        match planted(mutant, &text) {
            Ok(bug) => assert_ne!(bug, text, "{} changes nothing", mutant.name),
            Err(n) => rotten.push(format!("{}: its text stands {n} times in {}", mutant.name, mutant.file)),
        }
    }
    assert!(rotten.is_empty(), "{rotten:#?}");
}

#[test]
fn every_mutant_has_a_name_of_its_own_and_a_killer_that_is_there() {
    let mut names = BTreeSet::new();
    let tests =
        source(&checkout().join("tests")) + &source(&checkout().join("core")) + &source(&checkout().join("adapters"));
    for mutant in list::all() {
        assert!(names.insert(mutant.name), "two are called {}", mutant.name);
        let (_, _, test) = mutant.killer;
        let name = test.rsplit("::").next().unwrap_or(test);
        assert!(tests.contains(&format!("fn {name}(")), "{}: there is no test {test}", mutant.name);
    }
}

#[test]
fn a_run_can_go_on_where_one_ended() {
    let names = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        choose(&arguments).iter().map(|mutant| mutant.name).collect::<Vec<_>>()
    };
    let all = names(&[]);
    assert_eq!(all.len(), list::all().count());
    let from = all[all.len() - 3];
    assert_eq!(names(&["--from", from]), all[all.len() - 3..]);
    assert_eq!(names(&[from]), [from]);
    assert!(names(&["--from", "no such name"]).is_empty() && names(&["no such name"]).is_empty());
}

/// All Rust source below a folder.
fn source(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("a folder of the checkout").flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("target") {
                all += &source(&path);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            all += &fs::read_to_string(&path).expect("UTF-8");
        }
    }
    all
}
