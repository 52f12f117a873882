//! `cargo xtask test`: everything that decides whether the project works.
//!
//! The quick suites are those that a change is tried with: they finish on two processors in about ten minutes, from the first
//! build on. The deep suites are the rest: other builds of the same tests, recordings that are compared with the kernel
//! again, lists under load.

mod guests;
mod outcome;
mod run;
mod steps;
mod tools;

use std::process::ExitCode;

use clap::Args;

use self::steps::{Depth, Step, steps};
use crate::guest::Version;
use crate::workspace::Workspace;

/// Run everything that decides whether the project works
///
/// Every step runs, also after one that fails; the output of a failed step is printed, and a summary ends it all. Steps
/// that use one processor run beside each other.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Arguments {
    /// The deep suites instead of the quick ones
    #[arg(long, conflicts_with = "slow")]
    deep: bool,
    /// All kernels instead of one
    #[arg(long, conflicts_with = "kernel")]
    all_kernels: bool,
    /// All suites, quick and deep, on all kernels, with ten times as many random inputs
    #[arg(long, conflicts_with = "all_kernels", conflicts_with = "kernel")]
    slow: bool,
    /// The kernels to boot
    #[arg(long, value_enum, value_name = "KERNEL")]
    kernel: Vec<Version>,
    /// Only steps whose name contains this, quick or deep
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Print the names of the steps and end
    #[arg(long)]
    list: bool,
}

impl Arguments {
    fn chosen(&self) -> Vec<Step> {
        let kernels = match (self.slow || self.all_kernels, self.kernel.as_slice()) {
            (true, _) => &Version::ALL[..],
            (false, []) => &[Version::V6_1],
            (false, chosen) => chosen,
        };
        let depths: &[Depth] = match (self.slow || !self.only.is_empty(), self.deep) {
            (_, true) => &[Depth::Deep],
            (true, false) => &[Depth::Quick, Depth::Deep],
            (false, false) => &[Depth::Quick],
        };
        let is_wanted = |step: &Step| {
            depths.contains(&step.depth)
                && (self.only.is_empty() || self.only.iter().any(|text| step.name.contains(text)))
        };
        steps(kernels, self.slow).into_iter().filter(is_wanted).collect()
    }
}

pub fn main(arguments: &Arguments) -> ExitCode {
    let steps = arguments.chosen();
    if arguments.list {
        for step in &steps {
            println!("{}", step.name);
        }
        return ExitCode::SUCCESS;
    }
    if steps.is_empty() {
        eprintln!("error: no step has such a name; `cargo xtask test --slow --list` prints them all");
        return ExitCode::FAILURE;
    }
    let workspace = Workspace::locate().map(|workspace| Workspace { is_quiet: true, ..workspace });
    match workspace.map(|workspace| run::run(&workspace, steps)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn names(words: &[&str]) -> Vec<String> {
        let line = Line::parse_from([&["test"], words].concat());
        line.arguments.chosen().into_iter().map(|step| step.name).collect()
    }

    #[test]
    fn quick_and_deep_suites_together_are_all_suites() {
        let mut both = names(&["--all-kernels"]);
        both.extend(names(&["--deep", "--all-kernels"]));
        both.sort();
        let mut all = names(&["--slow"]);
        all.retain(|name| name != "codec, bound");
        all.sort();
        assert_eq!(both, all);
    }

    #[test]
    fn chosen_names_are_quick_or_deep() {
        assert_eq!(names(&["--only", "golden"]), ["golden 6.1"]);
        assert_eq!(names(&["--only", "ipvsctl", "--kernel", "7"]), ["ipvsctl 7", "ipvsctl, facts 7"]);
        assert_eq!(names(&["--deep", "--only", "ipvsctl"]), ["ipvsctl, facts 6.1"]);
        assert_eq!(names(&["--only", "nonsense"]), [""; 0]);
    }
}
