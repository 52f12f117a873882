//! Test programs in guests.

use std::time::Duration;

use anyhow::{Result, bail};

use super::outcome::count;
use crate::guest::{Guest, Machine, Tool, Version};
use crate::output::into;
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

/// Tests of one program that run together in a guest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Suite {
    /// Those of `tests/vm` that stand side by side, each in a namespace of its own.
    Together,
    /// The same with the async handle.
    Async,
    /// Those that touch what all namespaces share, one after the other.
    Alone,
    /// Lists that are read while others write, one after the other.
    Churn,
    /// Those for a kernel without IPVS.
    WithoutIpvs,
    /// `tests/ipvsadm`: our program beside Debian's.
    Ipvsadm,
    /// Random lines for both programs.
    IpvsadmRandom,
    IpvsadmWithoutIpvs,
    /// `tests/ipvsctl`, with Debian's ipvsadm as the other pair of eyes.
    Ipvsctl,
    /// The laws of odd and random tables, which `tests/vm` has without the program.
    IpvsctlFacts,
    IpvsctlWithoutIpvs,
}

impl Suite {
    /// The test program.
    const fn program(self) -> &'static str {
        match self {
            Self::Together | Self::Alone | Self::Churn | Self::WithoutIpvs => "vm",
            Self::Async => "vm_tokio",
            Self::Ipvsadm | Self::IpvsadmRandom | Self::IpvsadmWithoutIpvs => "ipvsadm",
            Self::Ipvsctl | Self::IpvsctlFacts | Self::IpvsctlWithoutIpvs => "ipvsctl",
        }
    }

    /// Its tests, in words of the test runner.
    const fn tests(self) -> &'static [&'static str] {
        match self {
            Self::Together => {
                &["--skip", "alone::", "--skip", "availability::", "--skip", "churn::", "--skip", "golden::"]
            }
            Self::Async => &[],
            Self::Alone => &["alone::"],
            Self::Churn => &["churn::"],
            Self::WithoutIpvs | Self::IpvsadmWithoutIpvs | Self::IpvsctlWithoutIpvs => &["availability::"],
            Self::Ipvsadm => &["--skip", "availability::", "--skip", "random::"],
            Self::IpvsadmRandom => &["random::"],
            Self::Ipvsctl => &["--skip", "availability::", "--skip", "facts::"],
            Self::IpvsctlFacts => &["facts::"],
        }
    }

    /// The number of tests that run at once.
    const fn threads(self) -> &'static str {
        match self {
            Self::Together | Self::Async => "4",
            _ => "1",
        }
    }

    /// The processors of its guest. Programs that run one after the other would only have to be kept in step with a second
    /// processor.
    pub const fn processors(self) -> u32 {
        match self {
            Self::Together | Self::Async | Self::Alone | Self::Churn => 2,
            Self::WithoutIpvs
            | Self::Ipvsadm
            | Self::IpvsadmRandom
            | Self::IpvsadmWithoutIpvs
            | Self::Ipvsctl
            | Self::IpvsctlFacts
            | Self::IpvsctlWithoutIpvs => 1,
        }
    }

    const fn is_without_ipvs(self) -> bool {
        matches!(self, Self::WithoutIpvs | Self::IpvsadmWithoutIpvs | Self::IpvsctlWithoutIpvs)
    }

    /// Our examples that its tests start.
    const fn examples(self) -> &'static [&'static str] {
        match self {
            Self::Ipvsadm | Self::IpvsadmRandom | Self::IpvsadmWithoutIpvs => {
                &["ipvsadm", "ipvsadm-save", "ipvsadm-restore"]
            }
            Self::Ipvsctl | Self::IpvsctlFacts | Self::IpvsctlWithoutIpvs => &["ipvsctl"],
            _ => &[],
        }
    }

    /// Programs of Debian that its tests start, each with its package: the original, another program that changes the
    /// table, a terminal, and a user without privileges.
    const fn tools(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Ipvsadm | Self::IpvsadmRandom | Self::IpvsadmWithoutIpvs => &[
                ("ipvsadm", "ipvsadm"),
                ("ipvsadm-save", "ipvsadm"),
                ("ipvsadm-restore", "ipvsadm"),
                ("keepalived", "keepalived"),
                ("script", "bsdutils"),
                ("stty", "coreutils"),
                ("setpriv", "util-linux"),
            ],
            Self::Ipvsctl | Self::IpvsctlFacts | Self::IpvsctlWithoutIpvs => {
                &[("ipvsadm", "ipvsadm"), ("script", "bsdutils"), ("setpriv", "util-linux")]
            }
            _ => &[],
        }
    }
}

/// The numbers of random inputs.
#[derive(Clone, Copy)]
pub struct RandomInputs {
    /// Random lines for our ipvsadm and Debian's.
    lines: u32,
    /// Random requests to the real kernel and to the one in memory.
    requests: u32,
    /// Random calls of one handle.
    calls: u32,
    /// Random tables that are printed, read, planned away and deleted.
    facts: u32,
    /// The number of lists of each object while others change it.
    lists: u32,
    /// The number of processes that are killed while they write.
    kills: u32,
}

impl RandomInputs {
    pub const FEW: Self = Self { lines: 200, requests: 2_000, calls: 5_000, facts: 20, lists: 4, kills: 25 };
    pub const MANY: Self = Self { lines: 2_000, requests: 20_000, calls: 20_000, facts: 200, lists: 100, kills: 100 };

    /// Hands the numbers over, except those that the environment of this process has.
    fn put_into(self, guest: Guest) -> Guest {
        let numbers = [
            ("IPVS_RS_LINES", self.lines),
            ("IPVS_RS_REQUESTS", self.requests),
            ("IPVS_RS_CALLS", self.calls),
            ("IPVS_RS_FACTS", self.facts),
            ("IPVS_RS_LISTS", self.lists),
            ("IPVS_RS_KILLS", self.kills),
        ];
        let numbers = numbers.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
        numbers.fold(guest, |guest, (name, number)| guest.env(name, number.to_string()))
    }
}

/// Schedulers that must not be loaded by their first service while other tests drop their namespaces. The command holds
/// the lock of IPVS while `modprobe` runs; these two modules register for namespaces, which waits until the clean-up of
/// dropped ones is over; and that waits for the lock of IPVS (`ip_vs_add_service`, `ip_vs_lblc_init`, `cleanup_net`).
const PRELOADED: [&str; 2] = ["ip_vs_lblc", "ip_vs_lblcr"];

/// Runs suites one after the other in one guest. Returns whether all passed.
pub fn run_suites(
    workspace: &Workspace,
    kernel: Version,
    suites: &[Suite],
    random: RandomInputs,
    output: &mut Vec<u8>,
    progress: &Progress,
) -> Result<bool> {
    let without = suites.iter().any(|suite| suite.is_without_ipvs());
    let cpus = suites.iter().map(|suite| suite.processors()).max().unwrap_or(1);
    // Lists by the thousand, each of a thousand rows, are worth an optimized program.
    let release = suites.contains(&Suite::Churn) && random.lists > RandomInputs::FEW.lists;
    let options = BuildOptions { release, ..BuildOptions::default() };
    let mut guest = Guest::new(workspace, kernel)
        .machine(Machine { cpus, ..Machine::default() })
        .without_ipvs(without)
        .timeout(Duration::from_secs(if release { 3600 } else { 1800 }));
    guest = random.put_into(guest);
    if !without {
        guest = PRELOADED.iter().fold(guest, |guest, module| guest.module(*module));
    }
    for suite in suites {
        let program = workspace.build(&Target::Test(suite.program().to_owned()), &options)?;
        let words = ["--ignored", "--test-threads", suite.threads()];
        guest = guest.command(program, words.iter().chain(suite.tests()).copied());
        for name in suite.examples() {
            guest = guest.program(workspace.build(&Target::Example((*name).to_owned()), &options)?);
        }
        guest = suite.tools().iter().fold(guest, |guest, (name, package)| guest.with(Tool::new(name, package)));
    }
    let mut printed = Vec::new();
    let status = into(&mut printed, |sink| guest.output(sink.clone(), sink.clone()).run(progress));
    output.extend_from_slice(&printed);
    let status = status?;
    let ran = count(&String::from_utf8_lossy(&printed)).suites;
    // A suite that chose no test has shown nothing.
    if status == 0 && ran < suites.len() {
        bail!("{ran} of {} suites ran a test", suites.len());
    }
    Ok(status == 0)
}
