use super::*;
use crate::failure::Exit;

#[test]
fn services_are_read_in_any_notation_and_written_in_one() {
    for (handle, canonical) in [
        ("tcp://192.0.2.10:80", "tcp://192.0.2.10:80"),
        ("TCP 192.0.2.10:80", "tcp://192.0.2.10:80"),
        ("-t 192.0.2.10:80", "tcp://192.0.2.10:80"),
        ("tcp://192.0.2.10:80//", "tcp://192.0.2.10:80"),
        ("udp://[2001:db8:0::1]:53", "udp://[2001:db8::1]:53"),
        ("sctp://192.0.2.10", "sctp://192.0.2.10"),
        ("udp://[2001:db8::1]", "udp://[2001:db8::1]"),
        ("fwmark:7", "fwmark:7"),
        ("FWM 7 IPv6", "fwmark6:7"),
        ("fwmark6:4294967295", "fwmark6:4294967295"),
        ("ip_300://192.0.2.1:80", "ip_300://192.0.2.1:80"),
        ("IP_0 192.0.2.1:80", "ip_0://192.0.2.1:80"),
        ("esp://192.0.2.1", "esp://192.0.2.1"),
        ("ah://[2001:db8::1]", "ah://[2001:db8::1]"),
        ("tcp://[::ffff:192.0.2.1]:80", "tcp://[::ffff:192.0.2.1]:80"),
        ("tcp://0.0.0.0", "tcp://0.0.0.0"),
        ("tcp://[::]", "tcp://[::]"),
    ] {
        assert_eq!(address(handle).map(|id| service_text(&id)).as_deref(), Some(canonical), "{handle}");
    }
    for handle in ["", "web", "tcp://", "fwmark6:0", "fwmark6:x", "fwmark:0", "tcp://web:80"] {
        assert_eq!(address(handle), None, "{handle}");
    }
}

#[test]
fn destination_without_a_port_has_that_of_its_service() {
    let web = address("tcp://192.0.2.10:80").unwrap();
    let read = |handle| destination(handle, &web).map(|id| id.to_string());
    assert_eq!(read("10.0.0.2").as_deref(), Ok("10.0.0.2:80"));
    assert_eq!(read("10.0.0.2:0").as_deref(), Ok("10.0.0.2:0"));
    assert_eq!(read("10.0.0.2:8080").as_deref(), Ok("10.0.0.2:8080"));
    assert_eq!(read("2001:db8::2").as_deref(), Ok("[2001:db8::2]:80"));
    assert_eq!(read("[2001:db8::2]:8080").as_deref(), Ok("[2001:db8::2]:8080"));
    assert_eq!(read("[::ffff:10.0.0.2]:0").as_deref(), Ok("[::ffff:10.0.0.2]:0"));
    assert_eq!(destination("10.0.0.2", &address("fwmark:7").unwrap()).unwrap().port(), 0);
    assert_eq!(read("").unwrap_err().exit, Exit::Value);
    assert_eq!(read("web").unwrap_err().exit, Exit::Value);
}

#[test]
fn weights_of_the_command_line_are_numbers_up_to_65535() {
    let weight_of_16_bits = |text| weight(text, u16::MAX.into());
    assert_eq!(weight_of_16_bits("0").unwrap(), Weight::ZERO);
    assert_eq!(weight_of_16_bits("65535").unwrap().get(), 65_535);
    for text in ["65536", "-1", "", "abc", "1.5", " 1", "0x10"] {
        assert_eq!(weight_of_16_bits(text).unwrap_err().exit, Exit::Value, "{text}");
    }
    assert_eq!(weight("2147483647", Weight::MAX.get()).unwrap().get(), 2_147_483_647);
    assert_eq!(weight("2147483648", Weight::MAX.get()).unwrap_err().exit, Exit::Value);
}
