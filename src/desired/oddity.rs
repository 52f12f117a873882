//! Settings that the kernel takes, and that are hardly ever intended.
//!
//! A reader of files warns of them, since the table that the file was written from may have them. A plan refuses to add
//! them.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

use crate::model::{
    Destination, ForwardMethod, Granularity, Persistence, Protocol, Service, ServiceId, SyncDaemon, Thresholds,
    TunnelFlags, TunnelKind,
};

/// A setting that the kernel takes, and that is hardly ever intended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::desired) struct Oddity {
    /// The key of the setting in a file, such as `persistence.netmask`.
    pub(in crate::desired) key: &'static str,
    /// The problem, as the end of "… has", such as
    /// `one-packet scheduling, which is for udp and firewall marks only`.
    pub(in crate::desired) problem: String,
}

/// The oddities of an object.
#[derive(Default)]
struct Oddities(Vec<Oddity>);

impl Oddities {
    fn note(&mut self, is_odd: bool, key: &'static str, problem: impl Display) {
        if is_odd {
            self.0.push(Oddity { key, problem: problem.to_string() });
        }
    }
}

const MAPPED: &str = "an IPv4-mapped IPv6 address, which no packet carries: write the IPv4 address";

/// Returns the oddities of a service, in the order of its keys.
pub(in crate::desired) fn oddities_of_service(service: &Service) -> Vec<Oddity> {
    let mut found = Oddities::default();
    let protocol = service.id.protocol();
    found.note(service.id.address().is_some_and(is_mapped), "address", MAPPED);
    if let Some(protocol) = protocol {
        let is_odd = ![Protocol::TCP, Protocol::UDP, Protocol::SCTP].contains(&protocol);
        found.note(is_odd, "address", format_args!("the protocol {}; expected tcp, udp or sctp", protocol.number()));
    }
    let flags = service.flags();
    let unnamed = flags.iter_names().fold(flags, |unnamed, (_, named)| unnamed.difference(named));
    found.note(!unnamed.is_empty(), "sched-flags", format_args!("the scheduler flag {unnamed}, which has no meaning"));
    let is_stream = matches!(protocol, Some(Protocol::TCP | Protocol::SCTP));
    let problem = "one-packet scheduling, which is for udp and firewall marks only";
    found.note(service.one_packet && is_stream, "one-packet", problem);
    if let Some(persistence) = service.persistence {
        let (seconds, longest) = (persistence.timeout_secs(), Persistence::MAX_SECS);
        let problem = "a persistence of 0 seconds; expected 1 or more";
        found.note(seconds == 0, "persistence.timeout", problem);
        found.note(
            seconds > longest,
            "persistence.timeout",
            format_args!("a persistence that not every kernel can store; expected {longest} at most"),
        );
        if let Granularity::Mask(mask) = persistence.granularity {
            found.note(
                !is_contiguous(mask),
                "persistence.netmask",
                format_args!("the netmask {mask}; expected one without holes, such as 255.255.255.0"),
            );
        }
        let problem = "a persistence engine, which is for udp only";
        found.note(persistence.engine.is_some() && is_stream, "persistence.engine", problem);
    }
    found.0
}

/// Returns the oddities of a destination of a service, in the order of its keys.
pub(in crate::desired) fn oddities_of_destination(service: &ServiceId, destination: &Destination) -> Vec<Oddity> {
    let mut found = Oddities::default();
    found.note(is_mapped(destination.id.address()), "address", MAPPED);
    let mut is_tunnel = false;
    match destination.forward {
        ForwardMethod::Tunnel(tunnel) => {
            is_tunnel = true;
            let kind = tunnel.kind();
            let (fitting, words) = fitting_checksums(kind);
            let is_known = matches!(kind, TunnelKind::Ipip | TunnelKind::Gue | TunnelKind::Gre);
            found.note(
                !is_known,
                "tunnel.type",
                format_args!("the tunnel type {}; expected ipip, gue or gre", kind.number()),
            );
            found.note(
                tunnel.port().is_some() && kind != TunnelKind::Gue,
                "tunnel.port",
                format_args!("a tunnel port, which {kind} does not have: that is for gue"),
            );
            found.note(
                !fitting.contains(tunnel.tunnel_flags()),
                "tunnel.checksum",
                format_args!("tunnel checksum flags that {kind} does not have; expected {words}"),
            );
        }
        ForwardMethod::Unknown(unknown) => {
            let number = unknown.number();
            found.note(true, "forward", format_args!("the forwarding method {number}; expected direct, nat or tunnel"));
        }
        _ => {}
    }
    let problem = "an address of the other family than its service, which takes forward: tunnel";
    found.note(destination.id.family() != service.family() && !is_tunnel, "address", problem);
    let problem =
        "thresholds that are out of range; expected an upper one of 0 to 2147483647 and a lower one not above it";
    found.note(!is_ordered(destination.thresholds), "thresholds", problem);
    found.0
}

/// Returns the oddities of a synchronization daemon, in the order of its keys.
pub(in crate::desired) fn oddities_of_sync(daemon: &SyncDaemon) -> Vec<Oddity> {
    let mut found = Oddities::default();
    found.note(
        daemon.sync_id > 255,
        "id",
        format_args!("the id {}, of which packets carry 8 bits; expected 0 to 255", daemon.sync_id),
    );
    let problem = "a length that is too short for many messages; expected 1024 to 65535";
    found.note(daemon.max_len.is_some_and(|bytes| bytes.get() < 1024), "maxlen", problem);
    found.0
}

/// The flags for the checksum of a tunnel, and their words.
pub(in crate::desired) fn fitting_checksums(kind: TunnelKind) -> (TunnelFlags, &'static str) {
    match kind {
        TunnelKind::Gue => (TunnelFlags::CHECKSUM | TunnelFlags::REMOTE_CHECKSUM, "off, on or remote"),
        TunnelKind::Gre => (TunnelFlags::CHECKSUM, "off or on"),
        _ => (TunnelFlags::empty(), "off"),
    }
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

fn is_contiguous(mask: Ipv4Addr) -> bool {
    let bits = mask.to_bits();
    bits.leading_ones() + bits.trailing_zeros() >= 32
}

fn is_ordered(thresholds: Thresholds) -> bool {
    let [upper, lower] = [thresholds.upper(), thresholds.lower()].map(|limit| limit.map_or(0, NonZeroU32::get));
    Thresholds::with_upper(upper).and_then(|thresholds| thresholds.with_lower(lower)).is_ok()
}
