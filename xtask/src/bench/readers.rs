//! A snapshot with several threads.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use super::measure;
use crate::guest::{Guest, Machine, Version};
use crate::progress::Progress;
use crate::workspace::Workspace;

#[derive(Args)]
pub struct Options {
    /// The kernel to boot
    #[arg(long, value_enum, value_name = "KERNEL", default_value = "7")]
    kernel: Version,
    /// Processors of the virtual machine; not more than this machine has
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    cpus: u32,
    /// Services of the table
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    services: u32,
    /// Destinations of each service
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    destinations: u32,
    /// The numbers of readers that take turns; gains are over the first
    #[arg(long, value_name = "NUMBERS", default_value = "1,2,4", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(0..=64))]
    readers: Vec<u32>,
}

/// The cost of a snapshot with so many readers.
#[derive(Debug, PartialEq)]
struct Row {
    readers: u64,
    processors: u64,
    microseconds: f64,
}

pub fn run(options: &Options, progress: &Arc<Progress>) -> Result<()> {
    let workspace = Workspace::locate()?;
    let listed = options.readers.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let words = [
        ("--readers", listed),
        ("--services", options.services.to_string()),
        ("--destinations", options.destinations.to_string()),
    ];
    let guest = Guest::new(&workspace, options.kernel);
    let machine = Machine { cpus: options.cpus, ..Machine::default() };
    let printed = measure::run_on(machine, guest, &words, &workspace, progress)?;
    progress.clear();
    print!("{}", table(&read(&printed)?));
    Ok(())
}

fn read(printed: &str) -> Result<Vec<Row>> {
    let lines =
        printed.lines().map(|line| serde_json::from_str::<Value>(line).with_context(|| format!("line {line:?}")));
    let rows = lines.filter_map(|line| {
        line.map(|line| {
            Some(Row {
                readers: line.get("readers")?.as_u64()?,
                processors: line.get("processors")?.as_u64()?,
                microseconds: line.get("microseconds")?.as_f64()?,
            })
        })
        .transpose()
    });
    rows.collect()
}

fn table(rows: &[Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let mut text = format!(
        "Snapshots with {} processors, the middle of all turns; wall time of the emulated machine.\n\n\
         | readers | µs per destination | gain |\n|--------:|-------------------:|-----:|\n",
        first.processors
    );
    for row in rows {
        let gain = first.microseconds / row.microseconds;
        text.push_str(&format!("| {:>7} | {:>18.2} | {gain:>4.2} |\n", row.readers, row.microseconds));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Row, read, table};

    const PRINTED: &str = "{\"kernel\":\"7.2\"}\n{\"readers\":1,\"processors\":2,\"microseconds\":8.0}\n\
                           {\"readers\":2,\"processors\":2,\"microseconds\":4.0}\n";

    #[test]
    fn other_lines_are_skipped() {
        let row = |readers, microseconds| Row { readers, processors: 2, microseconds };
        assert_eq!(read(PRINTED).unwrap(), [row(1, 8.0), row(2, 4.0)]);
        assert!(read("no JSON").is_err());
    }

    #[test]
    fn gain_is_over_the_first_row() {
        let text = table(&read(PRINTED).unwrap());
        assert!(
            text.ends_with("|       1 |               8.00 | 1.00 |\n|       2 |               4.00 | 2.00 |\n"),
            "{text}"
        );
        assert_eq!(table(&[]), "");
    }
}
