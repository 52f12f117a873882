//! Calls that bring about a state, whatever was before.

use ipvs_rs::codec::Request;
use ipvs_rs::error::{Call, Errno, Target};
use ipvs_rs::handle::Outcome;
use ipvs_rs::model::Persistence;
use ipvs_rs::{Scheduler, Service};

use crate::peer::{Calls, Script};
use crate::value::*;

fn changed() -> Service {
    Service::new(web(), Scheduler::Sh).persistence(Persistence::for_secs(300).unwrap())
}

#[test]
fn ensure_makes_a_service_that_is_not_there() {
    let (handle, _peer) = Script::new().expect(Request::NewService(service())).ack().open();
    assert_eq!(handle.ensure_service(&service()).unwrap(), Outcome::Created);
}

#[test]
fn ensure_leaves_a_service_alone_that_is_as_asked_for() {
    let (handle, _peer) = Script::new()
        .expect(Request::NewService(service()))
        .error(Errno::EEXIST)
        .expect(Request::GetService(web()))
        .reply(&service_reply(&service()))
        .open();
    assert_eq!(handle.ensure_service(&service()).unwrap(), Outcome::Unchanged);
}

#[test]
fn ensure_changes_a_service_that_is_otherwise() {
    let (handle, _peer) = Script::new()
        .expect(Request::NewService(service()))
        .error(Errno::EEXIST)
        .expect(Request::GetService(web()))
        .reply(&service_reply(&changed()))
        .expect(Request::SetService(service()))
        .ack()
        .open();
    assert_eq!(handle.ensure_service(&service()).unwrap(), Outcome::Updated);
}

/// Another program removes the service each time that it is to be changed.
#[test]
fn ensure_makes_a_service_that_vanishes_in_between() {
    let vanishing = |script: Script| {
        script
            .expect(Request::NewService(service()))
            .error(Errno::EEXIST)
            .expect(Request::GetService(web()))
            .error(Errno::ESRCH)
            .expect(Request::SetService(service()))
            .error(Errno::ESRCH)
    };
    let (handle, _peer) = vanishing(Script::new()).expect(Request::NewService(service())).ack().open();
    assert_eq!(handle.ensure_service(&service()).unwrap(), Outcome::Created);

    let (handle, _peer) = vanishing(vanishing(vanishing(Script::new()))).open();
    let error = handle.ensure_service(&service()).unwrap_err();
    assert!(error.is_not_found(), "three attempts are enough");
    assert_eq!(error.call(), Call::UpdateService);
}

#[test]
fn ensure_of_a_service_fails_as_its_parts_do() {
    let (handle, _peer) = Script::new()
        .expect(Request::NewService(service()))
        .error(Errno::EPERM)
        .expect(Request::NewService(service()))
        .error(Errno::EEXIST)
        .expect(Request::GetService(web()))
        .silence()
        .expect(Request::NewService(service()))
        .error(Errno::EEXIST)
        .expect(Request::GetService(web()))
        .reply(&service_reply(&changed()))
        .expect(Request::SetService(service()))
        .error(Errno::ENOMEM)
        .open();
    assert!(handle.ensure_service(&service()).unwrap_err().is_permission_denied());
    let error = handle.ensure_service(&service()).unwrap_err();
    assert_eq!((error.is_timeout(), error.call()), (true, Call::GetService));
    let error = handle.ensure_service(&service()).unwrap_err();
    assert_eq!((error.errno(), error.call()), (Some(Errno::ENOMEM), Call::UpdateService));
}

#[test]
fn ensure_makes_changes_or_leaves_a_destination() {
    let other = destination().weight(7).unwrap();
    let (handle, _peer) = Script::new()
        .expect(Request::NewDestination(web(), destination()))
        .ack()
        .expect(Request::NewDestination(web(), destination()))
        .error(Errno::EEXIST)
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&nth(9)), destination_reply(&destination())])
        .expect(Request::NewDestination(web(), destination()))
        .error(Errno::EEXIST)
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&other)])
        .expect(Request::SetDestination(web(), destination()))
        .ack()
        .open();
    for outcome in [Outcome::Created, Outcome::Unchanged, Outcome::Updated] {
        assert_eq!(handle.ensure_destination(&web(), &destination()).unwrap(), outcome);
    }
}

#[test]
fn ensure_makes_a_destination_that_vanishes_in_between() {
    let (handle, _peer) = Script::new()
        .expect(Request::NewDestination(web(), destination()))
        .error(Errno::EEXIST)
        .expect(Request::GetDestinations(web()))
        .list(&[])
        .expect(Request::SetDestination(web(), destination()))
        .error(Errno::ENOENT)
        .family(31)
        .expect(Request::NewDestination(web(), destination()))
        .ack()
        .open();
    assert_eq!(handle.ensure_destination(&web(), &destination()).unwrap(), Outcome::Created);
}

/// To try again would not help.
#[test]
fn ensure_of_a_destination_without_its_service_is_not_found_at_once() {
    let (handle, peer) = Script::new().expect(Request::NewDestination(web(), destination())).error(Errno::ESRCH).open();
    peer.calls();
    let error = handle.ensure_destination(&web(), &destination()).unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.to_string(), "new destination 10.0.0.2:8080 for TCP 192.0.2.10:80: no such service (ESRCH)");
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 1, waits: 0 });
}

#[test]
fn remove_is_done_whether_something_was_there_or_not() {
    let (handle, _peer) = Script::new()
        .expect(Request::DeleteService(web()))
        .ack()
        .expect(Request::DeleteService(web()))
        .error(Errno::ESRCH)
        .expect(Request::DeleteService(web()))
        .error(Errno::EPERM)
        .expect(Request::DeleteDestination(web(), server()))
        .ack()
        .expect(Request::DeleteDestination(web(), server()))
        .error(Errno::ENOENT)
        .family(31)
        .expect(Request::DeleteDestination(web(), server()))
        .error(Errno::ESRCH)
        .expect(Request::DeleteDestination(web(), server()))
        .silence()
        .open();
    assert_eq!(handle.remove_service(&web()).unwrap(), Outcome::Removed);
    assert_eq!(handle.remove_service(&web()).unwrap(), Outcome::Unchanged);
    assert!(handle.remove_service(&web()).unwrap_err().is_permission_denied());
    let remove = || handle.remove_destination(&web(), &server());
    assert_eq!(remove().unwrap(), Outcome::Removed);
    assert_eq!(remove().unwrap(), Outcome::Unchanged, "no such destination");
    assert_eq!(remove().unwrap(), Outcome::Unchanged, "no such service");
    assert!(remove().unwrap_err().is_timeout());
}

/// The family has gone: that nothing was there is not known.
#[test]
fn remove_without_ipvs_is_not_done() {
    let (handle, _peer) = Script::new()
        .expect(Request::DeleteDestination(web(), server()))
        .error(Errno::ENOENT)
        .expect_family_lookup()
        .error(Errno::ENOENT)
        .open();
    assert!(handle.remove_destination(&web(), &server()).unwrap_err().is_not_available());
}

#[test]
fn modify_writes_back_what_was_read_with_the_change_in_it() {
    let mut expected = changed();
    expected.scheduler = Scheduler::Mh;
    let (handle, _peer) = Script::new()
        .expect(Request::GetService(web()))
        .reply(&service_reply(&changed()))
        .expect(Request::SetService(expected))
        .ack()
        .open();
    let outcome = handle.modify_service(&web(), |service| service.scheduler = Scheduler::Mh).unwrap();
    assert_eq!(outcome, Outcome::Updated);
}

#[test]
fn modify_that_changes_nothing_writes_nothing() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetService(web()))
        .reply(&service_reply(&changed()))
        .expect(Request::GetService(web()))
        .reply(&service_reply(&changed()))
        .open();
    assert_eq!(handle.modify_service(&web(), |_| ()).unwrap(), Outcome::Unchanged);
    // The identity stays, whatever is done to it.
    assert_eq!(handle.modify_service(&web(), |service| service.id = dns()).unwrap(), Outcome::Unchanged);
}

#[test]
fn modify_of_what_is_not_there_is_not_found_and_changes_nothing() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetService(web()))
        .error(Errno::ESRCH)
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&nth(9))])
        .expect(Request::GetService(web()))
        .reply(&service_reply(&service()))
        .expect(Request::GetDestinations(web()))
        .list(&[])
        .expect(Request::GetService(web()))
        .error(Errno::ESRCH)
        .open();
    let error = handle.modify_service(&web(), |_| panic!("there is nothing to change")).unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.to_string(), "update service TCP 192.0.2.10:80: no such service (ESRCH)");
    let error = handle.modify_destination(&web(), &server(), |_| panic!("nothing to change")).unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.target(), &Target::Destination(web(), server()));
    assert_eq!(
        error.to_string(),
        "update destination 10.0.0.2:8080 for TCP 192.0.2.10:80: no such destination (ENOENT)"
    );
    let error = handle.modify_destination(&web(), &server(), |_| panic!("nothing to change")).unwrap_err();
    assert_eq!(error.to_string(), "update destination 10.0.0.2:8080 for TCP 192.0.2.10:80: no such service (ESRCH)");
}

#[test]
fn modify_of_a_destination_changes_one_thing() {
    let expected = destination().drained();
    let (handle, _peer) = Script::new()
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&destination())])
        .expect(Request::SetDestination(web(), expected.clone()))
        .ack()
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&expected)])
        .open();
    let drain = || {
        handle.modify_destination(&web(), &server(), |destination| {
            destination.weight = ipvs_rs::model::Weight::ZERO;
            destination.id = nth(9).id;
        })
    };
    assert_eq!(drain().unwrap(), Outcome::Updated);
    assert_eq!(drain().unwrap(), Outcome::Unchanged);
}
