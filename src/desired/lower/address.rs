use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use crate::desired::scope::strip_mark;
use crate::desired::settings::Version;
use crate::desired::{Escaped, escaped};
use crate::model::{DestinationId, ServiceId, ServiceKind};

/// Reads the address of a service, with port 0 if it has none: `tcp://192.0.2.10:80`, `udp://[2001:db8::1]`, `ip_47://…`,
/// `fwmark:7`; slashes and blanks at the end are dropped.
pub(super) fn service(text: &str, version: Version) -> Result<ServiceKind, String> {
    let whole = escaped(text);
    let form = || {
        let brackets = match text.split_once("://") {
            Some((_, rest)) if !rest.starts_with('[') && rest.matches(':').count() > 1 => {
                " IPv6 addresses stand in brackets."
            }
            _ => "",
        };
        format!(
            "unable to parse address ({whole}). Must be of format <proto>://<host>[:port] or fwmark:<id>.{brackets}"
        )
    };
    let text = trimmed(text);
    if let Some((family, digits)) = strip_mark(text) {
        if digits.is_empty() || !is_decimal(digits) {
            return Err(form());
        }
        let mark = digits.parse().ok().filter(|mark| *mark <= version.last_mark()).ok_or_else(|| {
            let hint = if version == Version::One { " Marks above 65535 take version: 2." } else { "" };
            format!("unable to parse address (). Invalid fwmark number.{hint}")
        })?;
        let mark = NonZeroU32::new(mark)
            .ok_or("unable to parse address (). Not an IP address. Firewall marks begin with 1.")?;
        return Ok(ServiceKind::Mark { mark, family });
    }
    let (protocol, rest) = text.split_once("://").ok_or_else(form)?;
    // Every name that is printed: the words are those of the model in lower case.
    let is_lower = !protocol.bytes().any(|byte| byte.is_ascii_uppercase());
    let protocol = protocol.parse().ok().filter(|_| is_lower).ok_or_else(form)?;
    let (address, port) = endpoint(rest).map_err(|flaw| match flaw {
        AddressError::Form => form(),
        AddressError::Host(host) => format!("unable to parse address ({}). Not an IP address.", escaped(host)),
        AddressError::Port(port) => format!("invalid port ({}) for service {whole}.", escaped(port)),
    })?;
    Ok(ServiceKind::Address { protocol, address, port: port.unwrap_or(0) })
}

/// Reads the address of a destination of a service: `10.0.0.2:8080`, `[2001:db8::2]`.
///
/// A missing port is the default one, or that of the service. Port 0 means the default one as well; without a default
/// it stays 0.
pub(super) fn destination(
    text: &str,
    service: Option<ServiceId>,
    service_text: Escaped<'_>,
    default_port: Option<u16>,
) -> Result<DestinationId, String> {
    let whole = escaped(text);
    let (address, own) = endpoint(trimmed(text)).map_err(|flaw| match flaw {
        AddressError::Form => {
            format!("unable to parse address ({whole}) for service {service_text}. Check host and port.")
        }
        AddressError::Host(host) => {
            format!("unable to parse address ({}) for service {service_text}. Not an IP address.", escaped(host))
        }
        AddressError::Port(port) => {
            format!("invalid port ({}) for destination {whole} in service {service_text}.", escaped(port))
        }
    })?;
    let port = match own {
        Some(0) => default_port.unwrap_or(0),
        Some(port) => port,
        None => default_port.or_else(|| service?.port()).unwrap_or(0),
    };
    Ok(DestinationId::verbatim(address, port))
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches(['/', ' ', '\t', '\n', '\r'])
}

/// The mistake in an address.
enum AddressError<'a> {
    Form,
    Host(&'a str),
    Port(&'a str),
}

/// Reads an address, an IPv6 one in brackets, and perhaps a port.
fn endpoint(text: &str) -> Result<(IpAddr, Option<u16>), AddressError<'_>> {
    let (host, rest, address) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(AddressError::Form)?;
        (host, rest, host.parse().map(|address: Ipv6Addr| address.into()))
    } else {
        let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
        (host, rest, host.parse().map(|address: Ipv4Addr| address.into()))
    };
    let port = rest.strip_prefix(':');
    if port.map_or(!rest.is_empty(), |port| port.contains(':')) {
        return Err(AddressError::Form);
    }
    let address = address.ok().ok_or(AddressError::Host(host))?;
    let Some(port) = port else { return Ok((address, None)) };
    let digits = port.strip_prefix('-').unwrap_or(port);
    if digits.is_empty() || !is_decimal(digits) {
        return Err(AddressError::Form);
    }
    Ok((address, Some(port.parse().ok().ok_or(AddressError::Port(port))?)))
}

fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
