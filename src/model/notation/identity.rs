use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::piece::{ADDRESS, after, clear_endpoint, end, endpoint, name_of, named, next, number, pad, url_endpoint};
use crate::model::{AddressFamily, DestinationId, ParseError, Protocol, ServiceId, ServiceKind};

impl fmt::Display for AddressFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(name_of(FAMILIES, self).unwrap_or_default())
    }
}

impl FromStr for AddressFamily {
    type Err = ParseError;

    /// `IPv4` or `IPv6`, in any case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        family(text).ok_or_else(|| ParseError::new("address family", text, "IPv4 or IPv6"))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name_of(PROTOCOLS, self) {
            Some(name) => f.pad(name),
            None => pad(f, format_args!("{NUMBERED}{}", self.number())),
        }
    }
}

impl FromStr for Protocol {
    type Err = ParseError;

    /// A name, or `IP_` and a number, in any case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        protocol(text).ok_or_else(|| ParseError::new("protocol", text, "TCP, UDP, SCTP, AH, ESP, or IP_ and a number"))
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            ServiceKind::Address { protocol, address, port } => {
                pad(f, format_args!("{protocol} {}", SocketAddr::new(address, port)))
            }
            ServiceKind::Mark { mark, family: AddressFamily::Ipv4 } => pad(f, format_args!("FWM {mark}")),
            ServiceKind::Mark { mark, family: AddressFamily::Ipv6 } => pad(f, format_args!("FWM {mark} IPv6")),
        }
    }
}

impl FromStr for ServiceId {
    type Err = ParseError;

    /// `TCP 192.0.2.10:80`, `tcp://192.0.2.10:80` and `-t 192.0.2.10:80` are the same service, as are
    /// `FWM 7 IPv6`, `fwmark6:7`, `fwmark:7:ipv6` and `-f 7 -6`. Addresses are taken [verbatim](ServiceId::verbatim).
    ///
    /// In a URL an IPv6 address stands in brackets. The forms of ipvsadm are read as ipvsadm does: `-t 2001:db8::1:80`
    /// is an address without a port. A port that is left out is 0 in any form, because that is how a service of port 0
    /// is written; the kernel does not schedule connections for such a service unless it is persistent.
    ///
    /// ```
    /// use ipvs_rs::ServiceId;
    ///
    /// let error = "tcp://2001:db8::1:80".parse::<ServiceId>().unwrap_err();
    /// assert_eq!(error.expected(), "an IPv6 address in brackets: [2001:db8::1]:80");
    /// assert_eq!("tcp://192.0.2.1".parse::<ServiceId>()?.port(), Some(0));
    /// # Ok::<(), ipvs_rs::model::ParseError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut words = text.split_whitespace();
        let head = next(SERVICE, &mut words, EXAMPLES)?;
        let id = if head.starts_with('-') {
            by_option(head, &mut words)?
        } else if let Some((scheme, rest)) = head.split_once(':') {
            by_scheme(scheme, rest)?
        } else {
            by_word(head, &mut words)?
        };
        end(SERVICE, words)?;
        Ok(id)
    }
}

impl fmt::Display for DestinationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}

impl FromStr for DestinationId {
    type Err = ParseError;

    /// `10.0.0.2:8080` or `[2001:db8::2]:8080`, [verbatim](DestinationId::verbatim); a port that is left out is 0.
    ///
    /// An IPv6 address with a port stands in brackets. Without a port the brackets are optional, unless its last group
    /// could be a port: `2001:db8::2:8080` is refused, `[2001:db8::2:8080]` is an address.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (address, port) = clear_endpoint("destination", text)?;
        Ok(Self::verbatim(address, port.unwrap_or(0)))
    }
}

/// The kind of value that an option of ipvsadm takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ServiceOption {
    Address(Protocol),
    Mark,
}

/// `-t`, `-u`, `-f`, and any `--PROTOCOL-service`, of which ipvsadm has three.
pub(super) fn service_option(name: &str) -> Option<ServiceOption> {
    match name {
        "-t" => Some(ServiceOption::Address(Protocol::TCP)),
        "-u" => Some(ServiceOption::Address(Protocol::UDP)),
        "-f" | "--fwmark-service" => Some(ServiceOption::Mark),
        _ => protocol(name.strip_prefix("--")?.strip_suffix("-service")?).map(ServiceOption::Address),
    }
}

/// The value of an option that [`service_option`] knows; `family` counts for a mark only.
pub(super) fn service_id(option: ServiceOption, value: &str, family: AddressFamily) -> Result<ServiceId, ParseError> {
    match option {
        ServiceOption::Address(protocol) => addressed(protocol, value),
        ServiceOption::Mark => marked(value, family),
    }
}

fn by_option<'a>(head: &'a str, words: &mut impl Iterator<Item = &'a str>) -> Result<ServiceId, ParseError> {
    let (name, value) = match head.split_once('=') {
        Some((name, value)) if name.starts_with("--") => (name, Some(value)),
        _ => (head, None),
    };
    let option = service_option(name).ok_or_else(|| ParseError::new(SERVICE, name, EXAMPLES))?;
    let expected = match option {
        ServiceOption::Address(_) => ADDRESS,
        ServiceOption::Mark => MARK,
    };
    let value = value.map_or_else(|| next(SERVICE, words, expected), Ok)?;
    let family = match (option, words.next()) {
        (_, None) => AddressFamily::Ipv4,
        (ServiceOption::Mark, Some("-6" | "--ipv6")) => AddressFamily::Ipv6,
        (ServiceOption::Mark, Some(word)) => return Err(ParseError::new(SERVICE, word, "-6, or nothing more")),
        (ServiceOption::Address(_), Some(word)) => return Err(ParseError::new(SERVICE, word, "nothing more")),
    };
    service_id(option, value, family)
}

fn by_scheme(scheme: &str, rest: &str) -> Result<ServiceId, ParseError> {
    if scheme.eq_ignore_ascii_case("fwmark6") {
        return marked(rest, AddressFamily::Ipv6);
    }
    if is_mark(scheme) {
        return match rest.split_once(':') {
            Some((mark, word)) => marked(mark, mark_family(word)?),
            None => marked(rest, AddressFamily::Ipv4),
        };
    }
    let protocol = protocol(scheme).ok_or_else(|| ParseError::new(SERVICE, scheme, EXAMPLES))?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (address, port) = url_endpoint(SERVICE, rest)?;
    Ok(ServiceId::verbatim(protocol, address, port.unwrap_or(0)))
}

fn by_word<'a>(head: &str, words: &mut impl Iterator<Item = &'a str>) -> Result<ServiceId, ParseError> {
    if is_mark(head) {
        let mark = next(SERVICE, words, MARK)?;
        let family = words.next().map_or(Ok(AddressFamily::Ipv4), mark_family)?;
        return marked(mark, family);
    }
    let protocol = protocol(head).ok_or_else(|| ParseError::new(SERVICE, head, EXAMPLES))?;
    addressed(protocol, next(SERVICE, words, ADDRESS)?)
}

fn addressed(protocol: Protocol, text: &str) -> Result<ServiceId, ParseError> {
    let (address, port) = endpoint(SERVICE, text)?;
    Ok(ServiceId::verbatim(protocol, address, port.unwrap_or(0)))
}

fn marked(text: &str, family: AddressFamily) -> Result<ServiceId, ParseError> {
    let mark = number(text).ok_or_else(|| ParseError::new(SERVICE, text, MARK))?;
    ServiceId::fwmark(mark, family).map_err(|reason| ParseError::invalid(SERVICE, text, &reason))
}

fn mark_family(word: &str) -> Result<AddressFamily, ParseError> {
    family(word).ok_or_else(|| ParseError::new(SERVICE, word, "IPv4 or IPv6, or nothing more"))
}

fn is_mark(word: &str) -> bool {
    word.eq_ignore_ascii_case("FWM") || word.eq_ignore_ascii_case("fwmark")
}

fn family(text: &str) -> Option<AddressFamily> {
    named(FAMILIES, text)
}

fn protocol(text: &str) -> Option<Protocol> {
    named(PROTOCOLS, text).or_else(|| number(after(NUMBERED, text)?).map(Protocol::from_number))
}

const FAMILIES: [(&str, AddressFamily); 2] = [("IPv4", AddressFamily::Ipv4), ("IPv6", AddressFamily::Ipv6)];

const PROTOCOLS: [(&str, Protocol); 5] = [
    ("TCP", Protocol::TCP),
    ("UDP", Protocol::UDP),
    ("SCTP", Protocol::SCTP),
    ("AH", Protocol::AH),
    ("ESP", Protocol::ESP),
];
/// Before the number of any other protocol.
const NUMBERED: &str = "IP_";

const SERVICE: &str = "service";
const MARK: &str = "a firewall mark of 1 to 4294967295";
const EXAMPLES: &str = "a service such as TCP 192.0.2.10:80, tcp://192.0.2.10:80, -t 192.0.2.10:80 or FWM 7";
