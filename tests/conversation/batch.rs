//! Many commands, few datagrams.

use std::io;
use std::ops::ControlFlow;

use ipvs_rs::codec::{Request, put_request};
use ipvs_rs::error::{Call, Errno, ErrorKind, Target};
use ipvs_rs::handle::BatchReport;
use ipvs_rs::model::{Granularity, Persistence, Prefix};
use ipvs_rs::transport::Limits;
use ipvs_rs::{Error, ServiceId};

use crate::client::{Batch, Handle};
use crate::message::{ack, noop, overrun, refusal};
use crate::peer::{Calls, Script};
use crate::value::*;

/// A service with three servers.
fn requests() -> [Request; 4] {
    [
        Request::NewService(service()),
        Request::NewDestination(web(), nth(2)),
        Request::NewDestination(web(), nth(3)),
        Request::NewDestination(web(), nth(4)),
    ]
}

fn batch(handle: &Handle) -> Batch<'_> {
    let batch = handle.batch().new_service(&service());
    [2, 3, 4].into_iter().fold(batch, |batch, number| batch.new_destination(&web(), &nth(number)))
}

/// The outcome of each command, as one word.
fn words(report: &BatchReport) -> Vec<String> {
    let word = |result: &Result<(), Error>| match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => error.errno().map_or_else(|| format!("{:?}", error.kind()), |errno| errno.to_string()),
    };
    report.results().iter().map(word).collect()
}

/// Sends a batch with a progress function, and stops it when so many commands are done. Also returns the progress:
/// commands done, failed, and all.
fn watched(batch: Batch<'_>, stop_at: usize) -> (BatchReport, Vec<[usize; 3]>) {
    let mut told = Vec::new();
    let report = batch.send_with_progress(|progress| {
        told.push([progress.done, progress.failed, progress.total]);
        if progress.done >= stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (report.unwrap(), told)
}

/// The bytes of a request in a datagram.
fn len(request: &Request) -> usize {
    let mut bytes = Vec::new();
    put_request(&mut bytes, 31, 0, 1, request);
    bytes.len()
}

#[test]
fn batch_is_one_send_and_one_receive() {
    let (handle, peer) = Script::new().expect_batch(requests()).ack_of(3).open();
    peer.calls();
    let report = batch(&handle).send().unwrap();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 1, waits: 0 });
    assert!(report.is_ok());
    assert_eq!(words(&report), ["ok"; 4]);
    assert_eq!(report.failures().count(), 0);
    report.into_result().unwrap();
}

#[test]
fn every_command_can_be_in_a_batch() {
    let requests = [
        Request::NewService(service()),
        Request::SetService(service()),
        Request::DeleteService(dns()),
        Request::NewDestination(web(), destination()),
        Request::SetDestination(web(), destination()),
        Request::DeleteDestination(web(), server()),
        Request::Zero(None),
        Request::Zero(Some(mark6())),
        Request::Flush,
        Request::SetConfig(config()),
    ];
    let operations = [
        (Call::NewService, Target::Service(web())),
        (Call::UpdateService, Target::Service(web())),
        (Call::DeleteService, Target::Service(dns())),
        (Call::NewDestination, Target::Destination(web(), server())),
        (Call::UpdateDestination, Target::Destination(web(), server())),
        (Call::DeleteDestination, Target::Destination(web(), server())),
        (Call::Zero, Target::Table),
        (Call::Zero, Target::Service(mark6())),
        (Call::Flush, Target::Table),
        (Call::SetConfig, Target::Table),
    ];
    let refusals = (0..10).map(|place| refusal(Errno::EPERM).to(place));
    let (handle, _peer) = Script::new().expect_batch(requests).datagram(refusals).open();
    let batch = handle
        .batch()
        .new_service(&service())
        .update_service(&service())
        .delete_service(&dns())
        .new_destination(&web(), &destination())
        .update_destination(&web(), &destination())
        .delete_destination(&web(), &server())
        .zero_all()
        .zero_service(&mark6())
        .flush()
        .set_config(&config());
    assert_eq!((batch.len(), batch.is_empty()), (10, false));
    let report = batch.send().unwrap();
    let failed: Vec<_> = report.failures().map(|(_, error)| (error.call(), error.target().clone())).collect();
    assert_eq!(failed, operations);
}

#[test]
fn failures_are_told_by_place_and_stop_nothing() {
    for (label, failing) in [
        ("first", &[0][..]),
        ("middle", &[1]),
        ("last", &[3]),
        ("first and last", &[0, 3]),
        ("all but the last", &[0, 1, 2]),
        ("all", &[0, 1, 2, 3]),
    ] {
        let mut answers: Vec<_> = failing.iter().map(|place| refusal(Errno::EEXIST).to(*place)).collect();
        if failing.last() != Some(&3) {
            answers.push(ack().to(3));
        }
        let expected: Vec<_> = (0..4).map(|place| if failing.contains(&place) { "EEXIST" } else { "ok" }).collect();

        let one_by_one = answers
            .iter()
            .fold(Script::new().expect_batch(requests()), |script, answer| script.datagram([answer.clone()]));
        let together = Script::new().expect_batch(requests()).datagram(answers.clone());
        let with_others =
            Script::new().expect_batch(requests()).datagram([noop(), refusal(Errno::EPERM).late()]).datagram(answers);
        for script in [one_by_one, together, with_others] {
            let (handle, _peer) = script.open();
            let report = batch(&handle).send().unwrap();
            assert_eq!(words(&report), expected, "{label}");
            assert!(!report.is_ok());
            let places: Vec<_> = report.failures().map(|(place, _)| place).collect();
            assert_eq!(places, failing, "{label}");
            assert!(report.into_result().unwrap_err().is_already_exists());
        }
    }
}

#[test]
fn each_failure_names_its_own_operation_and_object() {
    let (handle, _peer) = Script::new()
        .expect_batch([
            Request::DeleteDestination(web(), server()),
            Request::NewService(service()),
            Request::DeleteService(dns()),
        ])
        .error_of(0, Errno::ENOENT)
        .error_of(1, Errno::ENOENT)
        .error_of(2, Errno::ESRCH)
        .open();
    let report =
        handle.batch().delete_destination(&web(), &server()).new_service(&service()).delete_service(&dns()).send();
    let lines: Vec<String> =
        report.unwrap().into_results().into_iter().map(|result| result.unwrap_err().to_string()).collect();
    assert_eq!(
        lines,
        [
            "delete destination 10.0.0.2:8080 for TCP 192.0.2.10:80: no such destination (ENOENT)",
            "new service TCP 192.0.2.10:80: scheduler wlc not available (ENOENT); check the name, or load the module \
             ip_vs_NAME or ip_vs_pe_NAME",
            "delete service UDP 192.0.2.10:53: no such service (ESRCH)",
        ]
    );
}

/// Offsets count from the start of the message that they are about, not of the datagram.
#[test]
fn attribute_is_named_by_its_place_in_its_own_command() {
    let (handle, _peer) = Script::new()
        .expect_batch([Request::DeleteService(web()), Request::NewDestination(web(), destination())])
        .ack_of(0)
        .datagram([refusal(Errno::EINVAL).to(1).explained("no", 68)])
        .open();
    let report = handle.batch().delete_service(&web()).new_destination(&web(), &destination()).send().unwrap();
    let (place, error) = report.failures().next().unwrap();
    assert_eq!((place, error.attribute(), error.kernel_message()), (1, Some("IPVS_CMD_ATTR_DEST"), Some("no")));
}

#[test]
fn empty_batch_sends_nothing() {
    let (handle, peer) = Script::new().open();
    peer.calls();
    let batch = handle.batch();
    assert!(batch.is_empty());
    let report = batch.send().unwrap();
    assert_eq!(peer.calls(), Calls::default());
    assert_eq!(report.results().len(), 0);
    assert!(report.is_ok());
}

#[test]
fn batch_of_one_sends_what_the_single_call_sends() {
    let (handle, peer) = Script::new()
        .expect(Request::NewService(service()))
        .error(Errno::EEXIST)
        .expect(Request::NewService(service()))
        .error(Errno::EEXIST)
        .open();
    peer.calls();
    let single = handle.new_service(&service()).unwrap_err();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 1, waits: 0 });
    let batched = handle.batch().new_service(&service()).send().unwrap().into_result().unwrap_err();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 1, waits: 0 });
    assert_eq!(single.to_string(), batched.to_string());
    assert_eq!(single.errno(), batched.errno());
}

#[test]
fn batch_is_split_by_how_many_answers_fit() {
    let [service, second, third, fourth] = requests();
    let (handle, peer) = Script::new()
        .limits(3, 200_000)
        .expect_batch([service, second, third])
        .ack_of(2)
        .expect_batch([fourth])
        .ack()
        .open();
    peer.calls();
    assert!(batch(&handle).send().unwrap().is_ok());
    assert_eq!(peer.calls().sends, 2);
}

#[test]
fn batch_is_split_by_how_long_a_datagram_may_be() {
    let [service, second, third, fourth] = requests();
    let three = len(&service) + len(&second) + len(&third);
    for (limit, chunks) in [
        (three + len(&fourth), vec![vec![0, 1, 2, 3]]),
        (three + len(&fourth) - 1, vec![vec![0, 1, 2], vec![3]]),
        (three, vec![vec![0, 1, 2], vec![3]]),
        (three - 1, vec![vec![0, 1], vec![2, 3]]),
        (len(&second), vec![vec![0], vec![1], vec![2], vec![3]]),
    ] {
        let mut script = Script::new().limits(200, limit);
        for chunk in &chunks {
            script = script.expect_batch(chunk.iter().map(|place| requests()[*place].clone())).ack_of(chunk.len() - 1);
        }
        let (handle, _peer) = script.open();
        assert!(batch(&handle).send().unwrap().is_ok(), "{limit}");
    }
}

/// It is sent nevertheless, and the system says what is wrong with it.
#[test]
fn limits_that_fit_nothing_send_one_command_at_a_time() {
    for (answers, datagram) in [(0, 200_000), (200, 0), (0, 0)] {
        let script = requests()
            .into_iter()
            .fold(Script::new().limits(answers, datagram), |script, request| script.expect(request).ack());
        let (handle, _peer) = script.open();
        assert!(batch(&handle).send().unwrap().is_ok());
    }
}

#[test]
fn failure_in_one_datagram_does_not_stop_the_next() {
    let [service, second, third, fourth] = requests();
    let (handle, _peer) = Script::new()
        .limits(2, 200_000)
        .expect_batch([service, second])
        .error_of(0, Errno::EEXIST)
        .error_of(1, Errno::EEXIST)
        .expect_batch([third, fourth])
        .error_of(0, Errno::EEXIST)
        .ack_of(1)
        .open();
    assert_eq!(words(&batch(&handle).send().unwrap()), ["EEXIST", "EEXIST", "EEXIST", "ok"]);
}

#[test]
fn progress_is_told_after_each_datagram() {
    let [service, second, third, fourth] = requests();
    let (handle, _peer) = Script::new()
        .limits(3, 200_000)
        .expect_batch([service, second, third])
        .error_of(0, Errno::EEXIST)
        .ack_of(2)
        .expect_batch([fourth])
        .error(Errno::EEXIST)
        .open();
    let (report, told) = watched(batch(&handle), usize::MAX);
    assert_eq!(told, [[3, 1, 4], [4, 2, 4]]);
    assert_eq!(words(&report), ["EEXIST", "ok", "ok", "EEXIST"]);
}

#[test]
fn batch_that_is_stopped_sends_no_more() {
    let [service, second, third, _] = requests();
    let (handle, peer) = Script::new()
        .limits(2, 200_000)
        .expect_batch([service, second.clone()])
        .error_of(0, Errno::EEXIST)
        .ack_of(1)
        .expect_batch([third, second])
        .ack_of(1)
        .open();
    peer.calls();
    let (report, told) = watched(batch(&handle), 1);
    assert_eq!(peer.calls().sends, 1);
    assert_eq!(told, [[2, 1, 4]]);
    assert_eq!(words(&report), ["EEXIST", "ok", "NotSent", "NotSent"]);
    let unsent = report.into_results().pop().unwrap().unwrap_err();
    assert!(unsent.is_retryable());
    assert_eq!(
        unsent.to_string(),
        "new destination 10.0.0.4:8080 for TCP 192.0.2.10:80: not sent, because the batch was stopped"
    );
    // A stop after the last datagram has no effect.
    let rest = handle.batch().new_destination(&web(), &nth(3)).new_destination(&web(), &nth(2));
    let (report, told) = watched(rest, 2);
    assert_eq!(told, [[2, 0, 2]]);
    assert!(report.is_ok());
}

#[test]
fn nothing_is_told_of_what_is_not_sent() {
    let [service, second, ..] = requests();
    let (handle, _peer) = Script::new().limits(2, 200_000).expect_batch([service, second]).silence().open();
    let (report, told) = watched(batch(&handle), usize::MAX);
    assert_eq!(told, [[2, 2, 4]]);
    assert_eq!(words(&report), ["Timeout", "Timeout", "NotSent", "NotSent"]);
    assert_eq!(watched(handle.batch(), 0).1, Vec::<[usize; 3]>::new());
}

#[test]
fn limits_of_a_socket_are_those_of_its_buffers() {
    for (send, receive, expected) in [
        (212_992, 212_992, Limits { datagram: 212_960, answers: 200 }),
        (4_608, 2_304, Limits { datagram: 4_576, answers: 2 }),
        (32, 1_063, Limits { datagram: 0, answers: 1 }),
        (0, 0, Limits { datagram: 0, answers: 1 }),
        (usize::MAX, 8_388_608, Limits { datagram: usize::MAX - 32, answers: 7_884 }),
    ] {
        assert_eq!(Limits::of_buffers(send, receive), expected, "{send} {receive}");
    }
    assert_eq!(Limits::default(), Limits::of_buffers(212_992, 212_992));
}

#[test]
fn default_limits_are_two_hundred_commands_to_a_datagram() {
    let services: Vec<ServiceId> = (1..=201).map(|port| format!("TCP 192.0.2.10:{port}").parse().unwrap()).collect();
    let requests: Vec<Request> = services.iter().map(|id| Request::DeleteService(*id)).collect();
    let (handle, _peer) = Script::new()
        .expect_batch(requests[..200].to_vec())
        .ack_of(199)
        .expect_batch(requests[200..].to_vec())
        .ack()
        .open();
    let batch = services.iter().fold(handle.batch(), Batch::delete_service);
    assert_eq!(batch.len(), 201);
    assert!(batch.send().unwrap().is_ok());
}

#[test]
fn batch_whose_answers_do_not_come_is_a_timeout_from_there_on() {
    let [service, second, third, fourth] = requests();
    let (handle, _peer) = Script::new()
        .limits(3, 200_000)
        .expect_batch([service, second, third])
        .error_of(1, Errno::EEXIST)
        .expect(fourth.clone())
        .ack()
        .open();
    let report = batch(&handle).send().unwrap();
    assert_eq!(words(&report), ["Timeout", "EEXIST", "Timeout", "NotSent"]);
    let lines: Vec<String> = report.failures().map(|(_, error)| error.to_string()).collect();
    assert_eq!(
        lines[0],
        "new service TCP 192.0.2.10:80: no answer within 5s; whether it was executed is not known: read the table \
         again"
    );
    assert_eq!(
        lines[2],
        "new destination 10.0.0.3:8080 for TCP 192.0.2.10:80: no answer within 5s; whether it was executed is not \
         known: read the table again"
    );
    assert_eq!(
        lines[3],
        "new destination 10.0.0.4:8080 for TCP 192.0.2.10:80: not sent, because an earlier command of the batch had \
         no answer; send it again"
    );
    let unsent = report.into_results().pop().unwrap().unwrap_err();
    assert!(unsent.is_retryable());
    handle.new_destination(&web(), &nth(4)).unwrap();
}

/// The kernel keeps the first answers and drops the last.
#[test]
fn batch_whose_answers_were_lost_is_unknown_where_nothing_was_said() {
    let [service, second, third, fourth] = requests();
    let (handle, _peer) = Script::new()
        .limits(3, 200_000)
        .expect_batch([service, second, third])
        .enobufs()
        .error_of(0, Errno::EEXIST)
        .expect(fourth)
        .ack()
        .open();
    let report = batch(&handle).send().unwrap();
    assert_eq!(words(&report), ["EEXIST", "Lost", "Lost", "NotSent"]);
    handle.new_destination(&web(), &nth(4)).unwrap();
}

#[test]
fn answers_to_a_batch_that_was_given_up_are_taken_away_before_the_next_call() {
    let (handle, peer) = Script::new()
        .expect_batch(requests())
        .datagram([overrun()])
        .truncated(100_000)
        .expect(Request::Flush)
        .ack()
        .open();
    assert_eq!(words(&batch(&handle).send().unwrap()), ["Lost"; 4]);
    peer.calls();
    handle.flush().unwrap();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 3, waits: 0 }, "what was left, none, one answer");
}

#[test]
fn acknowledged_command_is_not_lost_although_others_are() {
    let [service, second, third, _] = requests();
    let (handle, _peer) = Script::new()
        .limits(3, 200_000)
        .expect_batch([service, second, third])
        .enobufs()
        .error_of(0, Errno::EEXIST)
        .ack_of(2)
        .open();
    assert_eq!(words(&batch(&handle).send().unwrap()), ["EEXIST", "Lost", "ok", "NotSent"]);
}

#[test]
fn overrun_in_a_batch_is_a_loss() {
    let (handle, _peer) = Script::new().expect_batch(requests()).datagram([overrun()]).open();
    assert_eq!(words(&batch(&handle).send().unwrap()), ["Lost"; 4]);
}

#[test]
fn answer_that_cannot_be_read_is_told_once_and_the_rest_is_unknown() {
    let (handle, _peer) = Script::new().expect_batch(requests()).error_of(1, Errno::EEXIST).truncated(100_000).open();
    let report = batch(&handle).send().unwrap();
    assert_eq!(words(&report), ["Decode", "EEXIST", "Lost", "Lost"]);
    let last = report.into_results().pop().unwrap().unwrap_err();
    assert_eq!(
        last.to_string(),
        "new destination 10.0.0.4:8080 for TCP 192.0.2.10:80: the answer was lost; whether it was executed is not \
         known: read the table again"
    );
}

#[test]
fn batch_that_cannot_be_sent_says_why_once() {
    let [service, second, third, fourth] = requests();
    let (handle, _peer) = Script::new()
        .limits(2, 200_000)
        .expect_batch([service, second])
        .ack_of(1)
        .expect_batch([third, fourth])
        .send_fails(io::ErrorKind::ConnectionRefused)
        .open();
    assert_eq!(words(&batch(&handle).send().unwrap()), ["ok", "ok", "Io", "NotSent"]);
}

#[test]
fn one_impossible_setting_refuses_the_whole_batch_before_anything_is_sent() {
    let (handle, peer) = Script::new().open();
    peer.calls();
    let prefix = Granularity::Prefix(Prefix::new(64).unwrap());
    let bad = other_service().persistence(Persistence::for_secs(60).unwrap().granularity(prefix));
    let error = handle.batch().flush().new_service(&service()).update_service(&bad).new_service(&bad).send();
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.call()), (ErrorKind::Invalid, Call::UpdateService));
    assert_eq!(error.target(), &Target::Service(dns()), "the first of them");
    assert_eq!(peer.calls(), Calls::default());
}

#[test]
fn batch_under_an_old_number_of_the_family_is_sent_again() {
    let unknown = || (0..4).map(|place| refusal(Errno::ENOENT).to(place));
    let (handle, _peer) = Script::new()
        .expect_batch(requests())
        .datagram(unknown())
        .family(40)
        .expect_batch(requests())
        .error_of(0, Errno::EEXIST)
        .ack_of(3)
        .open();
    assert_eq!(words(&batch(&handle).send().unwrap()), ["EEXIST", "ok", "ok", "ok"]);
}

#[test]
fn number_of_the_family_is_looked_up_once_for_a_datagram() {
    let unknown = || (0..4).map(|place| refusal(Errno::ENOENT).to(place));
    let (handle, _peer) = Script::new()
        .expect_batch(requests())
        .datagram(unknown())
        .family(40)
        .expect_batch(requests())
        .datagram(unknown())
        .open();
    assert_eq!(words(&batch(&handle).send().unwrap()), ["ENOENT"; 4]);
}

#[test]
fn batch_that_finds_the_family_unchanged_keeps_its_refusals() {
    let request = || Request::DeleteDestination(web(), server());
    let (handle, _peer) = Script::new()
        .limits(1, 200_000)
        .expect(request())
        .error(Errno::ENOENT)
        .family(31)
        .expect(request())
        .ack()
        .open();
    let report = handle.batch().delete_destination(&web(), &server()).delete_destination(&web(), &server()).send();
    assert_eq!(words(&report.unwrap()), ["ENOENT", "ok"]);
}

#[test]
fn some_refusals_of_that_kind_do_not_mean_that_the_family_is_gone() {
    let (handle, _peer) =
        Script::new().expect_batch(requests()).error_of(0, Errno::ENOENT).error_of(1, Errno::ESRCH).ack_of(3).open();
    assert_eq!(words(&batch(&handle).send().unwrap()), ["ENOENT", "ESRCH", "ok", "ok"]);
}

/// Without IPVS, "no such destination" would be a lie.
#[test]
fn batch_to_a_family_that_has_gone_is_not_available_and_not_sent() {
    let request = || Request::DeleteDestination(web(), server());
    let (handle, _peer) = Script::new()
        .limits(2, 200_000)
        .expect_batch([request(), request()])
        .error_of(0, Errno::ENOENT)
        .error_of(1, Errno::ENOENT)
        .expect_family_lookup()
        .error(Errno::ENOENT)
        .open();
    let batch = (0..3).fold(handle.batch(), |batch, _| batch.delete_destination(&web(), &server()));
    assert_eq!(words(&batch.send().unwrap()), ["NotAvailable", "NotAvailable", "NotSent"]);
}
