//! The cost of the library compared with the kernel's own share, and with ipvsadm.
//!
//! `cargo xtask bench` runs this in a small virtual machine and makes tables of its output: a line of JSON for each
//! measurement. With `--tables`, `--lists` and `--deleted` it measures how costs grow, with `--readers` the effect of
//! several threads. Everything that is measured has to succeed; nothing depends on how long it takes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a bench"
)]

mod client;
mod floor;
mod load;
#[cfg(feature = "tokio")]
mod on_tokio;
mod ours;
#[cfg(feature = "desired")]
mod plans;
mod program;
mod readers;
mod scale;
mod trash;

#[allow(dead_code, reason = "shared with the tests of the library, which use more of it")]
#[path = "../../tests/vm/kernel.rs"]
mod kernel;
#[allow(dead_code, reason = "shared with the tests of the library, which use more of it")]
#[path = "../../tests/vm/namespaces.rs"]
mod namespaces;
#[allow(dead_code, reason = "shared with the tests of the library, which use more of it")]
#[path = "../../tests/vm/usage.rs"]
mod usage;

use std::time::Duration;

use ipvs_rs::Handle;
use serde_json::{Value, json};

use client::{Client, Single, Work};
use floor::Floor;
use load::Load;
use namespaces::Namespace;
#[cfg(feature = "tokio")]
use on_tokio::OnTokio;
use ours::Ours;
#[cfg(feature = "desired")]
use plans::Plans;
use program::Program;
use scale::Unit;

fn main() {
    let word = |name: &str| std::env::args().skip_while(|word| word != name).nth(1);
    let number = |name: &str, default| word(name).map_or(default, |word| word.parse().unwrap());
    if std::env::args().any(|word| word == scale::HOLD) {
        return scale::hold();
    }
    let pause = Duration::from_secs(number("--pause", 0).into());
    let mut bench = Bench { samples: number("--samples", 5000) as usize, pause, namespaces: Vec::new() };

    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    println!("{}", json!({ "kernel": release.trim() }));

    let [tables, lists, deleted, readers] = ["--tables", "--lists", "--deleted", "--readers"]
        .map(|name| word(name).map_or_else(Vec::new, |word| listed(&word)));
    let per_service = number("--destinations", 10);
    let load = || Load::new(number("--services", 2000), per_service);
    if [&tables, &lists, &deleted, &readers].iter().all(|sizes| sizes.is_empty()) {
        return bench.compare(&load(), number("--repeats", 2));
    }
    readers::measure(&mut bench, &readers, &load());
    scale::measure(&mut bench, Unit::Service, &tables, per_service);
    scale::measure(&mut bench, Unit::Destination, &lists, per_service);
    trash::measure(&mut bench, &deleted);
}

/// The numbers between the commas of a word.
fn listed(word: &str) -> Vec<u32> {
    word.split(',').map(|item| item.parse().unwrap()).collect()
}

#[derive(Clone, Copy, Debug)]
enum Contender {
    Floor,
    Ours,
    #[cfg(feature = "tokio")]
    OnTokio,
    #[cfg(feature = "desired")]
    Plans,
    Ipvsadm,
}

/// All contenders, in the order of the first turn.
const CONTENDERS: &[Contender] = &[
    Contender::Floor,
    Contender::Ours,
    #[cfg(feature = "tokio")]
    Contender::OnTokio,
    #[cfg(feature = "desired")]
    Contender::Plans,
    Contender::Ipvsadm,
];

impl Contender {
    const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Ours => "ipvs-rs",
            #[cfg(feature = "tokio")]
            Self::OnTokio => "ipvs-rs-async",
            #[cfg(feature = "desired")]
            Self::Plans => "ipvs-rs-desired",
            Self::Ipvsadm => "ipvsadm",
        }
    }

    /// Opens a client for the namespace of this thread.
    fn open(self, load: &Load) -> Box<dyn Client> {
        match self {
            Self::Floor => Box::new(Floor::open(load)),
            Self::Ours => Box::new(Ours::open()),
            #[cfg(feature = "tokio")]
            Self::OnTokio => Box::new(OnTokio::open()),
            #[cfg(feature = "desired")]
            Self::Plans => Box::new(Plans::open()),
            Self::Ipvsadm => Box::new(Program::DEBIANS),
        }
    }

    /// Whether it takes a desired state, and cannot do any other work.
    const fn only_makes_tables(self) -> bool {
        match self {
            #[cfg(feature = "desired")]
            Self::Plans => true,
            _ => false,
        }
    }

    /// The same with its system calls counted, if they can be.
    fn open_counted(self, load: &Load) -> Box<dyn Client> {
        match self {
            Self::Ours => Box::new(Ours::counted()),
            _ => self.open(load),
        }
    }

    /// Makes a table and takes it away again.
    fn build(self, load: &Load) {
        let mut client = self.open(load);
        client.work(Work::Restore, load).unwrap();
        client.work(Work::Flush, load).unwrap();
    }
}

struct Bench {
    samples: usize,
    /// The pause between two measurements. The kernel frees the memory of deleted objects after minutes, and new memory
    /// costs more than memory that was used before.
    pause: Duration,
    /// All namespaces are kept until the end: the kernel cleans up in the background, which would be counted as well.
    namespaces: Vec<Namespace>,
}

impl Bench {
    /// Does something in a new namespace.
    fn inside<T: Send>(&mut self, body: impl FnOnce() -> T + Send) -> T {
        let namespace = Namespace::new();
        let done = namespace.run(body);
        self.namespaces.push(namespace);
        std::thread::sleep(self.pause);
        done
    }

    /// The same, of which no row is left. Tables that stay keep pages of per-CPU memory in use, with room for later counters;
    /// so they make it up to a third cheaper for whatever is measured next to add destinations.
    fn leaving_nothing(&mut self, body: impl FnOnce() + Send) {
        self.inside(|| {
            body();
            let left = Handle::new().unwrap().get_services().unwrap().len();
            assert_eq!(left, 0, "services that a measurement has left");
        });
    }

    /// Measures all contenders in turns.
    fn compare(&mut self, load: &Load, repeats: u32) {
        eprintln!("bench: warming up");
        self.inside(|| Contender::Floor.build(load));
        for repeat in 0..repeats {
            for turn in 0..CONTENDERS.len() {
                let contender = CONTENDERS[(turn + repeat as usize) % CONTENDERS.len()];
                eprintln!("bench: {}, {} of {repeats}", contender.name(), repeat + 1);
                self.measure(contender, load);
            }
        }
        eprintln!("bench: counting system calls");
        let few = Load::new(20, load.per_service);
        for contender in CONTENDERS.iter().filter(|contender| !contender.only_makes_tables()) {
            self.count(*contender, &few);
        }
    }

    /// Measures all work that one contender can do, with the table at its full size.
    fn measure(&mut self, contender: Contender, load: &Load) {
        let samples = self.samples;
        self.leaving_nothing(|| {
            let mut client = contender.open(load);
            if let Some(taken) = client.work(Work::Create, load) {
                tell(contender, Work::Create, load, Some(taken));
                if contender.only_makes_tables() {
                    tell(contender, Work::Snapshot, load, client.work(Work::Snapshot, load));
                }
                client.work(Work::Flush, load);
            }
        });
        if contender.only_makes_tables() {
            return;
        }
        self.leaving_nothing(|| {
            let mut client = contender.open(load);
            for work in [Work::AddServices, Work::AddDestinations, Work::Update, Work::UpdateInBatches, Work::Snapshot]
            {
                tell(contender, work, load, client.work(work, load));
            }
            for single in [Single::Get, Single::Update] {
                tell_percentiles(contender, single, client.singles(single, load, samples));
            }
            tell(contender, Work::DeleteDestinations, load, client.work(Work::DeleteDestinations, load));
            client.work(Work::Flush, load);
        });
        // Deleted destinations are remembered for a while and slow adding down: the other way to add uses a new
        // namespace.
        self.leaving_nothing(|| {
            let mut client = contender.open(load);
            client.work(Work::AddServices, load).unwrap();
            let added = client.work(Work::AddDestinationsInBatches, load);
            tell(contender, Work::AddDestinationsInBatches, load, added);
            if added.is_none() {
                client.work(Work::AddDestinations, load).unwrap();
            }
            tell(contender, Work::Flush, load, client.work(Work::Flush, load));
        });
        self.leaving_nothing(|| {
            let mut client = match contender {
                Contender::Ours => Box::new(Program::OURS),
                _ => contender.open(load),
            };
            if let Some(taken) = client.work(Work::Restore, load) {
                tell(contender, Work::Restore, load, Some(taken));
                client.work(Work::Flush, load);
            }
        });
    }

    /// Prints the system calls of all work, where they are counted.
    fn count(&mut self, contender: Contender, load: &Load) {
        self.inside(|| {
            let mut client = contender.open_counted(load);
            for work in [
                Work::AddServices,
                Work::AddDestinations,
                Work::Update,
                Work::UpdateInBatches,
                Work::Snapshot,
                Work::DeleteDestinations,
                Work::AddDestinationsInBatches,
                Work::Flush,
            ] {
                let before = client.calls();
                let done = client.work(work, load);
                if let (Some(before), Some(after), Some(_)) = (before, client.calls(), done) {
                    let per_operation = ratio(after - before, work.operations(load));
                    print(contender, work.name(), &json!({ "syscalls_per_op": per_operation }));
                }
            }
            if client.calls().is_none() {
                return;
            }
            client.work(Work::AddServices, load).unwrap();
            client.work(Work::AddDestinations, load).unwrap();
            for single in [Single::Get, Single::Update] {
                let before = client.calls().unwrap();
                let done = client.singles(single, load, 100).len();
                let per_operation = ratio(client.calls().unwrap() - before, done);
                for (percentile, _) in PERCENTILES {
                    let name = format!("{}-{percentile}", single.name());
                    print(contender, &name, &json!({ "syscalls_per_op": per_operation }));
                }
            }
        });
    }
}

#[allow(clippy::cast_precision_loss, reason = "neither comes near 2^52")]
fn ratio(part: u64, operations: usize) -> f64 {
    part as f64 / operations as f64
}

/// Thousands of units of the clock for one operation.
fn thousands(taken: Duration, operations: usize) -> f64 {
    ratio(nanoseconds(taken), operations) / 1000.0
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap()
}

fn tell(contender: Contender, work: Work, load: &Load, taken: Option<Duration>) {
    if let Some(taken) = taken {
        let per_operation = ratio(nanoseconds(taken), work.operations(load));
        print(contender, work.name(), &json!({ "ns_per_op": per_operation }));
    }
}

/// The median, and the value that one in a hundred exceeds.
const PERCENTILES: [(&str, usize); 2] = [("p50", 50), ("p99", 99)];

fn tell_percentiles(contender: Contender, single: Single, mut taken: Vec<Duration>) {
    taken.sort_unstable();
    for (name, percentile) in PERCENTILES {
        if let Some(time) = taken.get(taken.len() * percentile / 100) {
            let name = format!("{}-{name}", single.name());
            print(contender, &name, &json!({ "ns_per_op": ratio(nanoseconds(*time), 1) }));
        }
    }
}

fn print(contender: Contender, workload: &str, figure: &Value) {
    let mut row = json!({ "workload": workload, "client": contender.name() });
    if let (Value::Object(row), Value::Object(figure)) = (&mut row, figure) {
        row.extend(figure.clone());
    }
    println!("{row}");
}
