//! Decoding beside a bare loop that fills the same values.

use std::time::Duration;

use anyhow::Result;

use crate::guest::{Guest, Machine, Sink, Version};
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

/// Compares where the clock counts instructions, so that it comes out the same on any machine; the status says whether
/// the bound is kept. The kernel has no part in it.
pub fn run(workspace: &Workspace, output: &Sink, progress: &Progress) -> Result<u8> {
    let bench = workspace.build(&Target::Bench("codec".to_owned()), &BuildOptions::default())?;
    Guest::new(workspace, Version::V6_1)
        .machine(Machine { cpus: 1, icount: true, ..Machine::default() })
        .without_ipvs(true)
        .command(bench, ["--bound"])
        .output(output.clone(), output.clone())
        .timeout(Duration::from_secs(300))
        .run(progress)
}
