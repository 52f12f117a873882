//! The cost of one more row in a table that grows.

use std::ops::Range;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use ipvs_rs::{DestinationEntry, Handle};
use serde_json::{Value, json};

use crate::client::{BATCH, Client, Work};
use crate::load::Load;
use crate::usage::number_of;
use crate::{Bench, Contender, thousands};

/// The unit that a table grows by.
#[derive(Clone, Copy)]
pub enum Unit {
    /// A service with its destinations.
    Service,
    /// A destination of the only service.
    Destination,
}

/// Lets a table grow to each of these sizes, smallest to largest, and measures the floor and the library there.
pub fn measure(bench: &mut Bench, unit: Unit, sizes: &[u32], per_service: u32) {
    let Some(largest) = sizes.last() else { return };
    let load = match unit {
        Unit::Service => Load::new(*largest, per_service),
        Unit::Destination => Load::new(1, *largest),
    };
    let pause = bench.pause;
    bench.inside(|| {
        let clients = [Contender::Floor, Contender::Ours].map(|contender| (contender, contender.open(&load)));
        let mut table = Growing { unit, load, clients, units: Vec::new(), deleted: Vec::new(), size: 0, pause };
        for size in sizes {
            table.grow_to(*size as usize);
        }
        table.floor(Work::Flush, &[]);
    });
}

/// A table with some units of a load.
struct Growing {
    unit: Unit,
    load: Load,
    clients: [(Contender, Box<dyn Client>); 2],
    /// The units that are there, oldest first.
    units: Vec<usize>,
    /// The units that were deleted, and will be added again when the table grows further.
    deleted: Vec<usize>,
    /// The size that it grows to.
    size: usize,
    /// The time after which the kernel has forgotten deleted destinations.
    pause: Duration,
}

impl Growing {
    fn grow_to(&mut self, size: usize) {
        self.size = size;
        eprintln!("bench: growing to {}", self.name());
        let turn = self.turn();
        let there = self.units.len() + self.deleted.len();
        let sample = turn * ((size - there) / (2 * turn) / 4 * 4).clamp(4, 16);
        self.fill(size - sample);
        eprintln!("bench: {}", self.name());
        let new: Vec<usize> = (size - sample..size).collect();
        self.in_turns("create", Work::Create, &new);
        self.units.extend(new);
        // From Linux 7 on the kernel rearranges its table for a moment after many changes.
        sleep(Duration::from_secs(1));
        let whole = self.whole();
        for client in 0..self.clients.len() {
            let taken = self.clients[client].1.work(Work::Snapshot, &whole).unwrap();
            self.tell("list", client, taken, whole.destinations.len());
        }
        println!("{}", self.memory(&whole));
        // How old a destination of a long list is makes a difference: some of every age.
        let (spread, rest): (Vec<_>, Vec<_>) =
            self.units.iter().enumerate().partition(|(place, _)| place * sample % size < sample);
        let [spread, rest] = [spread, rest].map(|units| units.into_iter().map(|(_, unit)| *unit).collect::<Vec<_>>());
        self.in_turns("change", Work::UpdateInBatches, &spread);
        self.in_turns("delete", Work::Delete, &spread);
        self.units = rest;
        self.deleted = spread;
    }

    /// Adds the missing units, which is not measured.
    fn fill(&mut self, size: usize) {
        if !self.deleted.is_empty() {
            sleep(self.pause);
            let deleted = std::mem::take(&mut self.deleted);
            self.floor(Work::Create, &deleted);
            self.units.extend(deleted);
        }
        if let (Unit::Destination, true) = (self.unit, self.units.is_empty()) {
            let service = Load { services: self.load.services.clone(), ..self.part(&[]) };
            self.clients[0].1.work(Work::Create, &service).unwrap();
        }
        let missing: Vec<usize> = (self.units.len()..size).collect();
        self.floor(Work::Create, &missing);
        self.units.extend(missing);
    }

    fn floor(&mut self, work: Work, units: &[usize]) {
        let part = self.part(units);
        self.clients[0].1.work(work, &part).unwrap();
    }

    /// Both clients do the work, each with half of these units.
    fn in_turns(&mut self, name: &str, work: Work, units: &[usize]) {
        let mut done = [(Duration::ZERO, 0); 2];
        for (turn, units) in units.chunks(self.turn()).enumerate() {
            // In the order one, other, other, one: so that both have the same average position.
            let client = turn.div_ceil(2) % 2;
            let part = self.part(units);
            let (taken, rows) = &mut done[client];
            *taken += self.clients[client].1.work(work, &part).unwrap();
            *rows += part.destinations.len();
        }
        for (client, (taken, rows)) in done.into_iter().enumerate() {
            self.tell(name, client, taken, rows);
        }
    }

    /// The number of units that a client is given in one turn.
    fn turn(&self) -> usize {
        match self.unit {
            Unit::Service => BATCH / 2,
            Unit::Destination => BATCH,
        }
    }

    fn tell(&self, work: &str, client: usize, taken: Duration, rows: usize) {
        let mut row = self.shape();
        row["work"] = work.into();
        row["client"] = self.clients[client].0.name().into();
        row["kinsn_per_row"] = thousands(taken, rows).into();
        println!("{row}");
    }

    /// The memory that the table takes in a process that holds it and nothing else.
    fn memory(&self, whole: &Load) -> Value {
        let output = Command::new("/proc/self/exe").arg(HOLD).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut row: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(row["rows"], json!(whole.destinations.len()), "the table is complete");
        row.as_object_mut().unwrap().extend(self.shape().as_object().unwrap().clone());
        row
    }

    /// The size of the table.
    fn shape(&self) -> Value {
        match self.unit {
            Unit::Service => json!({ "services": self.size, "destinations": self.load.per_service }),
            Unit::Destination => json!({ "services": 1, "destinations": self.size }),
        }
    }

    fn name(&self) -> String {
        let Self { size, load, .. } = self;
        match self.unit {
            Unit::Service => format!("{size} services with {} destinations", load.per_service),
            Unit::Destination => format!("one service with {size} destinations"),
        }
    }

    fn rows(&self, unit: usize) -> Range<usize> {
        let each = match self.unit {
            Unit::Service => self.load.per_service as usize,
            Unit::Destination => 1,
        };
        unit * each..(unit + 1) * each
    }

    /// These units, without the only service where there is but one.
    fn part(&self, units: &[usize]) -> Load {
        let Load { services, destinations, changed, per_service } = &self.load;
        let mut part = Load { services: vec![], destinations: vec![], changed: vec![], per_service: *per_service };
        for unit in units.iter().copied() {
            if let Unit::Service = self.unit {
                part.services.push(services[unit].clone());
            }
            part.destinations.extend_from_slice(&destinations[self.rows(unit)]);
            part.changed.extend_from_slice(&changed[self.rows(unit)]);
        }
        part
    }

    /// Everything that is there.
    fn whole(&self) -> Load {
        let part = self.part(&self.units);
        match self.unit {
            Unit::Service => part,
            Unit::Destination => Load { services: self.load.services.clone(), ..part },
        }
    }
}

/// Asks this program to [`hold`] the table.
pub const HOLD: &str = "--hold";

/// Reads the table and prints by how many bytes the memory of this process has grown.
pub fn hold() {
    // These are counted anew; the current values in `status` may be outdated.
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
