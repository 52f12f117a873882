//! Lists that others write to while they are read, and the sockets that they are read over.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ipvs_rs::codec::{Frames, Payload, Request};
use ipvs_rs::error::{Errno, ErrorKind};
use ipvs_rs::handle::{Consistency, Outcome};
use ipvs_rs::model::Reading;
use ipvs_rs::testing::{FakeKernel, FakeSocket, Fault, FaultPlan, Release};
use ipvs_rs::transport::{Limits, Received, Transport};
use ipvs_rs::{Destination, DestinationId, ForwardMethod, Handle, Scheduler, Service, ServiceEntry, ServiceId, Table};

use crate::netlink::DUMP;

/// A request that went over a socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum RequestKind {
    Services,
    Destinations,
    Other,
}

type Hook = Box<dyn FnMut() + Send>;

/// A socket with a hook between the pieces of a list.
struct HookedSocket {
    socket: FakeSocket,
    seen: Arc<Mutex<Vec<RequestKind>>>,
    longest: Arc<Mutex<usize>>,
    /// Called when the first piece of a list is made and not yet received.
    between: Hook,
}

impl std::fmt::Debug for HookedSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.socket.fmt(f)
    }
}

impl HookedSocket {
    fn new(kernel: &FakeKernel, between: impl FnMut() + Send + 'static) -> Self {
        Self { socket: kernel.transport(), seen: Arc::default(), longest: Arc::default(), between: Box::new(between) }
    }
}

impl Transport for HookedSocket {
    fn port(&self) -> u32 {
        self.socket.port()
    }

    fn limits(&self) -> Limits {
        self.socket.limits()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let frame = Frames::new(datagram).next().unwrap().unwrap();
        let is_dump = frame.flags & DUMP == DUMP;
        let Payload::Data { command, attributes } = frame.payload else { panic!("{frame:?}") };
        let seen = match Request::decode(command, is_dump, attributes) {
            Ok(Request::GetServices) => RequestKind::Services,
            Ok(Request::GetDestinations(_)) => RequestKind::Destinations,
            _ => RequestKind::Other,
        };
        lock(&self.seen).push(seen);
        self.socket.send(datagram)?;
        if seen != RequestKind::Other {
            (self.between)();
        }
        Ok(())
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let mut longest = lock(&self.longest);
        *longest = longest.max(buffer.len());
        self.socket.try_receive(buffer)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.socket.wait(timeout)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap()
}

fn id(number: u32) -> ServiceId {
    format!("FWM {number}").parse().unwrap()
}

fn service(number: u32) -> Service {
    Service::new(id(number), Scheduler::Rr)
}

fn server(number: u32) -> DestinationId {
    format!("10.0.{}.{}:80", number / 250, number % 250 + 1).parse().unwrap()
}

fn destination(number: u32) -> Destination {
    Destination::new(server(number), ForwardMethod::Masquerade)
}

/// A kernel with services 1 to so many.
fn with_services(count: u32) -> FakeKernel {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    let batch = (1..=count).fold(handle.batch(), |batch, number| batch.new_service(&service(number)));
    batch.send().unwrap().into_result().unwrap();
    kernel
}

/// Gives service 1 destinations 1 to so many, of which the last comes first in a list.
fn with_destinations(count: u32) -> FakeKernel {
    let kernel = with_services(1);
    add_destinations(&kernel, 1, count);
    kernel
}

fn add_destinations(kernel: &FakeKernel, service: u32, count: u32) {
    let handle = kernel.handle().unwrap();
    let batch =
        (1..=count).fold(handle.batch(), |batch, number| batch.new_destination(&id(service), &destination(number)));
    batch.send().unwrap().into_result().unwrap();
}

const fn stable(attempts: u32) -> Consistency {
    Consistency::Stable { attempts }
}

/// A handle whose lists are disturbed, over either socket.
fn disturbed(kernel: &FakeKernel, between: impl FnMut() + Send + 'static) -> Handle {
    let between = Arc::new(Mutex::new(between));
    let socket = || {
        let between = Arc::clone(&between);
        HookedSocket::new(kernel, move || lock(&between)())
    };
    Handle::builder().reader_transports([socket()]).open_over(socket()).unwrap()
}

/// Removes the first service of the list and makes another, so many times in all, once for each list.
fn churn_services(kernel: &FakeKernel, times: u32) -> impl FnMut() + Send + 'static {
    let handle = kernel.handle().unwrap();
    let mut left = (1..=times).rev();
    move || {
        if left.next().is_some() {
            let first = handle.get_services().unwrap()[0].id();
            handle.delete_service(&first).unwrap();
        }
    }
}

fn read(handle: &Handle) -> (Vec<ServiceId>, Reading) {
    let mut ids = Vec::new();
    let reading = handle.for_each_service(|entry| ids.push(entry.id())).unwrap();
    (ids, reading)
}

#[test]
fn list_that_fits_one_piece_lacks_nothing_whoever_writes() {
    let kernel = with_services(60);
    let handle = disturbed(&kernel, churn_services(&kernel, 1));
    let (ids, reading) = read(&handle);
    assert_eq!((ids.len(), reading), (60, Reading::Whole));
    assert_eq!(read(&handle), (ids[1..].to_vec(), Reading::Whole));
}

#[test]
fn row_that_comes_again_behind_one_piece_is_dropped() {
    let kernel = with_destinations(8);
    let other = kernel.handle().unwrap();
    let mut next = 9;
    // The newest comes first: everything moves back by one, and the last comes again.
    let handle = disturbed(&kernel, move || {
        other.new_destination(&id(1), &destination(next)).unwrap();
        next += 1;
    });
    let mut seen = Vec::new();
    let reading = handle.for_each_destination(&id(1), |entry| seen.push(entry.id())).unwrap();
    assert_eq!(reading, Reading::Whole);
    assert_eq!(seen, (1..=8).rev().map(server).collect::<Vec<_>>());
}

#[test]
fn list_in_several_pieces_says_that_something_may_be_missing_and_something_is() {
    let kernel = with_services(250);
    let handle = disturbed(&kernel, churn_services(&kernel, 1));
    let (ids, reading) = read(&handle);
    // One was removed after the first piece, and one that was there all the time is passed over.
    assert_eq!((ids.len(), reading), (249, Reading::Fragmented));
    let (after, reading) = read(&handle);
    assert_eq!((after.len(), reading), (249, Reading::Fragmented));
    assert_eq!(after.iter().filter(|id| !ids.contains(id)).count(), 1);
}

#[test]
fn writer_in_another_namespace_disturbs_before_linux_7_and_only_then() {
    for (release, missing) in [(Release::V6_1, 1), (Release::V6_12, 1), (Release::V7, 0)] {
        let kernel = FakeKernel::of(release);
        let elsewhere = kernel.unshare();
        let (ours, theirs) = (kernel.handle().unwrap(), elsewhere.handle().unwrap());
        let mut others: Vec<_> = (1..=400).map(service).collect();
        for service in &others {
            ours.new_service(service).unwrap();
            theirs.new_service(service).unwrap();
        }
        let handle = disturbed(&kernel, move || {
            for service in others.split_off(others.len().saturating_sub(10)) {
                theirs.delete_service(&service.id).unwrap();
            }
        });
        let lists = (0..10).filter(|_| read(&handle).0.len() < 400).count();
        assert_eq!(usize::from(lists > 0), missing, "{release:?}");
        for _ in 0..10 {
            match handle.get_services_with(stable(2)) {
                Ok(services) => assert_eq!(services.len(), 400),
                Err(error) => assert_eq!((error.kind(), missing), (ErrorKind::Unstable, 1), "{release:?}"),
            }
        }
    }
}

#[test]
fn list_is_read_until_two_passes_are_the_same() {
    for (disturbances, passes) in [(0, 2), (1, 3), (2, 4), (5, 7)] {
        let kernel = with_services(250);
        let handle = disturbed(&kernel, churn_services(&kernel, disturbances));
        let services = handle.get_services_with(stable(7)).unwrap();
        let truth = kernel.handle().unwrap().get_services().unwrap();
        assert_eq!(services, truth, "{disturbances}");

        let kernel = with_services(250);
        let handle = disturbed(&kernel, churn_services(&kernel, disturbances));
        let table = handle.snapshot_with(stable(7)).unwrap();
        assert_eq!(table.reading(), Reading::Confirmed { passes });
    }
}

#[test]
fn list_that_never_is_the_same_twice_is_an_error() {
    let kernel = with_services(250);
    add_destinations(&kernel, 7, 200);
    let handle = disturbed(&kernel, churn_services(&kernel, 100));
    for (attempts, what) in [
        (0, "came in several pieces and was read only once"),
        (1, "came in several pieces and was read only once"),
        (2, "was read 2 times and never twice in a row the same"),
        (5, "was read 5 times and never twice in a row the same"),
    ] {
        let error = handle.get_services_with(stable(attempts)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unstable);
        assert!(error.is_retryable());
        assert_eq!(
            error.to_string(),
            format!("get services: the list {what}; another program is changing the table: try again")
        );
        assert_eq!(handle.snapshot_with(stable(attempts)).unwrap_err().kind(), ErrorKind::Unstable);
    }
    let one = disturbed(&kernel, || ()).get_destinations_with(&id(7), stable(1)).unwrap_err();
    assert_eq!(
        one.to_string(),
        "get destinations of FWM 7: the list came in several pieces and was read only once; another program is changing the \
         table: try again"
    );
    for consistency in [Consistency::Once, stable(2)] {
        let handle = disturbed(&kernel, || ());
        assert_eq!(handle.get_destinations_with(&id(7), consistency).unwrap().len(), 200);
    }
}

/// Two passes that lack the same, because the same came twice in both.
#[test]
fn pass_in_which_something_came_twice_confirms_nothing() {
    let kernel = with_destinations(200);
    let other = kernel.handle().unwrap();
    let mut left = 6;
    let handle = disturbed(&kernel, move || {
        left -= 1;
        match left % 2 {
            _ if left < 0 => {}
            1 => other.new_destination(&id(1), &destination(201)).unwrap(),
            _ => other.delete_destination(&id(1), &server(201)).unwrap(),
        }
    });
    let destinations = handle.get_destinations_with(&id(1), stable(10)).unwrap();
    assert_eq!(destinations, kernel.handle().unwrap().get_destinations(&id(1)).unwrap());
    assert_eq!(destinations.len(), 200);
}

/// Removes the newest destination and makes it again, time after time, in different places of the list.
fn churn_destinations(kernel: &FakeKernel, from: u32, to: u32) -> impl FnMut() + Send + 'static {
    let handle = kernel.handle().unwrap();
    let mut numbers = (from..=to).cycle();
    let mut gone = None;
    move || {
        if let Some(number) = gone.take() {
            handle.new_destination(&id(1), &destination(number)).unwrap();
        }
        let number = numbers.next().unwrap();
        handle.delete_destination(&id(1), &server(number)).unwrap();
        gone = Some(number);
    }
}

#[test]
fn destination_that_is_there_is_never_said_to_be_missing() {
    let kernel = with_destinations(300);
    let handle = disturbed(&kernel, churn_destinations(&kernel, 201, 300));
    for number in (1..=200).step_by(4) {
        let entry = handle.get_destination(&id(1), &server(number)).unwrap().unwrap();
        assert_eq!(entry.id(), server(number));
        let outcome = handle.modify_destination(&id(1), &server(number), |destination| {
            *destination = destination.clone().drained();
        });
        assert_eq!(outcome.unwrap().to_string(), "updated");
    }
    // A missing destination cannot be told from one that the list left out.
    let error = handle.get_destination(&id(1), &server(999)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unstable);
    let error = handle.modify_destination(&id(1), &server(999), |_| panic!("nothing to change")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unstable);
    assert_eq!(disturbed(&kernel, || ()).get_destination(&id(1), &server(999)).unwrap(), None);
}

#[test]
fn destination_that_the_list_leaves_out_is_found_by_the_next() {
    let kernel = with_destinations(300);
    let other = kernel.handle().unwrap();
    let mut is_there = true;
    // The newest, which comes first, goes and comes back.
    let handle = Handle::builder().open_over(HookedSocket::new(&kernel, move || {
        is_there = !is_there;
        if is_there {
            other.new_destination(&id(1), &destination(300)).unwrap();
        } else {
            other.delete_destination(&id(1), &server(300)).unwrap();
        }
    }));
    let handle = handle.unwrap();
    let listed = handle.get_destinations(&id(1)).unwrap();
    let left_out: Vec<_> = (1..300).filter(|number| listed.iter().all(|entry| entry.id() != server(*number))).collect();
    let [left_out] = left_out[..] else { panic!("{left_out:?}") };
    assert_eq!(handle.get_destinations(&id(1)).unwrap().len(), 299);
    let ensure = |destination: &Destination| handle.ensure_destination(&id(1), destination).unwrap();
    assert_eq!(ensure(&destination(left_out)), Outcome::Unchanged);
    assert_eq!(ensure(&destination(left_out).drained()), Outcome::Updated);
}

/// A handle with so many sockets for short lists, and what went over each socket.
fn watched(kernel: &FakeKernel, readers: usize) -> (Handle, Vec<Watch>) {
    let sockets: Vec<_> = (0..=readers).map(|_| HookedSocket::new(kernel, || ())).collect();
    let watches =
        sockets.iter().map(|socket| Watch { seen: socket.seen.clone(), longest: socket.longest.clone() }).collect();
    let mut sockets = sockets.into_iter();
    let commands = sockets.next().unwrap();
    (Handle::builder().reader_transports(sockets).open_over(commands).unwrap(), watches)
}

struct Watch {
    seen: Arc<Mutex<Vec<RequestKind>>>,
    longest: Arc<Mutex<usize>>,
}

impl Watch {
    /// How many lists of destinations were asked for since the last time.
    fn destinations(&self) -> usize {
        let seen = std::mem::take(&mut *lock(&self.seen));
        seen.into_iter().filter(|seen| *seen == RequestKind::Destinations).count()
    }
}

#[test]
fn short_lists_go_over_a_socket_with_a_short_buffer() {
    let kernel = with_services(50);
    (1..=50).for_each(|service| add_destinations(&kernel, service, 10));
    let (handle, watches) = watched(&kernel, 1);
    let table = handle.snapshot().unwrap();
    assert_eq!((table.len(), table.destination_count(), table.reading()), (50, 500, Reading::Whole));
    assert_eq!(*lock(&watches[0].seen), [RequestKind::Other, RequestKind::Services]);
    // The first of them tells the kernel the length of the buffer.
    assert_eq!(*lock(&watches[1].seen), [RequestKind::Destinations; 51]);
    assert_eq!((*lock(&watches[0].longest), *lock(&watches[1].longest)), (32 * 1024, 7872));
}

#[test]
fn list_that_is_not_short_goes_over_the_other_socket_until_it_is_short_again() {
    let kernel = with_destinations(40);
    let (handle, watches) = watched(&kernel, 1);
    let lists = || {
        let mut count = 0;
        let reading = handle.for_each_destination(&id(1), |_| count += 1).unwrap();
        (count, reading, [watches[0].destinations(), watches[1].destinations()])
    };
    assert_eq!(lists(), (40, Reading::Whole, [1, 1]));
    assert_eq!(lists(), (40, Reading::Whole, [1, 0]));
    for number in 11..=40 {
        handle.delete_destination(&id(1), &server(number)).unwrap();
    }
    assert_eq!(lists(), (10, Reading::Whole, [1, 0]));
    assert_eq!(lists(), (10, Reading::Whole, [0, 1]));
}

#[test]
fn list_that_fits_no_piece_is_not_read_twice() {
    let kernel = with_destinations(1000);
    let (handle, watches) = watched(&kernel, 1);
    for expected in [[0, 1], [1, 0], [1, 0]] {
        let mut count = 0;
        assert_eq!(handle.for_each_destination(&id(1), |_| count += 1).unwrap(), Reading::Fragmented);
        assert_eq!(count, 1000);
        assert_eq!([watches[0].destinations(), watches[1].destinations()], expected);
    }
}

#[test]
fn lists_of_every_length_are_the_same_over_one_socket_and_over_two() {
    for count in (0..=50).chain([88, 89, 90, 91, 92, 200]) {
        let kernel = with_destinations(count);
        let (handle, _watches) = watched(&kernel, 1);
        let alone = kernel.handle().unwrap().snapshot().unwrap();
        for _ in 0..3 {
            assert_eq!(handle.snapshot().unwrap(), alone, "{count}");
            assert_eq!(handle.snapshot_with(stable(2)).unwrap(), alone, "{count}");
        }
        let is_whole = handle.snapshot().unwrap().reading() == Reading::Whole;
        assert_eq!(is_whole, count <= 89, "{count}");
    }
}

#[test]
fn snapshot_by_several_threads_is_the_same() {
    let kernel = with_services(300);
    (1..=300).for_each(|service| add_destinations(&kernel, service, service % 40));
    let expected = kernel.handle().unwrap().snapshot().unwrap();
    for readers in 2..=4 {
        let (handle, watches) = watched(&kernel, readers);
        assert_eq!(handle.snapshot().unwrap(), expected);
        assert_eq!(handle.snapshot_with(stable(3)).unwrap(), expected);
        let lists: usize = watches.iter().map(Watch::destinations).sum();
        assert!(lists >= 600, "{lists}");
    }
}

#[test]
fn snapshot_by_several_threads_that_fails_is_that_failure_and_leaves_the_table_empty() {
    let kernel = with_services(300);
    let (handle, _watches) = watched(&kernel, 3);
    let mut table = handle.snapshot().unwrap();
    kernel.misbehave(FaultPlan::new().well(100).then(Fault::SendFails(Errno::EPERM)));
    let error = handle.snapshot_into(&mut table).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(table.is_empty());
    assert_eq!(handle.snapshot_into(&mut table).unwrap(), Reading::Whole.and(table.reading()));
    assert_eq!(table.len(), 300);
}

#[test]
fn table_is_filled_again_in_the_same_memory() {
    let kernel = with_services(40);
    (1..=40).for_each(|service| add_destinations(&kernel, service, 5));
    let handle = kernel.handle().unwrap();
    let mut table = Table::default();
    handle.snapshot_into(&mut table).unwrap();
    let memory = |table: &Table| {
        let rows = table.services.iter().map(|row| row.destinations.as_ptr());
        (table.services.as_ptr(), rows.collect::<Vec<_>>())
    };
    let before = memory(&table);
    handle.update_destination(&id(3), &destination(2).drained()).unwrap();
    handle.snapshot_into(&mut table).unwrap();
    assert_eq!(memory(&table), before);
    assert_eq!(table, handle.snapshot().unwrap());

    handle.delete_service(&id(3)).unwrap();
    handle.snapshot_into(&mut table).unwrap();
    assert_eq!((table.len(), table.destination_count()), (39, 195));
    assert_eq!(table, handle.snapshot().unwrap());
    handle.flush().unwrap();
    handle.snapshot_into(&mut table).unwrap();
    assert_eq!(table, Table::default());
}

#[test]
fn service_that_vanishes_meanwhile_is_not_in_a_stable_table() {
    let kernel = with_services(10);
    (1..=9).for_each(|service| add_destinations(&kernel, service, 1));
    let vanish = || {
        let other = kernel.handle().unwrap();
        let mut lists = 0;
        move || {
            lists += 1;
            // The list of services is through, and that of the first destinations.
            if lists == 2 {
                for number in 1..=5 {
                    other.remove_service(&id(number)).unwrap();
                }
            }
        }
    };
    let numbers = |table: &Table| {
        let mut rows: Vec<_> = table.services.iter().map(|row| (row.id(), row.destinations.len())).collect();
        rows.sort_unstable_by_key(|(id, _)| id.to_string());
        rows
    };
    let table = disturbed(&kernel, vanish()).snapshot_with(stable(3)).unwrap();
    let first = table.services[0].id();
    let mut expected: Vec<_> = (1..=10)
        .map(id)
        .filter(|service| *service == first || (1..=5).all(|number| *service != id(number)))
        .map(|service| (service, usize::from(service != id(10))))
        .collect();
    expected.sort_unstable_by_key(|(id, _)| id.to_string());
    assert_eq!(numbers(&table), expected);
}

#[test]
fn visitor_may_use_the_handle_and_is_called_when_the_list_is_complete() {
    let kernel = with_services(200);
    let handle = kernel.handle().unwrap();
    let mut names = Vec::new();
    let reading = handle
        .for_each_service(|entry: &ServiceEntry| {
            handle.new_destination(&entry.id(), &destination(1)).unwrap();
            handle.for_each_destination(&entry.id(), |entry| names.push(entry.id())).unwrap();
            handle.for_each_service(|_| ()).unwrap();
        })
        .unwrap();
    assert_eq!((names, reading), (vec![server(1); 200], Reading::Fragmented));

    // The first list is spoiled and read again; no row of it is seen twice.
    kernel.misbehave(FaultPlan::new().then(Fault::Interrupt));
    let mut seen = 0;
    handle.for_each_service(|_| seen += 1).unwrap();
    assert_eq!(seen, 200);
    kernel.misbehave(FaultPlan::new().then(Fault::SendFails(Errno::EPERM)));
    assert!(handle.for_each_service(|_| panic!("there is no list")).is_err());
}
