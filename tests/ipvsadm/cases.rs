//! Recorded behavior of Debian's ipvsadm on a real kernel, which both programs still have to show.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::kernel::note;
use crate::namespaces::{Namespace, alone};
use crate::output::Output;
use crate::root::{Program, Root};

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn debians_program_does_what_was_recorded() {
    replay(Program::Debians);
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn our_program_does_what_was_recorded() {
    replay(Program::Ours);
}

/// Runs every case and reports all that differ.
fn replay(program: Program) {
    let cases = cases();
    let reports: Vec<String> = alone(|| cases.iter().filter_map(|case| case.replay(program)).collect());
    note(&format!("{} of {} recorded cases hold for {program:?}", cases.len() - reports.len(), cases.len()));
    assert!(reports.is_empty(), "{} of {} cases differ:\n\n{}", reports.len(), cases.len(), reports.join("\n"));
}

/// Commands in a fresh network namespace, and what came of each.
struct Case {
    name: String,
    steps: Vec<(Step, Output)>,
    setup: Vec<String>,
    teardown: Vec<String>,
    files: BTreeMap<String, String>,
}

impl Case {
    /// Runs it, and says what was different.
    fn replay(&self, program: Program) -> Option<String> {
        let files: Vec<_> = self.files.iter().map(|(path, content)| (&**path, &**content)).collect();
        let (root, network) = (Root::with_files(program, &files), Namespace::new());
        for line in &self.setup {
            root.prepare(&network, line);
        }
        let mut report = String::new();
        for (command, expected) in &self.steps {
            let mut actual = command.run(&root, &network);
            actual.stdout = without_size(&actual.stdout);
            if let Some(difference) = expected.difference(&actual) {
                let _ = writeln!(report, "  {}\n{difference}", command.line);
            }
        }
        for line in &self.teardown {
            root.shell(&network, line);
        }
        (!report.is_empty()).then(|| format!("{}\n{report}", self.name))
    }
}

/// A command: a line of a shell, and the words of `ipvsadm` and its input where it takes no shell to know them.
struct Step {
    line: String,
    words: Option<(Vec<String>, String)>,
}

impl Step {
    fn run(&self, root: &Root, network: &Namespace) -> Output {
        match &self.words {
            Some((words, stdin)) => root.ipvsadm(network, words, stdin.as_bytes()),
            // Another program, a pipe or a redirection.
            None => root.shell(network, &self.line),
        }
    }
}

/// Hides the size of the connection table, which is that of the machine.
fn without_size(bytes: &[u8]) -> Vec<u8> {
    let text = str::from_utf8(bytes).expect("what was recorded is text");
    let mut parts = text.split("(size=");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str("(size=N");
        masked.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    masked.into_bytes()
}

fn cases() -> Vec<Case> {
    let Value::Array(cases) = serde_json::from_str(include_str!("cases.json")).unwrap() else {
        panic!("cases.json is an array");
    };
    cases.iter().map(case).collect()
}

fn case(value: &Value) -> Case {
    let commands = strings(&value["commands"]);
    let steps = value["steps"].as_array().unwrap();
    assert_eq!(commands.len(), steps.len(), "{}", value["name"]);
    let files = value["files"].as_object().into_iter().flatten();
    Case {
        name: value["name"].as_str().unwrap().to_owned(),
        steps: commands.into_iter().zip(steps).map(|(line, step)| (command(line, step), expected(step))).collect(),
        setup: strings(&value["setup"]),
        teardown: strings(&value["teardown"]),
        files: files.map(|(path, content)| (path.clone(), content.as_str().unwrap().to_owned())).collect(),
    }
}

fn command(line: String, step: &Value) -> Step {
    let mut words = strings(&step["argv"]);
    let is_plain = words.first().is_some_and(|program| program == "ipvsadm");
    let words = is_plain.then(|| (words.split_off(1), step["stdin"].as_str().unwrap_or_default().to_owned()));
    Step { line, words }
}

fn expected(step: &Value) -> Output {
    Output {
        stdout: without_size(step["stdout"].as_str().unwrap().as_bytes()),
        stderr: step["stderr"].as_str().unwrap().into(),
        status: step["exit"].as_i64().unwrap().try_into().unwrap(),
    }
}

/// A list of lines that may be missing.
fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn recorded_cases_are_whole() {
    let cases = cases();
    assert_eq!(cases.len(), 99);
    assert_eq!(cases.iter().map(|case| case.steps.len()).sum::<usize>(), 516);
    let Value::Array(values) = serde_json::from_str(include_str!("cases.json")).unwrap() else {
        panic!("cases.json is an array");
    };
    for (case, value) in cases.iter().zip(values) {
        let together = |part: fn(&Output) -> &[u8]| {
            let bytes: Vec<u8> = case.steps.iter().flat_map(|(_, output)| part(output).to_owned()).collect();
            String::from_utf8(bytes).unwrap()
        };
        let expect = &value["expect"];
        let stdout = without_size(expect["stdout"].as_str().unwrap().as_bytes());
        assert_eq!(together(|output| &output.stdout).into_bytes(), stdout, "{}", case.name);
        assert_eq!(together(|output| &output.stderr), expect["stderr"].as_str().unwrap(), "{}", case.name);
        let statuses: Vec<i32> = case.steps.iter().map(|(_, output)| output.status).collect();
        assert_eq!(Value::from(statuses), expect["exits"], "{}", case.name);
    }
}

#[test]
fn size_of_the_connection_table_does_not_matter() {
    assert_eq!(without_size(b"a (size=4096)\nb (size=1)\n"), b"a (size=N)\nb (size=N)\n");
    assert_eq!(without_size(b"no size"), b"no size");
}
