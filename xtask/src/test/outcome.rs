//! The results of the steps of a run, and their summary.

use std::time::Duration;

/// The end of a step.
pub struct Outcome {
    pub name: String,
    pub ok: bool,
    pub took: Duration,
    pub counts: Counts,
}

/// The counts of the test runners of a step.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    /// Test runners that passed at least one test.
    pub suites: usize,
}

/// Adds up the closing lines of the test runners.
pub fn count(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
        let number = |word: &str| {
            let mut parts = line.split(['.', ';']).filter_map(|part| part.trim().split_once(' '));
            parts.find_map(|(number, what)| (what == word).then(|| number.parse().unwrap_or(0))).unwrap_or(0)
        };
        counts.passed += number("passed");
        counts.failed += number("failed");
        counts.suites += usize::from(number("passed") > 0);
    }
    counts
}

/// Remarks of tests that pass: what they left out, and how to repeat what was random. The runner may have begun the line.
pub fn notes(output: &str) -> impl Iterator<Item = &str> {
    output.lines().filter(|line| !line.contains("= note: ")).filter_map(|line| Some(line.split_once("note: ")?.1))
}

pub fn line(outcome: &Outcome) -> String {
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

/// Prints the last lines; the very last is one that a CI counts. Returns whether all steps passed.
pub fn summarize(outcomes: &[Outcome], took: Duration) -> bool {
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
        assert_eq!(count(output), Counts { passed: 2, failed: 1, suites: 1 });
        assert_eq!(count("no tests here"), Counts::default());
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
            counts: Counts { passed: 3, failed: 1, suites: 1 },
        };
        assert_eq!(line(&outcome), "tests                        FAILED     1.5 s  3 passed, 1 failed");
    }
}
