//! Settings that the kernel takes, and that a person hardly means.
//!
//! A reader of files warns of them, since the table that the file was written from may have them. A plan refuses to make
//! them anew.

use std::net::{IpAddr, Ipv4Addr};

use crate::model::{
    Destination, ForwardMethod, Granularity, Persistence, Protocol, Service, ServiceFlags, ServiceId, SyncDaemon,
    Thresholds, TunnelFlags, TunnelKind,
};

/// A setting that the kernel takes, and that a person hardly means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::desired) struct Oddity {
    /// The key of the setting in a file, such as `persistence.netmask`.
    pub(in crate::desired) key: &'static str,
    /// The problem, as the end of "… has", such as
    /// `one-packet scheduling, which is for udp and firewall marks only`.
    pub(in crate::desired) problem: String,
}

fn odd(key: &'static str, problem: impl Into<String>) -> Oddity {
    Oddity { key, problem: problem.into() }
}

/// Returns what is odd about a service; in the order of its keys.
pub(in crate::desired) fn oddities_of_service(service: &Service) -> Vec<Oddity> {
    let mut found = Vec::new();
    let protocol = service.id.protocol();
    if service.id.address().is_some_and(is_mapped) {
        found.push(odd("address", "an IPv4-mapped IPv6 address, which no packet carries: write the IPv4 address"));
    }
    if let Some(protocol) = protocol.filter(|it| ![Protocol::TCP, Protocol::UDP, Protocol::SCTP].contains(it)) {
        let problem = format!("the protocol {}; expected tcp, udp or sctp", protocol.number());
        found.push(odd("address", problem));
    }
    let unnamed = service.flags().difference(NAMED_FLAGS);
    if !unnamed.is_empty() {
        found.push(odd("sched-flags", format!("the scheduler flag {unnamed}, which has no meaning")));
    }
    let is_stream = matches!(protocol, Some(Protocol::TCP | Protocol::SCTP));
    if service.one_packet && is_stream {
        found.push(odd("one-packet", "one-packet scheduling, which is for udp and firewall marks only"));
    }
    if let Some(persistence) = service.persistence {
        if persistence.timeout_secs() == 0 {
            found.push(odd("persistence.timeout", "a persistence of 0 seconds, which is none; expected 1 or more"));
        }
        if persistence.timeout_secs() > Persistence::MAX_SECS {
            let problem =
                format!("a persistence that not every kernel can store; expected {} at most", Persistence::MAX_SECS);
            found.push(odd("persistence.timeout", problem));
        }
        if let Granularity::Mask(mask) = persistence.granularity
            && !is_contiguous(mask)
        {
            let problem = format!("the netmask {mask}; expected one without holes, such as 255.255.255.0");
            found.push(odd("persistence.netmask", problem));
        }
        if persistence.engine.is_some() && is_stream {
            found.push(odd("persistence.engine", "a persistence engine, which is for udp only"));
        }
    }
    found
}

/// Returns what is odd about a destination of a service; in the order of its keys.
pub(in crate::desired) fn oddities_of_destination(service: &ServiceId, destination: &Destination) -> Vec<Oddity> {
    let mut found = Vec::new();
    if is_mapped(destination.id.address()) {
        found.push(odd("address", "an IPv4-mapped IPv6 address, which no packet carries: write the IPv4 address"));
    }
    match destination.forward {
        ForwardMethod::Tunnel(tunnel) => {
            let kind = tunnel.kind();
            let fitting = match kind {
                TunnelKind::Gue => TunnelFlags::CHECKSUM | TunnelFlags::REMOTE_CHECKSUM,
                TunnelKind::Gre => TunnelFlags::CHECKSUM,
                _ => TunnelFlags::empty(),
            };
            if !matches!(kind, TunnelKind::Ipip | TunnelKind::Gue | TunnelKind::Gre) {
                found.push(odd("tunnel.type", format!("the tunnel type {}; expected ipip, gue or gre", kind.number())));
            }
            if tunnel.port().is_some() && kind != TunnelKind::Gue {
                let problem = format!("a tunnel port, which {kind} does not have: that is for gue");
                found.push(odd("tunnel.port", problem));
            }
            if !fitting.contains(tunnel.tunnel_flags()) {
                let expected = fitting_checksums(kind);
                let problem = format!("tunnel checksum flags that {kind} does not have; expected {expected}");
                found.push(odd("tunnel.checksum", problem));
            }
        }
        ForwardMethod::Unknown(unknown) => {
            let problem = format!("the forwarding method {}; expected direct, nat or tunnel", unknown.number());
            found.push(odd("forward", problem));
        }
        _ => {}
    }
    if destination.id.family() != service.family() && !matches!(destination.forward, ForwardMethod::Tunnel(_)) {
        let problem = "an address of the other family than its service, which takes forward: tunnel";
        found.push(odd("address", problem));
    }
    if !is_ordered(destination.thresholds) {
        let problem = "thresholds that are out of range; expected an upper one of 0 to 2147483647 and a lower one not \
                       above it";
        found.push(odd("thresholds", problem));
    }
    found
}

/// Returns what is odd about a synchronization daemon; in the order of its keys.
pub(in crate::desired) fn oddities_of_sync(daemon: &SyncDaemon) -> Vec<Oddity> {
    let mut found = Vec::new();
    if daemon.sync_id > 255 {
        found.push(odd("id", format!("the id {}, of which packets carry 8 bits; expected 0 to 255", daemon.sync_id)));
    }
    if daemon.max_len.is_some_and(|bytes| bytes.get() < 1024) {
        found.push(odd("maxlen", "a length that is too short for many messages; expected 1024 to 65535"));
    }
    found
}

/// The words for the checksum of a tunnel.
pub(in crate::desired) const fn fitting_checksums(kind: TunnelKind) -> &'static str {
    match kind {
        TunnelKind::Gue => "off, on or remote",
        TunnelKind::Gre => "off or on",
        _ => "off",
    }
}

/// The flags of a service that have a name.
const NAMED_FLAGS: ServiceFlags = ServiceFlags::PERSISTENT
    .union(ServiceFlags::HASHED)
    .union(ServiceFlags::ONE_PACKET)
    .union(ServiceFlags::SCHEDULER_1)
    .union(ServiceFlags::SCHEDULER_2)
    .union(ServiceFlags::SCHEDULER_3);

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

fn is_contiguous(mask: Ipv4Addr) -> bool {
    let bits = mask.to_bits();
    bits.leading_ones() + bits.trailing_zeros() >= 32
}

fn is_ordered(thresholds: Thresholds) -> bool {
    let number = |limit: Option<std::num::NonZeroU32>| limit.map_or(0, std::num::NonZeroU32::get);
    let (upper, lower) = (number(thresholds.upper()), number(thresholds.lower()));
    Thresholds::with_upper(upper).and_then(|thresholds| thresholds.with_lower(lower)).is_ok()
}
