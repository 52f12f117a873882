//! Recorded replies, in both directions.

use std::net::Ipv4Addr;

use ipvs_rs::codec::{Acknowledgement, Family, Frames, Payload, Reply, attribute_at};
use ipvs_rs::model::{
    Config, Granularity, Persistence, PersistenceEngine, Prefix, SchedulerFlags, ServiceFlags, Stats, SyncDaemon,
    Timeout, Tunnel, TunnelFlags, Version,
};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId};

use crate::fixture::{self, data, frames, only};

fn id(text: &str) -> ServiceId {
    text.parse().unwrap()
}

/// The messages of data in the replies of an exchange.
fn replies(name: &str) -> Vec<Reply> {
    let mut replies = Vec::new();
    for datagram in &fixture::load(name).replies {
        for frame in frames(datagram) {
            if let Payload::Data { command, attributes } = frame.payload {
                replies.push(Reply::decode(command, attributes).unwrap());
            }
        }
    }
    replies
}

fn acknowledgement(datagram: &[u8]) -> Acknowledgement<'_> {
    match only(datagram).payload {
        Payload::Error(acknowledgement) => acknowledgement,
        other => panic!("no acknowledgement: {other:?}"),
    }
}

fn service(service: Service) -> Reply {
    Reply::Service(ServiceEntry::new(service))
}

fn by_mask(secs: u32, mask: [u8; 4]) -> Persistence {
    Persistence::for_secs(secs).unwrap().granularity(Granularity::Mask(Ipv4Addr::from(mask)))
}

fn web() -> Service {
    Service::new(id("TCP 10.0.0.1:80"), Scheduler::Wrr)
}

fn web_after_set() -> Service {
    Service::new(id("TCP 10.0.0.1:80"), Scheduler::Rr).persistence(by_mask(60, [255, 255, 0, 0]))
}

fn persistent6() -> Service {
    let prefix = Granularity::Prefix(Prefix::new(64).unwrap());
    Service::new(id("TCP [2001:db8::1]:443"), Scheduler::Sh)
        .scheduler_flags(SchedulerFlags::FALLBACK | SchedulerFlags::PORT)
        .persistence(Persistence::for_secs(300).unwrap().granularity(prefix))
}

fn sip() -> Service {
    Service::new(id("UDP 10.0.0.1:5060"), Scheduler::Rr)
        .persistence(by_mask(360, [255, 255, 255, 0]).engine(PersistenceEngine::Sip))
}

fn sctp() -> Service {
    Service::new(id("SCTP 10.0.0.1:9899"), Scheduler::Mh)
        .scheduler_flags(SchedulerFlags::FALLBACK | SchedulerFlags::PORT)
}

fn ops() -> Service {
    Service::new(id("UDP 10.0.0.1:53"), Scheduler::Rr).one_packet(true)
}

fn mark4() -> Service {
    Service::new(id("FWM 7"), Scheduler::Lc)
}

fn mark6() -> Service {
    Service::new(id("FWM 7 IPv6"), Scheduler::None)
}

/// Five packets of 111 bytes came in, five of 139 went out.
fn five_packets() -> Stats {
    let mut stats = Stats::default();
    stats.connections = 5;
    stats.packets_in = 5;
    stats.packets_out = 5;
    stats.bytes_in = 555;
    stats.bytes_out = 695;
    stats.bytes_per_sec_in = 52;
    stats.bytes_per_sec_out = 65;
    stats
}

#[test]
fn single_services_decode_to_what_was_written_before() {
    for (name, expected) in [
        ("get-service-tcp4", web()),
        ("get-service-tcp4-ack", web()),
        ("get-service-after-set", web_after_set()),
        ("get-service-tcp6-persistent", persistent6()),
        ("get-service-udp-sip", sip()),
        ("get-service-sctp", sctp()),
        ("get-service-fwm4", mark4()),
        ("get-service-fwm6", mark6()),
    ] {
        assert_eq!(replies(name), [service(expected)], "{name}");
    }
}

#[test]
fn flags_of_the_kernel_are_reported_and_no_setting() {
    for (name, reported, settings) in [
        ("get-service-tcp4", 0x2, 0x0),
        ("get-service-after-set", 0x3, 0x1),
        ("get-service-tcp6-persistent", 0x1b, 0x19),
        ("get-service-udp-sip", 0x3, 0x1),
        ("get-service-sctp", 0x1a, 0x18),
    ] {
        let [Reply::Service(entry)] = &replies(name)[..] else { panic!("{name}") };
        assert_eq!(entry.flags, ServiceFlags::from_bits_retain(reported), "{name}");
        assert_eq!(entry.service.flags(), ServiceFlags::from_bits_retain(settings), "{name}");
    }
}

#[test]
fn list_of_services_decodes_in_the_order_of_the_kernel() {
    let services = [sip(), web_after_set(), persistent6(), sctp(), ops(), mark6(), mark4()];
    assert_eq!(replies("dump-services"), services.map(service));
}

#[test]
fn list_of_destinations_decodes_newest_first() {
    let to = |text: &str, forward| Destination::new(text.parse().unwrap(), forward);
    let tunnel = |tunnel: Tunnel| ForwardMethod::Tunnel(tunnel);
    let expected = [
        to("10.0.0.8:80", ForwardMethod::Masquerade),
        to("[2001:db8::9]:80", tunnel(Tunnel::ipip())),
        to("10.0.0.6:80", ForwardMethod::DirectRoute),
        to("10.0.0.5:80", tunnel(Tunnel::gre().flags(TunnelFlags::CHECKSUM))),
        to("10.0.0.4:80", tunnel(Tunnel::gue(6080).unwrap().flags(TunnelFlags::CHECKSUM))),
        to("10.0.0.3:80", tunnel(Tunnel::ipip())),
        to("127.0.0.1:80", ForwardMethod::Local).drained(),
        to("10.0.0.2:8080", ForwardMethod::DirectRoute).weight(5).unwrap(),
    ];
    assert_eq!(
        replies("dump-dests"),
        expected.map(|destination| Reply::Destination(DestinationEntry::new(destination)))
    );
}

#[test]
fn traffic_shows_in_counters_rates_and_gauges() {
    let mut expected = ServiceEntry::new(sip());
    expected.stats = five_packets();
    assert_eq!(replies("get-service-with-traffic"), [Reply::Service(expected)]);

    let mut expected =
        DestinationEntry::new(Destination::new("10.0.0.2:5060".parse().unwrap(), ForwardMethod::Masquerade));
    expected.stats = five_packets();
    expected.active_connections = 0;
    expected.inactive_connections = 5;
    expected.persistent_connections = 2;
    assert_eq!(replies("dump-dests-with-traffic"), [Reply::Destination(expected)]);
}

#[test]
fn daemons_decode_with_what_the_kernel_chose() {
    let master = SyncDaemon::master("d0").unwrap().sync_id(7).max_len(1472).unwrap();
    let master = master.group("224.0.0.81".parse().unwrap()).unwrap().port(8848).unwrap().ttl(1).unwrap();
    let backup = SyncDaemon::backup("d0").unwrap().sync_id(9).max_len(1400).unwrap();
    let backup = backup.group("ff05::2".parse().unwrap()).unwrap().port(9000).unwrap().ttl(8).unwrap();
    assert_eq!(replies("dump-daemons"), [Reply::Daemon(master), Reply::Daemon(backup)]);
}

#[test]
fn timeouts_decode_in_seconds() {
    for (name, seconds) in [("get-config-default", [900, 120, 300]), ("get-config-changed", [600, 60, 30])] {
        let [tcp, tcp_fin, udp] = seconds.map(|seconds| Some(Timeout::from_secs(seconds).unwrap()));
        let mut expected = Config::new();
        expected.tcp = tcp;
        expected.tcp_fin = tcp_fin;
        expected.udp = udp;
        assert_eq!(replies(name), [Reply::Config(expected)], "{name}");
    }
}

#[test]
fn version_and_table_size_decode_for_each_kernel() {
    for (name, size) in [("get-info-empty", 4096), ("get-info", 4096), ("get-info-empty.7.2", 0), ("get-info.7.2", 256)]
    {
        let [Reply::Info(info)] = &replies(name)[..] else { panic!("{name}") };
        assert_eq!(info.version, Version { major: 1, minor: 2, patch: 1 }, "{name}");
        assert_eq!(info.connection_table_size, size, "{name}");
    }
}

#[test]
fn number_of_the_family_is_read_from_each_kernel() {
    for (name, number) in [("ctrl-getfamily", 31), ("ctrl-getfamily.6.12", 33), ("ctrl-getfamily.7.2", 35)] {
        let exchange = fixture::load(name);
        let frame = only(&exchange.replies[0]);
        let (command, attributes) = data(&frame);
        let family = Family::decode(command, attributes, "IPVS").unwrap();
        assert_eq!((family.id, family.version), (number, Some(1)), "{name}");
    }
}

#[test]
fn number_of_another_family_is_refused() {
    let exchange = fixture::load("ctrl-getfamily");
    let frame = only(&exchange.replies[0]);
    let (command, attributes) = data(&frame);
    let error = Family::decode(command, attributes, "VIRTUAL").unwrap_err();
    assert_eq!(error.to_string(), "CTRL_ATTR_FAMILY_NAME at byte 4 does not answer what was asked");
}

#[test]
fn every_reply_answers_the_request_of_its_file() {
    for exchange in fixture::all() {
        let request = only(&exchange.request);
        for frame in exchange.replies.iter().flat_map(|datagram| frames(datagram)) {
            assert_eq!(frame.sequence, request.sequence, "{}", exchange.name);
            assert_ne!(frame.port, 0, "{}", exchange.name);
            assert!(!frame.is_interrupted(), "{}", exchange.name);
        }
    }
}

#[test]
fn data_is_followed_by_nothing_an_acknowledgement_or_an_end() {
    for (name, expected) in [
        ("get-service-tcp4", "data"),
        ("get-service-tcp4-ack", "data, error 0"),
        ("dump-services", "data data data data data data data, end 0"),
        ("dump-dests-with-traffic", "data, end 0"),
        ("dump-services-empty", "end 0"),
        ("dump-dests-missing-service", "end 0"),
        ("dump-daemons", "data data, end 0"),
    ] {
        let exchange = fixture::load(name);
        let kinds = exchange.replies.iter().map(|datagram| {
            let frames = frames(datagram);
            let kinds = frames.iter().map(|frame| match frame.payload {
                Payload::Data { .. } => "data".to_owned(),
                Payload::Error(acknowledgement) => format!("error {}", acknowledgement.code),
                Payload::Done(end) => format!("end {}", end.code),
                other => panic!("{name}: {other:?}"),
            });
            kinds.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(kinds.collect::<Vec<_>>().join(", "), expected, "{name}");
    }
}

#[test]
fn multipart_flag_marks_the_messages_of_lists() {
    for exchange in fixture::all() {
        let is_list = exchange.name.starts_with("dump-") && exchange.name != "dump-get-info";
        for frame in exchange.replies.iter().flat_map(|datagram| frames(datagram)) {
            assert_eq!(frame.is_multipart(), is_list, "{}", exchange.name);
        }
    }
}

/// Attributes in the order of the kernel, nests without their mark, both blocks of statistics.
#[test]
fn replies_encode_to_the_recorded_bytes() {
    let mut count = 0;
    for exchange in fixture::all() {
        for frame in exchange.replies.iter().flat_map(|datagram| frames(datagram)).filter(|frame| frame.kind != 16) {
            if let Payload::Data { command, attributes } = frame.payload {
                let reply = Reply::decode(command, attributes).unwrap();
                let mut bytes = Vec::new();
                reply.encode(&mut bytes);
                assert_eq!(bytes, attributes, "{}", exchange.name);
                assert_eq!(reply.command().number(), command, "{}", exchange.name);
                count += 1;
            }
        }
    }
    assert_eq!(count, 8 + 7 + 8 + 2 + 2 + 2 + 4, "services, lists of three kinds, traffic, timeouts, versions");
}

#[test]
fn acknowledgements_and_refusals_have_their_code() {
    let refusals = [
        ("ctrl-getfamily-missing", -2),
        ("new-service-duplicate", -17),
        ("new-service-bad-scheduler", -2),
        ("get-service-missing", -3),
        ("new-dest-duplicate", -17),
        ("new-dest-negative-weight", -34),
        ("new-dest-bad-thresholds", -34),
        ("new-dest-gue-port0", -22),
        ("set-dest-missing", -2),
        ("del-dest-missing", -2),
        ("new-dest-missing-service", -3),
        ("new-daemon-with-mixed", -22),
        ("del-daemon-master-again", -3),
        ("get-dest-without-dump", -95),
        ("dump-get-info", -95),
        ("new-service-no-attrs", -22),
        ("new-service-bad-family", -97),
        ("set-config-short-attr", -34),
        ("capped-error", -17),
        ("extack-error", -34),
        ("extack-uncapped-error", -34),
        ("del-service-missing", -3),
        ("unprivileged", -1),
    ];
    for exchange in fixture::all() {
        let name = exchange.name.as_str();
        let answers = exchange.replies.iter().flat_map(|datagram| frames(datagram));
        for code in answers.filter_map(|frame| match frame.payload {
            Payload::Error(acknowledgement) => Some(acknowledgement.code),
            _ => None,
        }) {
            let expected = refusals.iter().find(|(other, _)| *other == name).map_or(0, |(_, code)| *code);
            assert_eq!(code, expected, "{name}");
        }
    }
    for (name, code) in refusals {
        assert_eq!(acknowledgement(&fixture::load(name).replies[0]).code, code, "{name}");
    }
}

#[test]
fn extended_acknowledgement_is_found_behind_header_or_request() {
    for name in ["extack-error", "extack-uncapped-error"] {
        let exchange = fixture::load(name);
        let extended = acknowledgement(&exchange.replies[0]).extended;
        assert_eq!(extended.message, Some("Attribute failed policy validation"), "{name}");
        assert_eq!((extended.offset, extended.missing), (Some(20), None), "{name}");
        assert_eq!(attribute_at(&exchange.request, 20), Some("IPVS_CMD_ATTR_TIMEOUT_TCP"), "{name}");
    }
}

#[test]
fn refusal_without_explanation_has_none() {
    for name in ["new-service-duplicate", "capped-error", "set-config-short-attr"] {
        let exchange = fixture::load(name);
        assert_eq!(acknowledgement(&exchange.replies[0]).extended, ipvs_rs::codec::ExtendedAck::default(), "{name}");
    }
}

#[test]
fn attributes_are_named_by_where_they_stand_in_a_recorded_request() {
    let request = &fixture::load("new-dest-tunnel-gue").request;
    for (offset, name) in [
        (20, Some("IPVS_CMD_ATTR_SERVICE")),
        (24, Some("IPVS_SVC_ATTR_AF")),
        (32, Some("IPVS_SVC_ATTR_PROTOCOL")),
        (40, Some("IPVS_SVC_ATTR_ADDR")),
        (60, Some("IPVS_SVC_ATTR_PORT")),
        (68, Some("IPVS_CMD_ATTR_DEST")),
        (72, Some("IPVS_DEST_ATTR_ADDR")),
        (92, Some("IPVS_DEST_ATTR_PORT")),
        (100, Some("IPVS_DEST_ATTR_FWD_METHOD")),
        (108, Some("IPVS_DEST_ATTR_WEIGHT")),
        (116, Some("IPVS_DEST_ATTR_U_THRESH")),
        (124, Some("IPVS_DEST_ATTR_L_THRESH")),
        (132, Some("IPVS_DEST_ATTR_TUN_TYPE")),
        (140, Some("IPVS_DEST_ATTR_TUN_PORT")),
        (148, Some("IPVS_DEST_ATTR_TUN_FLAGS")),
        (156, Some("IPVS_DEST_ATTR_ADDR_FAMILY")),
        (0, None),
        (16, None),
        (22, None),
        (164, None),
        (u32::MAX, None),
    ] {
        assert_eq!(attribute_at(request, offset), name, "{offset}");
    }
}

#[test]
fn every_recorded_datagram_is_read_to_its_end() {
    for exchange in fixture::all() {
        for datagram in exchange.replies.iter().chain([&exchange.request]) {
            assert!(Frames::new(datagram).all(|frame| frame.is_ok()), "{}", exchange.name);
        }
    }
}
