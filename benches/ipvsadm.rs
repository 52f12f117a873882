//! Our ipvsadm compared with Debian's: the times that both take for the same work, in turns.
//!
//! `cargo xtask bench ipvsadm` runs this in a small virtual machine, with both programs built for release. Each pair of
//! runs has fresh network namespaces; the result is the ratio within a pair, because a disturbance of the machine
//! affects both. Everything that is measured has to succeed, and nothing depends on how long it takes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a bench"
)]

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

#[allow(dead_code, reason = "shared with the tests of the library, which use more of it")]
#[path = "../tests/vm/kernel.rs"]
mod kernel;
#[allow(dead_code, reason = "shared with the tests of the library, which use more of it")]
#[path = "../tests/vm/namespaces.rs"]
mod namespaces;

use self::namespaces::Namespace;

fn main() {
    let as_json = std::env::args().any(|argument| argument == "--json");
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    fs::write(&rules, large_table()).unwrap();
    let read_rules = || File::open(&rules).unwrap().into();
    let list = |words| move |program: &str, network: &Namespace| run(program, network, &[words], Stdio::null());

    let warm = Namespace::new();
    for program in PROGRAMS {
        run(program, &warm, &["-R"], read_rules());
        assert_eq!(saved(&warm).lines().count(), SERVICES * (1 + DESTINATIONS), "all of it is restored");
        run(program, &warm, &["-C"], Stdio::null());
    }
    let mut results = vec![
        measure("ipvsadm/restore/2000x10", 7, None, |program, network| run(program, network, &["-R"], read_rules())),
        measure("ipvsadm/list/0", 200, Some(&warm), list("-Ln")),
    ];
    run(PROGRAMS[1], &warm, &["-R"], read_rules());
    results.push(measure("ipvsadm/list/2000x10", 9, Some(&warm), list("-Ln")));
    results.push(measure("ipvsadm/save/2000x10", 9, Some(&warm), list("-Sn")));

    if as_json {
        let rows: Vec<_> = results.iter().map(Measurement::json).collect();
        println!("{:#}", json!(rows));
        return;
    }
    println!("{:<26} {:>5} {:>12} {:>12} {:>7}", "", "pairs", "ours", "Debian's", "ratio");
    for result in results {
        println!("{}", result.row());
    }
    println!(
        "Medians in milliseconds. A ratio below 1 means that ours is quicker; it is the median of those of all pairs."
    );
}

/// The times of a command, by program.
struct Measurement {
    id: &'static str,
    /// Ours and Debian's.
    pairs: Vec<[Duration; 2]>,
}

impl Measurement {
    fn milliseconds(&self, program: usize) -> f64 {
        median(self.pairs.iter().map(|pair| pair[program].as_secs_f64() * 1000.0))
    }

    fn ratio(&self) -> f64 {
        median(self.pairs.iter().map(|[ours, debians]| ours.as_secs_f64() / debians.as_secs_f64()))
    }

    fn row(&self) -> String {
        let (ours, debians) = (self.milliseconds(0), self.milliseconds(1));
        format!("{:<26} {:>5} {ours:>12.1} {debians:>12.1} {:>7.2}", self.id, self.pairs.len(), self.ratio())
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "id": self.id,
            "pairs": self.pairs.len(),
            "ours_ms": self.milliseconds(0),
            "debians_ms": self.milliseconds(1),
            "ratio": self.ratio(),
        })
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }
}

/// Measures pairs, in one namespace or each run in its own. The two programs take turns at coming first.
fn measure(
    id: &'static str,
    pairs: usize,
    network: Option<&Namespace>,
    run: impl Fn(&str, &Namespace) -> Duration,
) -> Measurement {
    let mut taken = Vec::new();
    for pair in 0..pairs {
        eprintln!("bench: {id}, {pair} of {pairs}");
        let one = |program: &str| match network {
            Some(network) => run(program, network),
            None => run(program, &Namespace::new()),
        };
        let [ours, debians] = PROGRAMS;
        taken.push(if pair.is_multiple_of(2) {
            let ours = one(ours);
            [ours, one(debians)]
        } else {
            let debians = one(debians);
            [one(ours), debians]
        });
    }
    Measurement { id, pairs: taken }
}

/// The time from the start of a program to its end.
fn run(program: &str, network: &Namespace, words: &[&str], stdin: Stdio) -> Duration {
    network.run(|| {
        let mut command = Command::new(program);
        command.arg0("ipvsadm").args(words).stdin(stdin).stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status().unwrap_or_else(|error| panic!("{program}: {error}"));
        let taken = start.elapsed();
        assert!(status.success(), "{program} {words:?}: {status}");
        taken
    })
}

fn saved(network: &Namespace) -> String {
    network.run(|| namespaces::program(PROGRAMS[1], "-Sn"))
}

fn large_table() -> String {
    use std::fmt::Write as _;

    let mut rules = String::new();
    for service in 0..SERVICES {
        let address = format!("-t 10.1.{}.{}:80", service / 200, service % 200);
        let _ = writeln!(rules, "-A {address} -s rr");
        for host in 1..=DESTINATIONS {
            let _ = writeln!(rules, "-a {address} -r 10.2.0.{host}:80 -m -w 1");
        }
    }
    rules
}

const SERVICES: usize = 2000;
const DESTINATIONS: usize = 10;

/// Ours and Debian's.
const PROGRAMS: [&str; 2] = ["/usr/local/bin/ipvsadm", "/usr/sbin/ipvsadm"];
