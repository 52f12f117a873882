//! Tables as large as they get.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_rs::{Destination, DestinationId, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use crate::kernel;
use crate::namespaces::alone;

fn mark(number: u32) -> ServiceId {
    format!("fwmark:{number}").parse().unwrap()
}

fn server(number: u32) -> Destination {
    let [_, b, c, d] = number.to_be_bytes();
    Destination::new(format!("10.{b}.{c}.{d}:80").parse().unwrap(), ForwardMethod::Masquerade)
}

/// A list is one exchange however long it is, and an emulated machine on a busy one takes its time.
fn patient() -> Handle {
    Handle::builder().deadline(Duration::from_secs(60)).open().unwrap()
}

/// Says how long something took.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    kernel::note(&format!("{what} in {:?}", start.elapsed()));
    done
}

/// Resident memory of this process in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Reads the services once the kernel has left off moving them: from Linux 7 on it resizes its table shortly after
/// a change in bulk, and a list made meanwhile may lack some.
fn settled_services(handle: &Handle, count: usize) -> BTreeSet<ServiceId> {
    let mut found = BTreeSet::new();
    for _ in 0..20 {
        let services = handle.get_services().unwrap();
        found = services.iter().map(ipvs_rs::ServiceEntry::id).collect();
        assert_eq!(found.len(), services.len(), "each once");
        if found.len() == count {
            break;
        }
        assert!(kernel::version() >= (7, 0), "{} of {count} services in a table that nobody changes", found.len());
        thread::sleep(Duration::from_millis(100));
    }
    found
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn ten_thousand_services_are_all_listed_once() {
    alone(|| {
        let handle = patient();
        let ids: BTreeSet<ServiceId> = (1..=10_000).map(mark).collect();
        let batch = ids.iter().fold(handle.batch(), |batch, id| batch.new_service(&Service::new(*id, Scheduler::Rr)));
        timed("10000 services made", || assert!(batch.send().unwrap().is_ok()));
        timed("10000 services listed", || drop(handle.get_services().unwrap()));
        assert_eq!(settled_services(&handle, ids.len()), ids);

        let before = resident();
        for _ in 0..2 {
            drop(handle.get_services().unwrap());
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 4096, "reading the same list again and again took {grown} kB more");
        handle.flush().unwrap();
        assert_eq!(handle.get_services().unwrap(), []);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn ten_thousand_destinations_of_one_service_are_listed_newest_first() {
    alone(|| {
        let handle = patient();
        let service = Service::new(mark(1), Scheduler::Rr);
        let batch = (1..=10_000).fold(handle.batch().new_service(&service), |batch, number| {
            batch.new_destination(&service.id, &server(number))
        });
        timed("10000 destinations made", || assert!(batch.send().unwrap().is_ok()));
        let listed = timed("10000 destinations listed", || handle.get_destinations(&service.id).unwrap());
        let found: Vec<DestinationId> = listed.iter().map(ipvs_rs::DestinationEntry::id).collect();
        let expected: Vec<DestinationId> = (1..=10_000).rev().map(|number| server(number).id).collect();
        assert_eq!(found, expected);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn thousand_services_with_ten_destinations_each_are_read_whole() {
    alone(|| {
        let handle = patient();
        let mut batch = handle.batch();
        for number in 1..=1000 {
            let service = Service::new(mark(number), Scheduler::Wlc);
            batch = batch.new_service(&service);
            for place in 0..10 {
                batch = batch.new_destination(&service.id, &server(number * 10 + place));
            }
        }
        assert!(batch.send().unwrap().is_ok());
        settled_services(&handle, 1000);
        let table = timed("1000 services with 10 destinations each read", || handle.snapshot().unwrap());
        assert_eq!((table.len(), table.destination_count()), (1000, 10_000));
        for number in 1..=1000 {
            let row = table.get(&mark(number)).unwrap();
            let found: Vec<DestinationId> = row.destinations.iter().map(ipvs_rs::DestinationEntry::id).collect();
            let expected: Vec<DestinationId> = (0..10).rev().map(|place| server(number * 10 + place).id).collect();
            assert_eq!(found, expected, "{number}");
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn destinations_that_change_while_they_are_listed_come_once() {
    const STEADY: u32 = 500;
    alone(|| {
        let (lists, writes) = (patient(), patient());
        let service = Service::new(mark(1), Scheduler::Rr);
        let batch = (1..=STEADY).fold(writes.batch().new_service(&service), |batch, number| {
            batch.new_destination(&service.id, &server(number))
        });
        assert!(batch.send().unwrap().is_ok());

        let done = AtomicBool::new(false);
        let mut left_out = 0;
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for number in STEADY + 1..=STEADY + 20 {
                        writes.new_destination(&service.id, &server(number)).unwrap();
                    }
                    for number in STEADY + 1..=STEADY + 20 {
                        writes.delete_destination(&service.id, &server(number).id).unwrap();
                    }
                }
            });
            for _ in 0..15 {
                let listed = lists.get_destinations(&service.id).unwrap();
                let ids: BTreeSet<DestinationId> = listed.iter().map(ipvs_rs::DestinationEntry::id).collect();
                assert_eq!(ids.len(), listed.len(), "each once");
                left_out += (1..=STEADY).filter(|number| !ids.contains(&server(*number).id)).count();
            }
            done.store(true, Ordering::Relaxed);
        });
        kernel::note(&format!("15 lists of {STEADY} that were there all the time left out {left_out}"));
        assert_eq!(lists.get_destinations(&service.id).unwrap().len(), 500, "at rest, all are there");
    });
}
