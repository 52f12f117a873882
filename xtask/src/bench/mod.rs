//! `cargo xtask bench`: how long things take, beside others that do the same.

pub mod codec;
mod figures;
mod growth;
mod kernel;
mod measure;
mod picture;
mod readers;
mod report;
mod scale;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};

use self::measure::BenchOutput;
use crate::guest::{Guest, Machine, Version, sink};
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

/// Measure the library, beside other programs that do the same
///
/// Without the name of another bench: every operation of the library on a real kernel, beside what the kernel itself
/// takes for it (the floor), and beside Debian's ipvsadm. What counts is instructions of the guest, which repeat on any
/// machine; wall time is measured as well, and shown as such. With `--plot` it is how the costs grow with the table.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(flatten)]
    kernel: kernel::Load,
    #[command(flatten)]
    scale: scale::Options,
    #[command(subcommand)]
    other: Option<Bench>,
}

/// The other things that can be measured.
#[derive(Subcommand)]
enum Bench {
    /// Decoding beside a bare loop, in instructions; fails where it takes more than the bound
    Codec,
    /// Our ipvsadm and Debian's in one virtual machine: restoring, listing and saving
    Ipvsadm(Programs),
    /// Snapshots with several readers at once, on several processors
    Readers(readers::Options),
}

#[derive(Args)]
struct Programs {
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

pub fn main(arguments: &Arguments) -> ExitCode {
    let progress = Arc::new(Progress::new());
    let result = match &arguments.other {
        None if arguments.scale.plot => scale::run(&arguments.scale, &arguments.kernel, &progress).map(|()| 0),
        None => kernel::run(&arguments.kernel, &progress).map(|()| 0),
        Some(Bench::Codec) => {
            Workspace::locate().and_then(|workspace| codec::run(&workspace, &sink(io::stdout()), &progress))
        }
        Some(Bench::Ipvsadm(arguments)) => ipvsadm(arguments, &progress),
        Some(Bench::Readers(options)) => readers::run(options, &progress).map(|()| 0),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            progress.clear();
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn ipvsadm(arguments: &Programs, progress: &Arc<Progress>) -> Result<u8> {
    let workspace = Workspace::locate()?;
    let optimized = BuildOptions { release: true, features: None };
    let ours = workspace.build(&Target::Example("ipvsadm".to_owned()), &optimized)?;
    // Cargo builds no bench without optimizations.
    let bench = workspace.build(&Target::Bench("ipvsadm".to_owned()), &BuildOptions::default())?;
    // One thing after the other: a second processor would only have to be kept in step with the first.
    let machine = Machine { cpus: 1, icount: arguments.icount, ..Machine::default() };
    Guest::new(&workspace, arguments.kernel)
        .machine(machine)
        .program(ours)
        .command(bench, arguments.json.then_some("--json"))
        .output(sink(io::stdout()), sink(BenchOutput::new(progress)))
        .timeout(Duration::from_secs(3600))
        .run(progress)
}
