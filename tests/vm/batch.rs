//! Many commands at once: each is answered for, whatever becomes of the others.

use ipvs_rs::error::{ErrorKind, Operation};
use ipvs_rs::model::Granularity;
use ipvs_rs::{Destination, DestinationId, Error, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use crate::namespaces::{alone, fresh};

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

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn failures_in_any_place_stop_nothing() {
    fresh(|| {
        let handle = Handle::new().unwrap();
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
        assert_eq!(report.into_result().unwrap_err().operation(), Operation::DeleteService);

        let table = handle.snapshot().unwrap();
        assert_eq!(table.get(&one.id).unwrap().destinations.len(), 1);
        assert_eq!(table.get(&two.id).unwrap().destinations.len(), 0);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn empty_batch_succeeds_and_batch_of_one_equals_the_call() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        assert_eq!(handle.batch().send().unwrap().results().len(), 0);

        assert!(handle.batch().new_service(&mark(1)).send().unwrap().is_ok());
        let again = handle.batch().new_service(&mark(1)).send().unwrap().into_result().unwrap_err();
        let single = handle.new_service(&mark(1)).unwrap_err();
        assert_eq!(again.to_string(), single.to_string());
        assert_eq!((again.kind(), again.errno()), (single.kind(), single.errno()));
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn more_than_a_datagram_holds_is_split() {
    alone(|| {
        let handle = Handle::new().unwrap();
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
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn no_answer_is_lost_when_every_command_fails() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        let missing: ServiceId = "fwmark:9".parse().unwrap();
        let batch =
            (1..=1000).fold(handle.batch(), |batch, number| batch.delete_destination(&missing, &server(number).id));
        let report = batch.send().unwrap();
        assert_eq!(report.results().len(), 1000);
        for (place, result) in report.results().iter().enumerate() {
            let error = result.as_ref().unwrap_err();
            assert!(error.is_not_found(), "{place}: {error}");
        }
        // The socket is as good as before.
        handle.get_info().unwrap();
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn larger_receive_buffer_sends_more_at_once_and_loses_nothing() {
    fresh(|| {
        let handle = Handle::builder().receive_buffer(4 << 20).open().unwrap();
        let missing: ServiceId = "fwmark:9".parse().unwrap();
        let batch =
            (1..=1500).fold(handle.batch(), |batch, number| batch.delete_destination(&missing, &server(number).id));
        let report = batch.send().unwrap();
        assert_eq!(report.failures().filter(|(_, error)| error.is_not_found()).count(), 1500);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn value_that_cannot_be_refuses_the_whole_batch() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        let mut persistence = ipvs_rs::model::Persistence::for_secs(60).unwrap();
        persistence.granularity = Granularity::Prefix(ipvs_rs::model::Prefix::new(64).unwrap());
        let wrong = Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Rr).persistence(persistence);
        let error = handle.batch().new_service(&mark(1)).new_service(&wrong).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(handle.get_services().unwrap(), []);
    });
}
