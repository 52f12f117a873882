//! The output for the audience: plain lines, the same in a pipe as on a terminal.

use std::io::{self, Write};

use crate::DemoResult;

/// Counts steps and checks while it prints them.
#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: u32,
    checks: u32,
}

impl Report {
    pub(crate) fn step(&mut self, text: &str) {
        self.steps += 1;
        say(&format!("\n{:>2}. {text}", self.steps));
    }

    /// A claim that must hold for the scenario to go on.
    pub(crate) fn check(&mut self, holds: bool, claim: &str) -> DemoResult<()> {
        if !holds {
            say(&format!("    NOT SO: {claim}"));
            return Err(format!("step {}: does not hold: {claim}", self.steps).into());
        }
        self.checks += 1;
        say(&format!("    ok: {claim}"));
        Ok(())
    }

    pub(crate) fn checks_held(&self) -> u32 {
        self.checks
    }
}

/// Prints a line. The reader may have ended: the lab must be cleaned up all the same, so this does not panic.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
