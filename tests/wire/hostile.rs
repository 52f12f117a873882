//! Bytes that no kernel sends: every one is an error or a value, none is a panic.

use ipvs_rs::codec::{DecodeError, DecodeProblem, Family, Frames, IpvsCommand, Reply, Request, attribute_at};
use ipvs_rs::model::{AddressFamily, SyncDaemon};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Scheduler, Service, ServiceEntry};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::fixture;
use crate::law::arb_message;
use crate::netlink;
use crate::tree::{self, Node, Value};

/// Reads bytes in every way that there is.
fn read_everything(bytes: &[u8]) {
    for command in (0..=18).chain([u8::MAX]) {
        for dump in [false, true] {
            let _any = Request::decode(command, dump, bytes);
        }
        for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
            let _any = Reply::decode_for(command, bytes, family);
        }
        let _any = Family::decode(command, bytes, "IPVS");
    }
    for offset in (0..u32::try_from(bytes.len()).unwrap() + 4).chain([u32::MAX]) {
        let _any = attribute_at(bytes, offset);
    }
    walk(bytes);
}

/// Reads a datagram to its end, which must come.
fn walk(datagram: &[u8]) {
    let mut frames = Frames::new(datagram);
    let mut last = None;
    for _ in 0..=datagram.len() / 16 {
        match frames.next() {
            Some(Ok(frame)) => {
                assert!(last < Some(frame.offset), "{last:?} {}", frame.offset);
                last = Some(frame.offset);
            }
            Some(Err(_)) => {
                assert!(frames.next().is_none(), "nothing is found behind a broken message");
                return;
            }
            None => return,
        }
    }
    assert!(frames.next().is_none(), "more messages than headers fit");
}

/// Damage to a message on its way.
#[derive(Clone, Debug)]
enum Damage {
    Cut(prop::sample::Index),
    Byte(prop::sample::Index, u8),
    /// A length field, and everything else that stands at the start of four bytes.
    Field(prop::sample::Index, u16),
    Repeat(prop::sample::Index, prop::sample::Index),
    Remove(prop::sample::Index, prop::sample::Index),
}

fn arb_damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    let field = prop_oneof![prop::sample::select(vec![0, 1, 3, 4, 15, 16, 0x7fff, 0x8000, u16::MAX]), any::<u16>()];
    prop_oneof![
        place().prop_map(Damage::Cut),
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (place(), field).prop_map(|(at, field)| Damage::Field(at, field)),
        (place(), place()).prop_map(|(from, to)| Damage::Repeat(from, to)),
        (place(), place()).prop_map(|(from, to)| Damage::Remove(from, to)),
    ]
}

/// The bytes after all of it.
fn damaged(mut bytes: Vec<u8>, damage: &[Damage]) -> Vec<u8> {
    for damage in damage {
        damage.apply(&mut bytes);
    }
    bytes
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        let range = |from: &prop::sample::Index, to: &prop::sample::Index| {
            let (from, to) = (from.index(len), to.index(len));
            from.min(to)..from.max(to)
        };
        match self {
            Self::Cut(at) => bytes.truncate(at.index(len)),
            Self::Byte(at, byte) => bytes[at.index(len)] = *byte,
            Self::Field(at, field) => {
                let at = at.index(len) & !3;
                for (place, byte) in bytes[at..].iter_mut().zip(field.to_ne_bytes()) {
                    *place = byte;
                }
            }
            Self::Repeat(from, to) => bytes.extend_from_within(range(from, to)),
            Self::Remove(from, to) => drop(bytes.drain(range(from, to))),
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..400)) {
        read_everything(&bytes);
    }

    #[test]
    fn damaged_attributes_are_read_without_panic(message in arb_message(), damage in vec(arb_damage(), 1..5)) {
        read_everything(&damaged(message.attributes, &damage));
    }

    #[test]
    fn damaged_datagrams_are_read_without_panic(
        place: prop::sample::Index,
        damage in vec(arb_damage(), 1..5),
    ) {
        let exchanges = fixture::all();
        let exchange = &exchanges[place.index(exchanges.len())];
        walk(&damaged(exchange.replies.first().unwrap_or(&exchange.request).clone(), &damage));
    }

    /// Short numbers, names without an end, attributes that are not there: each is told by name.
    #[test]
    fn errors_tell_a_name_and_a_place(message in arb_message(), damage in vec(arb_damage(), 1..3)) {
        let attributes = damaged(message.attributes.clone(), &damage);
        let len = attributes.len();
        if let Err(error) = (crate::law::Message { attributes, ..message }).decode() {
            prop_assert!(!error.attribute().is_empty());
            prop_assert!(error.offset() <= len, "{error} in {len} bytes");
            prop_assert!(error.to_string().starts_with(error.attribute()));
        }
    }
}

/// A message that claims to be so long.
fn message(len: u32, kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = netlink::message(kind, 0, 0, payload);
    bytes[..4].copy_from_slice(&len.to_ne_bytes());
    bytes
}

fn only_error(datagram: &[u8]) -> DecodeError {
    let mut frames = Frames::new(datagram);
    let error = frames.next().unwrap().unwrap_err();
    assert!(frames.next().is_none());
    error
}

#[test]
fn broken_message_lengths_are_errors() {
    for claimed in [0, 1, 15, 21, 1000, u32::MAX] {
        let error = only_error(&message(claimed, 31, &[1, 1, 0, 0]));
        let problem = DecodeProblem::BadLength { claimed: usize::try_from(claimed).unwrap(), actual: 20 };
        assert_eq!((error.attribute(), error.offset(), error.problem()), ("nlmsghdr", 0, problem), "{claimed}");
    }
}

#[test]
fn datagram_that_ends_within_a_header_is_an_error() {
    for len in 1..16 {
        let error = only_error(&vec![0xff; len]);
        assert_eq!(error.problem(), DecodeProblem::BadLength { claimed: 16, actual: len });
    }
    assert_eq!(Frames::new(&[]).count(), 0);
}

#[test]
fn second_message_is_found_behind_the_padding_of_the_first() {
    let mut datagram = message(21, 31, &[7, 1, 0, 0, 0xaa, 0, 0, 0]);
    datagram.extend(message(20, 31, &[8, 1, 0, 0]));
    let offsets: Vec<usize> = Frames::new(&datagram).map(|frame| frame.unwrap().offset).collect();
    assert_eq!(offsets, [0, 24]);
}

#[test]
fn padding_behind_the_last_message_may_be_absent() {
    let datagram = message(21, 31, &[7, 1, 0, 0, 0xaa]);
    assert_eq!(fixture::data(&fixture::only(&datagram)), (7, &[0xaa][..]));
}

#[test]
fn data_without_room_for_a_command_is_an_error() {
    for len in 0..4 {
        let error = only_error(&message(u32::try_from(16 + len).unwrap(), 31, &vec![1; len]));
        let problem = DecodeProblem::TooShort { expected: 4, actual: len };
        assert_eq!((error.attribute(), error.offset(), error.problem()), ("genlmsghdr", 16, problem));
    }
}

#[test]
fn acknowledgement_without_a_code_is_an_error() {
    let error = only_error(&message(19, 2, &[0; 3]));
    assert_eq!(error.to_string(), "nlmsgerr at byte 16 has 3 bytes where 4 are needed");
}

#[test]
fn end_without_a_code_is_success() {
    let datagram = message(16, 3, &[]);
    let ipvs_rs::codec::Payload::Done(end) = fixture::only(&datagram).payload else { panic!("no end") };
    assert_eq!(end.code, 0);
}

/// Old kernels and other senders: a code and nothing of the request, or less of it than it says.
#[test]
fn acknowledgement_with_less_than_a_header_behind_it_keeps_its_code() {
    for echoed in [0, 1, 4, 15, 16] {
        let mut payload = (-17_i32).to_ne_bytes().to_vec();
        payload.extend(vec![0xff; echoed]);
        for flags in [0_u16, 0x100, 0x200, 0x300] {
            let mut datagram = message(u32::try_from(20 + echoed).unwrap(), 2, &payload);
            datagram[6..8].copy_from_slice(&flags.to_ne_bytes());
            let frame = fixture::only(&datagram);
            let ipvs_rs::codec::Payload::Error(error) = frame.payload else { panic!("no error") };
            assert_eq!(error.code, -17, "{echoed} {flags}");
            assert_eq!(error.extended, ipvs_rs::codec::ExtendedAck::default(), "{echoed} {flags}");
        }
    }
}

#[test]
fn explanation_that_cannot_be_read_is_left_out() {
    let exchange = fixture::load("extack-error");
    let start = exchange.replies[0].len() - (40 + 8 + 36);
    // The sentence without its end, then one that is not UTF-8, then a length that is too long.
    for (at, bytes) in [(start, vec![38, 0]), (start + 4, vec![0xff]), (start, vec![0xff, 0xff])] {
        let mut datagram = exchange.replies[0].clone();
        let bytes =
            if bytes.len() == 2 { u16::from_le_bytes([bytes[0], bytes[1]]).to_ne_bytes().to_vec() } else { bytes };
        datagram[at..at + bytes.len()].copy_from_slice(&bytes);
        let ipvs_rs::codec::Payload::Error(error) = fixture::only(&datagram).payload else { panic!("no error") };
        assert_eq!((error.code, error.extended.message), (-34, None), "{at}");
    }
}

fn service() -> Vec<Node> {
    let service = Service::new("TCP 10.0.0.1:80".parse().unwrap(), Scheduler::Wrr);
    let mut bytes = Vec::new();
    Reply::Service(ServiceEntry::new(service)).encode(&mut bytes);
    tree::parse(IpvsCommand::NewService.number(), &bytes)
}

fn mark() -> Vec<Node> {
    let service = Service::new("FWM 7 IPv6".parse().unwrap(), Scheduler::Wrr);
    let mut bytes = Vec::new();
    Reply::Service(ServiceEntry::new(service)).encode(&mut bytes);
    tree::parse(IpvsCommand::NewService.number(), &bytes)
}

fn destination() -> Vec<Node> {
    let destination = Destination::new("10.0.0.2:8080".parse().unwrap(), ForwardMethod::Masquerade);
    let mut bytes = Vec::new();
    Reply::Destination(DestinationEntry::new(destination)).encode(&mut bytes);
    tree::parse(IpvsCommand::NewDestination.number(), &bytes)
}

fn daemon() -> Vec<Node> {
    let daemon = SyncDaemon::master("eth1").unwrap().max_len(1400).unwrap().group("ff05::2".parse().unwrap()).unwrap();
    let mut bytes = Vec::new();
    Reply::Daemon(daemon.port(8848).unwrap().ttl(1).unwrap()).encode(&mut bytes);
    tree::parse(IpvsCommand::NewDaemon.number(), &bytes)
}

/// The attributes within the only nest of a message.
fn inner(nodes: &mut [Node]) -> &mut Vec<Node> {
    match &mut nodes[0].value {
        Value::Nest(inner) => inner,
        Value::Leaf(_) => panic!("no nest"),
    }
}

/// A node of this kind with another value.
fn with(mut nodes: Vec<Node>, kind: u16, value: &[u8]) -> Vec<u8> {
    let node = inner(&mut nodes).iter_mut().find(|node| node.kind == kind).unwrap();
    node.value = Value::Leaf(value.to_vec());
    tree::write(&nodes)
}

fn without(mut nodes: Vec<Node>, kind: u16) -> Vec<u8> {
    inner(&mut nodes).retain(|node| node.kind != kind);
    tree::write(&nodes)
}

#[test]
fn attributes_that_are_too_short_are_told_by_name() {
    let short = |expected, actual| DecodeProblem::TooShort { expected, actual };
    let family = |family: u16| family.to_ne_bytes();
    for (command, nodes, kind, value, name, problem) in [
        (1, service(), 1, &[0][..], "IPVS_SVC_ATTR_AF", short(2, 1)),
        (1, service(), 1, &family(3), "IPVS_SVC_ATTR_AF", DecodeProblem::OutOfRange { value: 3 }),
        (1, service(), 1, &family(0), "IPVS_SVC_ATTR_AF", DecodeProblem::OutOfRange { value: 0 }),
        (1, service(), 2, &[0], "IPVS_SVC_ATTR_PROTOCOL", short(2, 1)),
        (1, service(), 3, &[10, 0, 0], "IPVS_SVC_ATTR_ADDR", short(4, 3)),
        (1, service(), 4, &[], "IPVS_SVC_ATTR_PORT", short(2, 0)),
        (1, mark(), 5, &[0; 3], "IPVS_SVC_ATTR_FWMARK", short(4, 3)),
        (1, service(), 6, b"wrr", "IPVS_SVC_ATTR_SCHED_NAME", DecodeProblem::BadName),
        (1, service(), 6, b"", "IPVS_SVC_ATTR_SCHED_NAME", DecodeProblem::BadName),
        (1, service(), 6, b"\0", "IPVS_SVC_ATTR_SCHED_NAME", DecodeProblem::BadName),
        (1, service(), 6, b"sixteen-byte-nam\0", "IPVS_SVC_ATTR_SCHED_NAME", DecodeProblem::BadName),
        (1, service(), 7, &[0; 3], "IPVS_SVC_ATTR_FLAGS", short(4, 3)),
        (1, service(), 8, &[0; 3], "IPVS_SVC_ATTR_TIMEOUT", short(4, 3)),
        (1, service(), 9, &[0xff; 3], "IPVS_SVC_ATTR_NETMASK", short(4, 3)),
        (1, mark(), 9, &[0; 4], "IPVS_SVC_ATTR_NETMASK", DecodeProblem::OutOfRange { value: 0 }),
        (1, mark(), 9, &129_u32.to_ne_bytes(), "IPVS_SVC_ATTR_NETMASK", DecodeProblem::OutOfRange { value: 129 }),
        (5, destination(), 1, &[10, 0, 0], "IPVS_DEST_ATTR_ADDR", short(4, 3)),
        (5, destination(), 2, &[1], "IPVS_DEST_ATTR_PORT", short(2, 1)),
        (5, destination(), 3, &[0; 2], "IPVS_DEST_ATTR_FWD_METHOD", short(4, 2)),
        (5, destination(), 4, &[0; 2], "IPVS_DEST_ATTR_WEIGHT", short(4, 2)),
        (
            5,
            destination(),
            4,
            &(-1_i32).to_ne_bytes(),
            "IPVS_DEST_ATTR_WEIGHT",
            DecodeProblem::OutOfRange { value: 0xffff_ffff },
        ),
        (5, destination(), 5, &[0; 3], "IPVS_DEST_ATTR_U_THRESH", short(4, 3)),
        (5, destination(), 6, &[0; 3], "IPVS_DEST_ATTR_L_THRESH", short(4, 3)),
        (5, destination(), 7, &[0; 3], "IPVS_DEST_ATTR_ACTIVE_CONNS", short(4, 3)),
        (5, destination(), 8, &[0; 3], "IPVS_DEST_ATTR_INACT_CONNS", short(4, 3)),
        (5, destination(), 9, &[0; 3], "IPVS_DEST_ATTR_PERSIST_CONNS", short(4, 3)),
        (5, destination(), 11, &[0], "IPVS_DEST_ATTR_ADDR_FAMILY", short(2, 1)),
        (5, destination(), 11, &family(10), "IPVS_DEST_ATTR_ADDR", short(16, 15)),
        (5, destination(), 13, &[], "IPVS_DEST_ATTR_TUN_TYPE", short(1, 0)),
        (5, destination(), 14, &[0], "IPVS_DEST_ATTR_TUN_PORT", short(2, 1)),
        (5, destination(), 15, &[0], "IPVS_DEST_ATTR_TUN_FLAGS", short(2, 1)),
        (9, daemon(), 1, &[0; 3], "IPVS_DAEMON_ATTR_STATE", short(4, 3)),
        (9, daemon(), 1, &[0; 4], "IPVS_DAEMON_ATTR_STATE", DecodeProblem::OutOfRange { value: 0 }),
        (9, daemon(), 1, &3_u32.to_ne_bytes(), "IPVS_DAEMON_ATTR_STATE", DecodeProblem::OutOfRange { value: 3 }),
        (9, daemon(), 2, b"eth1", "IPVS_DAEMON_ATTR_MCAST_IFN", DecodeProblem::BadName),
        (9, daemon(), 3, &[0; 3], "IPVS_DAEMON_ATTR_SYNC_ID", short(4, 3)),
        (9, daemon(), 4, &[0], "IPVS_DAEMON_ATTR_SYNC_MAXLEN", short(2, 1)),
        (9, daemon(), 6, &[0xff; 15], "IPVS_DAEMON_ATTR_MCAST_GROUP6", short(16, 15)),
        (9, daemon(), 6, &[1; 16], "IPVS_DAEMON_ATTR_MCAST_GROUP6", DecodeProblem::OutOfRange { value: 1 }),
        (9, daemon(), 7, &[0], "IPVS_DAEMON_ATTR_MCAST_PORT", short(2, 1)),
        (9, daemon(), 8, &[], "IPVS_DAEMON_ATTR_MCAST_TTL", short(1, 0)),
    ] {
        // An address that is too short for IPv6 only shows when the family says so.
        let nodes = if problem == short(16, 15) && command == 5 {
            let mut nodes = nodes;
            inner(&mut nodes)[0].value = Value::Leaf(vec![0; 15]);
            nodes
        } else {
            nodes
        };
        let error = Reply::decode(command, &with(nodes, kind, value)).expect_err(name);
        assert_eq!((error.attribute(), error.problem()), (name, problem), "{kind} {value:?}");
    }
}

#[test]
fn attributes_that_are_missing_are_told_by_name() {
    for (command, nodes, missing) in [
        (
            1,
            service as fn() -> Vec<Node>,
            &[
                (1, "IPVS_SVC_ATTR_AF"),
                (2, "IPVS_SVC_ATTR_PROTOCOL"),
                (3, "IPVS_SVC_ATTR_ADDR"),
                (4, "IPVS_SVC_ATTR_PORT"),
                (6, "IPVS_SVC_ATTR_SCHED_NAME"),
                (7, "IPVS_SVC_ATTR_FLAGS"),
                (8, "IPVS_SVC_ATTR_TIMEOUT"),
                (9, "IPVS_SVC_ATTR_NETMASK"),
            ][..],
        ),
        (1, mark, &[(5, "IPVS_SVC_ATTR_PROTOCOL")]),
        (
            5,
            destination,
            &[
                (1, "IPVS_DEST_ATTR_ADDR"),
                (2, "IPVS_DEST_ATTR_PORT"),
                (3, "IPVS_DEST_ATTR_FWD_METHOD"),
                (4, "IPVS_DEST_ATTR_WEIGHT"),
                (5, "IPVS_DEST_ATTR_U_THRESH"),
                (6, "IPVS_DEST_ATTR_L_THRESH"),
                (7, "IPVS_DEST_ATTR_ACTIVE_CONNS"),
                (8, "IPVS_DEST_ATTR_INACT_CONNS"),
                (9, "IPVS_DEST_ATTR_PERSIST_CONNS"),
            ],
        ),
        (
            9,
            daemon,
            &[(1, "IPVS_DAEMON_ATTR_STATE"), (2, "IPVS_DAEMON_ATTR_MCAST_IFN"), (3, "IPVS_DAEMON_ATTR_SYNC_ID")],
        ),
    ] {
        for (kind, name) in missing {
            let error = Reply::decode(command, &without(nodes(), *kind)).expect_err(name);
            assert_eq!((error.attribute(), error.problem()), (*name, DecodeProblem::Missing));
            assert_eq!(error.to_string(), format!("{name} is missing"));
        }
    }
}

#[test]
fn nests_that_are_missing_are_told_by_name() {
    for (command, name) in [
        (IpvsCommand::NewService, "IPVS_CMD_ATTR_SERVICE"),
        (IpvsCommand::NewDestination, "IPVS_CMD_ATTR_DEST"),
        (IpvsCommand::NewDaemon, "IPVS_CMD_ATTR_DAEMON"),
        (IpvsCommand::SetInfo, "IPVS_INFO_ATTR_VERSION"),
    ] {
        let error = Reply::decode(command.number(), &[]).unwrap_err();
        assert_eq!((error.attribute(), error.problem()), (name, DecodeProblem::Missing));
    }
    assert_eq!(Reply::decode(IpvsCommand::SetConfig.number(), &[]), Ok(Reply::Config(ipvs_rs::model::Config::new())));
}

/// The attributes that older kernels leave out.
#[test]
fn attributes_that_came_later_may_be_missing() {
    for (command, nodes, kind) in [
        (1, service(), 10),
        (1, service(), 12),
        (5, destination(), 10),
        (5, destination(), 11),
        (5, destination(), 12),
        (5, destination(), 13),
        (5, destination(), 14),
        (5, destination(), 15),
        (9, daemon(), 4),
        (9, daemon(), 6),
        (9, daemon(), 7),
        (9, daemon(), 8),
    ] {
        assert!(Reply::decode(command, &without(nodes, kind)).is_ok(), "{command} {kind}");
    }
}

#[test]
fn commands_that_answer_nothing_are_refused_as_replies() {
    let answers = [1, 5, 9, 12, 14];
    for command in (0..=u8::MAX).filter(|command| !answers.contains(command)) {
        let error = Reply::decode(command, &[]).unwrap_err();
        assert_eq!((error.attribute(), error.problem()), ("genlmsghdr.cmd", DecodeProblem::Unexpected), "{command}");
    }
}

#[test]
fn commands_that_ask_nothing_are_refused_as_requests() {
    for command in (18..=u8::MAX).chain([0, IpvsCommand::SetInfo.number()]) {
        for dump in [false, true] {
            let error = Request::decode(command, dump, &[]).unwrap_err();
            assert_eq!(
                (error.attribute(), error.problem()),
                ("genlmsghdr.cmd", DecodeProblem::Unexpected),
                "{command}"
            );
        }
    }
}

#[test]
fn broken_attribute_lengths_are_errors() {
    let mut bytes = tree::write(&service());
    // The length of the nest, then that of the first attribute within.
    for (at, within, left) in [(0, "message", bytes.len()), (4, "IPVS_CMD_ATTR_SERVICE", bytes.len() - 4)] {
        let whole = [bytes[at], bytes[at + 1]];
        for claimed in [0, 1, 3, u16::MAX] {
            bytes[at..at + 2].copy_from_slice(&claimed.to_ne_bytes());
            let error = Reply::decode(1, &bytes).unwrap_err();
            let problem = DecodeProblem::BadLength { claimed: claimed.into(), actual: left };
            assert_eq!((error.attribute(), error.offset(), error.problem()), (within, at, problem), "{claimed}");
        }
        bytes[at..at + 2].copy_from_slice(&whole);
    }
}

#[test]
fn fewer_bytes_than_an_attribute_has_at_its_start_are_an_error() {
    for len in 1..4 {
        let error = Reply::decode(IpvsCommand::SetConfig.number(), &vec![0; len]).unwrap_err();
        let problem = DecodeProblem::BadLength { claimed: 4, actual: len };
        assert_eq!((error.attribute(), error.offset(), error.problem()), ("message", 0, problem));
    }
}

/// The padding attribute of kernels that align 64-bit numbers.
#[test]
fn empty_attributes_before_numbers_of_64_bits_are_skipped() {
    let mut nodes = service();
    let expected = Reply::decode(1, &tree::write(&nodes)).unwrap();
    tree::at_every_level(&mut nodes, &mut |nodes| {
        if nodes.iter().all(|node| node.kind <= 10 && matches!(&node.value, Value::Leaf(_))) {
            for place in (0..nodes.len()).rev() {
                nodes.insert(place, Node { kind: 11, value: Value::Leaf(Vec::new()) });
            }
        }
    });
    let bytes = tree::write(&nodes);
    assert_eq!(bytes.len(), 300 + 20 * 4);
    assert_eq!(Reply::decode(1, &bytes), Ok(expected));
}

#[test]
fn empty_name_of_an_engine_means_none() {
    let mut nodes = service();
    let expected = Reply::decode(1, &tree::write(&nodes)).unwrap();
    inner(&mut nodes).push(Node { kind: 11, value: Value::Leaf(vec![0]) });
    assert_eq!(Reply::decode(1, &tree::write(&nodes)), Ok(expected));
}

#[test]
fn of_two_multicast_groups_the_one_of_ipv4_counts() {
    const GROUP: u16 = 5;
    let mut nodes = daemon();
    for (place, expected) in [(0, "239.1.2.3"), (8, "239.1.2.4")] {
        let last = expected.rsplit('.').next().unwrap().parse().unwrap();
        inner(&mut nodes).retain(|node| node.kind != GROUP);
        inner(&mut nodes).insert(place.min(6), Node { kind: GROUP, value: Value::Leaf(vec![239, 1, 2, last]) });
        let Ok(Reply::Daemon(daemon)) = Reply::decode(9, &tree::write(&nodes)) else { panic!("not a daemon") };
        assert_eq!(daemon.group.unwrap().address().to_string(), expected);
    }
}

#[test]
fn ipv4_address_of_four_bytes_is_as_good_as_one_of_sixteen() {
    for (nodes, kind, address, command) in [(service(), 3, [10, 0, 0, 1], 1), (destination(), 1, [10, 0, 0, 2], 5)] {
        let expected = Reply::decode(command, &tree::write(&nodes)).unwrap();
        assert_eq!(Reply::decode(command, &with(nodes, kind, &address)), Ok(expected));
    }
}

/// Numbers below 16 belong to netlink itself: the kernel acknowledges whatever is sent to number 0.
#[test]
fn reserved_number_of_a_family_is_refused() {
    let family = |number: u16| {
        let nodes = [Node { kind: 1, value: Value::Leaf(number.to_ne_bytes().to_vec()) }];
        Family::decode(1, &tree::write(&nodes), "IPVS")
    };
    for number in 0..16 {
        let error = family(number).unwrap_err();
        let problem = DecodeProblem::OutOfRange { value: number.into() };
        assert_eq!((error.attribute(), error.problem()), ("CTRL_ATTR_FAMILY_ID", problem), "{number}");
    }
    assert_eq!(family(16).map(|family| (family.id, family.version)), Ok((16, None)));
}

#[test]
fn family_without_a_number_is_refused() {
    let error = Family::decode(1, &[], "IPVS").unwrap_err();
    assert_eq!(error.to_string(), "CTRL_ATTR_FAMILY_ID is missing");
}
