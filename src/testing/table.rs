//! The objects of IPVS: services, destinations and synchronization daemons.

use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::time::Duration;

use super::answer::Writer;
use super::counters::Counters;
use super::release::Release;
use crate::codec::consts::{
    AF_INET, IP_VS_STATE_BACKUP, IP_VS_STATE_MASTER, IPVS_CMD_ATTR_DAEMON, IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE,
    IPVS_DAEMON_ATTR_MCAST_GROUP, IPVS_DAEMON_ATTR_MCAST_GROUP6, IPVS_DAEMON_ATTR_MCAST_IFN,
    IPVS_DAEMON_ATTR_MCAST_PORT, IPVS_DAEMON_ATTR_MCAST_TTL, IPVS_DAEMON_ATTR_STATE, IPVS_DAEMON_ATTR_SYNC_ID,
    IPVS_DAEMON_ATTR_SYNC_MAXLEN, IPVS_DEST_ATTR_ACTIVE_CONNS, IPVS_DEST_ATTR_ADDR, IPVS_DEST_ATTR_ADDR_FAMILY,
    IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_INACT_CONNS, IPVS_DEST_ATTR_L_THRESH, IPVS_DEST_ATTR_PERSIST_CONNS,
    IPVS_DEST_ATTR_PORT, IPVS_DEST_ATTR_STATS, IPVS_DEST_ATTR_STATS64, IPVS_DEST_ATTR_TUN_FLAGS,
    IPVS_DEST_ATTR_TUN_PORT, IPVS_DEST_ATTR_TUN_TYPE, IPVS_DEST_ATTR_U_THRESH, IPVS_DEST_ATTR_WEIGHT,
    IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FLAGS, IPVS_SVC_ATTR_FWMARK, IPVS_SVC_ATTR_NETMASK,
    IPVS_SVC_ATTR_PE_NAME, IPVS_SVC_ATTR_PORT, IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_SCHED_NAME, IPVS_SVC_ATTR_STATS,
    IPVS_SVC_ATTR_STATS64, IPVS_SVC_ATTR_TIMEOUT,
};

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

/// A running synchronization daemon.
#[derive(Clone, Debug)]
pub(super) struct Daemon {
    pub(super) interface: Vec<u8>,
    pub(super) sync_id: u32,
    pub(super) max_len: u16,
    pub(super) group: IpAddr,
    pub(super) port: u16,
    pub(super) ttl: u8,
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
    let settings = &service.settings;
    out.nest(IPVS_CMD_ATTR_SERVICE, |out| {
        out.u16(IPVS_SVC_ATTR_AF, key.family);
        if key.mark == 0 {
            out.u16(IPVS_SVC_ATTR_PROTOCOL, key.protocol);
            out.attribute(IPVS_SVC_ATTR_ADDR, &key.address);
            out.port(IPVS_SVC_ATTR_PORT, key.port);
        } else {
            out.u32(IPVS_SVC_ATTR_FWMARK, key.mark);
        }
        out.name(IPVS_SVC_ATTR_SCHED_NAME, &settings.scheduler);
        if let Some(engine) = &settings.engine {
            out.name(IPVS_SVC_ATTR_PE_NAME, engine);
        }
        let flags = settings.flags | HASHED;
        out.attribute(IPVS_SVC_ATTR_FLAGS, &[flags.to_ne_bytes(), [0xff; 4]].concat());
        out.u32(IPVS_SVC_ATTR_TIMEOUT, settings.timeout / HZ);
        out.attribute(IPVS_SVC_ATTR_NETMASK, &settings.netmask);
        service.counters.put(out, IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64);
    });
}

/// Appends the attributes of a destination (`ip_vs_genl_fill_dest`).
pub(super) fn put_destination(out: &mut Writer, destination: &Destination, tells_tunnels: bool) {
    let forward = &destination.forward;
    out.nest(IPVS_CMD_ATTR_DEST, |out| {
        out.attribute(IPVS_DEST_ATTR_ADDR, &destination.key.address);
        out.port(IPVS_DEST_ATTR_PORT, destination.key.port);
        out.u32(IPVS_DEST_ATTR_FWD_METHOD, forward.method);
        out.u32(IPVS_DEST_ATTR_WEIGHT, forward.weight);
        if tells_tunnels {
            out.u8(IPVS_DEST_ATTR_TUN_TYPE, forward.tunnel_kind);
            out.port(IPVS_DEST_ATTR_TUN_PORT, forward.tunnel_port);
            out.u16(IPVS_DEST_ATTR_TUN_FLAGS, forward.tunnel_flags);
        }
        out.u32(IPVS_DEST_ATTR_U_THRESH, forward.upper);
        out.u32(IPVS_DEST_ATTR_L_THRESH, forward.lower);
        out.u32(IPVS_DEST_ATTR_ACTIVE_CONNS, destination.active);
        out.u32(IPVS_DEST_ATTR_INACT_CONNS, destination.inactive);
        out.u32(IPVS_DEST_ATTR_PERSIST_CONNS, destination.persistent);
        out.u16(IPVS_DEST_ATTR_ADDR_FAMILY, destination.key.family);
        destination.counters.put(out, IPVS_DEST_ATTR_STATS, IPVS_DEST_ATTR_STATS64);
    });
}

/// Appends the attributes of a daemon (`ip_vs_genl_fill_daemon`).
pub(super) fn put_daemon(out: &mut Writer, slot: usize, daemon: &Daemon) {
    out.nest(IPVS_CMD_ATTR_DAEMON, |out| {
        out.u32(IPVS_DAEMON_ATTR_STATE, if slot == 0 { IP_VS_STATE_MASTER } else { IP_VS_STATE_BACKUP });
        out.name(IPVS_DAEMON_ATTR_MCAST_IFN, &daemon.interface);
        out.u32(IPVS_DAEMON_ATTR_SYNC_ID, daemon.sync_id);
        out.u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, daemon.max_len);
        out.u16(IPVS_DAEMON_ATTR_MCAST_PORT, daemon.port);
        out.u8(IPVS_DAEMON_ATTR_MCAST_TTL, daemon.ttl);
        match daemon.group {
            IpAddr::V4(group) => out.attribute(IPVS_DAEMON_ATTR_MCAST_GROUP, &group.octets()),
            IpAddr::V6(group) => out.attribute(IPVS_DAEMON_ATTR_MCAST_GROUP6, &group.octets()),
        }
    });
}
