use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::answer::{Remark, Writer};
use super::machine::{Caller, Machine, parse};
use super::wire::{Attributes, DAEMON};
use crate::error::Errno;

/// A network interface of a namespace, with the properties that matter to IPVS.
///
/// Synchronization daemons need one. Its addresses decide which addresses are broadcast addresses, and which link-local
/// or IPv4-mapped IPv6 addresses can be destinations.
///
/// ```
/// use ipvs_rs::model::SyncDaemon;
/// use ipvs_rs::testing::{FakeKernel, Interface};
///
/// let kernel = FakeKernel::new();
/// let handle = kernel.handle()?;
/// let backup = SyncDaemon::backup("eth1")?;
/// assert_eq!(handle.start_sync(&backup).unwrap_err().to_string(), "start sync backup: no such interface (ENODEV)");
///
/// kernel.add_interface(Interface::new("eth1").mtu(9000));
/// handle.start_sync(&backup)?;
/// assert_eq!(handle.get_sync_daemons()?[0].max_len.map(u16::from), Some(8972));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interface {
    pub(super) name: Vec<u8>,
    mtu: u32,
    is_up: bool,
    addresses: Vec<(IpAddr, u8)>,
}

impl Interface {
    /// An interface that is up, with packets of 1500 bytes and no address. Its name may be any bytes, as in the kernel.
    pub fn new(name: impl AsRef<[u8]>) -> Self {
        Self { name: name.as_ref().to_vec(), mtu: 1500, is_up: true, addresses: Vec::new() }
    }

    /// Sets the length of the longest packet in bytes.
    #[must_use]
    pub fn mtu(mut self, bytes: u32) -> Self {
        self.mtu = bytes;
        self
    }

    /// Takes the interface down: a master cannot be started on it (`ENETUNREACH`).
    #[must_use]
    pub fn down(mut self) -> Self {
        self.is_up = false;
        self
    }

    /// Adds an address with the length of its network prefix in bits.
    #[must_use]
    pub fn address(mut self, address: IpAddr, prefix: u8) -> Self {
        self.addresses.push((address, prefix));
        self
    }

    /// Whether packets to a multicast group can leave by it. The loopback interface has no route for IPv6 groups.
    fn carries(&self, group: IpAddr) -> bool {
        self.is_up && (group.is_ipv4() || self.name != b"lo")
    }

    pub(super) fn has(&self, wanted: IpAddr) -> bool {
        self.addresses.iter().any(|(address, _)| *address == wanted)
    }

    /// Whether this is the last address of one of the interface's networks.
    pub(super) fn is_broadcast(&self, wanted: Ipv4Addr) -> bool {
        self.addresses.iter().any(|(address, prefix)| match (address, prefix) {
            // Networks of one or two addresses do not have a broadcast address.
            (IpAddr::V4(own), 0..=30) => {
                let hosts = u32::MAX.checked_shr((*prefix).into()).unwrap_or(0);
                own.to_bits() | hosts == wanted.to_bits()
            }
            _ => false,
        })
    }
}

/// A running synchronization daemon.
#[derive(Clone, Debug)]
pub(super) struct Daemon {
    interface: Vec<u8>,
    sync_id: u32,
    max_len: u16,
    group: IpAddr,
    port: u16,
    ttl: u8,
}

const TOP_DAEMON: usize = 3;
const MASTER: u32 = 1;
const BACKUP: u32 = 2;

impl Machine {
    /// `ip_vs_genl_new_daemon`.
    pub(super) fn start_daemon(
        &mut self,
        caller: Caller,
        top: &Attributes<'_>,
        remark: &mut Remark,
    ) -> Result<(), Errno> {
        let attributes = daemon_attributes(top, remark)?;
        let state = attributes.u32(1).ok_or(Errno::EINVAL)?;
        let interface = attributes.name(2).ok_or(Errno::EINVAL)?;
        let sync_id = attributes.u32(3).ok_or(Errno::EINVAL)?;
        let group: IpAddr = match (attributes.bytes4(5), attributes.padded::<16>(6)) {
            (Some(v4), _) => Ipv4Addr::from(v4).into(),
            (None, Some(v6)) => Ipv6Addr::from(v6).into(),
            (None, None) => Ipv4Addr::new(224, 0, 0, 81).into(),
        };
        let namespace = self.namespace(caller.namespace).ok_or(Errno::ENODEV)?;
        if !group.is_multicast() || namespace.mixed > 0 {
            return Err(Errno::EINVAL);
        }
        let device = namespace.interfaces.iter().find(|device| device.name == interface);
        let device = device.ok_or(Errno::ENODEV)?;
        let slot = slot(state)?;
        let max_len = length(state, group, device.mtu, attributes.u16(4).unwrap_or(0));
        if namespace.daemons.get(slot).is_some_and(Option::is_some) {
            return Err(Errno::EEXIST);
        }
        if state == MASTER && !device.carries(group) {
            return Err(Errno::ENETUNREACH);
        }
        let daemon = Daemon {
            interface: interface.to_vec(),
            sync_id,
            max_len,
            group,
            port: attributes.u16(7).filter(|port| *port != 0).unwrap_or(8848),
            ttl: attributes.u8(8).filter(|ttl| *ttl != 0).unwrap_or(1),
        };
        if let Some(place) = namespace.daemons.get_mut(slot) {
            *place = Some(daemon);
        }
        namespace.has_connection_table |= state == BACKUP;
        Ok(())
    }

    /// `ip_vs_genl_del_daemon`.
    pub(super) fn stop_daemon(
        &mut self,
        caller: Caller,
        top: &Attributes<'_>,
        remark: &mut Remark,
    ) -> Result<(), Errno> {
        let slot = slot(daemon_attributes(top, remark)?.u32(1).ok_or(Errno::EINVAL)?)?;
        let namespace = self.namespace(caller.namespace).ok_or(Errno::ESRCH)?;
        let stopped = namespace.daemons.get_mut(slot).and_then(Option::take);
        stopped.map(drop).ok_or(Errno::ESRCH)
    }
}

fn daemon_attributes<'a>(top: &Attributes<'a>, remark: &mut Remark) -> Result<Attributes<'a>, Errno> {
    let nest = top.get(TOP_DAEMON).ok_or(Errno::EINVAL)?;
    parse(nest.value, nest.offset, DAEMON, remark).or(Err(Errno::EINVAL))
}

fn slot(state: u32) -> Result<usize, Errno> {
    match state {
        MASTER => Ok(0),
        BACKUP => Ok(1),
        _ => Err(Errno::EINVAL),
    }
}

/// The maximum length of packets that a daemon gets (`start_sync_thread`).
fn length(state: u32, group: IpAddr, mtu: u32, wanted: u16) -> u16 {
    let headers = if group.is_ipv4() { 28 } else { 48 };
    let most = 65_535 - headers;
    let len = match (state, wanted) {
        (BACKUP, 0) => mtu.clamp(1500, 65_535) - headers,
        (_, 0) => 1500 - headers,
        (BACKUP, wanted) => u32::from(wanted).clamp(1024, most),
        (_, wanted) => u32::from(wanted).clamp(1, most),
    };
    u16::try_from(len).unwrap_or(u16::MAX)
}

/// The attributes of a daemon (`ip_vs_genl_fill_daemon`).
pub(super) fn put_daemon(out: &mut Writer, slot: usize, daemon: &Daemon) {
    const DAEMON: u16 = 3;
    out.nest(DAEMON, |out| {
        out.u32(1, if slot == 0 { MASTER } else { BACKUP });
        out.name(2, &daemon.interface);
        out.u32(3, daemon.sync_id);
        out.u16(4, daemon.max_len);
        out.u16(7, daemon.port);
        out.u8(8, daemon.ttl);
        match daemon.group {
            IpAddr::V4(group) => out.attribute(5, &group.octets()),
            IpAddr::V6(group) => out.attribute(6, &group.octets()),
        }
    });
}
