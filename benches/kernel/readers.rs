//! The effect of reading a table with several threads.

use std::time::Duration;

use ipvs_rs::{Handle, Table};
use serde_json::json;

use crate::client::{Work, timed};
use crate::load::Load;
use crate::{Bench, Contender};

/// The number of turns of each number of readers.
const TURNS: usize = 15;

/// Times a snapshot with each of these numbers of readers, and prints the median of all its turns.
pub fn measure(bench: &mut Bench, readers: &[u32], load: &Load) {
    if readers.is_empty() {
        return;
    }
    let processors = std::thread::available_parallelism().unwrap().get();
    bench.inside(|| {
        let mut floor = Contender::Floor.open(load);
        floor.work(Work::Restore, load).unwrap();
        let open = |count: &u32| Handle::builder().readers(*count as usize).open().unwrap();
        let mut contenders: Vec<_> =
            readers.iter().map(|count| (*count, open(count), Table::default(), Vec::<Duration>::new())).collect();
        for turn in 0..TURNS {
            eprintln!("bench: turn {} of {TURNS}", turn + 1);
            for (_, handle, table, taken) in &mut contenders {
                taken.push(timed(|| handle.snapshot_into(table).unwrap()));
                assert_eq!(table.destination_count(), load.destinations.len());
            }
        }
        for (readers, _, _, mut taken) in contenders {
            taken.sort_unstable();
            let count = f64::from(u32::try_from(load.destinations.len()).unwrap());
            let each = taken[TURNS / 2].as_secs_f64() * 1e6 / count;
            println!("{}", json!({ "readers": readers, "processors": processors, "microseconds": each }));
        }
        floor.work(Work::Flush, load).unwrap();
    });
}
