//! `cargo xtask bench`: how long things take, beside others that do the same.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::guest::{Guest, Machine, Version, sink};
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

/// What can be measured.
#[derive(Subcommand)]
pub enum Bench {
    /// Our ipvsadm and Debian's in one virtual machine: restoring, listing and saving
    Ipvsadm(Arguments),
}

#[derive(Args)]
pub struct Arguments {
    /// The kernel to boot
    #[arg(long, value_enum, default_value = "6.1")]
    kernel: Version,
    /// A clock that advances one nanosecond per instruction: counts instead of times
    #[arg(long)]
    icount: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

pub fn main(bench: &Bench) -> ExitCode {
    let Bench::Ipvsadm(arguments) = bench;
    let progress = Arc::new(Progress::new());
    match ipvsadm(arguments, &progress) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            progress.clear();
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn ipvsadm(arguments: &Arguments, progress: &Arc<Progress>) -> Result<u8> {
    let workspace = Workspace::locate()?;
    let optimized = BuildOptions { release: true, features: None };
    let ours = workspace.build(&Target::Example("ipvsadm".to_owned()), &optimized)?;
    // Cargo builds no bench without optimisations.
    let bench = workspace.build(&Target::Bench("ipvsadm".to_owned()), &BuildOptions::default())?;
    // One thing after the other: a second processor would only have to be kept in step with the first.
    let machine = Machine { cpus: 1, icount: arguments.icount, ..Machine::default() };
    Guest::new(&workspace, arguments.kernel)
        .machine(machine)
        .program(ours)
        .command(bench, arguments.json.then_some("--json"))
        .output(sink(io::stdout()), sink(Narrator { progress: progress.clone(), line: Vec::new() }))
        .timeout(Duration::from_secs(3600))
        .run(progress)
}

/// Shows how far a bench is, and hands on everything else that it says.
struct Narrator {
    progress: Arc<Progress>,
    line: Vec<u8>,
}

impl Write for Narrator {
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
