//! Patterns of services.

use ipvs_rs::ServiceId;
use ipvs_rs::desired::{Pattern, Scope};
use proptest::prelude::*;

fn matches(pattern: &str, service: &str) -> bool {
    pattern.parse::<Pattern>().unwrap().matches(&service.parse().unwrap())
}

#[test]
fn patterns_match_by_protocol_network_and_ports() {
    for (pattern, service, is_one) in [
        ("tcp://192.0.2.0/24", "tcp://192.0.2.255:80", true),
        ("tcp://192.0.2.0/24", "tcp://192.0.3.0:80", false),
        ("tcp://192.0.2.0/24", "udp://192.0.2.1:80", false),
        ("*://192.0.2.0/24:80-90", "udp://192.0.2.1:90", true),
        ("*://192.0.2.0/24:80-90", "udp://192.0.2.1:91", false),
        ("tcp://192.0.2.1", "tcp://192.0.2.1:0", true),
        ("tcp://192.0.2.1:*", "tcp://192.0.2.1:443", true),
        ("tcp://0.0.0.0/0", "tcp://203.0.113.9:1", true),
        ("tcp://0.0.0.0/0", "tcp://[2001:db8::1]:1", false),
        ("tcp://*:80", "tcp://[2001:db8::1]:80", true),
        ("tcp://[2001:db8::]/32", "tcp://[2001:db8:ffff::1]:80", true),
        ("tcp://[2001:db8::]/32:443", "tcp://[2001:db8::1]:80", false),
        ("tcp://[2001:db8::1]", "tcp://[2001:db8::1]:80", true),
        ("*://[::]/0", "sctp://[2001:db8::1]:80", true),
        ("esp://*", "IP_50 192.0.2.1", true),
        ("300://192.0.2.1", "ip_300://192.0.2.1:80", true),
        ("ip_300://192.0.2.1", "tcp://192.0.2.1:80", false),
        ("*://[::ffff:192.0.2.0]/120", "tcp://[::ffff:192.0.2.1]:80", true),
        ("*://192.0.2.0/24", "tcp://[::ffff:192.0.2.1]:80", false),
        ("fwmark:100-199", "fwmark:150", true),
        ("fwmark:100-199", "fwmark:200", false),
        ("fwmark:100-199", "fwmark:150:ipv6", false),
        ("fwmark6:*", "fwmark:4294967295:ipv6", true),
        ("fwmark:7", "tcp://192.0.2.1:7", false),
    ] {
        assert_eq!(matches(pattern, service), is_one, "{pattern} and {service}");
    }
}

#[test]
fn invalid_pattern_is_refused_with_a_reason() {
    for (text, problem) in [
        ("", "expected something like tcp://192.0.2.0/24:80, *://[2001:db8::]/32 or fwmark:1-9"),
        ("192.0.2.1", "expected something like tcp://192.0.2.0/24:80, *://[2001:db8::]/32 or fwmark:1-9"),
        ("icmp://192.0.2.1", "protocols are tcp, udp, sctp, ah, esp, a number of 0 to 65535 and *"),
        ("65536://192.0.2.1", "protocols are tcp, udp, sctp, ah, esp, a number of 0 to 65535 and *"),
        ("+6://192.0.2.1", "protocols are tcp, udp, sctp, ah, esp, a number of 0 to 65535 and *"),
        ("://192.0.2.1", "protocols are tcp, udp, sctp, ah, esp, a number of 0 to 65535 and *"),
        ("tcp://192.0.2.0/33", "a prefix length is 0 to 32, for IPv6 0 to 128"),
        ("tcp://192.0.2.0/", "a prefix length is 0 to 32, for IPv6 0 to 128"),
        ("tcp://192.0.2.0/+8", "a prefix length is 0 to 32, for IPv6 0 to 128"),
        ("tcp://192.0.2.1:90-80", "ports are 80, 80-90 or *"),
        ("tcp://192.0.2.1:65536", "ports are 80, 80-90 or *"),
        ("tcp://192.0.2.1:", "ports are 80, 80-90 or *"),
        ("tcp://web.example", "this is not a valid IP address"),
        ("tcp://[192.0.2.1]", "IPv6 addresses, and no others, stand in brackets"),
        ("tcp://[2001:db8::1", "the bracket of the address is not closed"),
        ("tcp://[2001:db8::1]80", "expected a slash or a colon after the address"),
        ("fwmark:0", "marks are 7, 7-9 or *"),
        ("fwmark:4294967296", "marks are 7, 7-9 or *"),
    ] {
        let error = text.parse::<Pattern>().unwrap_err().to_string();
        assert_eq!(error, format!("\"{text}\" is not a pattern for services: {problem}"));
    }
}

#[test]
fn an_exception_wins_over_what_is_managed() {
    let scope =
        Scope::all().manage("tcp://192.0.2.0/24".parse().unwrap()).ignore("tcp://192.0.2.254:*".parse().unwrap());
    let covers = |service: &str| scope.covers(&service.parse::<ServiceId>().unwrap());
    assert!(covers("tcp://192.0.2.1:80"));
    assert!(!covers("tcp://192.0.2.254:80"));
    assert!(!covers("tcp://203.0.113.1:80"));
    assert!(Scope::all().covers(&"fwmark:7".parse().unwrap()));
}

proptest! {
    #[test]
    fn patterns_are_read_as_they_are_printed(
        protocol in prop_oneof![Just("*".to_owned()), Just("esp".to_owned()), (0..400u16).prop_map(|it| it.to_string())],
        network in prop_oneof![
            Just("*".to_owned()),
            (any::<u32>(), 0..=32u8).prop_map(|(bits, prefix)| format!("{}/{prefix}", std::net::Ipv4Addr::from_bits(bits))),
            (any::<u128>(), 0..=128u8).prop_map(|(bits, prefix)| format!("[{}]/{prefix}", std::net::Ipv6Addr::from_bits(bits))),
        ],
        (first, last) in (any::<u16>(), any::<u16>()).prop_map(|(one, other)| (one.min(other), one.max(other))),
    ) {
        let pattern: Pattern = format!("{protocol}://{network}:{first}-{last}").parse().unwrap();
        prop_assert_eq!(pattern.to_string().parse::<Pattern>().unwrap(), pattern);
        prop_assert_eq!(pattern.to_string().starts_with("*://"), protocol == "*");
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error(text in ".{0,40}") {
        let _ = text.parse::<Pattern>();
    }
}
