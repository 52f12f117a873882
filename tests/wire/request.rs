//! Recorded and derived requests, in both directions.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use ipvs_rs::codec::{DecodeProblem, FAMILY_NAME, FamilyRequest, Request, put_family_request, put_request};
use ipvs_rs::model::{
    Config, Granularity, Persistence, PersistenceEngine, Prefix, SchedulerFlags, SyncDaemon, SyncRole, Thresholds,
    Tunnel, TunnelFlags,
};
use ipvs_rs::{Destination, DestinationId, ForwardMethod, Scheduler, Service, ServiceId};
use netlink_packet_core::NLM_F_DUMP;

use crate::fixture::{self, Exchange, data, only};

fn id(text: &str) -> ServiceId {
    text.parse().unwrap()
}

fn server(text: &str) -> DestinationId {
    text.parse().unwrap()
}

fn to(text: &str, forward: ForwardMethod) -> Destination {
    Destination::new(server(text), forward)
}

fn weighted(destination: Destination, weight: u32, upper: u32, lower: u32) -> Destination {
    let thresholds = Thresholds::with_upper(upper).unwrap().with_lower(lower).unwrap();
    destination.weight(weight).unwrap().thresholds(thresholds)
}

fn by_mask(secs: u32, mask: [u8; 4]) -> Persistence {
    Persistence::for_secs(secs).unwrap().granularity(Granularity::Mask(Ipv4Addr::from(mask)))
}

fn by_prefix(secs: u32, bits: u8) -> Persistence {
    Persistence::for_secs(secs).unwrap().granularity(Granularity::Prefix(Prefix::new(bits).unwrap()))
}

/// The contents of every well-formed request of the folder.
fn expected() -> Vec<(&'static str, Request)> {
    use ForwardMethod::{Bypass, DirectRoute, Local, Masquerade};
    let (web, web6) = (id("TCP 10.0.0.1:80"), id("TCP [2001:db8::1]:443"));
    let (nothing, sip, dns) = (id("TCP 10.0.0.1:81"), id("UDP 10.0.0.1:5060"), id("UDP 10.0.0.1:53"));
    let (sctp, mark, mark6) = (id("SCTP 10.0.0.1:9899"), id("FWM 7"), id("FWM 7 IPv6"));
    let fallback_and_port = SchedulerFlags::FALLBACK | SchedulerFlags::PORT;
    let tunnel = |tunnel: Tunnel| ForwardMethod::Tunnel(tunnel);
    let checksum = TunnelFlags::CHECKSUM;

    let tcp4 = Service::new(web, Scheduler::Wrr);
    let tcp6 = Service::new(web6, Scheduler::Sh).scheduler_flags(fallback_and_port).persistence(by_prefix(300, 64));
    let with_engine = by_mask(360, [255, 255, 255, 0]).engine(PersistenceEngine::Sip);
    let everything = Service::new(sip, Scheduler::Mh)
        .scheduler_flags(fallback_and_port | SchedulerFlags::FLAG_3)
        .one_packet(true)
        .persistence(with_engine);
    let seconds = Duration::from_secs;
    let all_timeouts =
        Config::new().tcp(seconds(600)).and_then(|config| config.tcp_fin(seconds(60))?.udp(seconds(30))).unwrap();
    let master = |interface| SyncDaemon::master(interface).unwrap();
    let backup = SyncDaemon::backup("d0").unwrap().sync_id(9).max_len(1400).unwrap();
    let backup = backup.group("ff05::2".parse().unwrap()).unwrap().port(9000).unwrap().ttl(8).unwrap();
    let all_of_master = master("eth1").sync_id(255).max_len(1460).unwrap();
    let all_of_master = all_of_master.group("239.1.2.3".parse().unwrap()).unwrap().port(8850).unwrap().ttl(4).unwrap();

    let new = |destination| Request::NewDestination(web, destination);
    vec![
        ("get-info-empty", Request::GetInfo),
        ("get-info-empty.7.2", Request::GetInfo),
        ("get-info", Request::GetInfo),
        ("get-info.7.2", Request::GetInfo),
        ("dump-get-info", Request::GetInfo),
        ("unprivileged", Request::GetInfo),
        ("get-config-default", Request::GetConfig),
        ("get-config-changed", Request::GetConfig),
        ("set-config", Request::SetConfig(all_timeouts)),
        ("set-config-udp", Request::SetConfig(Config::new().udp(seconds(30)).unwrap())),
        ("new-service-tcp4", Request::NewService(tcp4.clone())),
        ("new-service-duplicate", Request::NewService(tcp4.clone())),
        ("capped-error", Request::NewService(tcp4)),
        (
            "new-service-bad-scheduler",
            Request::NewService(Service::new(nothing, Scheduler::from_name("nope").unwrap())),
        ),
        ("new-service-tcp6-persistent", Request::NewService(tcp6.clone())),
        ("new-service-udp-sip", Request::NewService(Service::new(sip, Scheduler::Rr).persistence(with_engine))),
        ("new-service-sctp", Request::NewService(Service::new(sctp, Scheduler::Mh).scheduler_flags(fallback_and_port))),
        ("new-service-udp-ops", Request::NewService(Service::new(dns, Scheduler::Rr).one_packet(true))),
        ("new-service-fwm4", Request::NewService(Service::new(mark, Scheduler::Lc))),
        ("new-service-fwm6", Request::NewService(Service::new(mark6, Scheduler::None))),
        ("new-service-all-attributes", Request::NewService(everything)),
        (
            "set-service",
            Request::SetService(Service::new(web, Scheduler::Rr).persistence(by_mask(60, [255, 255, 0, 0]))),
        ),
        ("set-service-tcp4", Request::SetService(Service::new(web, Scheduler::Wlc))),
        ("set-service-tcp6", Request::SetService(tcp6)),
        (
            "set-service-fwm4",
            Request::SetService(Service::new(mark, Scheduler::Rr).persistence(by_mask(60, [255, 255, 0, 0]))),
        ),
        ("set-service-fwm6", Request::SetService(Service::new(mark6, Scheduler::Rr).persistence(by_prefix(60, 56)))),
        ("del-service", Request::DeleteService(web)),
        ("del-service-missing", Request::DeleteService(web)),
        ("del-service-tcp6", Request::DeleteService(web6)),
        ("del-service-fwm4", Request::DeleteService(mark)),
        ("del-service-fwm6", Request::DeleteService(mark6)),
        ("get-service-missing", Request::GetService(nothing)),
        ("get-service-tcp4", Request::GetService(web)),
        ("get-service-tcp4-ack", Request::GetService(web)),
        ("get-service-after-set", Request::GetService(web)),
        ("get-service-tcp6-persistent", Request::GetService(web6)),
        ("get-service-udp-sip", Request::GetService(sip)),
        ("get-service-with-traffic", Request::GetService(sip)),
        ("get-service-sctp", Request::GetService(sctp)),
        ("get-service-fwm4", Request::GetService(mark)),
        ("get-service-fwm6", Request::GetService(mark6)),
        ("dump-services-empty", Request::GetServices),
        ("dump-services", Request::GetServices),
        ("new-dest-masq", new(weighted(to("10.0.0.2:8080", Masquerade), 100, 1000, 200))),
        ("new-dest-duplicate", new(to("10.0.0.2:8080", Masquerade))),
        ("new-dest-local", new(to("127.0.0.1:80", Local).drained())),
        ("new-dest-tunnel-ipip", new(to("10.0.0.3:80", tunnel(Tunnel::ipip())))),
        ("new-dest-tunnel-gue", new(to("10.0.0.4:80", tunnel(Tunnel::gue(6080).unwrap().flags(checksum))))),
        ("new-dest-tunnel-gre", new(to("10.0.0.5:80", tunnel(Tunnel::gre().flags(checksum))))),
        ("new-dest-droute", new(to("10.0.0.6:80", DirectRoute))),
        ("new-dest-bypass", new(to("10.0.0.7:80", Bypass))),
        ("new-dest-mixed-family", new(to("[2001:db8::9]:80", tunnel(Tunnel::ipip())))),
        (
            "new-dest-mixed-family-gue",
            new(to("[2001:db8::9]:80", tunnel(Tunnel::gue(6080).unwrap().flags(TunnelFlags::REMOTE_CHECKSUM)))),
        ),
        ("new-dest-no-family", new(to("10.0.0.8:80", Masquerade))),
        ("new-dest-missing-service", Request::NewDestination(id("TCP 10.0.0.1:99"), to("10.0.0.2:80", Masquerade))),
        ("new-dest-for-sip", Request::NewDestination(sip, to("10.0.0.2:5060", Masquerade))),
        ("new-dest-for-ops", Request::NewDestination(dns, to("10.0.0.2:53", Masquerade))),
        (
            "new-dest-tcp6",
            Request::NewDestination(
                web6,
                weighted(to("[2001:db8::2]:8443", Masquerade), 2_147_483_647, 2_147_483_647, 2_147_483_647),
            ),
        ),
        ("new-dest-fwm4", Request::NewDestination(mark, to("10.0.0.2:0", DirectRoute))),
        ("new-dest-fwm6", Request::NewDestination(mark6, to("[2001:db8::2]:0", DirectRoute))),
        ("set-dest", Request::SetDestination(web, weighted(to("10.0.0.2:8080", DirectRoute), 5, 0, 0))),
        ("set-dest-missing", Request::SetDestination(web, to("10.0.0.99:8080", Masquerade))),
        (
            "set-dest-tcp6",
            Request::SetDestination(
                web6,
                weighted(to("[2001:db8::2]:8443", tunnel(Tunnel::gre().flags(checksum))), 0, 10, 5),
            ),
        ),
        ("set-dest-fwm4", Request::SetDestination(mark, weighted(to("10.0.0.2:0", Masquerade), 65_536, 0, 0))),
        ("set-dest-fwm6", Request::SetDestination(mark6, to("[2001:db8::2]:0", Masquerade))),
        ("del-dest", Request::DeleteDestination(web, server("10.0.0.7:80"))),
        ("del-dest-missing", Request::DeleteDestination(web, server("10.0.0.7:80"))),
        ("del-dest-mixed", Request::DeleteDestination(web, server("[2001:db8::9]:80"))),
        ("del-dest-tcp6", Request::DeleteDestination(web6, server("[2001:db8::2]:8443"))),
        ("del-dest-fwm4", Request::DeleteDestination(mark, server("10.0.0.2:0"))),
        ("del-dest-fwm6", Request::DeleteDestination(mark6, server("[2001:db8::2]:0"))),
        ("dump-dests-missing-service", Request::GetDestinations(web)),
        ("dump-dests", Request::GetDestinations(web)),
        ("dump-dests-with-traffic", Request::GetDestinations(sip)),
        ("get-dest-without-dump", Request::GetDestinations(web)),
        ("dump-dests-tcp6", Request::GetDestinations(web6)),
        ("dump-dests-fwm4", Request::GetDestinations(mark)),
        ("dump-dests-fwm6", Request::GetDestinations(mark6)),
        ("new-daemon-master", Request::NewDaemon(master("d0").sync_id(7))),
        ("new-daemon-with-mixed", Request::NewDaemon(master("d0"))),
        ("new-daemon-backup", Request::NewDaemon(backup)),
        ("new-daemon-master-all", Request::NewDaemon(all_of_master)),
        ("del-daemon-master", Request::DeleteDaemon(SyncRole::Master)),
        ("del-daemon-master-again", Request::DeleteDaemon(SyncRole::Master)),
        ("del-daemon-backup", Request::DeleteDaemon(SyncRole::Backup)),
        ("del-daemon-backup-role", Request::DeleteDaemon(SyncRole::Backup)),
        ("dump-daemons", Request::GetDaemons),
        ("zero-all", Request::Zero(None)),
        ("zero-service", Request::Zero(Some(web))),
        ("zero-tcp6", Request::Zero(Some(web6))),
        ("zero-fwm4", Request::Zero(Some(mark))),
        ("zero-fwm6", Request::Zero(Some(mark6))),
        ("flush", Request::Flush),
    ]
}

/// Requests that this library does not write as they were recorded, and why.
const WRITTEN_OTHERWISE: [(&str, &str); 4] = [
    ("set-service", "the mask always covers all flags"),
    ("new-dest-mixed-family", "a tunnel always says which"),
    ("new-dest-no-family", "the family of a destination is always sent"),
    ("del-daemon-backup", "the role is all that counts"),
];

/// Requests that no value of the model stands for: what is wrong with them, and where it stands.
const REFUSED: [(&str, &str, usize, DecodeProblem); 6] = [
    ("new-service-no-attrs", "IPVS_CMD_ATTR_SERVICE", 0, DecodeProblem::Missing),
    ("new-service-bad-family", "IPVS_SVC_ATTR_AF", 8, DecodeProblem::OutOfRange { value: 1 }),
    ("new-dest-negative-weight", "IPVS_DEST_ATTR_WEIGHT", 92, DecodeProblem::OutOfRange { value: 0xffff_ffff }),
    ("set-config-short-attr", "IPVS_CMD_ATTR_TIMEOUT_TCP", 4, DecodeProblem::TooShort { expected: 4, actual: 2 }),
    ("extack-error", "IPVS_CMD_ATTR_TIMEOUT_TCP", 4, DecodeProblem::TooShort { expected: 4, actual: 2 }),
    ("extack-uncapped-error", "IPVS_CMD_ATTR_TIMEOUT_TCP", 4, DecodeProblem::TooShort { expected: 4, actual: 2 }),
];

/// Look-ups of a family.
const LOOK_UPS: [(&str, &str); 4] = [
    ("ctrl-getfamily", FAMILY_NAME),
    ("ctrl-getfamily.6.12", FAMILY_NAME),
    ("ctrl-getfamily.7.2", FAMILY_NAME),
    ("ctrl-getfamily-missing", "NOPE"),
];

fn decode(exchange: &Exchange) -> Result<Request, ipvs_rs::codec::DecodeError> {
    let frame = only(&exchange.request);
    let (command, attributes) = data(&frame);
    Request::decode(command, frame.flags & NLM_F_DUMP == NLM_F_DUMP, attributes)
}

/// The request with the header of the recorded one.
fn encode(request: &Request, exchange: &Exchange) -> Vec<u8> {
    let frame = only(&exchange.request);
    let mut bytes = Vec::new();
    put_request(&mut bytes, frame.kind, frame.flags, frame.sequence, request);
    bytes
}

#[test]
fn every_file_is_accounted_for_once() {
    let expected = expected();
    let known: Vec<&str> = expected
        .iter()
        .map(|(name, _)| *name)
        .chain(REFUSED.iter().map(|(name, ..)| *name))
        .chain(LOOK_UPS.iter().map(|(name, _)| *name))
        .chain(["new-dest-gue-port0", "new-dest-bad-thresholds"])
        .collect();
    let once: BTreeSet<&str> = known.iter().copied().collect();
    assert_eq!(once.len(), known.len());
    let files: BTreeSet<&str> = fixture::all().iter().map(|exchange| exchange.name.as_str()).collect();
    assert_eq!(once, files);
}

#[test]
fn recorded_requests_decode_to_what_was_asked() {
    for (name, expected) in expected() {
        assert_eq!(decode(fixture::load(name)), Ok(expected), "{name}");
    }
}

#[test]
fn requests_encode_to_the_recorded_bytes() {
    for (name, expected) in expected() {
        let exchange = fixture::load(name);
        let written = encode(&expected, exchange);
        match WRITTEN_OTHERWISE.iter().find(|(other, _)| *other == name) {
            None => assert_eq!(written, exchange.request, "{name}"),
            Some((_, reason)) => assert_ne!(written, exchange.request, "{name} is no exception: {reason}"),
        }
    }
}

#[test]
fn decoded_requests_encode_to_the_bytes_that_they_came_from() {
    for (name, _) in expected() {
        let exchange = fixture::load(name);
        let request = decode(exchange).unwrap();
        if WRITTEN_OTHERWISE.iter().all(|(other, _)| *other != name) {
            assert_eq!(encode(&request, exchange), exchange.request, "{name}");
        }
    }
}

#[test]
fn requests_that_stand_for_nothing_are_refused_where_they_are_wrong() {
    for (name, attribute, offset, problem) in REFUSED {
        let error = decode(fixture::load(name)).expect_err(name);
        assert_eq!((error.attribute(), error.offset(), error.problem()), (attribute, offset, problem), "{name}");
    }
}

#[test]
fn family_look_ups_encode_to_the_recorded_bytes() {
    for (name, family) in LOOK_UPS {
        let exchange = fixture::load(name);
        let frame = only(&exchange.request);
        let mut bytes = Vec::new();
        put_family_request(&mut bytes, frame.flags, frame.sequence, FamilyRequest::new(family));
        assert_eq!(bytes, exchange.request, "{name}");
    }
}

/// Requests that the kernel refuses but a fake kernel has to be able to read.
#[test]
fn gue_tunnel_without_port_is_read_and_written_with_all_three_attributes() {
    let exchange = fixture::load("new-dest-gue-port0");
    let Ok(Request::NewDestination(_, destination)) = decode(exchange) else { panic!("not a destination") };
    let ForwardMethod::Tunnel(tunnel) = destination.forward else { panic!("not a tunnel") };
    assert_eq!((tunnel.kind().number(), tunnel.port(), tunnel.tunnel_flags()), (1, None, TunnelFlags::empty()));
    let request = Request::NewDestination(id("TCP 10.0.0.1:80"), destination);
    assert_eq!(encode(&request, exchange).len(), exchange.request.len() + 8);
}

#[test]
fn thresholds_that_the_kernel_refuses_are_read_and_written_as_they_are() {
    let exchange = fixture::load("new-dest-bad-thresholds");
    let request = decode(exchange).unwrap();
    let Request::NewDestination(_, destination) = &request else { panic!("not a destination") };
    assert_eq!(destination.thresholds.upper().unwrap().get(), 1);
    assert_eq!(destination.thresholds.lower().unwrap().get(), 2);
    assert_eq!(encode(&request, exchange), exchange.request);
}
