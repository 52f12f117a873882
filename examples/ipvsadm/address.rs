//! Addresses as they are written on a command line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipvs_rs::model::Protocol;

use crate::names::Names;
use crate::number::{decimal, is_space, prefixed};

/// `HOST[:PORT]`, read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Endpoint {
    pub address: IpAddr,
    pub port: Option<u16>,
}

/// Reads `HOST[:PORT]`; the name of a port is one of the protocol.
pub fn endpoint(text: &[u8], protocol: Option<Protocol>, names: &Names) -> Option<Endpoint> {
    // The empty text has nothing but digits, too.
    if text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (host, mut port) = match text {
        [b'[', inside @ ..] => {
            let end = inside.iter().position(|byte| *byte == b']')?;
            let (host, rest) = inside.split_at(end);
            (host, Some(rest.strip_prefix(b"]:")?))
        }
        _ => (text, None),
    };
    let address = if let Some(address) = ipv6(host) {
        IpAddr::V6(address)
    } else {
        // A port behind brackets counts for IPv6 only.
        let colon = host.iter().rposition(|byte| *byte == b':');
        port = colon.and_then(|colon| host.get(colon + 1..));
        IpAddr::V4(ipv4_or_name(host.get(..colon.unwrap_or(host.len()))?, names)?)
    };
    let port = match port {
        None => None,
        Some(port) => Some(match decimal(port, 0..=65535) {
            Some(number) => u16::try_from(number).ok()?,
            None => names.port(port, protocol?)?,
        }),
    };
    Some(Endpoint { address, port })
}

/// An IPv4 address in one of its old forms, or the name of a host that has one.
pub fn ipv4_or_name(text: &[u8], names: &Names) -> Option<Ipv4Addr> {
    aton(text).or_else(|| names.ipv4(text))
}

/// An IPv6 address without brackets.
pub fn ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// One to four numbers, of which the last fills all remaining bytes (`inet_aton`). White space ends the address.
fn aton(text: &[u8]) -> Option<Ipv4Addr> {
    let mut rest = text;
    let mut address: u32 = 0;
    let mut bits: u32 = 32;
    loop {
        if !rest.first()?.is_ascii_digit() {
            return None;
        }
        let (number, after) = prefixed(rest)?;
        match after {
            [b'.', next @ ..] if bits > 8 && number <= 0xff => {
                bits -= 8;
                address |= number << bits;
                rest = next;
            }
            [] => return last(address, number, bits),
            [byte, ..] if is_space(*byte) => return last(address, number, bits),
            _ => return None,
        }
    }
}

fn last(address: u32, number: u32, bits: u32) -> Option<Ipv4Addr> {
    let fits = u64::from(number) < 1 << bits;
    fits.then(|| Ipv4Addr::from(address | number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let names = Names::with_services("http 80/tcp www\ndomain 53/udp\n");
        let endpoint = endpoint(text.as_bytes(), Some(Protocol::TCP), &names)?;
        Some(match endpoint.port {
            Some(port) => format!("{} {port}", endpoint.address),
            None => endpoint.address.to_string(),
        })
    }

    #[test]
    fn address_and_port_in_every_form() {
        let table = [
            ("10.0.0.1:80", "10.0.0.1 80"),
            ("10.0.0.1:http", "10.0.0.1 80"),
            ("10.0.0.1:www", "10.0.0.1 80"),
            ("10.0.0.1: 80", "10.0.0.1 80"),
            ("10.1:80", "10.0.0.1 80"),
            ("0x0a000001:80", "10.0.0.1 80"),
            ("010.0.0.1:80", "8.0.0.1 80"),
            ("1234:80", "0.0.4.210 80"),
            ("1.2.65535:1", "1.2.255.255 1"),
            ("1.16777215:1", "1.255.255.255 1"),
            ("4294967295:1", "255.255.255.255 1"),
            ("10.0.0.1 foo:80", "10.0.0.1 80"),
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1:0", "10.0.0.1 0"),
            ("[2001:db8::1]:80", "2001:db8::1 80"),
            ("[2001:db8::1]:http", "2001:db8::1 80"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:db8::1:80", "2001:db8::1:80"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
            ("[10.0.0.1]:80", "10.0.0.1"),
            ("[10.0.0.1:90]:80", "10.0.0.1 90"),
        ];
        for (text, expected) in table {
            assert_eq!(read(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn invalid_address_is_refused() {
        let table = [
            "",
            "80",
            ":80",
            "10.0.0.1:",
            "10.0.0.1:65536",
            "10.0.0.1:-1",
            "10.0.0.1:0x50",
            "10.0.0.1:HTTP",
            "10.0.0.1:domain",
            "256.0.0.1:80",
            "1.2.3.4.5:80",
            "1.2.3:65536:",
            "1.2.65536:1",
            "1.16777216:1",
            "4294967296:1",
            "08.0.0.1:80",
            "1..2:80",
            "[2001:db8::1]",
            "[2001:db8::1]:",
            "[2001:db8::1",
            "[2001:db8::1]80",
            "[]:80",
            "1.2.3.:80",
        ];
        for text in table {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
