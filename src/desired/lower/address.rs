use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::version::Version;
use crate::model::{AddressFamily, DestinationId, Protocol, ServiceId};

/// An address of a service as it is written.
#[derive(Debug)]
pub(super) enum Written {
    Address { protocol: Protocol, address: IpAddr, port: Option<u16> },
    Mark { mark: u32, family: Option<AddressFamily> },
}

impl Written {
    /// Reads `tcp://192.0.2.10:80`, `udp://[2001:db8::1]`, `fwmark:7`; slashes and blanks at the end are dropped.
    pub(super) fn parse(text: &str, version: Version) -> Result<Self, String> {
        let whole = text;
        let text = text.trim_end_matches(['/', ' ', '\t', '\n', '\r']);
        let form = || {
            let brackets = match whole.split_once("://") {
                Some((_, rest)) if !rest.starts_with('[') && rest.matches(':').count() > 1 => {
                    " IPv6 addresses stand in brackets."
                }
                _ => "",
            };
            format!(
                "unable to parse address ({whole}). Must be of format <proto>://<host>[:port] or fwmark:<id>.{brackets}"
            )
        };
        let mark = |digits: &str, family| {
            if digits.is_empty() || !is_decimal(digits) {
                return Err(form());
            }
            let mark = digits.parse().ok().filter(|mark| *mark <= version.last_mark());
            match mark {
                Some(0) => {
                    Err("unable to parse address (). Not an IP address. Firewall marks begin with 1.".to_owned())
                }
                Some(mark) => Ok(Self::Mark { mark, family }),
                None => Err(match version {
                    Version::One => "unable to parse address (). Invalid fwmark number. Marks above 65535 take \
                                     version: 2."
                        .to_owned(),
                    Version::Two => "unable to parse address (). Invalid fwmark number.".to_owned(),
                }),
            }
        };
        if let Some(digits) = text.strip_prefix("fwmark:") {
            return mark(digits, None);
        }
        if let Some(digits) = text.strip_prefix("fwmark6:") {
            return mark(digits, Some(AddressFamily::Ipv6));
        }
        let (protocol, rest) = text.split_once("://").ok_or_else(form)?;
        let protocol = match protocol {
            "tcp" => Protocol::TCP,
            "udp" => Protocol::UDP,
            "sctp" => Protocol::SCTP,
            _ => return Err(form()),
        };
        let Endpoint { host, is_bracketed, port } = Endpoint::split(rest).ok_or_else(form)?;
        let address = parse_host(host, is_bracketed)
            .ok_or_else(|| format!("unable to parse address ({host}). Not an IP address."))?;
        let port = match port.map(parse_port) {
            None => None,
            Some(Some(Ok(port))) => Some(port),
            Some(Some(Err(number))) => return Err(format!("invalid port ({number}) for service {whole}.")),
            Some(None) => return Err(form()),
        };
        Ok(Self::Address { protocol, address, port })
    }

    /// The identity, with a port for an address that has none.
    pub(super) fn id(&self, family: Option<AddressFamily>, default_port: Option<u16>) -> Result<ServiceId, String> {
        match *self {
            Self::Address { protocol, address, port } => {
                let port = port.filter(|port| *port != 0).or(default_port).unwrap_or(0);
                ServiceId::new(protocol, SocketAddr::new(address, port))
                    .map_err(|reason| format!("unable to parse address ({address}). {reason}."))
            }
            Self::Mark { mark, family: written } => {
                let family = written.or(family).unwrap_or(AddressFamily::Ipv4);
                ServiceId::fwmark(mark, family).map_err(|reason| format!("unable to parse address (). {reason}."))
            }
        }
    }
}

/// Reads the address of a destination of a service: `10.0.0.2:8080`, `[2001:db8::2]`.
///
/// A port that is not written is the default one, or that of the service. Port 0 is the default one as well; where there is
/// none it stays what it is.
pub(super) fn destination(
    text: &str,
    service: Option<ServiceId>,
    service_text: &str,
    default_port: Option<u16>,
) -> Result<DestinationId, String> {
    let whole = text;
    let text = text.trim_end_matches(['/', ' ', '\t', '\n', '\r']);
    let form = || format!("unable to parse address ({whole}) for service {service_text}. Check host and port.");
    let Endpoint { host, is_bracketed, port } = Endpoint::split(text).ok_or_else(form)?;
    let address = parse_host(host, is_bracketed)
        .ok_or_else(|| format!("unable to parse address ({host}) for service {service_text}. Not an IP address."))?;
    let own = match port.map(parse_port) {
        None => None,
        Some(Some(Ok(port))) => Some(port),
        Some(Some(Err(number))) => {
            return Err(format!("invalid port ({number}) for destination {whole} in service {service_text}."));
        }
        Some(None) => return Err(form()),
    };
    let port = match own {
        Some(0) => default_port.unwrap_or(0),
        Some(port) => port,
        None => default_port.or_else(|| service?.port()).unwrap_or(0),
    };
    DestinationId::new(SocketAddr::new(address, port))
        .map_err(|reason| format!("unable to parse address ({host}) for service {service_text}. {reason}."))
}

struct Endpoint<'a> {
    host: &'a str,
    is_bracketed: bool,
    port: Option<&'a str>,
}

impl<'a> Endpoint<'a> {
    fn split(text: &'a str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']')?;
            let port = rest.strip_prefix(':');
            return (port.is_some() || rest.is_empty()).then_some(Self { host, is_bracketed: true, port });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        (!port.is_some_and(|port| port.contains(':'))).then_some(Self { host, is_bracketed: false, port })
    }
}

fn parse_host(host: &str, is_bracketed: bool) -> Option<IpAddr> {
    if is_bracketed {
        host.parse().ok().map(|address: Ipv6Addr| address.into())
    } else {
        host.parse().ok().map(|address: Ipv4Addr| address.into())
    }
}

/// A port, or the number that is none; nothing for what is no number.
fn parse_port(text: &str) -> Option<Result<u16, &str>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !is_decimal(digits) {
        return None;
    }
    Some(text.parse().ok().ok_or(text))
}

fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
