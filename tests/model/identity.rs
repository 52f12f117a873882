//! The identities of services and destinations: text accepted and refused, constructors, accessors.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use ipvs_rs::model::{AddressFamily, InvalidValue, ParseError, Protocol, ServiceKind};
use ipvs_rs::{DestinationId, ServiceId};

#[test]
fn service_reads_every_form() {
    let table = [
        ("TCP 10.0.0.1:80", "TCP 10.0.0.1:80"),
        ("tcp 10.0.0.1:80", "TCP 10.0.0.1:80"),
        ("  Tcp \t 10.0.0.1:80  ", "TCP 10.0.0.1:80"),
        ("TCP 10.0.0.1", "TCP 10.0.0.1:0"),
        ("TCP 10.0.0.1:0080", "TCP 10.0.0.1:80"),
        ("TCP 0.0.0.0:0", "TCP 0.0.0.0:0"),
        ("tcp://10.0.0.1:80", "TCP 10.0.0.1:80"),
        ("TCP:10.0.0.1:80", "TCP 10.0.0.1:80"),
        ("tcp://10.0.0.1", "TCP 10.0.0.1:0"),
        ("tcp://10.0.0.1:0", "TCP 10.0.0.1:0"),
        ("TCP:10.0.0.1:0", "TCP 10.0.0.1:0"),
        ("-t 10.0.0.1:80", "TCP 10.0.0.1:80"),
        ("--tcp-service 10.0.0.1:80", "TCP 10.0.0.1:80"),
        ("--tcp-service=10.0.0.1:80", "TCP 10.0.0.1:80"),
        ("UDP 10.0.0.1:53", "UDP 10.0.0.1:53"),
        ("udp://10.0.0.1:53", "UDP 10.0.0.1:53"),
        ("-u 10.0.0.1:53", "UDP 10.0.0.1:53"),
        ("--udp-service 10.0.0.1:53", "UDP 10.0.0.1:53"),
        ("SCTP 10.0.0.1:9", "SCTP 10.0.0.1:9"),
        ("sctp://10.0.0.1:9", "SCTP 10.0.0.1:9"),
        ("--sctp-service 10.0.0.1:9", "SCTP 10.0.0.1:9"),
        ("esp://10.0.0.1", "ESP 10.0.0.1:0"),
        ("--ah-service 10.0.0.1", "AH 10.0.0.1:0"),
        ("IP_50 10.0.0.1", "ESP 10.0.0.1:0"),
        ("ip_47://10.0.0.1", "IP_47 10.0.0.1:0"),
        ("--ip_47-service 10.0.0.1", "IP_47 10.0.0.1:0"),
        ("IP_65535 10.0.0.1:1", "IP_65535 10.0.0.1:1"),
        ("TCP [2001:db8::1]:53", "TCP [2001:db8::1]:53"),
        ("TCP [2001:DB8:0:0::1]:53", "TCP [2001:db8::1]:53"),
        ("TCP [2001:db8::1]", "TCP [2001:db8::1]:0"),
        ("TCP 2001:db8::1", "TCP [2001:db8::1]:0"),
        ("TCP 2001:db8::1:80", "TCP [2001:db8::1:80]:0"),
        ("tcp://[2001:db8::1]:53", "TCP [2001:db8::1]:53"),
        ("tcp:[2001:db8::1]", "TCP [2001:db8::1]:0"),
        ("tcp://[2001:db8::1]", "TCP [2001:db8::1]:0"),
        ("-t 2001:db8::1", "TCP [2001:db8::1]:0"),
        ("-t 2001:db8::1:80", "TCP [2001:db8::1:80]:0"),
        ("ah://[2001:db8::1]", "AH [2001:db8::1]:0"),
        ("ip_6://10.0.0.1:0", "TCP 10.0.0.1:0"),
        ("TCP [::FFFF:a00:1]:80", "TCP [::ffff:10.0.0.1]:80"),
        ("tcp://[::ffff:10.0.0.1]:80", "TCP [::ffff:10.0.0.1]:80"),
        ("-t [::]:53", "TCP [::]:53"),
        ("FWM 7", "FWM 7"),
        ("fwm  7", "FWM 7"),
        ("fwmark 7", "FWM 7"),
        ("FWM 4294967295", "FWM 4294967295"),
        ("FWM 7 IPv4", "FWM 7"),
        ("FWM 7 IPv6", "FWM 7 IPv6"),
        ("FWM 7 ipv6", "FWM 7 IPv6"),
        ("fwmark:7", "FWM 7"),
        ("fwmark:7:ipv4", "FWM 7"),
        ("fwmark6:7", "FWM 7 IPv6"),
        ("fwmark:7:IPv6", "FWM 7 IPv6"),
        ("-f 7", "FWM 7"),
        ("-f 7 -6", "FWM 7 IPv6"),
        ("--fwmark-service 7 --ipv6", "FWM 7 IPv6"),
        ("--fwmark-service=7 -6", "FWM 7 IPv6"),
    ];
    for (text, expected) in table {
        let id: ServiceId = text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(id.to_string(), expected, "{text:?}");
    }
}

const ADDRESS: &str = "an address such as 192.0.2.1:80 or [2001:db8::1]:80; names are not looked up";
const PORT: &str = "a port of 0 to 65535";
const MARK: &str = "a firewall mark of 1 to 4294967295";
const SERVICE: &str = "a service such as TCP 192.0.2.10:80, tcp://192.0.2.10:80, -t 192.0.2.10:80 or FWM 7";
const MAPPED: &str = "the IPv4 address itself instead of its IPv4-mapped form";
const SCOPELESS: &str = "an address without a scope, which IPVS cannot keep";

#[test]
fn service_refuses_by_the_piece_that_does_not_fit() {
    let table = [
        ("", "", SERVICE),
        ("  ", "", SERVICE),
        ("10.0.0.1:80", "10.0.0.1", SERVICE),
        ("10.0.0.1", "10.0.0.1", SERVICE),
        ("ICMP 10.0.0.1:80", "ICMP", SERVICE),
        ("http://10.0.0.1:80", "http", SERVICE),
        ("-x 10.0.0.1:80", "-x", SERVICE),
        ("-t10.0.0.1:80", "-t10.0.0.1:80", SERVICE),
        ("--xxx-service 10.0.0.1:80", "--xxx-service", SERVICE),
        ("--icmp-service=10.0.0.1:80", "--icmp-service", SERVICE),
        ("IP_ 10.0.0.1", "IP_", SERVICE),
        ("IP_65536 10.0.0.1", "IP_65536", SERVICE),
        ("IP_+6 10.0.0.1", "IP_+6", SERVICE),
        ("TCP", "", ADDRESS),
        ("-t", "", ADDRESS),
        ("tcp://", "", ADDRESS),
        ("TCP www.example.org:80", "www.example.org", ADDRESS),
        ("TCP :80", "", ADDRESS),
        ("TCP 80", "80", ADDRESS),
        ("TCP 256.0.0.1:80", "256.0.0.1", ADDRESS),
        ("TCP 10.1:80", "10.1", ADDRESS),
        ("TCP 010.0.0.1:80", "010.0.0.1", ADDRESS),
        ("TCP [10.0.0.1]:80", "10.0.0.1", ADDRESS),
        ("TCP [2001:db8::1:80", "[2001:db8::1:80", ADDRESS),
        ("TCP 10.0.0.1:80:90", "10.0.0.1:80:90", ADDRESS),
        ("TCP [2001:db8::g]:80", "2001:db8::g", ADDRESS),
        ("TCP [2001:db8::1]80", "80", "a colon and a port after the address"),
        ("TCP 10.0.0.1:http", "http", PORT),
        ("TCP 10.0.0.1:", "", PORT),
        ("TCP 10.0.0.1:65536", "65536", PORT),
        ("TCP 10.0.0.1:-1", "-1", PORT),
        ("TCP 10.0.0.1:+80", "+80", PORT),
        ("TCP 10.0.0.1:0x50", "0x50", PORT),
        ("tcp://10.0.0.1:80/", "80/", PORT),
        ("TCP [2001:db8::1]:", "", PORT),
        ("TCP [fe80::1%2]:80", "fe80::1%2", SCOPELESS),
        ("TCP fe80::1%eth0", "fe80::1%eth0", SCOPELESS),
        ("TCP 10.0.0.1:80 -6", "-6", "nothing more"),
        ("-t 10.0.0.1:80 -6", "-6", "nothing more"),
        ("tcp://10.0.0.1:80 x", "x", "nothing more"),
        ("tcp://2001:db8::1:80", "2001:db8::1:80", "an IPv6 address in brackets: [2001:db8::1]:80"),
        ("tcp://2001:db8::1:18080", "2001:db8::1:18080", "an IPv6 address in brackets: [2001:db8::1]:18080"),
        ("tcp://2001:db8::a", "2001:db8::a", "an IPv6 address in brackets: [2001:db8::a]"),
        ("tcp:2001:db8::1", "2001:db8::1", "an IPv6 address in brackets: [2001:db8::1]"),
        ("esp://::1", "::1", "an IPv6 address in brackets: [::1]"),
        ("tcp://::ffff:10.0.0.1:80", "::ffff:10.0.0.1:80", "an IPv6 address in brackets: [::ffff:10.0.0.1]:80"),
        ("tcp://1:2:3:4:5:6:7:8:80", "1:2:3:4:5:6:7:8:80", "an IPv6 address in brackets: [1:2:3:4:5:6:7:8]:80"),
        ("tcp://fe80::1%2:80", "fe80::1%2:80", SCOPELESS),
        ("FWM", "", MARK),
        ("fwmark:", "", MARK),
        ("-f", "", MARK),
        ("FWM 0", "0", "1 to 4294967295"),
        ("fwmark:0", "0", "1 to 4294967295"),
        ("FWM 4294967296", "4294967296", MARK),
        ("-f -1", "-1", MARK),
        ("FWM 0x7", "0x7", MARK),
        ("fwmark:7/ipv6", "7/ipv6", MARK),
        ("FWM 7 IPv5", "IPv5", "IPv4 or IPv6, or nothing more"),
        ("FWM 7 IPv6 IPv6", "IPv6", "nothing more"),
        ("fwmark:7:6", "6", "IPv4 or IPv6, or nothing more"),
        ("-f 7 IPv6", "IPv6", "-6, or nothing more"),
        ("-f 7 -6 -6", "-6", "nothing more"),
    ];
    for (text, piece, expected) in table {
        refused(text, text.parse::<ServiceId>(), "service", piece, expected);
    }
}

#[test]
fn destination_reads_every_form() {
    let table = [
        ("10.0.0.2:8080", "10.0.0.2:8080"),
        ("10.0.0.2", "10.0.0.2:0"),
        ("[2001:db8::2]:8080", "[2001:db8::2]:8080"),
        ("[2001:db8::2]", "[2001:db8::2]:0"),
        ("2001:db8::2", "[2001:db8::2]:0"),
        ("2001:db8::2:ff", "[2001:db8::2:ff]:0"),
        ("2001:db8::", "[2001:db8::]:0"),
        ("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:0"),
        ("::ffff:10.0.0.2", "[::ffff:10.0.0.2]:0"),
        ("[2001:db8::2:8080]", "[2001:db8::2:8080]:0"),
    ];
    for (text, expected) in table {
        assert_eq!(text.parse::<DestinationId>().unwrap().to_string(), expected, "{text:?}");
    }
}

#[test]
fn destination_refuses_by_the_piece_that_does_not_fit() {
    let table = [
        ("", "", ADDRESS),
        (" 10.0.0.2:80", " 10.0.0.2", ADDRESS),
        ("server:80", "server", ADDRESS),
        ("10.0.0.2:80 ", "80 ", PORT),
        ("10.0.0.2:", "", PORT),
        ("[fe80::2%eth1]:80", "fe80::2%eth1", SCOPELESS),
        ("2001:db8::2:8080", "2001:db8::2:8080", "an IPv6 address in brackets: [2001:db8::2]:8080"),
        ("2001:db8::2:18080", "2001:db8::2:18080", "an IPv6 address in brackets: [2001:db8::2]:18080"),
        ("1:2:3:4:5:6:7:8:80", "1:2:3:4:5:6:7:8:80", "an IPv6 address in brackets: [1:2:3:4:5:6:7:8]:80"),
        ("::1:0", "::1:0", "an IPv6 address in brackets: [::1]:0"),
    ];
    for (text, piece, expected) in table {
        refused(text, text.parse::<DestinationId>(), "destination", piece, expected);
    }
}

#[test]
fn destination_is_made_of_addresses_of_every_kind() {
    let (v4, v6) = (SocketAddrV4::new([10, 0, 0, 2].into(), 80), SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 0));
    assert_eq!(DestinationId::from(v4).to_string(), "10.0.0.2:80");
    assert_eq!(DestinationId::from((*v4.ip(), 80)), DestinationId::from(v4));
    assert_eq!(DestinationId::from((IpAddr::V4(*v4.ip()), 80)), DestinationId::from(v4));
    assert_eq!(DestinationId::from(([10, 0, 0, 2], 80)), DestinationId::from(v4));
    assert_eq!(DestinationId::try_from(SocketAddr::V4(v4)), Ok(DestinationId::from(v4)));
    assert_eq!(DestinationId::try_from(v6).unwrap().to_string(), "[::1]:80");
    assert_eq!(DestinationId::try_from(SocketAddr::V6(v6)), DestinationId::try_from(v6));
    assert_eq!(DestinationId::from((Ipv6Addr::LOCALHOST, 80)), DestinationId::try_from(v6).unwrap());

    // A pair is taken as it is; an address with a scope is not.
    let mapped = v4.ip().to_ipv6_mapped();
    assert_eq!(DestinationId::from((mapped, 80)), DestinationId::verbatim(mapped.into(), 80));
    assert_eq!(DestinationId::try_from(SocketAddrV6::new(mapped, 80, 0, 0)).unwrap_err().expected(), MAPPED);
    assert_eq!(DestinationId::try_from(SocketAddrV6::new(*v6.ip(), 80, 0, 2)).unwrap_err().expected(), SCOPELESS);
}

#[test]
fn family_and_protocol_refuse_what_is_neither() {
    refused("inet", "inet".parse::<AddressFamily>(), "address family", "inet", "IPv4 or IPv6");
    let expected = "TCP, UDP, SCTP, AH, ESP, or IP_ and a number";
    for text in ["", "6", "ICMP", "IP_", "IP_x", "IP_65536", "ipü"] {
        refused(text, text.parse::<Protocol>(), "protocol", text, expected);
    }
}

#[test]
fn protocol_number_that_has_a_name_prints_it() {
    for (number, name) in
        [(6, "TCP"), (17, "UDP"), (132, "SCTP"), (50, "ESP"), (51, "AH"), (0, "IP_0"), (256, "IP_256")]
    {
        assert_eq!(Protocol::from_number(number).to_string(), name);
    }
}

#[test]
fn mapped_address_is_refused_unless_taken_verbatim() {
    let address: SocketAddr = "[::ffff:10.0.0.1]:80".parse().unwrap();
    for error in [
        ServiceId::tcp(address).unwrap_err(),
        ServiceId::udp(address).unwrap_err(),
        ServiceId::sctp(address).unwrap_err(),
        ServiceId::new(Protocol::ESP, address).unwrap_err(),
    ] {
        assert_eq!((error.what(), error.value(), error.expected()), ("service address", "::ffff:10.0.0.1", MAPPED));
    }
    let error = DestinationId::try_from(address).unwrap_err();
    assert_eq!((error.what(), error.value(), error.expected()), ("destination address", "::ffff:10.0.0.1", MAPPED));

    let id = ServiceId::verbatim(Protocol::TCP, address.ip(), 80);
    assert_eq!((id.family(), id.address()), (AddressFamily::Ipv6, Some(address.ip())));
    assert_eq!(DestinationId::verbatim(address.ip(), 80).family(), AddressFamily::Ipv6);
}

#[test]
fn address_with_a_scope_is_refused() {
    let address = SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 0, 2));
    let error: InvalidValue = ServiceId::tcp(address).unwrap_err();
    assert_eq!((error.value(), error.expected()), ("[fe80::1%2]:80", SCOPELESS));
    assert!(DestinationId::new(address).is_err());

    let labeled = SocketAddr::V6(SocketAddrV6::new("2001:db8::1".parse().unwrap(), 80, 5, 0));
    assert_eq!(ServiceId::tcp(labeled), ServiceId::tcp("[2001:db8::1]:80".parse().unwrap()), "a flow label is no part");
}

#[test]
fn mark_of_zero_is_refused() {
    let error = ServiceId::fwmark(0, AddressFamily::Ipv6).unwrap_err();
    assert_eq!(error.to_string(), "firewall mark 0 is out of range: expected 1 to 4294967295");
}

#[test]
fn service_shows_what_it_is_made_of() {
    let web = ServiceId::tcp("192.0.2.1:80".parse().unwrap()).unwrap();
    let address: IpAddr = "192.0.2.1".parse().unwrap();
    assert_eq!(web.kind(), ServiceKind::Address { protocol: Protocol::TCP, address, port: 80 });
    assert_eq!(
        (web.protocol(), web.address(), web.port(), web.mark()),
        (Some(Protocol::TCP), Some(address), Some(80), None)
    );
    assert_eq!(web.family(), AddressFamily::Ipv4);

    let marked = ServiceId::fwmark(7, AddressFamily::Ipv6).unwrap();
    assert_eq!((marked.protocol(), marked.address(), marked.port()), (None, None, None));
    assert_eq!(marked.mark().unwrap().get(), 7);
    assert_eq!(marked.family(), AddressFamily::Ipv6);
}

#[test]
fn destination_converts_to_a_socket_address_and_back() {
    let address = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 443);
    let id = DestinationId::try_from(address).unwrap();
    assert_eq!((id.address(), id.port(), SocketAddr::from(id)), (address.ip(), 443, address));
}

#[test]
fn parse_error_says_what_is_missing_and_what_does_not_fit() {
    let missing = "TCP".parse::<ServiceId>().unwrap_err();
    assert_eq!(missing.to_string(), format!("service: something is missing: expected {ADDRESS}"));
    let unfit = "TCP 10.0.0.1:a\"b".parse::<ServiceId>().unwrap_err();
    assert_eq!(unfit.to_string(), r#"service: "a\"b" does not fit: expected a port of 0 to 65535"#);
}

#[track_caller]
fn refused<T: std::fmt::Debug>(text: &str, read: Result<T, ParseError>, what: &str, piece: &str, expected: &str) {
    let error = read.expect_err(text);
    assert_eq!((error.what(), error.piece(), error.expected()), (what, piece, expected), "{text:?}");
}
