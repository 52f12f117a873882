//! One handle, many threads.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service, ServiceId};

use super::World;
use super::client::{Batch, Handle};

const THREADS: u32 = 8;
const EACH: u32 = 500;

fn mark(number: u32) -> ServiceId {
    format!("fwmark:{number}").parse().unwrap()
}

pub fn eight_threads_on_one_handle_make_the_right_table(world: &dyn World) {
    let handle = world.handle();
    let handle = &handle;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for number in 0..EACH {
                    let id = mark(1 + thread * EACH + number);
                    handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap_or_else(|error| panic!("{error}"));
                }
            });
        }
    });
    let found: BTreeSet<ServiceId> = handle.get_services().unwrap().iter().map(ipvs_rs::ServiceEntry::id).collect();
    let expected: BTreeSet<ServiceId> = (1..=THREADS * EACH).map(mark).collect();
    assert_eq!(found, expected);
}

pub fn readers_and_writers_never_get_the_answers_of_others(world: &dyn World) {
    let handle = world.handle();
    let handle = &handle;
    let writing = AtomicU32::new(4);
    let reads = AtomicU32::new(0);
    thread::scope(|scope| {
        for writer in 1..=4 {
            let writing = &writing;
            scope.spawn(move || {
                let id = mark(writer);
                handle.new_service(&Service::new(id, Scheduler::Wrr)).unwrap();
                for round in 0..24_u32 {
                    let server = Destination::new(
                        format!("10.0.{writer}.{}:80", round % 8 + 1).parse().unwrap(),
                        ForwardMethod::Masquerade,
                    );
                    let server = server.weight(writer * 1000 + round).unwrap();
                    handle.ensure_destination(&id, &server).unwrap_or_else(|error| panic!("{error}"));
                    let read = handle.get_destination(&id, &server.id).unwrap().unwrap();
                    assert_eq!(read.destination, server);
                }
                writing.fetch_sub(1, Ordering::SeqCst);
            });
        }
        for reader in 0..4 {
            let (writing, reads) = (&writing, &reads);
            scope.spawn(move || {
                while writing.load(Ordering::SeqCst) > 0 {
                    match reader % 2 {
                        0 => drop(handle.snapshot().unwrap_or_else(|error| panic!("{error}"))),
                        _ => drop(handle.get_config().unwrap_or_else(|error| panic!("{error}"))),
                    }
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert!(reads.load(Ordering::SeqCst) > 0);
    let table = handle.snapshot().unwrap();
    assert_eq!((table.len(), table.destination_count()), (4, 32));
}

pub fn list_that_changes_while_it_is_read_has_nothing_twice(world: &dyn World) {
    let lists = world.handle();
    let stable: BTreeSet<ServiceId> = (1..=1000).map(mark).collect();
    let batch = stable.iter().fold(lists.batch(), |batch, id| batch.new_service(&Service::new(*id, Scheduler::Rr)));
    assert!(batch.send().unwrap().is_ok());

    // A handle of its own: one that is shared would wait for its turn and change nothing meanwhile.
    let writes = world.handle();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let churn: Vec<Service> = (2001..=2050).map(|number| Service::new(mark(number), Scheduler::Rr)).collect();
            while !stop.load(Ordering::SeqCst) {
                let batch = churn.iter().fold(writes.batch(), Batch::new_service);
                assert!(batch.send().unwrap().is_ok());
                let batch = churn.iter().fold(writes.batch(), |batch, service| batch.delete_service(&service.id));
                assert!(batch.send().unwrap().is_ok());
            }
        });
        for _ in 0..30 {
            let services = lists.get_services().unwrap();
            let distinct: BTreeSet<ServiceId> = services.iter().map(ipvs_rs::ServiceEntry::id).collect();
            assert_eq!(distinct.len(), services.len(), "each once");
            assert!(distinct.iter().all(|id| stable.contains(id) || id.mark().unwrap().get() > 2000));
        }
        stop.store(true, Ordering::SeqCst);
    });
    let left: BTreeSet<ServiceId> = lists.get_services().unwrap().iter().map(ipvs_rs::ServiceEntry::id).collect();
    assert_eq!(left, stable);
}

pub fn handles_of_several_threads_do_not_disturb_each_other(world: &dyn World) {
    thread::scope(|scope| {
        for thread in 1..=4 {
            let handle = world.handle();
            scope.spawn(move || {
                for number in 0..50 {
                    let id = mark(thread * 1000 + number);
                    handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
                    assert_eq!(handle.get_service(&id).unwrap().unwrap().id(), id);
                    handle.delete_service(&id).unwrap();
                    assert_eq!(handle.get_service(&id).unwrap(), None);
                }
            });
        }
    });
}

pub fn list_that_was_given_up_leaves_the_handle_usable(world: &dyn World) {
    let handle = world.handle();
    let mut batch = handle.batch();
    for number in 1..=500 {
        batch = batch.new_service(&Service::new(mark(number), Scheduler::Rr));
    }
    assert!(batch.send().unwrap().is_ok());

    // The clock starts when an answer is not complete: what comes in one piece is in time, whatever the deadline.
    let hasty = world.open(Handle::builder().deadline(Duration::from_nanos(1)));
    for _ in 0..3 {
        let error = hasty.get_services().unwrap_err();
        assert!(error.is_timeout() && error.is_retryable(), "{error}");
        assert_eq!(hasty.get_service(&mark(1)).unwrap().unwrap().id(), mark(1));
        hasty.update_service(&Service::new(mark(1), Scheduler::Wlc)).unwrap();
        assert!(hasty.new_service(&Service::new(mark(1), Scheduler::Rr)).unwrap_err().is_already_exists());
    }
    assert_eq!(handle.get_service(&mark(500)).unwrap().unwrap().service.scheduler, Scheduler::Rr);
}
