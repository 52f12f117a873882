//! `cargo xtask bench --plot`: how the costs grow with the table, in tables and pictures.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::growth::Growth;
use super::kernel::Load;
use super::measure;
use super::report::{pictures, text};
use crate::guest::{Guest, Version};
use crate::progress::Progress;
use crate::workspace::Workspace;

#[derive(Args)]
pub struct Options {
    /// Measure how the costs grow with the table instead, and draw it: benches/SCALE.md and the pictures in benches/scale
    #[arg(long, conflicts_with_all = ["services", "repeats", "no_wall", "save"])]
    pub plot: bool,
    /// Services of the tables, smallest to largest
    #[arg(
        long,
        requires = "plot",
        value_name = "NUMBERS",
        value_delimiter = ',',
        default_value = "1000,2000,5000,10000"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=20_000))]
    tables: Vec<u32>,
    /// Destinations of a single service
    #[arg(long, requires = "plot", value_name = "NUMBERS", value_delimiter = ',')]
    #[arg(default_value = "1000,5000,10000,25000,50000", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    lists: Vec<u32>,
    /// Destinations that were deleted before others are added
    #[arg(long, requires = "plot", value_name = "NUMBERS", value_delimiter = ',')]
    #[arg(default_value = "1000,5000,10000", value_parser = clap::value_parser!(u32).range(10..=50_000))]
    deleted: Vec<u32>,
    /// Only draw the figures of an earlier run
    #[arg(long, requires = "plot", conflicts_with_all = ["tables", "lists", "deleted", "json", "kernel", "destinations"])]
    redraw: bool,
}

pub fn run(options: &Options, load: &Load, progress: &Arc<Progress>) -> Result<()> {
    growing("tables", &options.tables)?;
    growing("lists", &options.lists)?;
    let workspace = Workspace::locate()?;
    let folder = Folder(workspace.root.join("benches"));
    if !options.redraw {
        let json = load.json_file()?;
        let growth = measured(options, load, &workspace, progress)?;
        let figures = format!("{:#}\n", growth.json());
        if let Some(mut file) = json {
            file.write_all(figures.as_bytes()).context("writing the figures")?;
        }
        write(&folder.figures(load.kernel), &figures)?;
        progress.clear();
        print!("Linux {}\n\n{}", growth.kernel, text(&growth));
    }
    let mut report = String::from(PREFACE);
    for kernel in Version::ALL {
        let path = folder.figures(kernel);
        let Ok(figures) = fs::read_to_string(&path) else { continue };
        let growth = Growth::read_json(&figures).with_context(|| format!("reading {}", path.display()))?;
        report.push_str(&format!("\n## Linux {}\n\n", growth.kernel));
        for (name, picture) in pictures(&growth) {
            let name = format!("scale/{kernel}-{name}.svg");
            write(&folder.0.join(&name), &picture.svg()?)?;
            report.push_str(&format!("![{}]({name})\n\n", picture.title));
        }
        report.push_str(&text(&growth));
    }
    write(&folder.0.join("SCALE.md"), &report)
}

/// The folder of the results.
struct Folder(PathBuf);

impl Folder {
    fn figures(&self, kernel: Version) -> PathBuf {
        self.0.join(format!("scale/{kernel}.json"))
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all).context("making a folder")?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn measured(options: &Options, load: &Load, workspace: &Workspace, progress: &Arc<Progress>) -> Result<Growth> {
    let words = [
        ("--destinations", load.destinations.to_string()),
        ("--tables", joined(&options.tables)),
        ("--lists", joined(&options.lists)),
        ("--deleted", joined(&options.deleted)),
    ];
    Growth::read(&measure::run(Guest::new(workspace, load.kernel), &words, true, workspace, progress)?)
}

/// Sizes of a growing table, with room for the measurements at each.
fn growing(name: &str, sizes: &[u32]) -> Result<()> {
    let mut before = 0;
    for size in sizes {
        if size.checked_sub(before).is_none_or(|more| more < STEP) {
            bail!("--{name}: {size} is not {STEP} more than {before}");
        }
        before = *size;
    }
    Ok(())
}

/// The least growth of a table.
const STEP: u32 = 512;

fn joined(items: &[u32]) -> String {
    items.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// The text before the kernels.
const PREFACE: &str = "\
# How the costs grow with the table

Written by `cargo xtask bench --plot`; do not edit. It measures again, on one kernel at a time, and draws the pictures
anew (`--redraw` only draws). The virtual machine's clock counts its instructions, so that another machine gets the
same figures, to some percent. `benches/scale` has them as JSON, too.

Two tables grow. One gets more and more services with a few destinations each, the other has a single service with more
and more destinations. At every size the floor (prepared messages on a bare socket: the kernel's own cost) and the
library take turns, both with batches of 64: they create so many more, list the whole table, change some
destinations of every age, and delete these again. Costs are thousands of instructions for one destination, the
service's share included; in parentheses, how often that is the floor's. Memory is that of a process that has read the
table and does nothing else.

* What the **library** adds is the same for every row, however many there are: its part of a cost never grows.
* **Creating** takes the kernel longer or shorter, depending on where it finds memory for the counters that each
  processor has of each destination. The library is not in that.
* A **single service** with many destinations is dear in the kernel, which searches their list for every command: half
  of it on average to change or to delete one, all of it to add one. A list goes out in many datagrams, and before each
  the kernel passes over what it has told already.
* Every two seconds the kernel computes the rates of all rows, and the operation of that moment pays for it: with
  large tables a ratio can be off by some percent.
* **Deleted** destinations are remembered by the kernel for two to three minutes, and looked through whenever one is
  added. What to do about it is in the documentation of `Batch`.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_to_grow_by_what_is_measured_at_each() {
        assert!(growing("tables", &[512, 1024, 5000]).is_ok());
        assert!(growing("tables", &[]).is_ok());
        let refusal = |sizes: &[u32]| growing("lists", sizes).unwrap_err().to_string();
        assert_eq!(refusal(&[511]), "--lists: 511 is not 512 more than 0");
        assert_eq!(refusal(&[1000, 1000]), "--lists: 1000 is not 512 more than 1000");
        assert_eq!(refusal(&[5000, 1000]), "--lists: 1000 is not 512 more than 5000");
    }

    #[test]
    fn numbers_are_handed_over_between_commas() {
        assert_eq!(joined(&[1000, 2000]), "1000,2000");
    }
}
