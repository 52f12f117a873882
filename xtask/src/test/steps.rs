//! The steps of the test command.

use anyhow::Result;

use super::guests::{RandomInputs, Suite, run_suites};
use super::tools::{self, CARGO_DENY, TYPOS, run_command};
use crate::api;
use crate::bench;
use crate::demo;
use crate::golden;
use crate::guest::Version;
use crate::layers;
use crate::output::into;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// When a step runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// In every run.
    Quick,
    /// With `--deep`: it repeats in another way what quick steps and recordings prove.
    Deep,
}

/// One line of the summary.
pub struct Step {
    pub name: String,
    pub depth: Depth,
    pub work: Work,
}

/// The work of a step.
pub enum Work {
    /// Commands of cargo, up to the first that fails.
    Cargo { commands: &'static [&'static [&'static str]], environment: &'static [(&'static str, &'static str)] },
    /// `typos`.
    Spelling,
    /// `cargo deny`.
    Dependencies,
    /// `cargo xtask layers`.
    Layers,
    /// `cargo xtask api --check`.
    Api,
    /// The library and its tools with the oldest compiler that the manifest names.
    Oldest,
    /// Test programs in one guest.
    Guest { kernel: Version, suites: &'static [Suite], random: RandomInputs },
    /// `cargo xtask golden --check`.
    Golden { kernel: Version },
    /// `cargo xtask demo`.
    Demo { kernel: Version },
    /// `cargo xtask bench codec`.
    Codec,
}

/// A workspace of its own; what it has in common with ours is built only once.
const PEERS: &str = "benches/peers/Cargo.toml";

/// All steps for these kernels.
pub fn steps(kernels: &[Version], slow: bool) -> Vec<Step> {
    use Depth::{Deep, Quick};

    let random = if slow { RandomInputs::MANY } else { RandomInputs::FEW };
    let step = |name: &str, depth: Depth, work: Work| Step { name: name.to_owned(), depth, work };
    let cargo = |name: &str, depth: Depth, commands: &'static [&'static [&'static str]]| {
        step(name, depth, Work::Cargo { commands, environment: &[] })
    };
    // The package and the tasks apart: together they would share features that neither has alone, and everything would be
    // built once more for the guests.
    let mut steps = vec![
        cargo("format", Quick, &[&["fmt", "--all", "--check"]]),
        step("spelling", Quick, Work::Spelling),
        step("dependencies", Quick, Work::Dependencies),
        step("layers", Quick, Work::Layers),
        cargo(
            "lints, all features",
            Quick,
            &[
                &["clippy", "--all-targets", "--all-features", "--quiet", "--", "-D", "warnings"],
                &["clippy", "--package", "xtask", "--all-targets", "--quiet", "--", "-D", "warnings"],
            ],
        ),
        cargo(
            "tests, all features",
            Quick,
            &[&["test", "--quiet", "--all-features"], &["test", "--quiet", "--package", "xtask"]],
        ),
        step(
            "documentation",
            Quick,
            Work::Cargo {
                commands: &[&["doc", "--quiet", "--no-deps", "--all-features"]],
                environment: &[("RUSTDOCFLAGS", "-D warnings")],
            },
        ),
        step("public API", Quick, Work::Api),
        cargo("lints", Deep, &[&["clippy", "--all-targets", "--quiet", "--", "-D", "warnings"]]),
        cargo("tests", Deep, &[&["test", "--quiet", "--lib", "--tests"]]),
        // Each measurement once, to see that it works.
        cargo(
            "benches",
            Deep,
            &[&["test", "--quiet", "--all-features", "--bench", "codec", "--bench", "handle", "--bench", "desired"]],
        ),
        cargo(
            "benches, peers",
            Deep,
            &[&["test", "--quiet", "--manifest-path", PEERS, "--target-dir", "target", "--locked"]],
        ),
        step("oldest compiler", Deep, Work::Oldest),
    ];
    if slow {
        // Takes a build with all optimizations.
        steps.push(step("codec, bound", Deep, Work::Codec));
    }
    for kernel in kernels.iter().copied() {
        let mut guest = |name: &str, depth: Depth, suites: &'static [Suite]| {
            steps.push(step(&format!("{name} {kernel}"), depth, Work::Guest { kernel, suites, random }));
        };
        guest("kernel", Quick, &[Suite::Together, Suite::Alone]);
        guest("ipvsctl", Quick, &[Suite::Ipvsctl]);
        guest("ipvsadm", Quick, &[Suite::Ipvsadm]);
        guest("without IPVS", Quick, &[Suite::WithoutIpvs, Suite::IpvsadmWithoutIpvs, Suite::IpvsctlWithoutIpvs]);
        guest("kernel, async", Deep, &[Suite::Async]);
        guest("kernel, churn", Deep, &[Suite::Churn]);
        guest("ipvsctl, facts", Deep, &[Suite::IpvsctlFacts]);
        guest("ipvsadm, random", Deep, &[Suite::IpvsadmRandom]);
        steps.push(step(&format!("golden {kernel}"), Deep, Work::Golden { kernel }));
        steps.push(step(&format!("demo {kernel}"), Quick, Work::Demo { kernel }));
    }
    steps
}

impl Step {
    /// Whether it uses one processor.
    pub fn is_light(&self) -> bool {
        match &self.work {
            Work::Guest { suites, .. } => suites.iter().all(|suite| suite.processors() == 1),
            _ => false,
        }
    }
}

impl Work {
    /// Does the work. Returns whether all is well.
    pub fn run(&self, workspace: &Workspace, output: &mut Vec<u8>, progress: &Progress) -> Result<bool> {
        match self {
            Self::Cargo { commands, environment } => {
                for arguments in *commands {
                    let mut command = workspace.cargo();
                    command.args(*arguments).envs(environment.iter().copied());
                    if !run_command(command, output)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Spelling => TYPOS.run(workspace, output),
            Self::Dependencies => CARGO_DENY.run(workspace, output),
            Self::Layers => {
                let report = layers::check(workspace)?;
                output.extend(report.text().into_bytes());
                Ok(report.violations.is_empty())
            }
            Self::Api => api::check(workspace, output),
            Self::Oldest => tools::oldest(workspace, output),
            Self::Guest { kernel, suites, random } => run_suites(workspace, *kernel, suites, *random, output, progress),
            Self::Golden { kernel } => golden::check(workspace, *kernel, output, progress),
            Self::Codec => Ok(into(output, |sink| bench::codec::run(workspace, sink, progress))? == 0),
            Self::Demo { kernel } => Ok(into(output, |sink| demo::run(workspace, *kernel, sink, progress))? == 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_gets_every_suite_and_the_demonstration() {
        let of_kernel = |depth: Depth| {
            let steps = steps(&[Version::V6_12], false).into_iter().filter(move |step| step.depth == depth);
            steps.map(|step| step.name).filter(|name| name.ends_with(" 6.12")).collect::<Vec<_>>()
        };
        let quick = ["kernel 6.12", "ipvsctl 6.12", "ipvsadm 6.12", "without IPVS 6.12", "demo 6.12"];
        assert_eq!(of_kernel(Depth::Quick), quick);
        let deep =
            ["kernel, async 6.12", "kernel, churn 6.12", "ipvsctl, facts 6.12", "ipvsadm, random 6.12", "golden 6.12"];
        assert_eq!(of_kernel(Depth::Deep), deep);
    }

    #[test]
    fn suites_of_programs_leave_a_processor_to_another_step() {
        let steps = steps(&[Version::V7], false);
        let light: Vec<&str> = steps.iter().filter(|step| step.is_light()).map(|step| &*step.name).collect();
        assert_eq!(light, ["ipvsctl 7", "ipvsadm 7", "without IPVS 7", "ipvsctl, facts 7", "ipvsadm, random 7"]);
    }
}
