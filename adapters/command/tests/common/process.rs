//! What has a server cost so far? Processor time and memory of a process and of all it started, as the system counts them.

#![allow(dead_code, reason = "each test file uses its share")]

use std::fs;
use std::time::Duration;

/// User and system time, in whole hundredths of a second.
pub(crate) fn cpu(pid: u32) -> Duration {
    tree(pid).into_iter().map(cpu_of_one).sum()
}

fn cpu_of_one(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // After the name in brackets, which may hold anything: the 12th and 13th field.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(2);
    Duration::from_millis(fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10)
}

/// The memory that is resident, in kB.
pub(crate) fn rss_kb(pid: u32) -> u64 {
    tree(pid).into_iter().map(|pid| status(pid, "VmRSS:")).sum()
}

/// The most memory that was ever resident, in kB.
pub(crate) fn peak_rss_kb(pid: u32) -> u64 {
    tree(pid).into_iter().map(|pid| status(pid, "VmHWM:")).sum()
}

fn status(pid: u32, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The process and all below it.
fn tree(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|child| child.parse().ok()).flat_map(tree));
    }
    all
}
