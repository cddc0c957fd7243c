//! What the command says of itself: help, manual pages, completions, version.

mod common;

use common::{Files, run};

const SUBCOMMANDS: [&str; 14] = [
    "get",
    "call",
    "send",
    "upload",
    "download",
    "doctor",
    "sign",
    "platform",
    "demo",
    "serve",
    "status",
    "key",
    "completions",
    "man",
];

#[test]
fn help_has_every_subcommand_examples_and_exit_codes() {
    let help = run(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{help:?}");
    for words in SUBCOMMANDS.iter().chain(&["Examples:", "WXTOKEN_SECRET=", "Exit codes", "  130  ", "40164"]) {
        assert!(help.stdout.contains(words), "{words}: {}", help.stdout);
    }
    for subcommand in SUBCOMMANDS {
        let help = run(&[subcommand, "--help"]);
        assert_eq!(help.code, Some(0), "{help:?}");
        assert!(help.stdout.contains("Usage: wxtoken") && help.stdout.contains("--lang"), "{}", help.stdout);
    }
    for subcommand in ["get", "call", "upload", "download", "doctor", "sign"] {
        let help = run(&[subcommand, "--help"]).stdout;
        assert!(help.contains("Exit codes") && help.contains("WXTOKEN_SECRET"), "{help}");
    }
}

#[test]
fn the_readme_has_the_exit_codes_of_the_help() {
    let readme = include_str!("../README.md");
    let help = run(&["--help"]).stdout;
    let table = help.split_once("Exit codes").unwrap().1;
    // Column 5 at the latest is where a code stands; the words may be wrapped otherwise.
    let codes: Vec<&str> =
        table.lines().filter_map(|line| line.get(..5)?.trim().parse::<u8>().ok().map(|_| line[..5].trim())).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "7", "130"]);
    for code in codes {
        assert!(readme.contains(&format!("| {code} |")), "{code}");
    }
}

#[test]
fn manual_pages_for_all() {
    let page = run(&["man"]);
    assert_eq!(page.code, Some(0), "{page:?}");
    assert!(page.stdout.contains(".TH wxtoken 1") && page.stdout.contains("Exit codes"), "{}", page.stdout);
    let files = Files::new();
    let dir = files.path(".");
    assert_eq!(run(&["man", "--dir", &dir]).code, Some(0));
    for subcommand in ["get", "call", "send-work", "upload", "download", "doctor", "sign", "platform", "demo", "serve"]
    {
        let page = std::fs::read_to_string(files.path(&format!("wxtoken-{subcommand}.1"))).unwrap();
        assert!(page.contains(&format!("wxtoken\\-{subcommand}")) || page.contains(subcommand), "{page}");
    }
    assert!(std::fs::metadata(files.path("wxtoken.1")).is_ok());
    let nowhere = run(&["man", "--dir", &files.path("nowhere")]);
    assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, Some(0), "{script:?}");
        for words in ["doctor", "secret-file", "allow-plain-http"] {
            assert!(script.stdout.contains(words), "{shell}: {words}");
        }
    }
}

#[test]
fn the_version_is_the_package_s() {
    let version = run(&["--version"]);
    assert_eq!(version.stdout, format!("wxtoken {}\n", env!("CARGO_PKG_VERSION")));
}
