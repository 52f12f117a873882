//! The number of the family: found when a handle is opened, and again when it has changed.

use ipvs_rs::codec::{DecodeProblem, Request};
use ipvs_rs::error::{Call, Errno, ErrorKind, Target};

use crate::client::Handle;
use crate::message::{ack, family, raw_data};
use crate::netlink::{number16, number32};
use crate::peer::{Calls, Script};
use crate::value::*;

fn open(script: Script) -> ipvs_rs::Error {
    let (opened, _peer) = script.try_open(Handle::builder());
    opened.unwrap_err()
}

#[test]
fn opening_is_one_look_up() {
    let (_handle, peer) = Script::new().open();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 1, waits: 0 });
}

#[test]
fn kernel_without_ipvs_is_not_available() {
    let error = open(Script::bare().expect_family_lookup().error(Errno::ENOENT));
    assert!(error.is_not_available());
    assert!(!error.is_not_found());
    assert!(!error.is_retryable());
    assert_eq!((error.kind(), error.errno()), (ErrorKind::NotAvailable, None));
    assert_eq!((error.call(), error.target()), (Call::Open, &Target::Table));
    assert_eq!(
        error.to_string(),
        "open handle: this kernel has no IPVS; load the module with `modprobe ip_vs`, or install the kernel's \
         modules; a container needs it loaded on the host"
    );
}

#[test]
fn look_up_without_an_answer_is_a_timeout() {
    let error = open(Script::bare().expect_family_lookup().silence());
    assert!(error.is_timeout());
    assert_eq!(error.to_string(), "open handle: no answer within 5s; nothing was changed: try again");
}

#[test]
fn look_up_that_is_refused_otherwise_is_that_refusal() {
    let error = open(Script::bare().expect_family_lookup().error(Errno::EPERM));
    assert!(error.is_permission_denied());
    assert!(!error.is_not_available());
}

/// Whatever is sent to number 0 is acknowledged with success.
#[test]
fn reserved_number_of_the_family_is_refused() {
    for number in [0, 1, 3, 15] {
        let error = open(Script::bare().family(number));
        let problem = DecodeProblem::OutOfRange { value: number.into() };
        assert_eq!(error.decode_error().unwrap().problem(), problem, "{number}");
    }
}

#[test]
fn look_up_that_answers_something_else_is_refused() {
    for (label, answer) in [
        ("another family", family("nlctrl", 16)),
        ("another name that begins alike", family("IPVS2", 40)),
        ("an acknowledgement without a family", ack()),
        ("data of another kind", raw_data(3, &number16(1, 31))),
        ("no number", raw_data(1, &number32(3, 1))),
    ] {
        let error = open(Script::bare().expect_family_lookup().datagram([answer]));
        assert_eq!(error.kind(), ErrorKind::Decode, "{label}: {error}");
    }
}

/// The module was unloaded and loaded again.
#[test]
fn request_is_made_again_under_the_new_number_of_the_family() {
    let (handle, peer) = Script::new()
        .expect(Request::NewService(service()))
        .error(Errno::ENOENT)
        .family(40)
        .expect(Request::NewService(service()))
        .ack()
        .expect(Request::DeleteService(web()))
        .ack()
        .open();
    handle.new_service(&service()).unwrap();
    peer.calls();
    handle.delete_service(&web()).unwrap();
    assert_eq!(peer.calls().sends, 1, "the new number stays");
}

#[test]
fn list_and_read_are_made_again_under_the_new_number_of_the_family() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetServices)
        .error(Errno::ENOENT)
        .family(40)
        .expect(Request::GetServices)
        .list(&[service_reply(&service())])
        .expect(Request::GetService(web()))
        .error(Errno::ENOENT)
        .family(41)
        .expect(Request::GetService(web()))
        .reply(&service_reply(&service()))
        .open();
    assert_eq!(handle.get_services().unwrap(), [entry(&service())]);
    assert_eq!(handle.get_service(&web()).unwrap(), Some(entry(&service())));
}

#[test]
fn unchanged_number_of_the_family_leaves_the_refusal_as_it_was() {
    let (handle, _peer) = Script::new()
        .expect(Request::NewService(service()))
        .error(Errno::ENOENT)
        .family(31)
        .expect(Request::DeleteDestination(web(), server()))
        .error(Errno::ENOENT)
        .family(31)
        .open();
    let error = handle.new_service(&service()).unwrap_err();
    assert!(error.is_scheduler_unavailable());
    assert!(!error.is_not_found());
    let error = handle.delete_destination(&web(), &server()).unwrap_err();
    assert!(error.is_not_found());
    assert!(!error.is_scheduler_unavailable());
}

#[test]
fn family_that_has_gone_is_not_available() {
    let (handle, _peer) = Script::new()
        .expect(Request::NewService(service()))
        .error(Errno::ENOENT)
        .expect_family_lookup()
        .error(Errno::ENOENT)
        .open();
    let error = handle.new_service(&service()).unwrap_err();
    assert!(error.is_not_available());
    assert_eq!(error.call(), Call::NewService);
}

#[test]
fn number_is_looked_up_once_for_a_request() {
    let (handle, _peer) = Script::new()
        .expect(Request::NewService(service()))
        .error(Errno::ENOENT)
        .family(40)
        .expect(Request::NewService(service()))
        .error(Errno::ENOENT)
        .open();
    assert!(handle.new_service(&service()).unwrap_err().is_scheduler_unavailable());
}
