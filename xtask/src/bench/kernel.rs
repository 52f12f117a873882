//! The library on a real kernel, beside the floor.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;

use super::figures::Figures;
use super::measure;
use crate::guest::{Guest, Tool, Version};
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

#[derive(Args)]
pub struct Load {
    /// The kernel to boot
    #[arg(long, value_enum, value_name = "KERNEL", default_value = "6.1")]
    pub kernel: Version,
    /// Services of the table
    #[arg(long, value_name = "NUMBER", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    services: u32,
    /// Destinations of each service
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub destinations: u32,
    /// Number of times that everything is measured
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: u32,
    /// Do not measure wall time
    #[arg(long)]
    no_wall: bool,
    /// Write the figures to a file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables to benches/RESULTS.md, or RESULTS-KERNEL.md for another kernel than 6.1
    #[arg(long)]
    save: bool,
}

impl Load {
    /// The file for the figures, opened before the run: a file that cannot be written fails at once.
    pub fn json_file(&self) -> Result<Option<File>> {
        let json = self.json.as_ref();
        json.map(|path| File::create(path).with_context(|| format!("writing {}", path.display()))).transpose()
    }
}

pub fn run(arguments: &Load, progress: &Arc<Progress>) -> Result<()> {
    let workspace = Workspace::locate()?;
    let json = arguments.json_file()?;
    let counted = measure(arguments, true, &workspace, progress)?;
    let mut text = format!(
        "Kernel {}, {} services with {} destinations each.\n\n",
        counted.kernel, arguments.services, arguments.destinations
    );
    text.push_str(
        "Thousands of guest instructions for one operation, user and kernel together; in parentheses, how often\n",
    );
    text.push_str("that is the floor's.\n\n");
    text.push_str(&counted.table("kinsn"));
    if let Some((spread, client, workload)) = counted.spread() {
        let percent = spread * 100.0;
        text.push_str(&format!("\nRepeats differ by {percent:.1} % at most ({workload} of {client}).\n"));
    }
    if !arguments.no_wall {
        let wall = measure(arguments, false, &workspace, progress)?;
        text.push_str(
            "\nWall time of the emulated machine in microseconds, which depends on what else the host does.\n\n",
        );
        text.push_str(&wall.table("µs"));
    }
    progress.clear();
    print!("{text}");
    if let Some(mut file) = json {
        writeln!(file, "{:#}", counted.json()).context("writing the figures")?;
    }
    if arguments.save {
        let path = workspace.root.join("benches").join(results(arguments.kernel.name()));
        fs::write(&path, report(&text)).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Boots a guest and measures everything in it; the clock counts instructions or runs with the wall's.
fn measure(arguments: &Load, counts: bool, workspace: &Workspace, progress: &Arc<Progress>) -> Result<Figures> {
    let optimized = BuildOptions { release: true, features: None };
    let ours = workspace.build(&Target::Example("ipvsadm".to_owned()), &optimized)?;
    let Load { services, destinations, repeats, .. } = arguments;
    let words = [("--services", services), ("--destinations", destinations), ("--repeats", repeats)];
    let words = words.map(|(name, number)| (name, number.to_string()));
    let guest = Guest::new(workspace, arguments.kernel).program(ours).with(Tool::new("ipvsadm", "ipvsadm"));
    Figures::read(&measure::run(guest, &words, counts, workspace, progress)?)
}

/// The file for the tables of a kernel.
fn results(kernel: &str) -> String {
    match kernel {
        "6.1" => "RESULTS.md".to_owned(),
        other => format!("RESULTS-{other}.md"),
    }
}

/// The text around the tables.
fn report(tables: &str) -> String {
    format!(
        "\
# The costs of the library

Written by `cargo xtask bench --save` (`--kernel` for another kernel); do not edit. `cargo xtask bench` measures again, on
any machine that can run the virtual machine (see the README), in some minutes. Its clock counts the guest's instructions, so that another machine
gets the same figures for the same kernel, compiler and library, to some percent.

* **floor**: a bare socket with messages that were written before, of whose answers only the verdict is read. Lists are
  received with the buffers that suit them best. What it costs is the kernel's, and cannot be saved.
* **ipvs-rs**: the library, from values to values: encoding, decoding, checks, deadlines. `restore` is `ipvsadm -R` of
  this repository.
* **ipvs-rs-desired**: the library told what should be there: it reads the table, plans and applies. In the row of the
  snapshot everything is there already.
* **ipvsadm**: Debian's program, by `-R` with a file of rules, `-Ln` and `-C`; its start is in the figure.

Every client has network namespaces of its own. W1 to W3 and W5 are one command each, or 64 to a datagram; W4 reads all
services with their destinations, divided by destinations; W6 is a flush of the whole table; W7 are single commands, of
which the middle and the 99th percentile are shown. `create` makes a table from nothing in batches, divided by
destinations.

One call in 128 of the async handle gives other tasks their turn, as tokio has it for everything that shares a thread. That
is a trip through the runtime, `epoll_wait` included, of two thousand instructions. With the ticks of the clock it comes to
just over one call in a hundred, and is the 99th percentile.

{tables}"
    )
}
