//! How the costs grow with the table.

use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use ipvs_rs::{DestinationEntry, Handle};
use serde_json::{Value, json};

use crate::client::Work;
use crate::load::Load;
use crate::usage::number_of;
use crate::{Bench, Contender, thousands};

/// How many services, and destinations of each.
#[derive(Clone, Copy)]
pub struct Shape {
    services: u32,
    destinations: u32,
}

impl Shape {
    fn rows(self) -> u32 {
        self.services * self.destinations
    }
}

/// As in `1000x10`.
impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('x').and_then(|(one, other)| Some((one.parse().ok()?, other.parse().ok()?)));
        let (services, destinations) = numbers.ok_or_else(|| format!("{text:?} is not a shape such as 1000x10"))?;
        Ok(Self { services, destinations })
    }
}

/// Each table from its first row to its last, by the floor and by the library.
pub fn measure(bench: &mut Bench, shapes: &[Shape]) {
    let Some(largest) = shapes.iter().map(|shape| shape.rows()).max() else { return };
    eprintln!("bench: warming up");
    bench.inside(|| Contender::Floor.build(&Load::new(largest.div_ceil(10), 10)));
    for Shape { services, destinations } in shapes.iter().copied() {
        let load = Load::new(services, destinations);
        for contender in [Contender::Floor, Contender::Ours] {
            eprintln!("bench: {}, {services} services with {destinations} destinations", contender.name());
            bench.inside(|| {
                let mut client = contender.open(&load);
                for work in [Work::Create, Work::Snapshot, Work::UpdateInBatches, Work::Delete] {
                    let taken = client.work(work, &load).unwrap();
                    println!(
                        "{}",
                        json!({
                            "services": services,
                            "destinations": destinations,
                            "work": name(work),
                            "client": contender.name(),
                            "kinsn_per_row": thousands(taken, work.operations(&load)),
                        })
                    );
                    // From Linux 7 on the kernel rearranges its table for a moment after many changes.
                    std::thread::sleep(Duration::from_secs(1));
                    if matches!((contender, work), (Contender::Ours, Work::Snapshot)) {
                        println!("{}", memory(services, destinations));
                    }
                }
            });
        }
    }
}

fn name(work: Work) -> &'static str {
    match work {
        Work::Snapshot => "list",
        Work::UpdateInBatches => "change",
        other => other.name(),
    }
}

/// What the table of this thread's namespace takes in a process that holds it and nothing else.
fn memory(services: u32, destinations: u32) -> Value {
    let output = Command::new("/proc/self/exe").arg(HOLD).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut row: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(row["rows"], json!(services * destinations), "the table is complete");
    row["services"] = services.into();
    row["destinations"] = destinations.into();
    row
}

/// Asks this program to [`hold`] the table.
pub const HOLD: &str = "--hold";

/// Reads the table and says what the memory of this process has grown by, in bytes.
pub fn hold() {
    // Counted anew; what `status` says of now may be behind.
    let counted = |name| 1024 * number_of("smaps_rollup", name);
    let handle = Handle::new().unwrap();
    let (anonymous, resident) = (counted("Anonymous:"), counted("Rss:"));
    let table = handle.snapshot().unwrap();
    let held = counted("Anonymous:") - anonymous;
    let peak = (1024 * number_of("status", "VmHWM:")).max(counted("Rss:")) - resident;
    println!(
        "{}",
        json!({
            "rows": table.destination_count(),
            "held_bytes": held,
            "peak_bytes": peak,
            "bytes_of_a_value": size_of::<DestinationEntry>(),
        })
    );
}
