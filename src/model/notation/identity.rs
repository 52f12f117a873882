use std::fmt;
use std::net::SocketAddr;

use super::piece::pad;
use crate::model::{AddressFamily, DestinationId, Protocol, ServiceId, ServiceKind};

impl fmt::Display for AddressFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TCP => f.pad("TCP"),
            Self::UDP => f.pad("UDP"),
            Self::SCTP => f.pad("SCTP"),
            Self::AH => f.pad("AH"),
            Self::ESP => f.pad("ESP"),
            other => pad(f, format_args!("IP_{}", other.number())),
        }
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

impl fmt::Display for DestinationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}
