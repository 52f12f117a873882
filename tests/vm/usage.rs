//! The descriptors, threads and memory of a process.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::Duration;

/// A moment of this process.
#[derive(Debug)]
pub struct Usage {
    /// The targets of the links.
    pub descriptors: BTreeSet<String>,
    pub threads: u64,
    /// The private pages of this process, heap and stacks.
    #[allow(dead_code, reason = "not every test minds pages that an allocator keeps")]
    pub anonymous_kib: u64,
}

impl Usage {
    pub fn now() -> Self {
        // The thread of a run that has ended may still be counted for a moment.
        thread::sleep(Duration::from_millis(20));
        Self {
            descriptors: descriptors(),
            threads: number_of("status", "Threads:"),
            // Counted anew. `VmRSS` may be some MiB behind, for a thread counts its pages for itself at first.
            anonymous_kib: number_of("smaps_rollup", "Anonymous:"),
        }
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

/// A number that the kernel tells of this process.
pub fn number_of(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/self/{file}")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
