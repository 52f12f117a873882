use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::escaped;
use super::setters::setters;
use crate::model::{AddressFamily, Protocol, ServiceId, ServiceKind};

/// The part of a table that is managed; services outside are neither compared nor deleted.
///
/// Without a pattern in [`manage`](Self::manage) that is the whole table, except for the services in
/// [`ignore`](Self::ignore).
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Scope {
    /// A service that fits one of these is managed; if there is none, every service is.
    pub manage: Vec<Pattern>,
    /// A service that fits one of these is not managed after all.
    pub ignore: Vec<Pattern>,
}

impl Scope {
    /// The whole table.
    pub const fn all() -> Self {
        Self { manage: Vec::new(), ignore: Vec::new() }
    }

    setters! {
        /// Adds a pattern of services that are managed.
        manage(pattern: Pattern) |it| it.manage.push(pattern);
        /// Adds a pattern of services that are not managed after all.
        ignore(pattern: Pattern) |it| it.ignore.push(pattern);
    }

    /// Whether a service is managed.
    pub fn covers(&self, service: &ServiceId) -> bool {
        let fits = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(service));
        (self.manage.is_empty() || fits(&self.manage)) && !fits(&self.ignore)
    }
}

/// Some services: those of a protocol, of a network, of ports, or those of some firewall marks.
///
/// Written `tcp://192.0.2.0/24:80-90`, `*://[2001:db8::]/32`, `udp://192.0.2.1:*`, `fwmark:100-199`, `fwmark6:*`. Ports
/// that are left out are all ports. A protocol goes by its name or its number: `esp://*`, `ip_47://*`, `47://*`.
/// `Display` and `FromStr` are inverse.
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::Pattern;
///
/// let web: Pattern = "tcp://192.0.2.0/24:80-90".parse()?;
/// assert!(web.matches(&"tcp://192.0.2.7:80".parse()?));
/// assert!(!web.matches(&"tcp://192.0.2.7:443".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Pattern(Kind);

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Kind {
    Address { protocol: Option<Protocol>, network: Option<(IpAddr, u8)>, ports: Range },
    Mark { family: AddressFamily, marks: Range },
}

/// Numbers from one to another, both included.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Range {
    first: u32,
    last: u32,
}

/// A text that is not a valid pattern.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{}\" is not a pattern for services: {problem}", escaped(.text))]
pub struct PatternError {
    text: String,
    problem: &'static str,
}

impl Range {
    const PORTS: Self = Self { first: 0, last: 65_535 };
    const MARKS: Self = Self { first: 1, last: u32::MAX };

    const fn contains(self, number: u32) -> bool {
        self.first <= number && number <= self.last
    }

    /// A number, two numbers with a dash between them, or a star.
    fn parse(text: &str, all: Self) -> Option<Self> {
        if text == "*" {
            return Some(all);
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = Self { first: number(first)?, last: number(last)? };
        (all.first <= range.first && range.first <= range.last && range.last <= all.last).then_some(range)
    }

    fn text(self, all: Self) -> String {
        match self {
            _ if self == all => "*".to_owned(),
            Self { first, last } if first == last => first.to_string(),
            Self { first, last } => format!("{first}-{last}"),
        }
    }
}

impl Pattern {
    /// Whether a service matches.
    pub fn matches(&self, service: &ServiceId) -> bool {
        match (self.0, service.kind()) {
            (Kind::Address { protocol, network, ports }, ServiceKind::Address { protocol: its, address, port }) => {
                protocol.is_none_or(|protocol| protocol == its)
                    && network.is_none_or(|(network, bits)| shares(network, address, bits))
                    && ports.contains(port.into())
            }
            (Kind::Mark { family, marks }, ServiceKind::Mark { mark, family: its }) => {
                family == its && marks.contains(mark.get())
            }
            _ => false,
        }
    }
}

/// Whether the first bits of two addresses are the same.
fn shares(network: IpAddr, address: IpAddr, bits: u8) -> bool {
    let (longest, differing) = match (network, address) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (32, (one.to_bits() ^ other.to_bits()).into()),
        (IpAddr::V6(one), IpAddr::V6(other)) => (128, one.to_bits() ^ other.to_bits()),
        _ => return false,
    };
    differing.checked_shr(u32::saturating_sub(longest, bits.into())).unwrap_or(0) == 0_u128
}

/// The family of a firewall mark, or of several, and the text behind it.
pub(in crate::desired) fn strip_mark(text: &str) -> Option<(AddressFamily, &str)> {
    let prefixes = [("fwmark:", AddressFamily::Ipv4), ("fwmark6:", AddressFamily::Ipv6)];
    prefixes.into_iter().find_map(|(prefix, family)| Some((family, text.strip_prefix(prefix)?)))
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Address { protocol, network, ports } => {
                let protocol = protocol.map_or("*".to_owned(), |protocol| protocol.to_string().to_ascii_lowercase());
                write!(f, "{protocol}://")?;
                match network {
                    None => f.write_str("*")?,
                    Some((IpAddr::V4(address), 32)) => write!(f, "{address}")?,
                    Some((IpAddr::V4(address), bits)) => write!(f, "{address}/{bits}")?,
                    Some((IpAddr::V6(address), 128)) => write!(f, "[{address}]")?,
                    Some((IpAddr::V6(address), bits)) => write!(f, "[{address}]/{bits}")?,
                }
                if ports == Range::PORTS { Ok(()) } else { write!(f, ":{}", ports.text(Range::PORTS)) }
            }
            Kind::Mark { family, marks } => {
                let prefix = if family == AddressFamily::Ipv6 { "fwmark6" } else { "fwmark" };
                write!(f, "{prefix}:{}", marks.text(Range::MARKS))
            }
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        parse(text).map(Self).map_err(|problem| PatternError { text: text.to_owned(), problem })
    }
}

fn parse(text: &str) -> Result<Kind, &'static str> {
    if let Some((family, marks)) = strip_mark(text) {
        let marks = Range::parse(marks, Range::MARKS).ok_or("marks are 7, 7-9 or *")?;
        return Ok(Kind::Mark { family, marks });
    }
    let (protocol, rest) = text
        .split_once("://")
        .ok_or("expected something like tcp://192.0.2.0/24:80, *://[2001:db8::]/32 or fwmark:1-9")?;
    let protocol = match protocol {
        "*" => None,
        name => {
            let protocol = number(name).map(Protocol::from_number).or_else(|| name.parse().ok());
            Some(protocol.ok_or("protocols are tcp, udp, sctp, ah, esp, a number of 0 to 65535 and *")?)
        }
    };
    let is_v6 = rest.starts_with('[');
    let (address, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or("the bracket of the address is not closed")?,
        None => rest.split_at(rest.find(['/', ':']).unwrap_or(rest.len())),
    };
    let (bits, ports) = rest.split_once(':').map_or((rest, None), |(bits, ports)| (bits, Some(ports)));
    let network = if address == "*" && bits.is_empty() {
        None
    } else {
        let address: IpAddr = address.parse().ok().ok_or("this is not a valid IP address")?;
        if address.is_ipv6() != is_v6 {
            return Err("IPv6 addresses, and no others, stand in brackets");
        }
        let longest = if is_v6 { 128 } else { 32 };
        let bits = match bits.strip_prefix('/') {
            None if bits.is_empty() => longest,
            None => return Err("expected a slash or a colon after the address"),
            Some(bits) => {
                number(bits).filter(|bits| *bits <= longest).ok_or("a prefix length is 0 to 32, for IPv6 0 to 128")?
            }
        };
        Some((address, bits))
    };
    let ports = match ports {
        None => Range::PORTS,
        Some(ports) => Range::parse(ports, Range::PORTS).ok_or("ports are 80, 80-90 or *")?,
    };
    Ok(Kind::Address { protocol, network, ports })
}

/// A number without a sign.
fn number<N: FromStr>(digits: &str) -> Option<N> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}
