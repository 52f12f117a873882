//! "Make it so": what is there already is left alone, what is missing need not be removed.

use ipvs_rs::error::Operation;
use ipvs_rs::handle::Outcome;
use ipvs_rs::model::{Persistence, Weight};
use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use crate::namespaces::fresh;

fn web() -> ServiceId {
    "TCP 192.0.2.10:80".parse().unwrap()
}

fn server() -> Destination {
    Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade)
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn second_application_changes_nothing() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        let service = Service::new(web(), Scheduler::Sh).persistence(Persistence::for_secs(300).unwrap());
        assert_eq!(handle.ensure_service(&service).unwrap(), Outcome::Created);
        assert_eq!(handle.ensure_service(&service).unwrap(), Outcome::Unchanged);
        let other = Service::new(web(), Scheduler::Wlc);
        assert_eq!(handle.ensure_service(&other).unwrap(), Outcome::Updated);
        assert_eq!(handle.get_service(&web()).unwrap().unwrap().service, other);

        assert_eq!(handle.ensure_destination(&web(), &server()).unwrap(), Outcome::Created);
        assert_eq!(handle.ensure_destination(&web(), &server()).unwrap(), Outcome::Unchanged);
        let heavier = server().weight(7).unwrap();
        assert_eq!(handle.ensure_destination(&web(), &heavier).unwrap(), Outcome::Updated);
        assert_eq!(handle.get_destination(&web(), &heavier.id).unwrap().unwrap().destination, heavier);

        assert_eq!(handle.remove_destination(&web(), &heavier.id).unwrap(), Outcome::Removed);
        assert_eq!(handle.remove_destination(&web(), &heavier.id).unwrap(), Outcome::Unchanged);
        assert_eq!(handle.remove_service(&web()).unwrap(), Outcome::Removed);
        assert_eq!(handle.remove_service(&web()).unwrap(), Outcome::Unchanged);
        assert_eq!(
            handle.remove_destination(&web(), &heavier.id).unwrap(),
            Outcome::Unchanged,
            "no service, no server"
        );
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn destination_of_a_missing_service_cannot_be_ensured() {
    fresh(|| {
        let error = Handle::new().unwrap().ensure_destination(&web(), &server()).unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.to_string(), "new destination 10.0.0.2:80 for TCP 192.0.2.10:80: no such service (ESRCH)");
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn modifying_one_setting_keeps_all_others() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        let service = Service::new(web(), Scheduler::Sh)
            .persistence(Persistence::for_secs(300).unwrap())
            .scheduler_flags(ipvs_rs::model::SchedulerFlags::PORT);
        handle.new_service(&service).unwrap();
        let outcome = handle.modify_service(&web(), |service| service.scheduler = Scheduler::Mh).unwrap();
        assert_eq!(outcome, Outcome::Updated);
        let mut expected = service;
        expected.scheduler = Scheduler::Mh;
        assert_eq!(handle.get_service(&web()).unwrap().unwrap().service, expected);
        assert_eq!(handle.modify_service(&web(), |_| ()).unwrap(), Outcome::Unchanged);

        handle.new_destination(&web(), &server().weight(70_000).unwrap()).unwrap();
        let id = server().id;
        let outcome = handle.modify_destination(&web(), &id, |server| server.weight = Weight::ZERO).unwrap();
        assert_eq!(outcome, Outcome::Updated);
        assert_eq!(handle.get_destination(&web(), &id).unwrap().unwrap().destination, server().drained());
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn modifying_what_is_missing_is_not_found() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        let error = handle.modify_service(&web(), |_| ()).unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.operation(), Operation::UpdateService);
        handle.new_service(&Service::new(web(), Scheduler::Rr)).unwrap();
        let error = handle.modify_destination(&web(), &server().id, |_| ()).unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.operation(), Operation::UpdateDestination);
    });
}
