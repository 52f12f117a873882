//! The boundaries of what is a number or a duration.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipvs_rs::model::{
    AddressFamily, Config, Granularity, InvalidValue, MulticastGroup, Persistence, Prefix, Protocol, SchedulerFlags,
    ServiceFlags, SyncDaemon, Thresholds, Timeout, Tunnel, TunnelFlags, Version, Weight,
};
use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};

#[test]
fn weight_is_at_most_what_a_signed_number_holds() {
    for weight in [0, 1, 65_535, 65_536, 2_147_483_647] {
        assert_eq!(Weight::new(weight).map(Weight::get), Ok(weight));
    }
    for weight in [2_147_483_648, u32::MAX] {
        refused(Weight::new(weight), &format!("weight {weight} is out of range: expected 0 to 2147483647"));
    }
    assert_eq!((Weight::ZERO.get(), Weight::MAX.get(), Weight::default().get()), (0, 2_147_483_647, 1));
    assert_eq!(Weight::from(9_u16), Weight::try_from(9_u32).unwrap());
    assert_eq!(u32::from(Weight::MAX), 2_147_483_647);
}

#[test]
fn numbers_of_the_kernel_go_in_and_out() {
    for (number, family) in [(2, AddressFamily::Ipv4), (10, AddressFamily::Ipv6)] {
        assert_eq!((AddressFamily::try_from(number), u16::from(family)), (Ok(family), number));
    }
    for number in [0, 1, 7, u16::MAX] {
        let expected = format!("address family {number} is not usable: expected 2 (IPv4) or 10 (IPv6)");
        refused(AddressFamily::try_from(number), &expected);
    }
    for (number, protocol) in [(0, Protocol::from_number(0)), (6, Protocol::TCP), (132, Protocol::SCTP)] {
        assert_eq!((Protocol::from(number), u16::from(protocol)), (protocol, number));
    }
    assert_eq!(u16::from(Protocol::from(u16::MAX)), u16::MAX);
    let methods = [ForwardMethod::Masquerade, ForwardMethod::Local, ForwardMethod::Tunnel(Tunnel::default())];
    let methods = methods.into_iter().chain([ForwardMethod::DirectRoute, ForwardMethod::Bypass]);
    for (number, method) in (0..).zip(methods) {
        assert_eq!((ForwardMethod::try_from(number), u32::from(method)), (Ok(method), number));
    }
    for number in 5..=7 {
        let method = ForwardMethod::try_from(number).unwrap();
        assert!(matches!(method, ForwardMethod::Unknown(unknown) if unknown.number() == number), "{method:?}");
        assert_eq!(u32::from(method), number);
    }
    for number in [8, 10, u32::MAX] {
        let expected = format!("forwarding method {number} is out of range: expected 0 to 7");
        refused(ForwardMethod::try_from(number), &expected);
    }
}

#[test]
fn tunnel_defaults_to_ipip() {
    assert_eq!(Tunnel::default(), Tunnel::ipip());
    assert_eq!(Tunnel::default().to_string(), "ipip");
}

#[test]
fn lower_threshold_is_at_most_the_upper_one() {
    assert_eq!(Thresholds::with_upper(0), Ok(Thresholds::NONE));
    assert_eq!(Thresholds::NONE.with_lower(0), Ok(Thresholds::NONE));
    for (upper, lower) in [(1, 0), (1, 1), (2_147_483_647, 2_147_483_647)] {
        let thresholds = Thresholds::with_upper(upper).unwrap().with_lower(lower).unwrap();
        assert_eq!(thresholds.upper().map_or(0, Into::into), upper);
        assert_eq!(thresholds.lower().map_or(0, Into::into), lower);
    }
    refused(
        Thresholds::with_upper(2_147_483_648),
        "upper threshold 2147483648 is out of range: expected 0 to 2147483647 connections",
    );
    for (upper, lower) in [(0, 1), (5, 9), (5, u32::MAX)] {
        let expected = format!("lower threshold {lower} is out of range: expected 0 to the upper threshold");
        refused(Thresholds::with_upper(upper).unwrap().with_lower(lower), &expected);
    }
}

#[test]
fn persistence_is_whole_seconds_that_no_kernel_wraps() {
    for secs in [0, 1, 300, 4_294_967] {
        let persistence = Persistence::new(Duration::from_secs(secs.into())).unwrap();
        assert_eq!((persistence.timeout_secs(), persistence.timeout()), (secs, Duration::from_secs(secs.into())));
        assert_eq!(Persistence::for_secs(secs), Ok(persistence));
    }
    refused(
        Persistence::for_secs(4_294_968),
        "persistence timeout 4294968 is out of range: expected 0 to 4294967 seconds",
    );
    let table = [
        (Duration::from_secs(4_294_968), "4294968 is out of range: expected 0 to 4294967 seconds"),
        (Duration::from_millis(500), "500ms is out of range: expected a whole number of seconds"),
        (Duration::from_millis(1500), "1.5s is out of range: expected a whole number of seconds"),
        (Duration::from_nanos(1), "1ns is out of range: expected a whole number of seconds"),
        (Duration::from_secs(1 << 32), "4294967296s is out of range: expected at most 4294967295 seconds"),
    ];
    for (duration, expected) in table {
        refused(Persistence::new(duration), &format!("persistence timeout {expected}"));
    }
}

#[test]
fn timeout_is_whole_seconds_and_never_zero() {
    for secs in [1, 900, 21_474_836] {
        let timeout = Timeout::from_secs(secs).unwrap();
        assert_eq!((timeout.as_secs(), Duration::from(timeout)), (secs, Duration::from_secs(secs.into())));
        assert_eq!(Timeout::try_from(Duration::from_secs(secs.into())), Ok(timeout));
    }
    for secs in [0, 21_474_837, u32::MAX] {
        refused(Timeout::from_secs(secs), &format!("timeout {secs} is out of range: expected 1 to 21474836 seconds"));
    }
    let table = [
        (Duration::ZERO, "0 is out of range: expected 1 to 21474836 seconds"),
        (Duration::from_millis(500), "500ms is out of range: expected a whole number of seconds"),
        (Duration::from_millis(1500), "1.5s is out of range: expected a whole number of seconds"),
        (Duration::MAX, "18446744073709551615.999999999s is out of range: expected a whole number of seconds"),
    ];
    for (duration, expected) in table {
        refused(Timeout::new(duration), &format!("timeout {expected}"));
        assert!(Config::new().tcp(duration).is_err());
        assert!(Config::new().tcp_fin(duration).is_err());
        assert!(Config::new().udp(duration).is_err());
    }
}

#[test]
fn config_sets_what_it_is_told() {
    let second = Duration::from_secs(1);
    let config = Config::new().tcp(second).unwrap().tcp_fin(second * 2).unwrap().udp(second * 3).unwrap();
    assert_eq!([config.tcp, config.tcp_fin, config.udp].map(|timeout| timeout.unwrap().as_secs()), [1, 2, 3]);
    assert_eq!(Config::default(), Config::new());
}

#[test]
fn prefix_has_1_to_128_bits() {
    for bits in [1, 64, 128] {
        assert_eq!(Prefix::new(bits).map(Prefix::bits), Ok(bits));
        assert_eq!(Prefix::try_from(bits).map(u8::from), Ok(bits));
    }
    for bits in [0, 129, 255] {
        refused(Prefix::new(bits), &format!("IPv6 prefix length {bits} is out of range: expected 1 to 128"));
    }
}

#[test]
fn granularity_fits_its_own_family() {
    let mask = Granularity::Mask(Ipv4Addr::new(255, 255, 255, 0));
    let prefix = Granularity::Prefix(Prefix::new(64).unwrap());
    let table = [(Granularity::Client, true, true), (mask, true, false), (prefix, false, true)];
    for (granularity, ipv4, ipv6) in table {
        assert_eq!(granularity.fits(AddressFamily::Ipv4), ipv4, "{granularity}");
        assert_eq!(granularity.fits(AddressFamily::Ipv6), ipv6, "{granularity}");
    }
    assert_eq!(Granularity::Mask(Ipv4Addr::BROADCAST).normalized(), Granularity::Client);
    assert_eq!(Granularity::Prefix(Prefix::FULL).normalized(), Granularity::Client);
    assert_eq!([mask.normalized(), prefix.normalized()], [mask, prefix]);
}

#[test]
fn service_with_the_granularity_of_the_other_family_is_invalid() {
    let mask = Persistence::for_secs(300).unwrap().granularity(Granularity::Mask(Ipv4Addr::new(255, 0, 0, 0)));
    let service = Service::new("tcp://[2001:db8::1]:80".parse().unwrap(), Scheduler::Rr);
    for service in [service.clone().persistence(mask), service.dormant_persistence(mask)] {
        let error = service.validate().unwrap_err();
        assert_eq!((error.what(), error.value()), ("persistence granularity", "255.0.0.0"));
        assert_eq!(error.expected(), "a mask for an IPv4 service, a prefix length for an IPv6 one");
    }
}

#[test]
fn service_without_persistence_equals_one_with_a_neutral_dormant_one() {
    let service = Service::new("tcp://192.0.2.1:80".parse().unwrap(), Scheduler::Rr);
    let neutral = Persistence::for_secs(0).unwrap();
    assert_eq!(service.clone().dormant_persistence(neutral), service);
    assert_ne!(service.clone().dormant_persistence(Persistence::for_secs(1).unwrap()), service);
    assert_ne!(service.clone().persistence(neutral), service);
    let full = neutral.granularity(Granularity::Mask(Ipv4Addr::BROADCAST));
    assert_eq!(service.clone().persistence(full), service.clone().persistence(neutral));
    let awake = service.clone().dormant_persistence(Persistence::for_secs(9).unwrap()).persistence(neutral);
    assert_eq!(awake, service.persistence(neutral), "nothing sleeps beside persistence in effect");
}

#[test]
fn flags_of_a_service_keep_out_bits_that_are_not_the_schedulers() {
    let stray = SchedulerFlags::from_bits_retain(0x0001 | 0x0002 | 0x0040) | SchedulerFlags::PORT;
    assert_eq!(ServiceFlags::from(stray), ServiceFlags::SCHEDULER_2);
    let service = Service::new("tcp://192.0.2.1:80".parse().unwrap(), Scheduler::Sh).scheduler_flags(stray);
    assert_eq!(service.flags(), ServiceFlags::SCHEDULER_2);
}

#[test]
fn tunnel_keeps_kind_port_and_flags() {
    refused(Tunnel::gue(0), "GUE tunnel port 0 is out of range: expected 1 to 65535");
    for port in [1, 65_535] {
        assert_eq!(Tunnel::gue(port).unwrap().port().unwrap().get(), port);
    }
    assert_eq!(Tunnel::ipip().port(), None);
    let gre = Tunnel::gre().flags(TunnelFlags::CHECKSUM | TunnelFlags::from_bits_retain(0x8000));
    assert_eq!((gre.kind().number(), gre.tunnel_flags().bits()), (2, 0x8001));
}

#[test]
fn forwarding_methods_have_the_numbers_of_the_kernel() {
    let table = [("Masq", 0), ("Local", 1), ("Tunnel", 2), ("Route", 3), ("Bypass", 4), ("Unknown-7", 7)];
    for (name, number) in table {
        assert_eq!(name.parse::<ForwardMethod>().unwrap().number(), number, "{name}");
    }
}

#[test]
fn drained_destination_has_weight_zero() {
    let destination = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
    assert_eq!(destination.weight, Weight::default());
    assert_eq!(destination.clone().drained().weight, Weight::ZERO);
    assert!(destination.weight(2_147_483_648).is_err());
}

#[test]
fn sync_daemon_refuses_zeros_and_what_is_not_multicast() {
    let daemon = SyncDaemon::backup("eth1").unwrap();
    refused(daemon.max_len(0), "sync length 0 is out of range: expected 1 to 65535 bytes");
    refused(daemon.port(0), "multicast port 0 is out of range: expected 1 to 65535");
    refused(daemon.ttl(0), "multicast TTL 0 is out of range: expected 1 to 255");
    let table = [
        ("223.255.255.255", false),
        ("224.0.0.0", true),
        ("239.255.255.255", true),
        ("240.0.0.0", false),
        ("fe80::1", false),
        ("ff02::51", true),
        ("::ffff:224.0.0.81", false),
    ];
    for (address, accepted) in table {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(daemon.group(address).is_ok(), accepted, "{address}");
        assert_eq!(MulticastGroup::new(address).map(MulticastGroup::address).ok(), accepted.then_some(address));
        assert_eq!(MulticastGroup::try_from(address).map(IpAddr::from).ok(), accepted.then_some(address));
    }
    refused(
        daemon.group(Ipv4Addr::LOCALHOST.into()),
        "multicast group 127.0.0.1 is not usable: expected an address of 224.0.0.0/4 or ff00::/8",
    );
}

#[test]
fn version_is_taken_apart() {
    for (number, text) in [(0x0001_0201, "1.2.1"), (0, "0.0.0"), (u32::MAX, "65535.255.255")] {
        assert_eq!(Version::from_number(number).to_string(), text);
        assert_eq!(Version::from_number(number).number(), number);
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(value: Result<T, InvalidValue>, message: &str) {
    assert_eq!(value.unwrap_err().to_string(), message);
}
