//! Many commands at once: each is answered for, whatever becomes of the others.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use ipvs_rs::error::{Call, ErrorKind};
use ipvs_rs::handle::BatchCommand;
use ipvs_rs::model::{Config, Granularity};
use ipvs_rs::transport::{Limits, Received, Transport};
use ipvs_rs::{Destination, DestinationId, Error, ForwardMethod, Scheduler, Service, ServiceId};

use super::World;
use super::client::Handle;

fn mark(number: u32) -> Service {
    Service::new(format!("fwmark:{number}").parse().unwrap(), Scheduler::Rr)
}

fn server(number: u32) -> Destination {
    let [_, b, c, d] = number.to_be_bytes();
    Destination::new(format!("10.{b}.{c}.{d}:80").parse().unwrap(), ForwardMethod::Masquerade)
}

fn texts(results: &[Result<(), Error>]) -> Vec<String> {
    results.iter().map(|result| result.as_ref().map_or_else(ToString::to_string, |()| "ok".to_owned())).collect()
}

pub fn failures_in_any_place_stop_nothing(world: &dyn World) {
    let handle = world.handle();
    let [one, two] = [mark(1), mark(2)];
    let missing: ServiceId = "fwmark:9".parse().unwrap();
    let report = handle
        .batch()
        .delete_service(&missing)
        .new_service(&one)
        .new_destination(&one.id, &server(1))
        .new_destination(&one.id, &server(1))
        .new_service(&two)
        .delete_destination(&two.id, &server(1).id)
        .send()
        .unwrap();
    assert_eq!(
        texts(report.results()),
        [
            "delete service FWM 9: no such service (ESRCH)",
            "ok",
            "ok",
            "new destination 10.0.0.1:80 for FWM 1: already exists (EEXIST)",
            "ok",
            "delete destination 10.0.0.1:80 for FWM 2: no such destination (ENOENT)",
        ]
    );
    assert_eq!(report.failures().map(|(place, _)| place).collect::<Vec<_>>(), [0, 3, 5]);
    assert!(!report.is_ok());
    assert_eq!(report.into_result().unwrap_err().call(), Call::DeleteService);

    let table = handle.snapshot().unwrap();
    assert_eq!(table.get(&one.id).unwrap().destinations.len(), 1);
    assert_eq!(table.get(&two.id).unwrap().destinations.len(), 0);
}

pub fn empty_batch_succeeds_and_batch_of_one_equals_the_call(world: &dyn World) {
    let handle = world.handle();
    assert_eq!(handle.batch().send().unwrap().results().len(), 0);

    assert!(handle.batch().new_service(&mark(1)).send().unwrap().is_ok());
    let again = handle.batch().new_service(&mark(1)).send().unwrap().into_result().unwrap_err();
    let single = handle.new_service(&mark(1)).unwrap_err();
    assert_eq!(again.to_string(), single.to_string());
    assert_eq!((again.kind(), again.errno()), (single.kind(), single.errno()));
}

pub fn more_than_a_datagram_holds_is_split(world: &dyn World) {
    let handle = world.handle();
    let service = mark(1);
    // 3,000 commands are about 300 kB, more than one send buffer and fifteen times the answers that fit.
    let batch = (1..=3000).fold(handle.batch().new_service(&service), |batch, number| {
        batch.new_destination(&service.id, &server(number))
    });
    assert_eq!(batch.len(), 3001);
    assert!(batch.send().unwrap().is_ok());
    let ids: Vec<DestinationId> =
        handle.get_destinations(&service.id).unwrap().iter().map(ipvs_rs::DestinationEntry::id).collect();
    let expected: Vec<DestinationId> = (1..=3000).rev().map(|number| server(number).id).collect();
    assert_eq!(ids, expected, "newest first");
}

pub fn no_answer_is_lost_when_every_command_fails(world: &dyn World) {
    let handle = world.handle();
    let missing: ServiceId = "fwmark:9".parse().unwrap();
    let batch = (1..=1000).fold(handle.batch(), |batch, number| batch.delete_destination(&missing, &server(number).id));
    let report = batch.send().unwrap();
    assert_eq!(report.results().len(), 1000);
    for (place, result) in report.results().iter().enumerate() {
        let error = result.as_ref().unwrap_err();
        assert!(error.is_not_found(), "{place}: {error}");
    }
    // The socket is as good as before.
    handle.get_info().unwrap();
}

pub fn larger_receive_buffer_sends_more_at_once_and_loses_nothing(world: &dyn World) {
    let handle = world.handle_with_buffer(4 << 20);
    let missing: ServiceId = "fwmark:9".parse().unwrap();
    let batch = (1..=1500).fold(handle.batch(), |batch, number| batch.delete_destination(&missing, &server(number).id));
    let report = batch.send().unwrap();
    assert_eq!(report.failures().filter(|(_, error)| error.is_not_found()).count(), 1500);
}

pub fn value_that_cannot_be_refuses_the_whole_batch(world: &dyn World) {
    let handle = world.handle();
    let mut persistence = ipvs_rs::model::Persistence::for_secs(60).unwrap();
    persistence.granularity = Granularity::Prefix(ipvs_rs::model::Prefix::new(64).unwrap());
    let wrong = Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Rr).persistence(persistence);
    let error = handle.batch().new_service(&mark(1)).new_service(&wrong).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(handle.get_services().unwrap(), []);
}

pub fn every_kind_of_command_travels_in_one_batch(world: &dyn World) {
    let handle = world.handle();
    let config = Config::new().udp(Duration::from_secs(42)).unwrap();
    let [one, two] = [mark(1), mark(2)];
    let batch = handle.batch().new_service(&one).new_service(&two).set_config(&config).zero_all();
    let batch = batch.new_destination(&one.id, &server(1)).new_destination(&one.id, &server(2));
    let batch = batch.update_destination(&one.id, &server(1).drained()).delete_destination(&one.id, &server(2).id);
    let batch = batch.update_service(&Service::new(one.id, Scheduler::Wlc)).delete_service(&two.id);
    assert!(batch.zero_service(&one.id).send().unwrap().is_ok());
    let table = handle.snapshot().unwrap();
    assert_eq!((table.len(), table.destination_count()), (1, 1));
    let row = table.get(&one.id).unwrap();
    assert_eq!(row.service.service.scheduler, Scheduler::Wlc);
    assert_eq!(row.destinations[0].destination, server(1).drained());
    assert_eq!(handle.get_config().unwrap().udp, config.udp);

    assert!(handle.batch().flush().send().unwrap().is_ok());
    assert_eq!(handle.get_services().unwrap(), []);
}

pub fn every_other_failure_of_thousand_leaves_the_rest_done(world: &dyn World) {
    let handle = world.handle();
    let batch = (1..=500).fold(handle.batch(), |batch, number| {
        batch.new_service(&mark(number)).new_service(&Service::new(mark(number).id, Scheduler::Wlc))
    });
    let report = batch.send().unwrap();
    let failed: Vec<usize> = report.failures().map(|(place, _)| place).collect();
    assert_eq!(failed, (1..1000).step_by(2).collect::<Vec<_>>());
    assert!(report.failures().all(|(_, error)| error.is_already_exists()));
    assert!(handle.get_services().unwrap().iter().all(|entry| entry.service.scheduler == Scheduler::Rr));
}

pub fn more_than_the_send_buffer_holds_is_split_where_every_answer_would_fit(world: &dyn World) {
    // Requests of some 90 bytes: it takes three datagrams of the size of the send buffer.
    let handle = world.handle_with_buffer(8 << 20);
    let make = || (1..=5000).fold(handle.batch(), |batch, number| batch.new_service(&mark(number))).send().unwrap();
    let (first, second) = (make(), make());
    assert_eq!((first.results().len(), first.is_ok()), (5000, true));
    assert_eq!(second.failures().filter(|(_, error)| error.is_already_exists()).count(), 5000);
    handle.flush().unwrap();
}

pub fn answers_that_do_not_fit_the_receive_buffer_are_reported_as_lost(world: &dyn World) {
    let socket = world.transport();
    let handle = Handle::builder().open_over(OverstatedLimits(socket)).unwrap();
    let batch = (1..=1000).fold(handle.batch(), |batch, number| batch.delete_service(&mark(number).id));
    let report = batch.send().unwrap();
    let kinds: Vec<ErrorKind> = report.failures().map(|(_, error)| error.kind()).collect();
    assert_eq!(kinds.len(), 1000, "nothing passes for success");
    let answered = kinds.iter().take_while(|kind| **kind == ErrorKind::Kernel).count();
    assert!((200..1000).contains(&answered), "{answered} answers fit");
    assert!(kinds[answered..].iter().all(|kind| *kind == ErrorKind::Lost), "{kinds:?}");

    handle.new_service(&mark(1)).unwrap();
    assert_eq!(handle.get_services().unwrap().len(), 1, "the handle is as good as new");
}

pub fn nothing_is_called_missing_when_the_number_of_the_family_is_in_doubt(world: &dyn World) {
    let socket = world.transport();
    let builder = Handle::builder().deadline(Duration::from_millis(100));
    let handle = builder.open_over(WrongFamilySocket { socket, look_ups: 0 }).unwrap();
    let server = server(1).id;
    let batch = (1..=3).fold(handle.batch(), |batch, number| batch.delete_destination(&mark(number).id, &server));
    let report = batch.send().unwrap();
    let kinds: Vec<ErrorKind> = report.failures().map(|(_, error)| error.kind()).collect();
    assert_eq!(kinds, [ErrorKind::Timeout; 3]);
    assert!(report.failures().all(|(_, error)| !error.is_not_found()));
}

/// A socket whose messages go to a family that is not there, and that finds the family only once.
#[derive(Debug)]
struct WrongFamilySocket {
    socket: Box<dyn Transport>,
    look_ups: u32,
}

impl Transport for WrongFamilySocket {
    fn port(&self) -> u32 {
        self.socket.port()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        const LOOK_UP: [u8; 2] = 16_u16.to_ne_bytes();
        let mut datagram = datagram.to_vec();
        if datagram[4..6] == LOOK_UP {
            self.look_ups += 1;
            return if self.look_ups > 1 { Ok(()) } else { self.socket.send(&datagram) };
        }
        let mut start = 0;
        while start < datagram.len() {
            datagram[start + 4..start + 6].copy_from_slice(&1000_u16.to_ne_bytes());
            let len = u32::from_ne_bytes(datagram[start..start + 4].try_into().unwrap());
            start += usize::try_from(len).unwrap().next_multiple_of(4);
        }
        self.socket.send(&datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        self.socket.try_receive(buffer)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.socket.wait(timeout)
    }
}

/// A socket that says that more answers fit than do.
#[derive(Debug)]
struct OverstatedLimits(Box<dyn Transport>);

impl Transport for OverstatedLimits {
    fn port(&self) -> u32 {
        self.0.port()
    }

    fn limits(&self) -> Limits {
        Limits { answers: 1000, ..self.0.limits() }
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.0.send(datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        self.0.try_receive(buffer)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.0.wait(timeout)
    }
}

pub fn batch_makes_it_so_whatever_was_there(world: &dyn World) {
    let handle = world.handle();
    let [one, two] = [mark(1), mark(2)];
    let [there, absent] = [server(1), server(2)];
    let heavy = there.clone().weight(9).unwrap();
    assert!(handle.batch().new_service(&one).new_destination(&one.id, &there).send().unwrap().is_ok());
    let changed = Service::new(one.id, Scheduler::Wlc);
    let unknown = Service::new(mark(3).id, "no-such".parse().unwrap());
    let batch = handle
        .batch()
        .ensure_service(&changed)
        .ensure_service(&two)
        .ensure_destination(&one.id, &heavy)
        .ensure_destination(&two.id, &there)
        .remove_destination(&one.id, &absent.id)
        .remove_destination(&mark(9).id, &absent.id)
        .remove_service(&mark(9).id)
        .ensure_service(&unknown)
        .ensure_destination(&mark(9).id, &there)
        .remove_service(&two.id)
        .new_service(&two);
    assert_eq!(batch.len(), 11);
    let mut seen = Vec::new();
    let watch = |progress: ipvs_rs::handle::BatchProgress| {
        seen.push((progress.done, progress.failed, progress.total));
        ControlFlow::Continue(())
    };
    let report = batch.send_with_progress(watch).unwrap();
    assert_eq!(seen, [(11, 2, 11)]);
    assert_eq!(report.results().len(), 11);
    let failures: Vec<_> = report.failures().map(|(place, error)| (place, error.call())).collect();
    assert_eq!(failures, [(7, Call::NewService), (8, Call::NewDestination)]);
    let [unavailable, missing] = [7, 8].map(|place: usize| report.results()[place].as_ref().unwrap_err());
    assert!(unavailable.is_scheduler_unavailable() && missing.is_not_found(), "{unavailable} {missing}");

    let table = handle.snapshot().unwrap();
    assert_eq!(table.len(), 2);
    let first = table.get(&one.id).unwrap();
    assert_eq!((first.service.service.scheduler, &first.destinations[0].destination), (Scheduler::Wlc, &heavy));
    assert_eq!((first.destinations.len(), table.get(&two.id).unwrap().destinations.len()), (1, 0));
}

/// More commands than a datagram holds, each with its result, where some take two messages.
pub fn batch_takes_commands_in_a_loop(world: &dyn World) {
    const SERVERS: u32 = 450;
    let handle = world.handle();
    let service = mark(1);
    let mut batch = handle.batch();
    batch.push(BatchCommand::EnsureService(service.clone())).push(BatchCommand::ZeroService(service.id));
    batch.extend((1..=SERVERS).map(|number| BatchCommand::NewDestination(service.id, server(number))));
    assert_eq!(batch.len(), 452);
    assert!(batch.send().unwrap().is_ok());
    assert_eq!(handle.get_destinations(&service.id).unwrap().len(), 450);

    // Every other one goes, twice; the rest gets another weight.
    let mut batch = handle.batch();
    for number in 1..=SERVERS {
        let heavy = server(number).weight(number).unwrap();
        match number % 2 {
            0 => batch.extend([1, 2].map(|_| BatchCommand::RemoveDestination(service.id, heavy.id))),
            _ => batch.extend([BatchCommand::EnsureDestination(service.id, heavy)]),
        }
    }
    batch.push(BatchCommand::NewDestination(service.id, server(1))).push(BatchCommand::RemoveService(mark(2).id));
    let mut last = (0, 0, 0);
    let watch = |progress: ipvs_rs::handle::BatchProgress| {
        assert!(progress.done > last.0, "{progress:?}");
        last = (progress.done, progress.failed, progress.total);
        ControlFlow::Continue(())
    };
    let report = batch.send_with_progress(watch).unwrap();
    assert_eq!(last, (677, 1, 677));
    assert_eq!(report.failures().map(|(place, _)| place).collect::<Vec<_>>(), [675]);
    let left = handle.get_destinations(&service.id).unwrap();
    assert_eq!(left.len(), 225);
    for entry in left {
        let number = entry.destination.weight.get();
        assert_eq!(entry.destination, server(number).weight(number).unwrap());
    }
}
