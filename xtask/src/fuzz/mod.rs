//! `cargo xtask fuzz`: random bytes and sequences of calls, for a given time.

mod coverage;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::guest::{Tool, provide};
use crate::progress::Progress;
use crate::workspace::Workspace;

/// Feed the library with random bytes, guided by which code they reach
///
/// Each target runs for the given time, or until it was executed the given number of times. Inputs that reach new code are kept below the target folder; those that are
/// worth keeping for good belong into fuzz/corpus, which `cargo xtask test` replays.
#[derive(Args)]
pub struct Arguments {
    /// Time of each target
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Largest number of executions of each target
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    executions: Option<u32>,
    /// Do not fuzz: run the corpus and the inputs found before once, and print the coverage of the library
    #[arg(long, conflicts_with_all = ["seconds", "executions"])]
    coverage: bool,
    /// The targets; all if none is named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

pub fn main(arguments: &Arguments) -> ExitCode {
    let progress = Progress::new();
    progress.verdict(run(arguments, &progress))
}

fn run(arguments: &Arguments, progress: &Progress) -> Result<bool> {
    let workspace = Workspace::locate()?;
    let known = targets(&workspace.root)?;
    let chosen = if arguments.targets.is_empty() { known.clone() } else { arguments.targets.clone() };
    if let Some(unknown) = chosen.iter().find(|name| !known.contains(name)) {
        bail!("unknown target {unknown}; expected one of {}", known.join(", "));
    }
    // The fuzzer's own run time is C++.
    provide(&[Tool::new("g++", "g++")], progress)?;
    if !succeeds(workspace.cargo().args(["fuzz", "--version"])) {
        progress.step("installing cargo-fuzz");
        if !succeeds(workspace.cargo().args(["install", "--quiet", "--locked", "cargo-fuzz"])) {
            bail!("cargo-fuzz could not be installed; `cargo install --locked cargo-fuzz` says why");
        }
    }
    if arguments.coverage {
        let parts = coverage::measure(&workspace, &chosen, progress)?;
        progress.clear();
        for (name, reached) in parts {
            println!("{name:<16} {reached}");
        }
        return Ok(true);
    }
    progress.step("building the fuzz targets");
    let built = workspace.cargo().args(["fuzz", "build", "--sanitizer", "none"]).stdin(Stdio::null()).output()?;
    if !built.status.success() {
        bail!("cargo fuzz build failed:\n{}", String::from_utf8_lossy(&built.stderr));
    }
    let mut all_held = true;
    for name in &chosen {
        progress.step(&format!("{name} for {} s at most", arguments.seconds));
        let (held, line) = fuzz(&workspace, name, arguments)?;
        progress.clear();
        println!("{line}");
        all_held &= held;
    }
    Ok(all_held)
}

/// The names of the targets, in order.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if let Some(stem) = path.file_stem().filter(|_| path.extension().is_some_and(|extension| extension == "rs")) {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The folder of inputs that reached new code.
fn found(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.target.join("fuzz-corpus").join(name)
}

/// Runs one target; returns whether all assertions held, and a line about it.
fn fuzz(workspace: &Workspace, name: &str, arguments: &Arguments) -> Result<(bool, String)> {
    let found = found(workspace, name);
    fs::create_dir_all(&found).with_context(|| format!("making {}", found.display()))?;
    let log = found.with_extension("log");
    let output = File::create(&log).with_context(|| format!("making {}", log.display()))?;
    let status = workspace
        .cargo()
        .args(["fuzz", "run", "--sanitizer", "none", name])
        // New inputs go into the first folder.
        .arg(&found)
        .arg(workspace.root.join("fuzz/corpus").join(name))
        .args(["--", &format!("-max_total_time={}", arguments.seconds), "-print_final_stats=1", "-timeout=10"])
        .args(arguments.executions.map(|number| format!("-runs={number}")))
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .context("running cargo fuzz")?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if !status.success() {
        let tail: Vec<&str> = text.lines().rev().take(40).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        return Ok((false, format!("{name:<16} FAILED, all of it in {}\n{}", log.display(), tail.join("\n"))));
    }
    Ok((true, format!("{name:<16} {}", summary(&text))))
}

/// The summary that the fuzzer prints at the end of a run.
fn summary(log: &str) -> String {
    let statistic = |name: &str| {
        let line = log.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':'));
        line.map_or("?", str::trim)
    };
    let coverage = log.lines().rev().find_map(|line| line.split_once(" cov: ")?.1.split(' ').next());
    format!(
        "{} executions, {} a second, {} edges reached",
        statistic("number_of_executed_units"),
        statistic("average_exec_per_sec"),
        coverage.unwrap_or("?")
    )
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_has_executions_and_coverage() {
        let log = "\
#2\tINITED cov: 12 ft: 13
#1189582\tDONE   cov: 994 ft: 2234 corp: 786/92Kb lim: 4096 exec/s: 56646 rss: 28Mb
stat::number_of_executed_units: 1189582
stat::average_exec_per_sec:     56646
";
        assert_eq!(summary(log), "1189582 executions, 56646 a second, 994 edges reached");
        assert_eq!(summary(""), "? executions, ? a second, ? edges reached");
    }

    #[test]
    fn every_target_has_a_corpus() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let targets = targets(root).unwrap();
        assert!(!targets.is_empty());
        for name in targets {
            let folder = root.join("fuzz/corpus").join(&name);
            assert!(fs::read_dir(&folder).is_ok_and(|mut files| files.next().is_some()), "{}", folder.display());
        }
    }
}
