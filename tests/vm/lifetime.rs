//! Handles that come and go leave nothing behind.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::process::Command;
use std::time::{Duration, Instant};

use ipvs_rs::error::ErrorKind;
use ipvs_rs::handle::Consistency;
use ipvs_rs::model::Reading;
use ipvs_rs::transport::Netns;
use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId, Table};

use crate::kernel;
use crate::namespaces::{Namespace, alone};
use crate::process::{again, is_again};
use crate::usage::Usage;

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn ten_thousand_handles_leave_no_descriptor_thread_or_memory() {
    if !is_again() {
        alone(|| {
            let text = again("lifetime::ten_thousand_handles_leave_no_descriptor_thread_or_memory", &[]);
            text.lines().filter_map(|line| line.strip_prefix("note: ")).for_each(kernel::note);
        });
        return;
    }
    let open = |count| {
        let start = Instant::now();
        for _ in 0..count {
            Handle::new().unwrap();
        }
        start.elapsed() / count
    };
    // The first ones warm up the allocator.
    let average = open(1000);
    kernel::note(&format!("a handle is opened and closed in {average:?} (average of 1000)"));
    let before = Usage::now();
    open(9000);
    let after = Usage::now();
    assert_eq!(after.descriptors, before.descriptors);
    assert_eq!(after.threads, before.threads);
    let grown = after.anonymous_kib.saturating_sub(before.anonymous_kib);
    assert!(grown < 1024, "9000 handles took {grown} KiB that did not come back");
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handles_to_another_namespace_leave_no_descriptor_thread_or_memory() {
    if !is_again() {
        alone(|| {
            let text = again("lifetime::handles_to_another_namespace_leave_no_descriptor_thread_or_memory", &[]);
            text.lines().filter_map(|line| line.strip_prefix("note: ")).for_each(kernel::note);
        });
        return;
    }
    let other = Namespace::new();
    let netns = Netns::path(other.path());
    let open = |count| {
        let start = Instant::now();
        for _ in 0..count {
            Handle::builder().netns(netns.clone()).open().unwrap();
            // A failed call must not leave anything either.
            Handle::builder().netns(Netns::path("/proc/self/ns/mnt")).open().unwrap_err();
            Handle::builder().netns(Netns::path("/no/such/file")).open().unwrap_err();
        }
        start.elapsed() / count
    };
    let average = open(100);
    kernel::note(&format!("a handle to another namespace is opened, and twice refused, in {average:?}"));
    let before = Usage::now();
    open(400);
    let after = Usage::now();
    assert_eq!(after.descriptors, before.descriptors);
    assert_eq!(after.threads, before.threads, "the threads that entered have ended");
    let grown = after.anonymous_kib.saturating_sub(before.anonymous_kib);
    assert!(grown < 1024, "400 handles took {grown} KiB that did not come back");
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn open_handle_is_two_descriptors_or_one_and_no_thread_and_is_closed_on_exec() {
    if !is_again() {
        alone(|| again("lifetime::open_handle_is_two_descriptors_or_one_and_no_thread_and_is_closed_on_exec", &[]));
        return;
    }
    let other = Namespace::new();
    let before = Usage::now();
    // One socket for commands, and one for lists that are short, unless the caller wants more or none.
    let here = Handle::new().unwrap();
    let there = Handle::builder().netns(Netns::path(other.path())).open().unwrap();
    let single = Handle::builder().readers(0).open().unwrap();
    let several = Handle::builder().netns(Netns::path(other.path())).readers(3).open().unwrap();
    let during = Usage::now();
    assert_eq!(during.threads, before.threads, "the thread that entered has ended");
    let mine: BTreeSet<_> = during.descriptors.difference(&before.descriptors).collect();
    assert_eq!(mine.len(), 2 + 2 + 1 + 4, "{mine:?}");

    let listed = Command::new("ls").args(["-l", "/proc/self/fd"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(mine.iter().all(|link| link.contains("socket:")), "{mine:?}");
    assert!(listed.contains("->") && !listed.contains("socket:"), "a child sees them:\n{listed}");

    drop((here, there, single, several));
    assert_eq!(Usage::now().descriptors, before.descriptors);
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn long_list_that_is_read_again_and_again_takes_no_more_memory() {
    if !is_again() {
        alone(|| again("lifetime::long_list_that_is_read_again_and_again_takes_no_more_memory", &[]));
        return;
    }
    // A list is one exchange however long it is, and an emulated machine on a busy one takes its time.
    let handle = Handle::builder().deadline(Duration::from_secs(60)).open().unwrap();
    let services = (1..=5000).map(|mark| Service::new(format!("fwmark:{mark}").parse().unwrap(), Scheduler::Rr));
    let batch = services.fold(handle.batch(), |batch, service| batch.new_service(&service));
    assert!(batch.send().unwrap().is_ok());
    // The first ones warm up the allocator.
    let read = |times| (0..times).for_each(|_| drop(handle.get_services().unwrap()));
    read(2);
    let before = Usage::now();
    read(4);
    let grown = Usage::now().anonymous_kib.saturating_sub(before.anonymous_kib);
    assert!(grown < 1024, "four lists of 5000 services took {grown} KiB that did not come back");
    handle.flush().unwrap();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn batch_that_is_stopped_and_tables_that_are_filled_again_show_what_there_is() {
    alone(|| {
        Namespace::new().run(|| {
            let handle = Handle::new().unwrap();
            let id = |number: u32| -> ServiceId { format!("fwmark:{number}").parse().unwrap() };
            let server = |number: u32| {
                let address = format!("10.0.{}.{}:80", number / 200, number % 200 + 1).parse().unwrap();
                Destination::new(address, ForwardMethod::Masquerade)
            };
            let services = (1..=450).map(|number| Service::new(id(number), Scheduler::Rr));
            let batch = services.fold(handle.batch(), |batch, service| batch.new_service(&service));
            let mut seen = Vec::new();
            let report = batch.send_with_progress(|progress| {
                seen.push((progress.done, progress.failed, progress.total));
                if progress.done < 400 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            let report = report.unwrap();
            assert_eq!(seen, [(200, 0, 450), (400, 0, 450)]);
            assert_eq!(report.failures().filter(|(_, error)| error.kind() == ErrorKind::NotSent).count(), 50);
            assert_eq!(report.failures().count(), 50);

            // A list of every kind: none, few, more than a short datagram holds, more than any holds.
            for (service, count) in [(1, 10), (2, 21), (3, 60), (4, 150)] {
                let batch = (1..=count)
                    .fold(handle.batch(), |batch, number| batch.new_destination(&id(service), &server(number)));
                assert!(batch.send().unwrap().is_ok());
                let mut visited = 0;
                let reading = handle.for_each_destination(&id(service), |_| visited += 1).unwrap();
                assert_eq!((visited, reading.is_complete()), (count, count < 90), "{reading}");
            }
            // From Linux 7 on the kernel rearranges its table for a moment after many changes.
            std::thread::sleep(Duration::from_secs(2));
            let expected = Handle::builder()
                .readers(0)
                .open()
                .unwrap()
                .snapshot_with(Consistency::Stable { attempts: 5 })
                .unwrap();
            assert_eq!((expected.len(), expected.destination_count()), (400, 241));
            assert!(matches!(expected.reading(), Reading::Confirmed { .. }));
            for readers in 0..=3 {
                let handle = Handle::builder().readers(readers).open().unwrap();
                let mut table = Table::default();
                for _ in 0..3 {
                    assert_eq!(handle.snapshot_into(&mut table).unwrap(), Reading::Fragmented);
                    assert_eq!(table, expected, "{readers}");
                }
                assert_eq!(handle.snapshot_with(Consistency::Stable { attempts: 5 }).unwrap(), expected, "{readers}");
            }
        });
    });
}
