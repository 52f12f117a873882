//! The cost of adding while the kernel remembers deleted destinations.

use std::thread::sleep;
use std::time::Duration;

use ipvs_rs::{Destination, DestinationId, Handle, ServiceId};
use serde_json::json;

use crate::load::Load;
use crate::ours::{add_services, in_batches};
use crate::{Bench, thousands};

/// The history of the table before the destinations are added.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// The destinations are there.
    There,
    /// They were there, and all were deleted one after the other.
    Deleted,
    /// They were there, and the whole table was flushed.
    Flushed,
}

/// The destinations that are added.
#[derive(Clone, Copy)]
enum Added {
    Same,
    /// The same, in reverse order.
    Reversed,
    /// As many that were not there before.
    Others,
}

struct Case {
    name: &'static str,
    before: Before,
    /// Seconds between that and the addition.
    wait: u64,
    added: Added,
}

const CASES: [Case; 9] = [
    Case { name: "fresh", before: Before::Nothing, wait: 0, added: Added::Same },
    Case { name: "reversed", before: Before::Deleted, wait: 0, added: Added::Reversed },
    Case { name: "same-order", before: Before::Deleted, wait: 0, added: Added::Same },
    Case { name: "others", before: Before::Deleted, wait: 0, added: Added::Others },
    Case { name: "others-first", before: Before::There, wait: 0, added: Added::Others },
    Case { name: "flushed", before: Before::Flushed, wait: 0, added: Added::Same },
    Case { name: "flushed-reversed", before: Before::Flushed, wait: 0, added: Added::Reversed },
    Case { name: "after-178-s", before: Before::Deleted, wait: 178, added: Added::Same },
    Case { name: "after-185-s", before: Before::Deleted, wait: 185, added: Added::Same },
];

/// Ten destinations to a service, so that nothing else takes long.
const PER_SERVICE: u32 = 10;

/// Runs each case with this many destinations, by the library.
pub fn measure(bench: &mut Bench, sizes: &[u32]) {
    if sizes.is_empty() {
        return;
    }
    let pause = bench.pause;
    bench.inside(|| {
        for size in sizes {
            let load = Load::new(size.div_ceil(PER_SERVICE), PER_SERVICE);
            let destinations = load.destinations.len();
            for case in &CASES {
                eprintln!("bench: {destinations} destinations deleted, {}", case.name);
                let taken = case.run(&load);
                println!(
                    "{}",
                    json!({
                        "trash": case.name,
                        "destinations": destinations,
                        "kinsn_per_row": thousands(taken, destinations),
                    })
                );
                // Waits until all of that is forgotten. A namespace for each would do as well, but from Linux 6.12 on
                // each has a thread that wakes up many times a second.
                sleep(pause);
            }
        }
    });
}

impl Case {
    fn run(&self, load: &Load) -> Duration {
        let handle = Handle::new().unwrap();
        let make_services = || add_services(&handle, &load.services);
        make_services();
        if !matches!(self.before, Before::Nothing) {
            add(&handle, &load.destinations);
        }
        match self.before {
            Before::Nothing | Before::There => {}
            Before::Deleted => {
                in_batches(&handle, &load.destinations, |batch, (id, it)| batch.delete_destination(id, &it.id));
            }
            Before::Flushed => {
                handle.flush().unwrap();
                make_services();
            }
        }
        sleep(Duration::from_secs(self.wait));
        let mut added = load.destinations.clone();
        match self.added {
            Added::Same => {}
            Added::Reversed => added.reverse(),
            Added::Others => {
                for (_, destination) in &mut added {
                    destination.id = DestinationId::verbatim(destination.id.address(), destination.id.port() + 1);
                }
            }
        }
        let taken = add(&handle, &added);
        handle.flush().unwrap();
        taken
    }
}

fn add(handle: &Handle, destinations: &[(ServiceId, Destination)]) -> Duration {
    in_batches(handle, destinations, |batch, (id, it)| batch.new_destination(id, it))
}
