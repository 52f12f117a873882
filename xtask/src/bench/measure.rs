//! The bench of a real kernel, run in a guest.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::guest::{Guest, Machine, sink};
use crate::output;
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

/// Runs it in this guest with these words and returns what it printed; the clock counts instructions or runs with the
/// wall's.
pub fn run(
    guest: Guest,
    words: &[(&str, String)],
    counts: bool,
    workspace: &Workspace,
    progress: &Arc<Progress>,
) -> Result<String> {
    // Under a clock that counts instructions, a pause takes no time.
    let pause = if counts { 240 } else { 0 };
    let words = [words, &[("--pause", pause.to_string())]].concat();
    run_on(Machine { cpus: 1, icount: counts, ..Machine::default() }, guest, &words, workspace, progress)
}

/// The same on this machine.
pub fn run_on(
    machine: Machine,
    guest: Guest,
    words: &[(&str, String)],
    workspace: &Workspace,
    progress: &Arc<Progress>,
) -> Result<String> {
    // Cargo builds no bench without optimizations.
    let bench = workspace.build(&Target::Bench("kernel".to_owned()), &BuildOptions::default())?;
    let words = words.iter().flat_map(|(name, value)| [(*name).to_owned(), value.clone()]);
    let guest = guest.machine(machine).command(bench, words).timeout(Duration::from_secs(3600));
    let mut printed = Vec::new();
    let status = output::into(&mut printed, |stdout| {
        guest.output(stdout.clone(), sink(BenchOutput::new(progress))).run(progress)
    })?;
    if status != 0 {
        bail!("the bench ended with status {status}");
    }
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// Shows how far a bench is, and hands on everything else that it says.
pub struct BenchOutput {
    progress: Arc<Progress>,
    line: Vec<u8>,
}

impl BenchOutput {
    pub fn new(progress: &Arc<Progress>) -> Self {
        Self { progress: progress.clone(), line: Vec::new() }
    }
}

impl Write for BenchOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.line.push(*byte);
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                if let Some(step) = line.strip_prefix(b"bench: ") {
                    self.progress.passing(String::from_utf8_lossy(step).trim_end());
                } else {
                    self.progress.clear();
                    io::stderr().write_all(&line)?;
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
