//! The same random lines for both programs: what they print, how they end, and what they leave behind is the same.

use std::fmt::Write as _;

use ipvs_rs::Handle;
use ipvs_rs::model::{Config, SyncDaemon, TableService};

use crate::generator::{Generator, INTERFACE, Line};
use crate::kernel::note;
use crate::namespaces::{Namespace, alone};
use crate::output::Output;
use crate::root::{Program, Root};

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn random_lines_have_the_same_effect() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let lines = usize::try_from(number("IPVS_RS_LINES").unwrap_or(200)).unwrap();
    let seed = number("IPVS_RS_SEED").unwrap_or_else(|| fastrand::u64(..));
    let report = alone(|| compare(seed, lines));
    note(&format!("IPVS_RS_SEED={seed} IPVS_RS_LINES={lines}: {}", report.counts()));
    assert!(
        report.differences.is_empty(),
        "{} differences\n\n{}",
        report.differences.len(),
        report.differences.join("\n")
    );
    let is_enough = report.succeeded * 5 > lines && report.changed * 10 > lines;
    assert!(is_enough || lines < 100, "the lines are good for something");
}

#[derive(Default)]
struct Report {
    succeeded: usize,
    changed: usize,
    differences: Vec<String>,
}

impl Report {
    fn counts(&self) -> String {
        let Self { succeeded, changed, differences } = self;
        format!("{succeeded} lines succeeded, {changed} changed the table, {} differ", differences.len())
    }
}

fn compare(seed: u64, lines: usize) -> Report {
    let programs = [Program::Debians, Program::Ours].map(|program| Root::with_files(program, &[("/etc/hosts", HOSTS)]));
    let mut report = Report::default();
    let (mut generator, mut tables, mut story) = (Generator::new(seed), Tables::new(), Vec::new());
    for number in 0..lines {
        if story.len() == SESSION {
            (generator, tables) = (Generator::new(seed.wrapping_add(number as u64)), Tables::new());
            story.clear();
        }
        let line = generator.line();
        story.push(line.to_string());
        let before = tables.states();
        let [expected, actual] = tables.run(&programs, &line);
        // In a line of `-R`, ours takes what only another program can have made.
        let is_refused = |message: &&str| expected.stderr.windows(message.len()).any(|it| it == message.as_bytes());
        if !line.stdin.is_empty() && OF_THE_ORIGINAL.iter().any(is_refused) {
            story.resize(SESSION, String::new());
            continue;
        }
        if expected.status == 0 {
            report.succeeded += 1;
        } else {
            generator.failed();
        }

        let mut difference = expected.difference(&actual).unwrap_or_default();
        let after = tables.states();
        report.changed += usize::from(before[0] != after[0]);
        // The original's own view takes longer than all the rest: now and then is enough.
        let is_last = story.len() == SESSION || number + 1 == lines;
        if is_last || story.len().is_multiple_of(10) || after[0] != after[1] {
            let [expected, actual] = tables.shown(&programs[0]);
            if let Some(table) = expected.difference(&actual) {
                let _ = write!(difference, "    and the table is another:\n{table}");
            } else if after[0] != after[1] {
                let _ = write!(difference, "    and {:?} instead of {:?}", after[1], after[0]);
            }
        }
        if !difference.is_empty() {
            let told = story.join("\n    ");
            report.differences.push(format!("{number}: {line}\n{difference}    (after:\n    {told})\n"));
            // From here on both would only repeat it.
            story.resize(SESSION, String::new());
        }
        if report.differences.len() == MOST {
            break;
        }
    }
    report
}

/// The message of the original about lines of a restore that ours takes.
const OF_THE_ORIGINAL: [&str; 4] =
    ["invalid timeout value", "invalid fwmark value", "Zero port specified", "One-Packet Scheduling is only"];

/// The state that the kernel keeps for a namespace.
#[derive(Debug, PartialEq)]
struct State {
    services: Vec<TableService>,
    daemons: Vec<SyncDaemon>,
    timeouts: Config,
}

/// A namespace for each program.
struct Tables {
    networks: [Namespace; 2],
    handles: [Handle; 2],
}

impl Tables {
    fn new() -> Self {
        let networks = [Namespace::new(), Namespace::new()];
        let handles = networks.each_ref().map(|network| {
            network.run(|| {
                let interface = |words: &str| crate::namespaces::ip(&format!("{words} {INTERFACE}"));
                crate::namespaces::ip(&format!("link add {INTERFACE} type dummy"));
                // Its link-local address is there at once, without a search for duplicates.
                std::fs::write(format!("/proc/sys/net/ipv6/conf/{INTERFACE}/accept_dad"), "0").unwrap();
                interface("address add 192.0.2.1/24 dev");
                interface("link set up dev");
                Handle::new().unwrap()
            })
        });
        Self { networks, handles }
    }

    /// The results of a line with both programs, each in its namespace.
    fn run(&self, programs: &[Root; 2], line: &Line) -> [Output; 2] {
        // One namespace will do for a line that changes nothing.
        let networks = if line.is_unsorted() { [&self.networks[1]; 2] } else { self.networks.each_ref() };
        [0, 1].map(|side| programs[side].ipvsadm(networks[side], &line.words, &line.stdin))
    }

    fn states(&self) -> [State; 2] {
        self.handles.each_ref().map(|handle| {
            let mut services = handle.snapshot().unwrap().services;
            // The kernel's own order depends on where the namespace lies in memory.
            services.sort_by_key(TableService::id);
            State { services, daemons: handle.get_sync_daemons().unwrap(), timeouts: handle.get_config().unwrap() }
        })
    }

    /// Everything, in the words of the original.
    fn shown(&self, original: &Root) -> [Output; 2] {
        self.networks.each_ref().map(|network| {
            original.shell(network, "ipvsadm -Sn; ipvsadm -Ln --thresholds; ipvsadm -L --timeout; ipvsadm -L --daemon")
        })
    }
}

/// Lines until everything starts anew.
const SESSION: usize = 100;

/// Differences after which there is no need to look for more.
const MOST: usize = 20;

const HOSTS: &str = "\
127.0.0.1 localhost
::1 localhost ip6-localhost
10.0.0.1 vip.example.test vip
10.0.0.2 rs1.example.test rs1
10.0.0.3 a-very-long-real-server-host-name.example.test
192.168.0.1 another-extremely-long-virtual-service-name.example.test far
2001:db8::1 vip6.example.test vip6
2001:db8::2 a-very-long-ipv6-real-server-host-name.example.test
";
