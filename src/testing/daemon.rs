//! The commands that start and stop synchronization daemons.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::machine::{Caller, Machine};
use super::table::Daemon;
use super::wire::{Attributes, DAEMON, Remark, parse};
use crate::codec::consts::{
    IP_VS_STATE_BACKUP, IP_VS_STATE_MASTER, IPVS_CMD_ATTR_DAEMON, IPVS_DAEMON_ATTR_MCAST_GROUP,
    IPVS_DAEMON_ATTR_MCAST_GROUP6, IPVS_DAEMON_ATTR_MCAST_IFN, IPVS_DAEMON_ATTR_MCAST_PORT, IPVS_DAEMON_ATTR_MCAST_TTL,
    IPVS_DAEMON_ATTR_STATE, IPVS_DAEMON_ATTR_SYNC_ID, IPVS_DAEMON_ATTR_SYNC_MAXLEN,
};
use crate::error::Errno;

impl Machine {
    /// `ip_vs_genl_new_daemon`.
    pub(super) fn start_daemon(
        &mut self,
        caller: Caller,
        top: &Attributes<'_>,
        remark: &mut Remark,
    ) -> Result<(), Errno> {
        let attributes = daemon_attributes(top, remark)?;
        let state = attributes.u32(IPVS_DAEMON_ATTR_STATE).ok_or(Errno::EINVAL)?;
        let interface = attributes.name(IPVS_DAEMON_ATTR_MCAST_IFN).ok_or(Errno::EINVAL)?;
        let sync_id = attributes.u32(IPVS_DAEMON_ATTR_SYNC_ID).ok_or(Errno::EINVAL)?;
        let group: IpAddr = match (
            attributes.bytes4(IPVS_DAEMON_ATTR_MCAST_GROUP),
            attributes.padded::<16>(IPVS_DAEMON_ATTR_MCAST_GROUP6),
        ) {
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
        let max_len = length(state, group, device.mtu, attributes.u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN).unwrap_or(0));
        if namespace.daemons.get(slot).is_some_and(Option::is_some) {
            return Err(Errno::EEXIST);
        }
        if state == IP_VS_STATE_MASTER && !device.carries(group) {
            return Err(Errno::ENETUNREACH);
        }
        let daemon = Daemon {
            interface: interface.to_vec(),
            sync_id,
            max_len,
            group,
            port: attributes.u16(IPVS_DAEMON_ATTR_MCAST_PORT).filter(|port| *port != 0).unwrap_or(8848),
            ttl: attributes.u8(IPVS_DAEMON_ATTR_MCAST_TTL).filter(|ttl| *ttl != 0).unwrap_or(1),
        };
        if let Some(place) = namespace.daemons.get_mut(slot) {
            *place = Some(daemon);
        }
        namespace.has_connection_table |= state == IP_VS_STATE_BACKUP;
        Ok(())
    }

    /// `ip_vs_genl_del_daemon`.
    pub(super) fn stop_daemon(
        &mut self,
        caller: Caller,
        top: &Attributes<'_>,
        remark: &mut Remark,
    ) -> Result<(), Errno> {
        let slot = slot(daemon_attributes(top, remark)?.u32(IPVS_DAEMON_ATTR_STATE).ok_or(Errno::EINVAL)?)?;
        let namespace = self.namespace(caller.namespace).ok_or(Errno::ESRCH)?;
        let stopped = namespace.daemons.get_mut(slot).and_then(Option::take);
        stopped.map(drop).ok_or(Errno::ESRCH)
    }
}

fn daemon_attributes<'a>(top: &Attributes<'a>, remark: &mut Remark) -> Result<Attributes<'a>, Errno> {
    let nest = top.get(IPVS_CMD_ATTR_DAEMON).ok_or(Errno::EINVAL)?;
    parse(nest.value, nest.offset, DAEMON, remark).or(Err(Errno::EINVAL))
}

fn slot(state: u32) -> Result<usize, Errno> {
    match state {
        IP_VS_STATE_MASTER => Ok(0),
        IP_VS_STATE_BACKUP => Ok(1),
        _ => Err(Errno::EINVAL),
    }
}

/// The maximum length of packets that a daemon gets (`start_sync_thread`).
fn length(state: u32, group: IpAddr, mtu: u32, wanted: u16) -> u16 {
    let headers = if group.is_ipv4() { 28 } else { 48 };
    let most = 65_535 - headers;
    let len = match (state, wanted) {
        (IP_VS_STATE_BACKUP, 0) => mtu.clamp(1500, 65_535) - headers,
        (_, 0) => 1500 - headers,
        (IP_VS_STATE_BACKUP, wanted) => u32::from(wanted).clamp(1024, most),
        (_, wanted) => u32::from(wanted).clamp(1, most),
    };
    u16::try_from(len).unwrap_or(u16::MAX)
}
