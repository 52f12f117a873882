//! What one row more costs in a table that grows.

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

/// What a table grows by.
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
        let mut table = Growing { unit, load, clients, size: 0, pause };
        for size in sizes {
            table.grow_to(*size as usize);
        }
        table.floor(Work::Flush, 0..0);
    });
}

/// A table with the first so many units of a load.
struct Growing {
    unit: Unit,
    load: Load,
    clients: [(Contender, Box<dyn Client>); 2],
    size: usize,
    /// After it the kernel has forgotten what was deleted.
    pause: Duration,
}

/// How many units a client is given before it is the other's turn.
const TURN: usize = BATCH;

impl Growing {
    fn grow_to(&mut self, size: usize) {
        eprintln!("bench: growing to {}", self.name(size));
        let turns = match self.unit {
            Unit::Service => 4,
            Unit::Destination => ((size - self.size) / (2 * TURN) / 4 * 4).clamp(4, 16),
        };
        let sample = turns * TURN;
        self.fill(size - sample);
        self.size = size;
        eprintln!("bench: {}", self.name(size));
        self.in_turns("create", Work::Create, (size - sample..size).collect());
        // From Linux 7 on the kernel rearranges its table for a moment after many changes.
        sleep(Duration::from_secs(1));
        let whole = self.whole();
        for client in 0..self.clients.len() {
            let taken = self.clients[client].1.work(Work::Snapshot, &whole).unwrap();
            self.tell("list", client, taken, whole.destinations.len());
        }
        println!("{}", self.memory(&whole));
        // Where in the list of a service a destination is makes a difference: some from everywhere.
        let spread: Vec<usize> = (0..sample).map(|number| number * size / sample).collect();
        self.in_turns("change", Work::UpdateInBatches, spread.clone());
        self.in_turns("delete", Work::Delete, spread.clone());
        sleep(self.pause);
        self.floor(Work::Create, spread.into_iter());
    }

    /// Makes what is missing, which is not measured.
    fn fill(&mut self, size: usize) {
        if let (Unit::Destination, 0) = (self.unit, self.size) {
            let service = Load { services: self.load.services.clone(), ..self.part(0..0) };
            self.clients[0].1.work(Work::Create, &service).unwrap();
        }
        self.floor(Work::Create, self.size..size);
    }

    fn floor(&mut self, work: Work, units: impl Iterator<Item = usize>) {
        let part = self.part(units);
        self.clients[0].1.work(work, &part).unwrap();
    }

    /// Both clients do it, each with half of these units.
    fn in_turns(&mut self, name: &str, work: Work, units: Vec<usize>) {
        let mut done = [(Duration::ZERO, 0); 2];
        for (turn, units) in units.chunks(TURN).enumerate() {
            // The one, the other, the other, the one: together they stand at the same place.
            let client = turn.div_ceil(2) % 2;
            let part = self.part(units.iter().copied());
            let (taken, rows) = &mut done[client];
            *taken += self.clients[client].1.work(work, &part).unwrap();
            *rows += part.destinations.len();
        }
        for (client, (taken, rows)) in done.into_iter().enumerate() {
            self.tell(name, client, taken, rows);
        }
    }

    fn tell(&self, work: &str, client: usize, taken: Duration, rows: usize) {
        let mut row = self.shape();
        row["work"] = work.into();
        row["client"] = self.clients[client].0.name().into();
        row["kinsn_per_row"] = thousands(taken, rows).into();
        println!("{row}");
    }

    /// What the table takes in a process that holds it and nothing else.
    fn memory(&self, whole: &Load) -> Value {
        let output = Command::new("/proc/self/exe").arg(HOLD).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut row: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(row["rows"], json!(whole.destinations.len()), "the table is complete");
        row.as_object_mut().unwrap().extend(self.shape().as_object().unwrap().clone());
        row
    }

    /// How large the table is.
    fn shape(&self) -> Value {
        match self.unit {
            Unit::Service => json!({ "services": self.size, "destinations": self.load.per_service }),
            Unit::Destination => json!({ "services": 1, "destinations": self.size }),
        }
    }

    fn name(&self, size: usize) -> String {
        match self.unit {
            Unit::Service => format!("{size} services with {} destinations", self.load.per_service),
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
    fn part(&self, units: impl Iterator<Item = usize>) -> Load {
        let Load { services, destinations, changed, per_service } = &self.load;
        let mut part = Load { services: vec![], destinations: vec![], changed: vec![], per_service: *per_service };
        for unit in units {
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
        let part = self.part(0..self.size);
        match self.unit {
            Unit::Service => part,
            Unit::Destination => Load { services: self.load.services.clone(), ..part },
        }
    }
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
