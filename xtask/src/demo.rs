//! `cargo xtask demo`: the whole family at work on a real kernel.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::guest::{Guest, Sink, Version};
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

/// Boot a small virtual machine with a real kernel and watch a virtual service with two web servers at work
#[derive(Args)]
pub struct Arguments {
    /// The kernel to boot
    #[arg(long, value_enum, default_value = "6.1")]
    kernel: Version,
}

pub fn main(arguments: &Arguments) -> ExitCode {
    let progress = Progress::new();
    let run = || -> Result<u8> {
        let workspace = Workspace::locate()?;
        guest(&workspace, arguments.kernel)?.run(&progress)
    };
    match run() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            progress.clear();
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The demonstration in a guest, with its output in one place.
pub fn run(workspace: &Workspace, kernel: Version, output: &Sink, progress: &Progress) -> Result<u8> {
    guest(workspace, kernel)?.output(output.clone(), output.clone()).run(progress)
}

fn guest(workspace: &Workspace, kernel: Version) -> Result<Guest> {
    let program = workspace.build(&Target::Example("demo".to_owned()), &BuildOptions::default())?;
    let none: [&str; 0] = [];
    Ok(Guest::new(workspace, kernel).command(program, none).timeout(Duration::from_secs(300)))
}
