//! Stopping a synchronization daemon, which the kernel may do without a word.

use ipvs_rs::codec::{Reply, Request};
use ipvs_rs::error::{Errno, ErrorKind};
use ipvs_rs::model::SyncRole;

use crate::message::{ack, refusal};
use crate::peer::{Calls, Script};
use crate::value::*;

/// The stop, and behind it a question whose answer shows that the kernel is through.
fn stop(script: Script) -> Script {
    script.expect_together([Request::DeleteDaemon(SyncRole::Master), Request::GetInfo])
}

#[test]
fn stop_that_is_acknowledged_is_one_send() {
    let (handle, peer) = stop(Script::new()).ack().datagram([info().to(1)]).open();
    peer.calls();
    handle.stop_sync(SyncRole::Master).unwrap();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 2, waits: 0 });
    assert!(peer.is_drained());
}

#[test]
fn both_answers_may_come_in_one_datagram() {
    let (handle, _peer) = stop(Script::new()).datagram([ack(), info().to(1)]).open();
    handle.stop_sync(SyncRole::Master).unwrap();
}

#[test]
fn stop_without_a_word_is_success_when_the_daemon_is_gone() {
    let (handle, _peer) = stop(Script::new())
        .datagram([info().to(1)])
        .expect(Request::GetDaemons)
        .list(&[Reply::Daemon(backup())])
        .open();
    handle.stop_sync(SyncRole::Master).unwrap();
}

#[test]
fn stop_without_a_word_is_unknown_when_the_daemon_is_still_there() {
    let (handle, _peer) = stop(Script::new())
        .datagram([info().to(1)])
        .expect(Request::GetDaemons)
        .list(&[Reply::Daemon(master()), Reply::Daemon(backup())])
        .open();
    let error = handle.stop_sync(SyncRole::Master).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert!(error.is_retryable());
    assert_eq!(
        error.to_string(),
        "stop sync master: the answer was lost; whether it was executed is not known: read the table again"
    );
}

#[test]
fn stop_of_a_daemon_that_does_not_run_is_not_found() {
    let (handle, peer) = stop(Script::new()).error(Errno::ESRCH).datagram([info().to(1)]).open();
    let error = handle.stop_sync(SyncRole::Master).unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.to_string(), "stop sync master: not running (ESRCH)");
    assert!(peer.is_drained());
}

#[test]
fn stop_without_privilege_is_refused() {
    let (handle, _peer) = stop(Script::new()).error(Errno::EPERM).datagram([refusal(Errno::EPERM).to(1)]).open();
    assert!(handle.stop_sync(SyncRole::Master).unwrap_err().is_permission_denied());
}

#[test]
fn stop_under_an_old_number_of_the_family_is_made_again() {
    let (handle, _peer) =
        stop(stop(Script::new()).error(Errno::ENOENT).datagram([refusal(Errno::ENOENT).to(1)]).family(40))
            .ack()
            .datagram([info().to(1)])
            .open();
    handle.stop_sync(SyncRole::Master).unwrap();
}

#[test]
fn number_of_the_family_is_looked_up_once_for_a_stop() {
    let unknown = |script: Script| stop(script).error(Errno::ENOENT).datagram([refusal(Errno::ENOENT).to(1)]);
    let (handle, _peer) = unknown(unknown(Script::new()).family(40)).open();
    assert_eq!(handle.stop_sync(SyncRole::Master).unwrap_err().errno(), Some(Errno::ENOENT));

    let (handle, _peer) = unknown(Script::new()).family(31).open();
    assert_eq!(handle.stop_sync(SyncRole::Master).unwrap_err().errno(), Some(Errno::ENOENT), "unchanged");

    let (handle, _peer) = unknown(Script::new()).expect_family_lookup().error(Errno::ENOENT).open();
    assert!(handle.stop_sync(SyncRole::Master).unwrap_err().is_not_available());
}

#[test]
fn stop_that_is_not_answered_at_all_is_a_timeout_and_the_next_call_works() {
    let (handle, _peer) = stop(Script::new()).silence().expect(Request::Flush).ack().open();
    assert!(handle.stop_sync(SyncRole::Master).unwrap_err().is_timeout());
    handle.flush().unwrap();
}

#[test]
fn stop_whose_answers_were_lost_is_unknown() {
    let (handle, _peer) = stop(Script::new()).enobufs().expect(Request::Flush).ack().open();
    assert_eq!(handle.stop_sync(SyncRole::Master).unwrap_err().kind(), ErrorKind::Lost);
    handle.flush().unwrap();
}

/// The datagram did not even leave: the list of daemons is not asked.
#[test]
fn stop_that_cannot_be_sent_is_that_failure() {
    let (handle, _peer) = stop(Script::new()).send_fails(std::io::ErrorKind::ConnectionRefused).open();
    assert_eq!(handle.stop_sync(SyncRole::Master).unwrap_err().kind(), ErrorKind::Io);
}
