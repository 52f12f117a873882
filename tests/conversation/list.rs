//! Lists: any number of messages and an end.

use ipvs_rs::codec::{DecodeProblem, Reply, Request};
use ipvs_rs::error::{Call, Errno, ErrorKind};
use ipvs_rs::handle::Consistency;
use ipvs_rs::model::{Reading, TableService};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Scheduler, Service, Table};

use crate::message::{Message, ack, bare_done, data, done, done_with, noop, overrun, raw_data, refusal, row};
use crate::netlink::attribute;
use crate::peer::{Calls, Script};
use crate::value::*;

fn rows() -> [Reply; 3] {
    [service(), other_service(), Service::new(mark6(), Scheduler::Sh)].map(|service| service_reply(&service))
}

fn ids(entries: &[ipvs_rs::ServiceEntry]) -> Vec<String> {
    entries.iter().map(|entry| entry.id().to_string()).collect()
}

const ALL: [&str; 3] = ["TCP 192.0.2.10:80", "UDP 192.0.2.10:53", "FWM 7 IPv6"];

const fn stable(attempts: u32) -> Consistency {
    Consistency::Stable { attempts }
}

#[test]
fn list_is_the_same_however_it_is_cut_into_datagrams() {
    let [first, second, third] = rows().map(|reply| row(&reply));
    for (label, datagrams) in [
        ("as the kernel does it", vec![vec![first.clone(), second.clone(), third.clone()], vec![done()]]),
        ("one by one", vec![vec![first.clone()], vec![second.clone()], vec![third.clone()], vec![done()]]),
        ("all in one", vec![vec![first.clone(), second.clone(), third.clone(), done()]]),
        ("the end without a code", vec![vec![first.clone(), second.clone(), third.clone()], vec![bare_done()]]),
        (
            "with nothing in between",
            vec![vec![noop(), first.clone(), noop()], vec![noop()], vec![], vec![second, third], vec![noop(), done()]],
        ),
        (
            "with rows of an earlier list",
            vec![vec![first.clone().late()], rows().map(|reply| row(&reply)).to_vec(), vec![done().late(), done()]],
        ),
        ("without the mark of a list", vec![rows().map(|reply| data(&reply)).to_vec(), vec![done()]]),
    ] {
        let mut script = Script::new().expect(Request::GetServices);
        for datagram in datagrams {
            script = script.datagram(datagram);
        }
        let (handle, _peer) = script.open();
        assert_eq!(ids(&handle.get_services().unwrap()), ALL, "{label}");
    }
}

#[test]
fn list_is_one_send_and_one_receive_for_each_datagram() {
    let (handle, peer) = Script::new().expect(Request::GetServices).list(&rows()).open();
    peer.calls();
    handle.get_services().unwrap();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 2, waits: 0 });
}

#[test]
fn list_without_rows_is_empty() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetServices)
        .list(&[])
        .expect(Request::GetDestinations(web()))
        .list(&[])
        .expect(Request::GetDaemons)
        .list(&[])
        .open();
    assert_eq!(handle.get_services().unwrap(), []);
    assert_eq!(handle.get_destinations(&web()).unwrap(), []);
    assert_eq!(handle.get_sync_daemons().unwrap(), []);
}

#[test]
fn row_that_comes_twice_is_kept_once_as_it_came_first() {
    let replies = [
        Reply::Service(counted(&service(), 1)),
        service_reply(&other_service()),
        Reply::Service(counted(&service(), 2)),
    ];
    let (handle, _peer) = Script::new().expect(Request::GetServices).list(&replies).open();
    assert_eq!(handle.get_services().unwrap(), [counted(&service(), 1), entry(&other_service())]);

    let replies = [nth(2), nth(3), nth(2)].map(|destination| destination_reply(&destination));
    let (handle, _peer) = Script::new().expect(Request::GetDestinations(web())).list(&replies).open();
    assert_eq!(handle.get_destinations(&web()).unwrap().len(), 2);
}

#[test]
fn one_list_leaves_nothing_to_the_next() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetServices)
        .list(&rows())
        .expect(Request::GetServices)
        .datagram([row(&rows()[1])])
        .datagram([done_with(-12)])
        .expect(Request::GetServices)
        .list(&[service_reply(&service())])
        .open();
    assert_eq!(handle.get_services().unwrap().len(), 3);
    assert_eq!(handle.get_services().unwrap_err().errno(), Some(Errno::ENOMEM));
    assert_eq!(ids(&handle.get_services().unwrap()), ALL[..1]);
}

#[test]
fn code_of_the_end_is_an_error() {
    for (code, errno) in [(-12, Errno::ENOMEM), (-1, Errno::EPERM), (-105, Errno::ENOBUFS)] {
        let (handle, _peer) = Script::new()
            .expect(Request::GetServices)
            .datagram(rows().iter().map(row))
            .datagram([done_with(code)])
            .open();
        assert_eq!(handle.get_services().unwrap_err().errno(), Some(errno));
    }
}

#[test]
fn explanation_of_the_end_is_told() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetDestinations(web()))
        .datagram([done_with(-22).explained("that is no service", 24)])
        .open();
    let error = handle.get_destinations(&web()).unwrap_err();
    assert_eq!(error.kernel_message(), Some("that is no service"));
    assert_eq!(error.attribute(), Some("IPVS_SVC_ATTR_AF"));
    assert_eq!(
        error.to_string(),
        "get destinations of TCP 192.0.2.10:80: refused as invalid (EINVAL): that is no service [IPVS_SVC_ATTR_AF]"
    );
}

/// Adds an answer that is not what it should be.
type Spoil = fn(Script) -> Script;

/// Faults of a list, and the result when it has them each time.
fn spoiled() -> [(&'static str, Spoil, ErrorKind); 5] {
    let marked_row =
        |script: Script| script.datagram([row(&rows()[0]).interrupted(), row(&rows()[1])]).datagram([done()]);
    let marked_end = |script: Script| script.datagram([row(&rows()[0])]).datagram([done().interrupted()]);
    [
        ("a marked row", marked_row, ErrorKind::Interrupted),
        ("a marked end", marked_end, ErrorKind::Interrupted),
        ("an overrun", |script| script.datagram([row(&rows()[0]), overrun()]), ErrorKind::Lost),
        (
            "a loss before the end",
            |script| script.datagram([row(&rows()[0])]).enobufs().datagram([done()]),
            ErrorKind::Lost,
        ),
        ("a loss of the end", |script| script.datagram([row(&rows()[0])]).enobufs(), ErrorKind::Lost),
    ]
}

#[test]
fn list_that_is_spoiled_once_is_read_again() {
    for (label, spoil, _) in spoiled() {
        let script = spoil(Script::new().expect(Request::GetServices));
        let (handle, peer) = script.expect(Request::GetServices).list(&rows()).open();
        assert_eq!(ids(&handle.get_services().unwrap()), ALL, "{label}");
        assert!(peer.is_drained());
    }
}

#[test]
fn list_that_is_spoiled_for_ever_is_reported_after_five_readings() {
    for (label, spoil, kind) in spoiled() {
        let mut script = Script::new();
        for _ in 0..5 {
            script = spoil(script.expect(Request::GetServices));
        }
        let (handle, _peer) = script.expect(Request::GetServices).list(&rows()).open();
        let error = handle.get_services().unwrap_err();
        assert_eq!((error.kind(), error.errno()), (kind, None), "{label}");
        assert!(error.is_retryable());
        let expected = match kind {
            ErrorKind::Lost => "get services: the answer was lost; nothing was changed: try again",
            _ => {
                "get services: the list changed 5 times while it was read; another program is changing the table: try \
                 again"
            }
        };
        assert_eq!(error.to_string(), expected, "{label}");
        assert_eq!(ids(&handle.get_services().unwrap()), ALL, "{label}");
    }
}

#[test]
fn list_of_daemons_that_is_read_again_has_each_once() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetDaemons)
        .datagram([row(&Reply::Daemon(master())).interrupted()])
        .datagram([done()])
        .expect(Request::GetDaemons)
        .list(&[Reply::Daemon(master()), Reply::Daemon(backup())])
        .open();
    assert_eq!(handle.get_sync_daemons().unwrap(), [master(), backup()]);
}

#[test]
fn row_of_another_kind_is_an_error() {
    for (label, row) in [
        ("a destination", row(&destination_reply(&destination()))),
        ("timeouts", row(&Reply::Config(config()))),
        ("a command that answers nothing", raw_data(17, &[])),
    ] {
        let (handle, _peer) = Script::new()
            .expect(Request::GetServices)
            .datagram([row])
            .datagram([done()])
            .expect(Request::GetServices)
            .list(&rows())
            .open();
        let error = handle.get_services().unwrap_err();
        assert_eq!(error.decode_error().unwrap().problem(), DecodeProblem::Unexpected, "{label}");
        assert_eq!(ids(&handle.get_services().unwrap()), ALL, "{label}");
    }
}

#[test]
fn list_that_is_only_acknowledged_is_an_error() {
    let (handle, _peer) = Script::new().expect(Request::GetServices).datagram([ack()]).open();
    let error = handle.get_services().unwrap_err();
    assert_eq!(error.decode_error().unwrap().problem(), DecodeProblem::Unexpected);
}

#[test]
fn list_without_an_end_is_a_timeout_and_its_rest_is_read_before_the_next_call() {
    let (handle, peer) = Script::new()
        .expect(Request::GetServices)
        .datagram([row(&rows()[0])])
        .pause()
        .pause()
        .expect(Request::Flush)
        .ack()
        .open();
    // Two waits that end early, then one that ends.
    assert!(handle.get_services().unwrap_err().is_timeout());
    peer.calls();
    handle.flush().unwrap();
    assert_eq!(peer.calls(), Calls { sends: 1, receives: 2, waits: 0 });
}

/// One list at a time for each socket: reading what is left of the other ends it.
#[test]
fn list_that_is_refused_because_of_another_is_asked_for_again_when_that_is_taken_away() {
    let (handle, peer) = Script::new()
        .expect(Request::GetServices)
        .error(Errno::EBUSY)
        .datagram([row(&rows()[0]).late()])
        // Were it not taken away before the list is asked for, it would spoil that.
        .truncated(100_000)
        .datagram([done().late()])
        .expect(Request::GetServices)
        .list(&rows())
        .open();
    assert_eq!(ids(&handle.get_services().unwrap()), ALL);
    assert!(peer.is_drained());
}

#[test]
fn list_that_is_refused_as_busy_twice_is_an_error() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetServices)
        .error(Errno::EBUSY)
        .expect(Request::GetServices)
        .error(Errno::EBUSY)
        .open();
    let error = handle.get_services().unwrap_err();
    assert_eq!(error.to_string(), "get services: busy (EBUSY)");
    assert!(error.is_retryable());
}

#[test]
fn command_that_is_refused_as_busy_is_not_repeated() {
    let (handle, _peer) = Script::new().expect(Request::Flush).error(Errno::EBUSY).open();
    assert_eq!(handle.flush().unwrap_err().errno(), Some(Errno::EBUSY));
}

/// A kernel before 3.18 does not tell the family of a destination.
#[test]
fn destination_without_a_family_has_that_of_its_service() {
    const ADDR_FAMILY: u16 = 11;
    fn without_family(destination: &Destination) -> Message {
        let mut bytes = Vec::new();
        destination_reply(destination).encode(&mut bytes);
        let mut nest = Vec::new();
        let mut rest = &bytes[4..];
        while let [low, high, kind_low, kind_high, ..] = *rest {
            let len = usize::from(u16::from_ne_bytes([low, high])).next_multiple_of(4);
            if u16::from_ne_bytes([kind_low, kind_high]) != ADDR_FAMILY {
                nest.extend(&rest[..len]);
            }
            rest = &rest[len..];
        }
        raw_data(5, &attribute(2, &nest))
    }

    // The second one has twelve zeros at its end, as an IPv4 address has; the third nothing but zeros.
    let servers = ["[2001:db8::2]:80", "[2001:db8::]:80", "[::]:80"]
        .map(|server| Destination::new(server.parse().unwrap(), ForwardMethod::Masquerade));
    let service = "TCP [2001:db8::1]:80".parse().unwrap();
    let (handle, _peer) = Script::new()
        .expect(Request::GetDestinations(service))
        .datagram(servers.iter().map(without_family))
        .datagram([done()])
        .expect(Request::GetDestinations(web()))
        .datagram([without_family(&destination())])
        .datagram([done()])
        .open();
    assert_eq!(handle.get_destinations(&service).unwrap(), servers.map(DestinationEntry::new));
    assert_eq!(handle.get_destinations(&web()).unwrap(), [DestinationEntry::new(destination())]);
}

#[test]
fn no_destinations_and_no_service_are_told_apart_on_demand() {
    let (handle, _peer) = Script::new()
        // There are destinations: nothing else is asked.
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&destination())])
        // There are none, but the service.
        .expect(Request::GetDestinations(web()))
        .list(&[])
        .expect(Request::GetService(web()))
        .reply(&service_reply(&service()))
        // There is not even the service.
        .expect(Request::GetDestinations(web()))
        .list(&[])
        .expect(Request::GetService(web()))
        .error(Errno::ESRCH)
        // Unknown.
        .expect(Request::GetDestinations(web()))
        .list(&[])
        .expect(Request::GetService(web()))
        .error(Errno::EPERM)
        .open();
    let ask = || handle.find_destinations(&web());
    assert_eq!(ask().unwrap(), Some(vec![DestinationEntry::new(destination())]));
    assert_eq!(ask().unwrap(), Some(vec![]));
    assert_eq!(ask().unwrap(), None);
    assert!(ask().unwrap_err().is_permission_denied());
}

#[test]
fn one_destination_is_found_among_those_of_its_service() {
    let servers = [nth(3), nth(2)].map(|destination| destination_reply(&destination));
    let (handle, _peer) = Script::new()
        .expect(Request::GetDestinations(web()))
        .list(&servers)
        .expect(Request::GetDestinations(web()))
        .list(&servers[..1])
        .open();
    assert_eq!(handle.get_destination(&web(), &server()).unwrap(), Some(DestinationEntry::new(nth(2))));
    assert_eq!(handle.get_destination(&web(), &server()).unwrap(), None);
}

/// So long that another row does not fit behind it.
fn full(rows: &[Reply]) -> Vec<Message> {
    let mut messages: Vec<_> = rows.iter().map(row).collect();
    messages.extend((0..2000).map(|_| noop()));
    messages
}

#[test]
fn list_that_may_lack_something_is_read_again_where_it_must_not() {
    let [first, second, third] = rows();
    let script = || Script::new().expect(Request::GetServices).datagram(full(&[first.clone(), second.clone()]));
    let fragmented = || script().datagram([row(&third)]).datagram([done()]);
    let (handle, _peer) = fragmented().open();
    let mut seen = Vec::new();
    assert_eq!(handle.for_each_service(|entry| seen.push(entry.id().to_string())).unwrap(), Reading::Fragmented);
    assert_eq!(seen, ALL);

    // The second pass has one more, the third the same as the second.
    let (handle, _peer) = script()
        .datagram([done()])
        .expect(Request::GetServices)
        .datagram(full(&[first.clone(), second.clone()]))
        .datagram([row(&third)])
        .datagram([done()])
        .expect(Request::GetServices)
        .datagram(full(&[third.clone(), first.clone()]))
        .datagram([row(&second)])
        .datagram([done()])
        .open();
    assert_eq!(handle.get_services_with(stable(3)).unwrap().len(), 3);

    let (handle, _peer) = fragmented().open();
    let error = handle.get_services_with(stable(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unstable);
    assert_eq!(error.call(), Call::GetServices);

    let (handle, _peer) = fragmented().open();
    assert_eq!(handle.get_services_with(Consistency::default()).unwrap().len(), 3);
}

#[test]
fn list_in_one_piece_is_read_once_and_can_be_relied_on() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetServices)
        .list(&rows())
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&nth(3))])
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&nth(4))])
        .expect(Request::GetServices)
        .list(&[service_reply(&service())])
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&nth(2))])
        .open();
    assert_eq!(handle.get_services_with(stable(1)).unwrap().len(), 3);
    assert_eq!(handle.get_destinations_with(&web(), stable(1)).unwrap().len(), 1);
    let mut seen = Vec::new();
    assert_eq!(handle.for_each_destination(&web(), |entry| seen.push(entry.id())).unwrap(), Reading::Whole);
    assert_eq!(seen, [nth(4).id]);
    let table = handle.snapshot_with(stable(1)).unwrap();
    assert_eq!((table.reading(), table.destination_count()), (Reading::Whole, 1));
}

#[test]
fn table_is_filled_anew_and_is_empty_after_a_failure() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetServices)
        .list(&[service_reply(&service())])
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&nth(3))])
        .expect(Request::GetServices)
        .list(&[service_reply(&other_service())])
        .expect(Request::GetDestinations(dns()))
        .list(&[])
        .expect(Request::GetServices)
        .list(&[service_reply(&service())])
        .expect(Request::GetDestinations(web()))
        .error(Errno::EPERM)
        .open();
    let mut table = Table::default();
    let row = |service: &Service, destinations| TableService::new(entry(service), destinations);
    assert_eq!(handle.snapshot_into(&mut table).unwrap(), Reading::Whole);
    assert_eq!(table, Table::new(vec![row(&service(), vec![DestinationEntry::new(nth(3))])]));
    assert_eq!(handle.snapshot_into(&mut table).unwrap(), Reading::Whole);
    assert_eq!(table, Table::new(vec![row(&other_service(), vec![])]));
    assert!(handle.snapshot_into(&mut table).unwrap_err().is_permission_denied());
    assert_eq!(table, Table::default());
}

#[test]
fn snapshot_is_one_list_of_services_and_one_of_destinations_for_each() {
    let (handle, peer) = Script::new()
        .expect(Request::GetServices)
        .list(&[service_reply(&service()), service_reply(&other_service())])
        .expect(Request::GetDestinations(web()))
        .list(&[destination_reply(&nth(3)), destination_reply(&nth(2))])
        // Meanwhile the second service has gone.
        .expect(Request::GetDestinations(dns()))
        .list(&[])
        .open();
    peer.calls();
    let expected = Table::new(vec![
        TableService::new(entry(&service()), [nth(3), nth(2)].map(DestinationEntry::new).to_vec()),
        TableService::new(entry(&other_service()), vec![]),
    ]);
    assert_eq!(handle.snapshot().unwrap(), expected);
    assert_eq!(peer.calls(), Calls { sends: 3, receives: 5, waits: 0 });
}

#[test]
fn snapshot_that_fails_midway_is_that_failure() {
    let (handle, _peer) = Script::new()
        .expect(Request::GetServices)
        .list(&[service_reply(&service())])
        .expect(Request::GetDestinations(web()))
        .datagram([refusal(Errno::EPERM)])
        .open();
    let error = handle.snapshot().unwrap_err();
    assert!(error.is_permission_denied());
    assert!(error.to_string().starts_with("get destinations of TCP 192.0.2.10:80: permission denied (EPERM)"));
}
