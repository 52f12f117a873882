use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::{AddressFamily, DestinationId, Protocol, ServiceId};

/// The address of a service as somebody wrote it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ServiceAddress {
    /// A port of 0 is none.
    Address { protocol: Protocol, address: IpAddr, port: u16 },
    /// `fwmark6:` says the family as well.
    Mark { mark: u32, family: Option<AddressFamily> },
}

/// The address of a destination as somebody wrote it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DestinationAddress {
    pub(super) address: IpAddr,
    pub(super) port: Option<u16>,
}

/// What is wrong with the address of a destination.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Wrong {
    Form,
    Bracketless,
    Host(String),
    Port(String),
    Unusable(String),
}

impl ServiceAddress {
    pub(super) fn parse(text: &str, max_mark: u32) -> Result<Self, String> {
        let form =
            format!("unable to parse address ({text}). Must be of format <proto>://<host>[:port] or fwmark:<id>.");
        let address = text.trim_end_matches(['/', ' ', '\t']);
        for (prefix, family) in [("fwmark:", None), ("fwmark6:", Some(AddressFamily::Ipv6))] {
            if let Some(digits) = address.strip_prefix(prefix) {
                return mark(digits, max_mark, &form).map(|mark| Self::Mark { mark, family });
            }
        }
        let Some((protocol, rest)) = address.split_once("://") else { return Err(form) };
        let protocol = match protocol {
            "tcp" => Protocol::TCP,
            "udp" => Protocol::UDP,
            "sctp" => Protocol::SCTP,
            _ => return Err(form),
        };
        let (host, port) = split(rest).map_err(|wrong| match wrong {
            Wrong::Port(port) => format!("invalid port ({port}) for service {text}."),
            Wrong::Bracketless => format!("{form} IPv6 addresses stand in brackets: [2001:db8::1]:80."),
            Wrong::Host(host) => format!("unable to parse address ({host}). Not an IP address."),
            Wrong::Form | Wrong::Unusable(_) => form,
        })?;
        let port = port.unwrap_or(0);
        let checked = ServiceId::new(protocol, SocketAddr::new(host, port));
        checked.map_err(|reason| format!("unable to parse address ({text}). {reason}."))?;
        Ok(Self::Address { protocol, address: host, port })
    }
}

fn mark(digits: &str, max_mark: u32, form: &str) -> Result<u32, String> {
    let (is_negative, unsigned) = match digits.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, digits),
    };
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(form.to_owned());
    }
    match unsigned.parse::<u32>() {
        Ok(0) => Err("unable to parse address (). Not an IP address.".to_owned()),
        Ok(mark) if mark <= max_mark && !is_negative => Ok(mark),
        _ => Err("unable to parse address (). Invalid fwmark number.".to_owned()),
    }
}

impl DestinationAddress {
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let (address, port) = split(text)?;
        let checked = DestinationId::new(SocketAddr::new(address, port.unwrap_or(0)));
        checked.map_err(|reason| Wrong::Unusable(reason.to_string()))?;
        Ok(Self { address, port })
    }
}

/// Host and port.
fn split(text: &str) -> Result<(IpAddr, Option<u16>), Wrong> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(Wrong::Form)?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(parse_port(port)?),
            None if rest.is_empty() => None,
            None => return Err(Wrong::Form),
        };
        let host = host.parse::<Ipv6Addr>().ok().ok_or_else(|| Wrong::Host(host.to_owned()))?;
        return Ok((host.into(), port));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(Wrong::Bracketless);
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(parse_port(port)?)),
        None => (text, None),
    };
    if host.is_empty() {
        return Err(Wrong::Form);
    }
    let host = host.parse::<Ipv4Addr>().ok().ok_or_else(|| Wrong::Host(host.to_owned()))?;
    Ok((host.into(), port))
}

fn parse_port(text: &str) -> Result<u16, Wrong> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::Form);
    }
    text.parse().ok().ok_or_else(|| Wrong::Port(text.to_owned()))
}
