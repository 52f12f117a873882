//! What a process has of descriptors, threads and memory.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Duration;

/// A moment of this process.
#[derive(Debug)]
pub struct Usage {
    /// What each leads to.
    pub descriptors: BTreeSet<String>,
    pub threads: u64,
    #[allow(dead_code, reason = "not every test minds pages that an allocator keeps")]
    pub resident_kib: u64,
}

impl Usage {
    pub fn now() -> Self {
        let threads = number_of("Threads:");
        Self { descriptors: descriptors(), threads, resident_kib: number_of("VmRSS:") }
    }
}

fn descriptors() -> BTreeSet<String> {
    let this = fs::read_dir("/proc/self/fd").unwrap();
    let links = this.filter_map(|entry| {
        let entry = entry.unwrap();
        // The descriptor that the folder is read by is gone before its link is read, or shows this folder.
        let link = fs::read_link(entry.path()).ok()?;
        Some(format!("{} {}", entry.file_name().display(), link.display()))
    });
    links.filter(|link| !link.contains("/fd")).collect()
}

/// A line of the status of this process. The thread of a run that has ended may still be counted for a moment.
fn number_of(name: &str) -> u64 {
    thread::sleep(Duration::from_millis(20));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
