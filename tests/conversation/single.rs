//! One request, one answer.

use std::io;
use std::time::Duration;

use ipvs_rs::Error;
use ipvs_rs::codec::{DecodeProblem, Request};
use ipvs_rs::error::{Errno, ErrorKind};
use ipvs_rs::model::{Granularity, Persistence, Prefix, SyncRole, Version};

use crate::client::Handle;
use crate::message::{ack, data, done, noop, overrun, raw_data, refusal, row};
use crate::netlink::{NEW_SERVICE, attribute, number16};
use crate::peer::{Calls, Script};
use crate::value::*;

const ONE_EXCHANGE: Calls = Calls { sends: 1, receives: 1, waits: 0 };

/// A call.
type Call<T> = fn(&Handle) -> T;

/// Every call that is only acknowledged, with the request that it makes.
fn commands() -> Vec<(Request, Call<Result<(), Error>>)> {
    vec![
        (Request::NewService(service()), |handle| handle.new_service(&service())),
        (Request::SetService(service()), |handle| handle.update_service(&service())),
        (Request::DeleteService(web()), |handle| handle.delete_service(&web())),
        (Request::NewDestination(web(), destination()), |handle| handle.new_destination(&web(), &destination())),
        (Request::SetDestination(web(), destination()), |handle| handle.update_destination(&web(), &destination())),
        (Request::DeleteDestination(web(), server()), |handle| handle.delete_destination(&web(), &server())),
        (Request::Flush, |handle| handle.flush()),
        (Request::Zero(None), |handle| handle.zero_all()),
        (Request::Zero(Some(mark6())), |handle| handle.zero_service(&mark6())),
        (Request::SetConfig(config()), |handle| handle.set_config(&config())),
        (Request::NewDaemon(master()), |handle| handle.start_sync(&master())),
    ]
}

#[test]
fn command_is_one_send_and_one_receive() {
    for (request, call) in commands() {
        let (handle, peer) = Script::new().expect(request.clone()).ack().open();
        peer.calls();
        call(&handle).unwrap();
        assert_eq!(peer.calls(), ONE_EXCHANGE, "{request:?}");
    }
}

#[test]
fn read_is_one_send_and_one_receive() {
    let (handle, peer) = Script::new()
        .expect(Request::GetService(web()))
        .reply(&service_reply(&service()))
        .expect(Request::GetConfig)
        .reply(&ipvs_rs::codec::Reply::Config(config()))
        .expect(Request::GetInfo)
        .datagram([info()])
        .open();
    peer.calls();
    assert_eq!(handle.get_service(&web()).unwrap(), Some(entry(&service())));
    assert_eq!(peer.calls(), ONE_EXCHANGE);
    assert_eq!(handle.get_config().unwrap(), config());
    assert_eq!(peer.calls(), ONE_EXCHANGE);
    let info = handle.get_info().unwrap();
    assert_eq!((info.version, info.connection_table_size), (Version { major: 1, minor: 2, patch: 1 }, 4096));
    assert_eq!(peer.calls(), ONE_EXCHANGE);
}

#[test]
fn answer_that_is_not_there_yet_is_waited_for() {
    let (handle, peer) = Script::new().expect(Request::Flush).pause().ack().open();
    peer.calls();
    handle.flush().unwrap();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 2, waits: 1 });
}

/// A signal ends a wait early; there may be nothing yet.
#[test]
fn waiting_that_ends_early_goes_on() {
    let (handle, peer) = Script::new().expect(Request::Flush).pause().pause().pause().ack().open();
    peer.calls();
    handle.flush().unwrap();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 4, waits: 3 });
}

#[test]
fn no_answer_is_a_timeout_and_the_next_call_works() {
    for (request, call) in commands() {
        let (handle, _peer) = Script::new()
            .expect(request.clone())
            .silence()
            .expect(Request::GetConfig)
            .reply(&ipvs_rs::codec::Reply::Config(config()))
            .open();
        let error = call(&handle).unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert!(error.is_retryable());
        assert_eq!(handle.get_config().unwrap(), config(), "{request:?}");
    }
}

#[test]
fn answer_that_comes_too_late_is_not_taken_for_the_next() {
    let (handle, peer) = Script::new()
        .expect(Request::NewService(service()))
        .silence()
        // The acknowledgement of the first comes with that of the second.
        .expect(Request::DeleteService(web()))
        .datagram([ack().late()])
        .datagram([refusal(Errno::ESRCH)])
        .open();
    assert!(handle.new_service(&service()).unwrap_err().is_timeout());
    assert!(handle.delete_service(&web()).unwrap_err().is_not_found());
    assert!(peer.is_drained());
}

#[test]
fn answers_to_questions_of_before_are_taken_away_first() {
    let (handle, peer) = Script::new()
        .expect(Request::GetServices)
        .datagram([row(&service_reply(&service()))])
        .truncated(100_000)
        .datagram([row(&service_reply(&other_service()))])
        .datagram([done()])
        .expect(Request::Flush)
        .ack()
        .open();
    assert_eq!(handle.get_services().unwrap_err().kind(), ErrorKind::Decode);
    peer.calls();
    handle.flush().unwrap();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 4, waits: 0 }, "two that were left, none, one answer");
}

#[test]
fn messages_for_others_are_skipped() {
    for (label, messages) in [
        ("an earlier number", vec![refusal(Errno::EEXIST).late()]),
        ("another port", vec![refusal(Errno::EEXIST).for_port(89)]),
        ("no port", vec![refusal(Errno::EEXIST).for_port(0)]),
        ("nothing", vec![]),
        ("a message without meaning", vec![noop()]),
        ("all of it", vec![noop(), refusal(Errno::EEXIST).late(), overrun().late(), done().for_port(1)]),
    ] {
        let (handle, _peer) = Script::new().expect(Request::Flush).datagram(messages.clone()).ack().open();
        handle.flush().unwrap_or_else(|error| panic!("{label}: {error}"));

        let together = messages.into_iter().chain([ack()]);
        let (handle, _peer) = Script::new().expect(Request::Flush).datagram(together).open();
        handle.flush().unwrap_or_else(|error| panic!("{label}, together: {error}"));
    }
}

/// Every process that knows the port id can send to it.
#[test]
fn datagram_of_another_sender_is_ignored() {
    let (handle, _peer) = Script::new()
        .expect(Request::DeleteService(web()))
        .foreign_sender(4711, [ack()])
        .foreign_truncated(4711, 100_000)
        .error(Errno::ESRCH)
        .open();
    assert!(handle.delete_service(&web()).unwrap_err().is_not_found());

    let (handle, _peer) = Script::new().expect(Request::Flush).foreign_sender(1, [ack()]).open();
    assert!(handle.flush().unwrap_err().is_timeout());
}

#[test]
fn truncated_datagram_is_an_error_and_the_next_call_works() {
    let (handle, _peer) =
        Script::new().expect(Request::GetService(web())).truncated(40_000).expect(Request::Flush).ack().open();
    let error = handle.get_service(&web()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(
        error.to_string(),
        "get service TCP 192.0.2.10:80: the answer of 40000 bytes does not fit the receive buffer"
    );
    handle.flush().unwrap();
}

#[test]
fn broken_length_is_an_error_and_the_next_call_works() {
    for claimed in [0_u32, 1, 3, 15, 21, 65_535, u32::MAX] {
        let mut datagram = claimed.to_ne_bytes().to_vec();
        datagram.extend([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let (handle, _peer) = Script::new().expect(Request::Flush).bytes(datagram).expect(Request::Flush).ack().open();
        let error = handle.flush().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{claimed}");
        let problem = DecodeProblem::BadLength { claimed: usize::try_from(claimed).unwrap(), actual: 20 };
        assert_eq!(error.decode_error().unwrap().problem(), problem);
        handle.flush().unwrap();
    }
}

#[test]
fn loss_is_survived_where_the_answer_is_there_nevertheless() {
    let (handle, peer) = Script::new().expect(Request::Flush).enobufs().ack().open();
    peer.calls();
    handle.flush().unwrap();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 2, waits: 0 });
}

#[test]
fn lost_answer_is_reported_without_waiting_and_the_next_call_works() {
    let (handle, peer) = Script::new()
        .expect(Request::NewService(service()))
        .enobufs()
        .expect(Request::GetService(web()))
        .reply(&service_reply(&service()))
        .open();
    peer.calls();
    let error = handle.new_service(&service()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert!(error.is_retryable());
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 2, waits: 0 });
    assert_eq!(handle.get_service(&web()).unwrap(), Some(entry(&service())));
}

#[test]
fn overrun_is_a_lost_answer() {
    let (handle, _peer) =
        Script::new().expect(Request::Flush).datagram([overrun()]).expect(Request::Flush).ack().open();
    assert_eq!(handle.flush().unwrap_err().kind(), ErrorKind::Lost);
    handle.flush().unwrap();
}

#[test]
fn failure_to_send_or_receive_is_reported_with_its_cause() {
    let (handle, _peer) = Script::new()
        .expect(Request::Flush)
        .send_fails(io::ErrorKind::ConnectionRefused)
        .expect(Request::Flush)
        .receive_fails(io::ErrorKind::NotConnected)
        .expect(Request::Flush)
        .ack()
        .open();
    for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::NotConnected] {
        let error = handle.flush().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.io_error().unwrap().kind(), kind);
        assert!(!error.is_retryable());
    }
    handle.flush().unwrap();
}

#[test]
fn read_that_is_only_acknowledged_is_an_error() {
    let calls: [(Request, Call<Error>); 3] = [
        (Request::GetService(web()), |handle| handle.get_service(&web()).unwrap_err()),
        (Request::GetConfig, |handle| handle.get_config().unwrap_err()),
        (Request::GetInfo, |handle| handle.get_info().unwrap_err()),
    ];
    for (request, call) in calls {
        let (handle, _peer) = Script::new().expect(request.clone()).ack().open();
        let error = call(&handle);
        assert_eq!(error.decode_error().unwrap().problem(), DecodeProblem::Unexpected, "{request:?}");
    }
}

#[test]
fn command_that_is_answered_with_data_or_an_end_is_an_error() {
    for message in [data(&service_reply(&service())), done()] {
        let (handle, _peer) = Script::new().expect(Request::Flush).datagram([message]).open();
        assert_eq!(handle.flush().unwrap_err().decode_error().unwrap().problem(), DecodeProblem::Unexpected);
    }
}

#[test]
fn answer_about_another_service_is_refused() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetService(web()))
        .reply(&service_reply(&other_service()))
        .expect(Request::GetService(web()))
        .reply(&destination_reply(&destination()))
        .expect(Request::GetInfo)
        .reply(&ipvs_rs::codec::Reply::Config(config()))
        .open();
    for what in ["message", "genlmsghdr.cmd"] {
        let error = handle.get_service(&web()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "get service TCP 192.0.2.10:80: the kernel's answer cannot be read: {what} at byte 0 does not answer \
                 what was asked"
            )
        );
    }
    assert_eq!(handle.get_info().unwrap_err().kind(), ErrorKind::Decode);
}

#[test]
fn answer_that_lacks_what_it_needs_names_it() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetService(web()))
        .datagram([raw_data(NEW_SERVICE, &attribute(1, &number16(1, 2)))])
        .open();
    assert_eq!(
        handle.get_service(&web()).unwrap_err().to_string(),
        "get service TCP 192.0.2.10:80: the kernel's answer cannot be read: IPVS_SVC_ATTR_PROTOCOL is missing"
    );
}

#[test]
fn service_that_is_not_there_is_none_and_a_failure_is_a_failure() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetService(web()))
        .error(Errno::ESRCH)
        .expect(Request::GetService(web()))
        .error(Errno::EPERM)
        .expect(Request::GetService(web()))
        .silence()
        .open();
    assert_eq!(handle.get_service(&web()).unwrap(), None);
    assert!(handle.get_service(&web()).unwrap_err().is_permission_denied());
    assert!(handle.get_service(&web()).unwrap_err().is_timeout());
}

#[test]
fn acknowledgement_behind_a_reply_is_left_alone_and_skipped_later() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetService(web()))
        .reply(&service_reply(&service()))
        .ack()
        .expect(Request::DeleteService(web()))
        .error(Errno::ESRCH)
        .open();
    assert!(handle.get_service(&web()).unwrap().is_some());
    assert!(handle.delete_service(&web()).unwrap_err().is_not_found());
}

#[test]
fn impossible_setting_is_refused_before_anything_is_sent() {
    let (handle, peer) = Script::new().open();
    peer.calls();
    let prefix = Granularity::Prefix(Prefix::new(64).unwrap());
    let bad = service().persistence(Persistence::for_secs(60).unwrap().granularity(prefix));
    let expected = "persistence granularity 64 is not usable: expected a mask for an IPv4 service, a prefix length \
                    for an IPv6 one";
    for (error, operation) in [
        (handle.new_service(&bad).unwrap_err(), "new service"),
        (handle.update_service(&bad).unwrap_err(), "update service"),
        (handle.ensure_service(&bad).unwrap_err(), "new service"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.is_invalid());
        assert_eq!(error.to_string(), format!("{operation} TCP 192.0.2.10:80: {expected}"));
        assert_eq!(error.invalid_value().unwrap().what(), "persistence granularity");
    }
    assert_eq!(peer.calls(), Calls::default());
}

#[test]
fn deadline_of_zero_takes_an_answer_that_is_there() {
    let builder = || Handle::builder().deadline(Duration::ZERO);
    let (handle, _peer) =
        Script::new().expect(Request::Flush).ack().expect(Request::Flush).silence().try_open(builder());
    let handle = handle.unwrap();
    handle.flush().unwrap();
    let error = handle.flush().unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(
        error.to_string(),
        "flush: no answer within 0ns; whether it was executed is not known: read the table again"
    );
}

#[test]
fn numbers_of_requests_go_up_by_one_from_one() {
    let (handle, peer) = Script::new()
        .expect(Request::GetDaemons)
        .list(&[])
        .expect_batch([Request::Flush, Request::Zero(None), Request::Flush])
        .ack_of(2)
        .expect(Request::DeleteService(web()))
        .ack()
        .open();
    assert_eq!(handle.get_sync_daemons().unwrap(), []);
    handle.batch().flush().zero_all().flush().send().unwrap().into_result().unwrap();
    handle.delete_service(&web()).unwrap();
    assert_eq!(peer.sequences(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn daemon_of_either_role_is_started() {
    for daemon in [master(), backup()] {
        let (handle, _peer) = Script::new().expect(Request::NewDaemon(daemon)).error(Errno::EEXIST).open();
        let error = handle.start_sync(&daemon).unwrap_err();
        assert!(error.is_already_exists());
        let role = if daemon.role == SyncRole::Master { "master" } else { "backup" };
        assert_eq!(error.to_string(), format!("start sync {role}: already running (EEXIST)"));
    }
}
