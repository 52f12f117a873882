//! `cargo xtask golden`: conversations with real kernels, for the tests to say again.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::guest::{Guest, Version};
use crate::output::into;
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

/// Record conversations with real kernels, which the tests replay
///
/// The scenarios of tests/scenarios run in a virtual machine, and their conversations go into tests/golden/transcripts.
/// Each transcript is reported as new, changed or the same; parts that differ from one run to the next are left out.
#[derive(Args)]
pub struct Arguments {
    /// The kernels to boot, instead of all
    #[arg(long, value_enum, value_name = "KERNEL")]
    kernel: Vec<Version>,
    /// Write nothing, and fail if something differs
    #[arg(long)]
    check: bool,
    /// The scenarios, instead of all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

pub fn main(arguments: &Arguments) -> ExitCode {
    let progress = Progress::new();
    let run = || -> Result<bool> {
        let workspace = Workspace::locate()?;
        let kernels = if arguments.kernel.is_empty() { &Version::ALL[..] } else { &arguments.kernel };
        let mut all_same = true;
        for kernel in kernels {
            let scenarios = chosen(record(&workspace, *kernel, &progress)?, &arguments.names)?;
            all_same &= compare(&workspace.root, *kernel, &scenarios, !arguments.check, &mut io::stdout())?;
        }
        Ok(all_same || !arguments.check)
    };
    progress.verdict(run())
}

/// Whether the answers of a kernel are still those that were recorded.
pub fn check(workspace: &Workspace, kernel: Version, output: &mut Vec<u8>, progress: &Progress) -> Result<bool> {
    let scenarios = record(workspace, kernel, progress)?;
    compare(&workspace.root, kernel, &scenarios, false, output)
}

/// The name and the transcript of a scenario.
type Scenario = (String, String);

/// Runs all scenarios with a kernel.
fn record(workspace: &Workspace, kernel: Version, progress: &Progress) -> Result<Vec<Scenario>> {
    let program = workspace.build(&Target::Test("vm".to_owned()), &BuildOptions::default())?;
    let guest = Guest::new(workspace, kernel)
        .command(program, ["--ignored", "--exact", "golden::scenarios_are_recorded", "--nocapture"])
        .timeout(Duration::from_secs(300));
    let mut printed = Vec::new();
    let status = into(&mut printed, |sink| guest.output(sink.clone(), sink.clone()).run(progress))?;
    let printed = String::from_utf8_lossy(&printed);
    let scenarios = scenarios(&printed);
    if status != 0 || scenarios.is_empty() {
        bail!("the scenarios could not be played to Linux {kernel} (exit status {status}):\n{printed}");
    }
    Ok(scenarios)
}

/// Finds the transcripts in what the test printed: each between two lines.
fn scenarios(printed: &str) -> Vec<Scenario> {
    let parts = printed.split("\n=== ").skip(1).filter_map(|part| part.split_once("\n===\n"));
    parts
        .filter_map(|(scenario, _)| scenario.split_once('\n'))
        .map(|(name, text)| (name.to_owned(), format!("{text}\n")))
        .collect()
}

/// Those of these names; all if there are none.
fn chosen(scenarios: Vec<Scenario>, names: &[String]) -> Result<Vec<Scenario>> {
    if let Some(unknown) = names.iter().find(|name| scenarios.iter().all(|(known, _)| known != *name)) {
        let known: Vec<&str> = scenarios.iter().map(|(name, _)| name.as_str()).collect();
        bail!("unknown scenario {unknown}; expected one of {}", known.join(", "));
    }
    Ok(scenarios.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect())
}

/// Reports the difference of each transcript, and keeps new ones if `keep` is set. Returns whether all are the same.
fn compare(root: &Path, kernel: Version, scenarios: &[Scenario], keep: bool, out: &mut dyn Write) -> Result<bool> {
    let folder = root.join("tests/golden/transcripts");
    let mut all_same = true;
    for (name, text) in scenarios {
        let path = folder.join(format!("{name}.{kernel}.txt"));
        let known = fs::read_to_string(&path).ok();
        let verdict = match &known {
            None => "new".to_owned(),
            Some(known) => match difference(known, text) {
                None => "same".to_owned(),
                Some(difference) => format!("changed: {difference}"),
            },
        };
        let is_same = verdict == "same";
        writeln!(out, "{name}.{kernel}.txt: {verdict}")?;
        if keep && !is_same {
            fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        all_same &= is_same;
    }
    Ok(all_same)
}

/// The first difference of two transcripts. Their first line has the patch release, which may differ.
fn difference(known: &str, text: &str) -> Option<String> {
    let (mut known, mut text) = (known.lines().skip(1), text.lines().skip(1));
    for number in 2.. {
        match (known.next(), text.next()) {
            (None, None) => break,
            (was, is) if was == is => {}
            (was, is) => {
                let [was, is] = [was, is].map(|line| line.unwrap_or("(nothing)"));
                return Some(format!("line {number} was\n    {was}\nand is\n    {is}"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(name: &str, text: &str) -> Scenario {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn transcripts_are_found_between_the_words_of_the_runner() {
        let printed =
            "running 1 test\ntest golden::x ... \n=== one\n# kernel: a\n\nport 1\n===\n\n=== two\nport 2\n===\nok\n";
        assert_eq!(scenarios(printed), [scenario("one", "# kernel: a\n\nport 1\n"), scenario("two", "port 2\n")]);
        assert_eq!(scenarios("running 0 tests\n"), []);
        assert_eq!(scenarios("\n=== cut off\nport"), []);
    }

    #[test]
    fn scene_that_is_not_there_is_named_with_those_that_are() {
        let all = || vec![scenario("one", ""), scenario("two", "")];
        assert_eq!(chosen(all(), &[]).unwrap(), all());
        assert_eq!(chosen(all(), &["two".to_owned()]).unwrap(), [scenario("two", "")]);
        let error = chosen(all(), &["three".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "unknown scenario three; expected one of one, two");
    }

    #[test]
    fn only_another_patch_release_makes_no_difference() {
        assert_eq!(difference("# kernel: 1\na\n", "# kernel: 2\na\n"), None);
        let changed = |line: &str, was: &str, is: &str| Some(format!("line {line} was\n    {was}\nand is\n    {is}"));
        assert_eq!(difference("#\na\nb\n", "#\na\nc\n"), changed("3", "b", "c"));
        assert_eq!(difference("#\na\n", "#\na\nc\n"), changed("3", "(nothing)", "c"));
        assert_eq!(difference("#\na\nb\n", "#\na\n"), changed("3", "b", "(nothing)"));
    }

    #[test]
    fn only_what_is_not_the_same_is_written_and_nothing_in_a_check() {
        let root = tempfile::tempdir().unwrap();
        let compare = |text: &str, keep: bool| {
            let mut out = Vec::new();
            let scenarios = [scenario("one", text)];
            let same = compare(root.path(), Version::V7, &scenarios, keep, &mut out).unwrap();
            (same, String::from_utf8(out).unwrap())
        };
        let path = root.path().join("tests/golden/transcripts/one.7.txt");
        assert_eq!(compare("#1\na\n", false), (false, "one.7.txt: new\n".to_owned()));
        assert!(!path.exists());
        assert_eq!(compare("#1\na\n", true), (false, "one.7.txt: new\n".to_owned()));
        assert_eq!(compare("#2\na\n", true), (true, "one.7.txt: same\n".to_owned()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "#1\na\n");
        assert!(compare("#3\nb\n", false).1.starts_with("one.7.txt: changed: line 2"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "#1\na\n");
        assert!(!compare("#3\nb\n", true).0);
        assert_eq!(fs::read_to_string(&path).unwrap(), "#3\nb\n");
    }
}
