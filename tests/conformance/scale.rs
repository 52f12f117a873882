//! Tables as large as they get.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_rs::{Destination, DestinationId, ForwardMethod, Scheduler, Service, ServiceId};

use super::World;
use super::client::Handle;

pub fn ten_thousand_services_are_all_listed_once(world: &dyn World) {
    let handle = patient(world);
    let ids: BTreeSet<ServiceId> = (1..=10_000).map(mark).collect();
    let batch = ids.iter().fold(handle.batch(), |batch, id| batch.new_service(&Service::new(*id, Scheduler::Rr)));
    timed(world, "10000 services made", || assert!(batch.send().unwrap().is_ok()));
    timed(world, "10000 services listed", || drop(handle.get_services().unwrap()));
    assert_eq!(settled_services(world, &handle, ids.len()), ids);
    handle.flush().unwrap();
    assert_eq!(handle.get_services().unwrap(), []);
}

pub fn ten_thousand_destinations_of_one_service_are_listed_newest_first(world: &dyn World) {
    let handle = patient(world);
    let service = Service::new(mark(1), Scheduler::Rr);
    let batch = (1..=10_000).fold(handle.batch().new_service(&service), |batch, number| {
        batch.new_destination(&service.id, &server(number))
    });
    timed(world, "10000 destinations made", || assert!(batch.send().unwrap().is_ok()));
    let listed = timed(world, "10000 destinations listed", || handle.get_destinations(&service.id).unwrap());
    let found: Vec<DestinationId> = listed.iter().map(ipvs_rs::DestinationEntry::id).collect();
    let expected: Vec<DestinationId> = (1..=10_000).rev().map(|number| server(number).id).collect();
    assert_eq!(found, expected);
}

pub fn thousand_services_with_ten_destinations_each_are_read_whole(world: &dyn World) {
    let handle = patient(world);
    let mut batch = handle.batch();
    for number in 1..=1000 {
        let service = Service::new(mark(number), Scheduler::Wlc);
        batch = batch.new_service(&service);
        for place in 0..10 {
            batch = batch.new_destination(&service.id, &server(number * 10 + place));
        }
    }
    assert!(batch.send().unwrap().is_ok());
    settled_services(world, &handle, 1000);
    let table = timed(world, "1000 services with 10 destinations each read", || handle.snapshot().unwrap());
    assert_eq!((table.len(), table.destination_count()), (1000, 10_000));
    for number in 1..=1000 {
        let row = table.get(&mark(number)).unwrap();
        let found: Vec<DestinationId> = row.destinations.iter().map(ipvs_rs::DestinationEntry::id).collect();
        let expected: Vec<DestinationId> = (0..10).rev().map(|place| server(number * 10 + place).id).collect();
        assert_eq!(found, expected, "{number}");
    }
}

pub fn destinations_that_change_while_they_are_listed_come_once(world: &dyn World) {
    const STEADY: u32 = 500;
    let (lists, writes) = (patient(world), patient(world));
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
    world.note(&format!("15 lists of {STEADY} that were there all the time left out {left_out}"));
    assert_eq!(lists.get_destinations(&service.id).unwrap().len(), 500, "at rest, all are there");
}

fn mark(number: u32) -> ServiceId {
    format!("fwmark:{number}").parse().unwrap()
}

fn server(number: u32) -> Destination {
    let [_, b, c, d] = number.to_be_bytes();
    Destination::new(format!("10.{b}.{c}.{d}:80").parse().unwrap(), ForwardMethod::Masquerade)
}

/// A list is one exchange however long it is, and an emulated machine on a busy one takes its time.
fn patient(world: &dyn World) -> Handle {
    world.open(Handle::builder().deadline(Duration::from_secs(60)))
}

/// Says how long something took.
fn timed<T>(world: &dyn World, what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    world.note(&format!("{what} in {:?}", start.elapsed()));
    done
}

/// Reads the services once the kernel has left off moving them: from Linux 7 on it resizes its table shortly after
/// a change in bulk, and a list made meanwhile may lack some.
fn settled_services(world: &dyn World, handle: &Handle, count: usize) -> BTreeSet<ServiceId> {
    let mut found = BTreeSet::new();
    for _ in 0..20 {
        let services = handle.get_services().unwrap();
        found = services.iter().map(ipvs_rs::ServiceEntry::id).collect();
        assert_eq!(found.len(), services.len(), "each once");
        if found.len() == count {
            break;
        }
        assert!(world.version() >= (7, 0), "{} of {count} services in a table that is not changed", found.len());
        thread::sleep(Duration::from_millis(100));
    }
    found
}
