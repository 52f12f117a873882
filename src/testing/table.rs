//! The objects of IPVS: services and destinations.

use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::time::Duration;

use super::answer::Writer;
use super::counters::Counters;
use super::release::Release;

pub(super) const AF_INET: u16 = 2;
pub(super) const AF_INET6: u16 = 10;
pub(super) const TCP: u16 = 6;
/// Ticks in a second of the simulated kernels.
pub(super) const HZ: u32 = 250;
/// The flag of a service that only the kernel sets (`IP_VS_SVC_F_HASHED`).
pub(super) const HASHED: u32 = 0x2;

/// The key of a service. With a mark other than 0 the mark is the identity, the protocol is TCP and the address zero.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct ServiceKey {
    pub(super) mark: u32,
    pub(super) family: u16,
    pub(super) protocol: u16,
    pub(super) address: [u8; 16],
    pub(super) port: u16,
}

/// The position of a service in the order of a list.
///
/// The kernel's order is that of a hash that changes from boot to boot. Before Linux 7 one table holds the services of
/// all namespaces, those with an address before those with a mark; from Linux 7 on each namespace has its own table.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    pub(super) table: u32,
    is_mark: bool,
    hash: u64,
    pub(super) namespace: u32,
    pub(super) key: ServiceKey,
}

impl Place {
    pub(super) fn of(key: ServiceKey, namespace: u32, release: Release, seed: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, namespace, key).hash(&mut hasher);
        let is_shared = release.shares_the_table();
        Self {
            table: if is_shared { 0 } else { namespace },
            is_mark: is_shared && key.mark != 0,
            hash: hasher.finish(),
            namespace,
            key,
        }
    }

    /// The position before all services of a table.
    pub(super) fn first_of(table: u32) -> Self {
        let key = ServiceKey { mark: 0, family: 0, protocol: 0, address: [0; 16], port: 0 };
        Self { table, is_mark: false, hash: 0, namespace: 0, key }
    }
}

/// A service.
#[derive(Clone, Debug)]
pub(super) struct Service {
    /// A number that distinguishes this service from earlier ones with the same key.
    pub(super) instance: u64,
    pub(super) settings: Settings,
    /// Newest first.
    pub(super) destinations: VecDeque<Destination>,
    pub(super) counters: Counters,
}

/// The settings of a service.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) scheduler: Vec<u8>,
    pub(super) engine: Option<Vec<u8>>,
    pub(super) flags: u32,
    /// In ticks, modulo 2³².
    pub(super) timeout: u32,
    pub(super) netmask: [u8; 4],
}

/// The key of a destination within a service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DestinationKey {
    pub(super) family: u16,
    pub(super) address: [u8; 16],
    pub(super) port: u16,
}

/// A destination.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) key: DestinationKey,
    pub(super) forward: Forward,
    pub(super) active: u32,
    pub(super) inactive: u32,
    pub(super) persistent: u32,
    pub(super) counters: Counters,
}

/// The settings of a destination.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forward {
    pub(super) method: u32,
    pub(super) weight: u32,
    pub(super) upper: u32,
    pub(super) lower: u32,
    pub(super) tunnel_kind: u8,
    pub(super) tunnel_port: u16,
    pub(super) tunnel_flags: u16,
}

/// A deleted destination, which can be revived while connections refer to it and for some time after.
#[derive(Clone, Debug)]
pub(super) struct Trashed {
    pub(super) destination: Destination,
    pub(super) service: ServiceKey,
    pub(super) instance: u64,
    pub(super) idle_since: Option<Duration>,
}

impl Destination {
    pub(super) const fn is_referred_to(&self) -> bool {
        self.active != 0 || self.inactive != 0 || self.persistent != 0
    }
}

/// An address as it is stored: IPv4 in the first four bytes.
pub(super) fn stored(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// A stored address of a family.
pub(super) fn address(family: u16, stored: [u8; 16]) -> IpAddr {
    let [a, b, c, d, ..] = stored;
    if family == AF_INET { IpAddr::from([a, b, c, d]) } else { IpAddr::from(stored) }
}

/// Appends the attributes of a service (`ip_vs_genl_fill_service`).
pub(super) fn put_service(out: &mut Writer, key: &ServiceKey, service: &Service) {
    const SERVICE: u16 = 1;
    let settings = &service.settings;
    out.nest(SERVICE, |out| {
        out.u16(1, key.family);
        if key.mark == 0 {
            out.u16(2, key.protocol);
            out.attribute(3, &key.address);
            out.port(4, key.port);
        } else {
            out.u32(5, key.mark);
        }
        out.name(6, &settings.scheduler);
        if let Some(engine) = &settings.engine {
            out.name(11, engine);
        }
        let flags = settings.flags | HASHED;
        out.attribute(7, &[flags.to_ne_bytes(), [0xff; 4]].concat());
        out.u32(8, settings.timeout / HZ);
        out.attribute(9, &settings.netmask);
        service.counters.put(out);
    });
}

/// Appends the attributes of a destination (`ip_vs_genl_fill_dest`).
pub(super) fn put_destination(out: &mut Writer, destination: &Destination, tells_tunnels: bool) {
    const DESTINATION: u16 = 2;
    let forward = &destination.forward;
    out.nest(DESTINATION, |out| {
        out.attribute(1, &destination.key.address);
        out.port(2, destination.key.port);
        out.u32(3, forward.method);
        out.u32(4, forward.weight);
        if tells_tunnels {
            out.u8(13, forward.tunnel_kind);
            out.port(14, forward.tunnel_port);
            out.u16(15, forward.tunnel_flags);
        }
        out.u32(5, forward.upper);
        out.u32(6, forward.lower);
        out.u32(7, destination.active);
        out.u32(8, destination.inactive);
        out.u32(9, destination.persistent);
        out.u16(11, destination.key.family);
        destination.counters.put(out);
    });
}
