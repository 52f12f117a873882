//! Misbehavior, and what a handle makes of it: never a lie, and the next good call succeeds.

use std::time::Duration;

use ipvs_rs::error::{Errno, ErrorKind};
use ipvs_rs::model::SyncDaemon;
use ipvs_rs::testing::{FakeKernel, Fault, FaultPlan, Interface};
use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service, ServiceEntry};

use super::client::Handle;

fn web() -> Service {
    Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Wlc)
}

fn kernel() -> (FakeKernel, Handle) {
    let kernel = FakeKernel::new();
    let handle = Handle::builder().open_over(kernel.transport()).unwrap();
    (kernel, handle)
}

/// The error kind of a command that met with a fault, and whether it was executed.
fn command(fault: Fault) -> (Option<ErrorKind>, bool) {
    let (kernel, handle) = kernel();
    kernel.misbehave(fault);
    let kind = handle.new_service(&web()).err().map(|error| error.kind());
    let is_executed = !kernel.handle().unwrap().get_services().unwrap().is_empty();
    // Whatever it was, the handle is as good as new.
    handle.ensure_service(&web()).unwrap();
    assert_eq!(handle.get_services().unwrap(), [ServiceEntry::new(web())]);
    (kind, is_executed)
}

#[test]
fn command_is_reported_as_failed_unless_its_success_was_told() {
    let long = Duration::from_secs(3600);
    for (fault, kind, is_executed) in [
        (Fault::Delay(Duration::from_secs(1)), None, true),
        (Fault::Delay(long), Some(ErrorKind::Timeout), true),
        (Fault::Silence, Some(ErrorKind::Timeout), false),
        (Fault::Drop, Some(ErrorKind::Timeout), true),
        (Fault::Lose(0), Some(ErrorKind::Lost), true),
        (Fault::Refuse(Errno::ENOMEM), Some(ErrorKind::Kernel), false),
        (Fault::SendFails(Errno::ENOBUFS), Some(ErrorKind::Io), false),
        (Fault::Duplicate, None, true),
        (Fault::Reorder, None, true),
        (Fault::Truncate, Some(ErrorKind::Decode), true),
        (Fault::Cut(0), Some(ErrorKind::Timeout), true),
        (Fault::Cut(15), Some(ErrorKind::Decode), true),
        (Fault::Cut(30), Some(ErrorKind::Decode), true),
        (Fault::Interrupt, None, true),
        (Fault::Foreign(4711), None, true),
        (Fault::Stale, None, true),
        (Fault::Garbage(vec![0xff; 40]), Some(ErrorKind::Decode), true),
    ] {
        assert_eq!(command(fault.clone()), (kind, is_executed), "{fault:?}");
    }
}

#[test]
fn lie_of_another_process_is_not_believed() {
    let (kernel, handle) = kernel();
    handle.new_service(&web()).unwrap();
    // The foreign answer says that all is well.
    kernel.misbehave(Fault::Foreign(4711));
    assert!(handle.new_service(&web()).unwrap_err().is_already_exists());
}

#[test]
fn list_is_read_again_when_rows_may_be_missing() {
    let (kernel, handle) = kernel();
    handle.new_service(&web()).unwrap();
    for fault in [Fault::Interrupt, Fault::Lose(0), Fault::Lose(1)] {
        kernel.misbehave(fault.clone());
        assert_eq!(handle.get_services().unwrap(), [ServiceEntry::new(web())], "{fault:?}");
        kernel.misbehave(FaultPlan::always(fault.clone()));
        let error = handle.get_services().unwrap_err();
        let expected = if fault == Fault::Interrupt { ErrorKind::Interrupted } else { ErrorKind::Lost };
        assert_eq!(error.kind(), expected, "{fault:?}");
        kernel.behave();
    }
    assert_eq!(handle.get_services().unwrap().len(), 1);
}

#[test]
fn rows_that_come_twice_are_listed_once() {
    let (kernel, handle) = kernel();
    handle.new_service(&web()).unwrap();
    kernel.misbehave(Fault::Duplicate);
    assert_eq!(handle.get_services().unwrap(), [ServiceEntry::new(web())]);

    kernel.add_interface(Interface::new("eth1"));
    handle.start_sync(&SyncDaemon::master("eth1").unwrap()).unwrap();
    kernel.misbehave(Fault::Duplicate);
    assert_eq!(handle.get_sync_daemons().unwrap().len(), 1);
}

#[test]
fn answer_that_comes_too_late_is_not_taken_for_another() {
    let (kernel, handle) = kernel();
    kernel.misbehave(Fault::Delay(Duration::from_secs(7)));
    assert!(handle.new_service(&web()).unwrap_err().is_timeout());
    // Five seconds were waited. The success of the first call arrives two seconds later, and one before this answer.
    kernel.misbehave(Fault::Delay(Duration::from_secs(3)));
    assert!(handle.new_service(&web()).unwrap_err().is_already_exists());
}

#[test]
fn time_that_passes_brings_late_answers() {
    let (kernel, handle) = kernel();
    kernel.misbehave(Fault::Delay(Duration::from_secs(3600)));
    assert!(handle.flush().unwrap_err().is_timeout());
    kernel.advance(Duration::from_secs(3600));
    assert_eq!(handle.get_services().unwrap(), []);
    kernel.misbehave(Fault::Delay(Duration::from_secs(4)));
    assert!(handle.new_service(&web()).is_ok(), "waiting for less than the deadline");
}

#[test]
fn plan_is_followed_step_by_step_and_then_for_ever() {
    let (kernel, handle) = kernel();
    let refuse = |errno| Fault::Refuse(errno);
    kernel.misbehave(FaultPlan::new().well(1).then(refuse(Errno::EBUSY)).well(2).then_always(refuse(Errno::ENOMEM)));
    let errnos = std::array::from_fn(|_| handle.flush().err().and_then(|error| error.errno()));
    assert_eq!(errnos, [None, Some(Errno::EBUSY), None, None, Some(Errno::ENOMEM), Some(Errno::ENOMEM)]);
    kernel.behave();
    handle.flush().unwrap();
}

#[test]
fn plan_counts_for_all_sockets_and_leaves_looking_up_alone() {
    let kernel = FakeKernel::new();
    kernel.misbehave(FaultPlan::always(Fault::Silence));
    let handles = [kernel.handle().unwrap(), kernel.unshare().handle().unwrap()];
    for handle in handles {
        assert!(handle.get_info().unwrap_err().is_timeout());
    }
}

#[test]
fn unconfirmed_stop_is_neither_success_nor_a_hang() {
    let (kernel, handle) = kernel();
    kernel.add_interface(Interface::new("eth1"));
    handle.start_sync(&SyncDaemon::master("eth1").unwrap()).unwrap();
    kernel.misbehave(Fault::SilentStop);
    handle.stop_sync(ipvs_rs::model::SyncRole::Master).unwrap();
    assert_eq!(handle.get_sync_daemons().unwrap(), [], "the handle looked, and it was gone");
}

#[test]
fn batch_says_of_each_command_what_is_known() {
    let (kernel, handle) = kernel();
    handle.new_service(&web()).unwrap();
    let batch = |handle: &Handle| {
        let report = handle.batch().new_service(&web()).zero_all().new_service(&web()).send().unwrap();
        report.results().iter().map(|result| result.as_ref().err().map(ipvs_rs::Error::kind)).collect::<Vec<_>>()
    };
    let refused = Some(ErrorKind::Kernel);
    assert_eq!(batch(&handle), [refused, None, refused]);
    kernel.misbehave(Fault::Lose(1));
    assert_eq!(batch(&handle), [refused, Some(ErrorKind::Lost), Some(ErrorKind::Lost)]);
    kernel.misbehave(Fault::Drop);
    assert_eq!(batch(&handle), [Some(ErrorKind::Timeout); 3]);
    assert_eq!(batch(&handle), [refused, None, refused]);
}

#[test]
fn list_that_was_given_up_does_not_block_the_next() {
    let (kernel, handle) = kernel();
    handle.new_service(&web()).unwrap();
    let batch = (1..=300).fold(handle.batch(), |batch, port| {
        let server = format!("10.0.0.2:{port}").parse().unwrap();
        batch.new_destination(&web().id, &Destination::new(server, ForwardMethod::Masquerade))
    });
    assert!(batch.send().unwrap().is_ok());
    kernel.misbehave(Fault::Cut(100));
    assert_eq!(handle.get_destinations(&web().id).unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(handle.get_destinations(&web().id).unwrap().len(), 300);
}
