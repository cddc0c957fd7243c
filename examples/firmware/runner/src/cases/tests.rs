use std::collections::BTreeSet;

use wxtoken_platform::Fault;

/// The faults that the platform knows, by its own word: it lists them when it is asked for one that it does not know.
fn known() -> BTreeSet<String> {
    let refused = serde_json::from_str::<Fault>(r#"{"kind":"?"}"#).expect_err("there is no such fault").to_string();
    let names = refused.split_once("expected one of ").expect("it names those that there are").1;
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_fault_of_the_platform_is_shown() {
    let kind = |fault: &Fault| serde_json::to_value(fault).ok()?["kind"].as_str().map(str::to_owned);
    let shown: BTreeSet<String> = super::all().iter().flat_map(|case| &case.faults).filter_map(kind).collect();
    let known = known();
    assert!(known.len() >= 22, "the list was not understood: {known:?}");
    let missing: Vec<_> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn no_two_cases_have_the_same_name() {
    let cases = super::all();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len());
}
