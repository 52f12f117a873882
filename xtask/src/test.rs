//! `cargo xtask test`: everything that decides whether the project works.

use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::api;
use crate::bench;
use crate::demo;
use crate::golden;
use crate::guest::{Guest, Machine, Tool, Version};
use crate::layers;
use crate::output::into;
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

/// Run everything that decides whether the project works
///
/// Every step runs, also after one that fails; the output of a failed step is printed, and a summary ends it all.
#[derive(Args)]
pub struct Arguments {
    /// All kernels instead of one
    #[arg(long, conflicts_with = "kernel")]
    slow: bool,
    /// The kernels to boot
    #[arg(long, value_enum, value_name = "KERNEL")]
    kernel: Vec<Version>,
    /// Only steps whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Print the names of the steps and end
    #[arg(long)]
    list: bool,
}

/// What a step does.
enum Work {
    /// A command of cargo.
    Cargo { arguments: &'static [&'static str], environment: &'static [(&'static str, &'static str)] },
    /// `cargo xtask layers`.
    Layers,
    /// `cargo xtask api --check`.
    Api,
    /// The library and its tools with the oldest compiler that the manifest names.
    Oldest,
    /// Some of the tests of `tests/vm` in a guest.
    Kernel { kernel: Version, part: Part, chance: Chance },
    /// `tests/ipvsadm` in a guest: our program beside Debian's.
    Ipvsadm { kernel: Version, chance: Chance },
    /// `tests/ipvsctl` in a guest, with Debian's ipvsadm looking on.
    Ipvsctl { kernel: Version },
    /// `cargo xtask golden --check`.
    Golden { kernel: Version },
    /// `cargo xtask demo`.
    Demo { kernel: Version },
    /// `cargo xtask bench codec`.
    Codec,
}

/// Which tests run together in a guest.
#[derive(Clone, Copy)]
enum Part {
    /// All that stand side by side, each in a namespace of its own.
    Together,
    /// The same suite with the async handle.
    Async,
    /// Those that touch what all namespaces share, one after the other.
    Alone,
    /// Lists that are read while others write, one after the other.
    Churn,
    /// Those for a kernel without IPVS.
    WithoutIpvs,
}

impl Part {
    const ALL: [Self; 5] = [Self::Together, Self::Async, Self::Alone, Self::Churn, Self::WithoutIpvs];

    const fn name(self) -> &'static str {
        match self {
            Self::Together => "kernel",
            Self::Async => "kernel, async",
            Self::Alone => "kernel, alone",
            Self::Churn => "kernel, churn",
            Self::WithoutIpvs => "kernel, without IPVS",
        }
    }

    /// The test binary.
    const fn program(self) -> &'static str {
        match self {
            Self::Async => "vm_tokio",
            Self::Together | Self::Alone | Self::Churn | Self::WithoutIpvs => "vm",
        }
    }

    /// Its arguments.
    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Together => &[
                "--ignored",
                "--skip",
                "alone::",
                "--skip",
                "availability::",
                "--skip",
                "churn::",
                "--skip",
                "golden::",
                "--test-threads",
                "4",
            ],
            Self::Async => &["--ignored", "--test-threads", "4"],
            Self::Alone => &["--ignored", "alone::", "--test-threads", "1"],
            Self::Churn => &["--ignored", "churn::", "--test-threads", "1"],
            Self::WithoutIpvs => &["--ignored", "availability::", "--test-threads", "1"],
        }
    }
}

/// Schedulers that must not be loaded by their first service while other tests drop their namespaces. The command holds
/// the lock of IPVS while `modprobe` runs; these two modules register for namespaces, which waits until the clean-up of
/// dropped ones is over; and that waits for the lock of IPVS (`ip_vs_add_service`, `ip_vs_lblc_init`, `cleanup_net`).
const PRELOADED: [&str; 2] = ["ip_vs_lblc", "ip_vs_lblcr"];

/// How much is left to chance.
#[derive(Clone, Copy)]
struct Chance {
    /// Random lines for our ipvsadm and Debian's.
    lines: u32,
    /// Random requests to the real kernel and to the one in memory.
    requests: u32,
    /// Random calls of one handle.
    calls: u32,
    /// Random tables that are printed, read, planned away and deleted.
    facts: u32,
    /// How often each thing is listed while others change it.
    lists: u32,
    /// How many processes are killed while they write.
    kills: u32,
}

impl Chance {
    /// In a run that somebody waits for, and in one that nobody does.
    const FEW: Self = Self { lines: 200, requests: 2_000, calls: 5_000, facts: 20, lists: 4, kills: 25 };
    const MANY: Self = Self { lines: 2_000, requests: 20_000, calls: 20_000, facts: 200, lists: 100, kills: 100 };

    /// Hands the numbers over, unless somebody who looks for a difference has said how far.
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

/// A workspace of its own; what it has in common with ours is built only once.
const PEERS: &str = "benches/peers/Cargo.toml";

struct Step {
    name: String,
    work: Work,
}

fn steps(kernels: &[Version], slow: bool) -> Vec<Step> {
    let chance = if slow { Chance::MANY } else { Chance::FEW };
    let cargo = |name: &str, arguments: &'static [&'static str]| Step {
        name: name.to_owned(),
        work: Work::Cargo { arguments, environment: &[] },
    };
    let mut steps = vec![
        cargo("format", &["fmt", "--all", "--check"]),
        Step { name: "layers".to_owned(), work: Work::Layers },
        cargo("lints", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
        cargo(
            "lints, all features",
            &["clippy", "--workspace", "--all-targets", "--all-features", "--quiet", "--", "-D", "warnings"],
        ),
        cargo("tests", &["test", "--quiet", "--lib", "--tests"]),
        cargo("tests, all features", &["test", "--quiet", "--workspace", "--all-features"]),
        // Each measurement once, to see that it works.
        cargo(
            "benches",
            &["test", "--quiet", "--all-features", "--bench", "codec", "--bench", "handle", "--bench", "desired"],
        ),
        cargo("benches, peers", &["test", "--quiet", "--manifest-path", PEERS, "--target-dir", "target", "--locked"]),
        Step {
            name: "documentation".to_owned(),
            work: Work::Cargo {
                arguments: &["doc", "--quiet", "--no-deps", "--all-features"],
                environment: &[("RUSTDOCFLAGS", "-D warnings")],
            },
        },
        Step { name: "public API".to_owned(), work: Work::Api },
        Step { name: "oldest compiler".to_owned(), work: Work::Oldest },
    ];
    if slow {
        // Takes a build with all optimisations.
        steps.push(Step { name: "codec, bound".to_owned(), work: Work::Codec });
    }
    for kernel in kernels {
        for part in Part::ALL {
            let work = Work::Kernel { kernel: *kernel, part, chance };
            steps.push(Step { name: format!("{} {kernel}", part.name()), work });
        }
        steps.push(Step { name: format!("ipvsadm {kernel}"), work: Work::Ipvsadm { kernel: *kernel, chance } });
        steps.push(Step { name: format!("ipvsctl {kernel}"), work: Work::Ipvsctl { kernel: *kernel } });
        steps.push(Step { name: format!("golden {kernel}"), work: Work::Golden { kernel: *kernel } });
        steps.push(Step { name: format!("demo {kernel}"), work: Work::Demo { kernel: *kernel } });
    }
    steps
}

/// What became of a step.
struct Outcome {
    name: String,
    ok: bool,
    took: Duration,
    counts: Counts,
}

/// What the test runners of a step counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Counts {
    passed: usize,
    failed: usize,
}

pub fn main(arguments: &Arguments) -> ExitCode {
    let kernels = match (arguments.slow, arguments.kernel.as_slice()) {
        (true, _) => Version::ALL.to_vec(),
        (false, []) => vec![Version::V6_1],
        (false, chosen) => chosen.to_vec(),
    };
    let is_wanted =
        |step: &Step| arguments.only.is_empty() || arguments.only.iter().any(|text| step.name.contains(text));
    let steps: Vec<Step> = steps(&kernels, arguments.slow).into_iter().filter(is_wanted).collect();
    if arguments.list {
        for step in &steps {
            println!("{}", step.name);
        }
        return ExitCode::SUCCESS;
    }
    if steps.is_empty() {
        eprintln!("error: no step is named like that; `cargo xtask test --list` names them all");
        return ExitCode::FAILURE;
    }
    match Workspace::locate().map(|workspace| run(&workspace, steps)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the steps one after the other and says how each ended.
fn run(workspace: &Workspace, steps: Vec<Step>) -> bool {
    let progress = Progress::new();
    let start = Instant::now();
    let mut outcomes = Vec::new();
    for step in steps {
        progress.passing(&step.name);
        let begin = Instant::now();
        let mut output = Vec::new();
        let ended = work(workspace, &step.work, &mut output, &progress);
        progress.clear();
        let counts = count(&String::from_utf8_lossy(&output));
        let ok = matches!(ended, Ok(true)) && counts.failed == 0;
        let outcome = Outcome { name: step.name, ok, took: begin.elapsed(), counts };
        println!("{}", line(&outcome));
        if ok {
            for note in notes(&String::from_utf8_lossy(&output)) {
                println!("    {note}");
            }
        } else {
            let mut out = io::stdout().lock();
            let _ = out.write_all(&output);
            if let Err(error) = ended {
                let _ = writeln!(out, "error: {error:#}");
            }
        }
        let _ = io::stdout().flush();
        outcomes.push(outcome);
    }
    summarize(&outcomes, start.elapsed())
}

fn work(workspace: &Workspace, work: &Work, output: &mut Vec<u8>, progress: &Progress) -> Result<bool> {
    match work {
        Work::Cargo { arguments, environment } => {
            let mut command = workspace.cargo();
            command.args(*arguments).envs(environment.iter().copied());
            run_command(command, output)
        }
        Work::Layers => {
            let report = layers::check(workspace)?;
            output.extend(report.text().into_bytes());
            Ok(report.violations.is_empty())
        }
        Work::Api => api::check(workspace, output),
        Work::Oldest => oldest(workspace, output),
        Work::Kernel { kernel, part, chance } => {
            // Lists by the thousand, each of a thousand rows, are worth an optimised program.
            let release = matches!(part, Part::Churn) && chance.lists > Chance::FEW.lists;
            let options = BuildOptions { release, ..BuildOptions::default() };
            let program = workspace.build(&Target::Test(part.program().to_owned()), &options)?;
            let without = matches!(part, Part::WithoutIpvs);
            let mut guest = Guest::new(workspace, *kernel)
                .command(program, part.arguments().iter().copied())
                .without_ipvs(without)
                .timeout(Duration::from_secs(if release { 3600 } else { 1200 }));
            if matches!(part, Part::Together | Part::Async | Part::Churn) {
                guest = PRELOADED.iter().fold(chance.put_into(guest), |guest, module| guest.module(*module));
            }
            let status = into(output, |sink| guest.output(sink.clone(), sink.clone()).run(progress))?;
            ended_well(status, output)
        }
        Work::Ipvsadm { kernel, chance } => {
            let with = ipvsadm(workspace, *kernel, &["--skip", "availability::"])?;
            let with = chance.put_into(with);
            let without = ipvsadm(workspace, *kernel, &["availability::"])?;
            both(with, without, output, progress)
        }
        Work::Ipvsctl { kernel } => {
            let with = ipvsctl(workspace, *kernel, &["--skip", "availability::"])?;
            let without = ipvsctl(workspace, *kernel, &["availability::"])?;
            both(with, without, output, progress)
        }
        Work::Golden { kernel } => golden::check(workspace, *kernel, output, progress),
        Work::Codec => Ok(into(output, |sink| bench::codec::run(workspace, sink, progress))? == 0),
        Work::Demo { kernel } => Ok(into(output, |sink| demo::run(workspace, *kernel, sink, progress))? == 0),
    }
}

/// Checks the library and its tools with the oldest compiler that the manifest names, where rustup has it or gets it.
fn oldest(workspace: &Workspace, output: &mut Vec<u8>) -> Result<bool> {
    let version = workspace.rust_version()?;
    let mut install = Command::new("rustup");
    install.args(["toolchain", "install", &version, "--profile", "minimal", "--no-self-update"]);
    let mut said = Vec::new();
    if !matches!(run_command(install, &mut said), Ok(true)) {
        writeln!(output, "note: Rust {version} is not there and rustup cannot get it: not checked")?;
        return Ok(true);
    }
    let mut check = Command::new("rustup");
    check
        .current_dir(&workspace.root)
        .args(["run", &version, "cargo", "check", "--quiet", "--all-features", "--lib", "--examples", "--target-dir"])
        .arg(workspace.target.join("oldest"));
    // The compiler that runs this program has left its marks.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        check.env_remove(name);
    }
    run_command(check, output)
}

/// Runs one guest that has IPVS and one that lacks it.
fn both(with: Guest, without: Guest, output: &mut Vec<u8>, progress: &Progress) -> Result<bool> {
    let with = PRELOADED.iter().fold(with, |guest, module| guest.module(*module));
    let mut all_passed = true;
    for guest in [with, without.without_ipvs(true)] {
        let mut own = Vec::new();
        let status = into(&mut own, |sink| guest.output(sink.clone(), sink.clone()).run(progress))?;
        output.extend_from_slice(&own);
        all_passed &= ended_well(status, &own)?;
    }
    Ok(all_passed)
}

/// A guest with some of the tests of `tests/ipvsadm`, our programs and the original's.
fn ipvsadm(workspace: &Workspace, kernel: Version, tests: &[&str]) -> Result<Guest> {
    let options = BuildOptions::default();
    let program = workspace.build(&Target::Test("ipvsadm".to_owned()), &options)?;
    let arguments = ["--ignored", "--test-threads", "1"].iter().chain(tests).copied();
    let mut guest = Guest::new(workspace, kernel)
        // One thing after the other: a second processor would only have to be kept in step with the first.
        .machine(Machine { cpus: 1, ..Machine::default() })
        .command(program, arguments)
        .timeout(Duration::from_secs(1800));
    for name in ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"] {
        guest = guest.program(workspace.build(&Target::Example(name.to_owned()), &options)?);
        guest = guest.with(Tool::new(name, "ipvsadm"));
    }
    // Somebody else who programs the table, a terminal to watch on, and a user who may do nothing.
    let others =
        [("keepalived", "keepalived"), ("script", "bsdutils"), ("stty", "coreutils"), ("setpriv", "util-linux")];
    Ok(others.into_iter().fold(guest, |guest, (name, package)| guest.with(Tool::new(name, package))))
}

/// A guest with some of the tests of `tests/ipvsctl`, our program and Debian's ipvsadm.
fn ipvsctl(workspace: &Workspace, kernel: Version, tests: &[&str]) -> Result<Guest> {
    let options = BuildOptions::default();
    let program = workspace.build(&Target::Test("ipvsctl".to_owned()), &options)?;
    let arguments = ["--ignored", "--test-threads", "1"].iter().chain(tests).copied();
    let guest = Guest::new(workspace, kernel)
        .machine(Machine { cpus: 1, ..Machine::default() })
        .command(program, arguments)
        .timeout(Duration::from_secs(1800))
        .program(workspace.build(&Target::Example("ipvsctl".to_owned()), &options)?);
    // Who sees the table with other eyes, a terminal to be asked on, and a user who may do nothing.
    let others = [("ipvsadm", "ipvsadm"), ("script", "bsdutils"), ("setpriv", "util-linux")];
    Ok(others.into_iter().fold(guest, |guest, (name, package)| guest.with(Tool::new(name, package))))
}

/// Whether the tests of a guest passed. A run that chose none has shown nothing.
fn ended_well(status: u8, output: &[u8]) -> Result<bool> {
    if count(&String::from_utf8_lossy(output)).passed == 0 {
        bail!("no test ran (exit status {status})");
    }
    Ok(status == 0)
}

/// Runs a command with both of its outputs in one place.
fn run_command(mut command: Command, output: &mut Vec<u8>) -> Result<bool> {
    let (mut reader, writer) = io::pipe().context("making a pipe")?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?;
    // The command holds the ends that are written to; ours must go, or the reading would never end.
    drop(command);
    io::copy(&mut reader, output).context("reading output")?;
    Ok(child.wait()?.success())
}

/// Adds up the closing lines of the test runners.
fn count(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
        for part in line.split(['.', ';']) {
            match part.trim().split_once(' ') {
                Some((number, "passed")) => counts.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => counts.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
    counts
}

/// What tests that pass want to have said: what they left out, and how to repeat what was random. The runner may have
/// begun the line.
fn notes(output: &str) -> impl Iterator<Item = &str> {
    output.lines().filter(|line| !line.contains("= note: ")).filter_map(|line| Some(line.split_once("note: ")?.1))
}

fn line(outcome: &Outcome) -> String {
    let Outcome { name, ok, took, counts } = outcome;
    let verdict = if *ok { "ok" } else { "FAILED" };
    let mut line = format!("{name:<28} {verdict:<7} {:>6.1} s", took.as_secs_f64());
    if counts.passed + counts.failed > 0 {
        line.push_str(&format!("  {} passed", counts.passed));
    }
    if counts.failed > 0 {
        line.push_str(&format!(", {} failed", counts.failed));
    }
    line
}

/// The last lines; the very last is one that a CI counts.
fn summarize(outcomes: &[Outcome], took: Duration) -> bool {
    let failed: Vec<&str> = outcomes.iter().filter(|outcome| !outcome.ok).map(|outcome| &*outcome.name).collect();
    let mut total = Counts::default();
    for outcome in outcomes {
        total.passed += outcome.counts.passed;
        // A step that counts nothing and fails is one failure.
        total.failed += outcome.counts.failed.max(usize::from(!outcome.ok));
    }
    println!();
    println!("{} steps in {:.0} s", outcomes.len(), took.as_secs_f64());
    if !failed.is_empty() {
        println!("failed: {}", failed.join(", "));
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    failed.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_all_runners_are_added_up() {
        let output = "\
running 2 tests
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
running 1 test
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        assert_eq!(count(output), Counts { passed: 2, failed: 1 });
        assert_eq!(count("no tests here"), Counts::default());
    }

    #[test]
    fn every_kernel_gets_every_part_and_the_demonstration() {
        let names: Vec<String> = steps(&[Version::V6_12], false).into_iter().map(|step| step.name).collect();
        assert!(names.ends_with(&[
            "kernel 6.12".to_owned(),
            "kernel, async 6.12".to_owned(),
            "kernel, alone 6.12".to_owned(),
            "kernel, churn 6.12".to_owned(),
            "kernel, without IPVS 6.12".to_owned(),
            "ipvsadm 6.12".to_owned(),
            "ipvsctl 6.12".to_owned(),
            "golden 6.12".to_owned(),
            "demo 6.12".to_owned(),
        ]));
    }

    #[test]
    fn notes_are_found_behind_the_runners_words() {
        let output = "test a ... note: left out\nok\nnote: seed 1\n  = note: `#[warn(dead_code)]`\nno note here\n";
        assert_eq!(notes(output).collect::<Vec<_>>(), ["left out", "seed 1"]);
    }

    #[test]
    fn a_step_is_one_line() {
        let outcome = Outcome {
            name: "tests".to_owned(),
            ok: false,
            took: Duration::from_millis(1500),
            counts: Counts { passed: 3, failed: 1 },
        };
        assert_eq!(line(&outcome), "tests                        FAILED     1.5 s  3 passed, 1 failed");
    }

    #[test]
    fn both_outputs_of_a_command_are_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let mut output = Vec::new();
        assert!(!run_command(command, &mut output).unwrap());
        assert_eq!(String::from_utf8(output).unwrap(), "out\nerr\n");
    }
}
