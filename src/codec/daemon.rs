use std::num::{NonZeroU8, NonZeroU16};

use super::attr::{Attr, Attrs, ShortAttribute, Sink, Writer};
use super::consts::{
    IP_VS_STATE_BACKUP, IP_VS_STATE_MASTER, IPVS_CMD_ATTR_DAEMON, IPVS_DAEMON_ATTR_MCAST_GROUP,
    IPVS_DAEMON_ATTR_MCAST_GROUP6, IPVS_DAEMON_ATTR_MCAST_IFN, IPVS_DAEMON_ATTR_MCAST_PORT, IPVS_DAEMON_ATTR_MCAST_TTL,
    IPVS_DAEMON_ATTR_STATE, IPVS_DAEMON_ATTR_SYNC_ID, IPVS_DAEMON_ATTR_SYNC_MAXLEN,
};
use super::error::DecodeError;
use crate::model::{AddressFamily, InterfaceName, MulticastGroup, SyncDaemon, SyncRole};

pub(super) fn encode<S: Sink>(out: &mut Writer<'_, S>, daemon: &SyncDaemon) {
    out.nest(IPVS_CMD_ATTR_DAEMON, |out| {
        put_identity(out, daemon);
        if let Some(group) = daemon.group {
            put_group(out, group);
        }
        put_port_and_ttl(out, daemon);
    });
}

pub(super) fn encode_role<S: Sink>(out: &mut Writer<'_, S>, role: SyncRole) {
    out.nest(IPVS_CMD_ATTR_DAEMON, |out| out.words([ShortAttribute::u32(IPVS_DAEMON_ATTR_STATE, state(role))]));
}

/// Writes a running daemon, as the kernel sends it.
pub(super) fn encode_entry<S: Sink>(out: &mut Writer<'_, S>, daemon: &SyncDaemon) {
    out.plain_nest(IPVS_CMD_ATTR_DAEMON, |out| {
        put_identity(out, daemon);
        put_port_and_ttl(out, daemon);
        if let Some(group) = daemon.group {
            put_group(out, group);
        }
    });
}

fn put_identity<S: Sink>(out: &mut Writer<'_, S>, daemon: &SyncDaemon) {
    out.words([ShortAttribute::u32(IPVS_DAEMON_ATTR_STATE, state(daemon.role))]);
    out.name(IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface.as_bytes());
    out.words([ShortAttribute::u32(IPVS_DAEMON_ATTR_SYNC_ID, daemon.sync_id)]);
    if let Some(max_len) = daemon.max_len {
        out.words([ShortAttribute::u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, max_len.get())]);
    }
}

fn put_group<S: Sink>(out: &mut Writer<'_, S>, group: MulticastGroup) {
    match group.address() {
        std::net::IpAddr::V4(v4) => out.bytes(IPVS_DAEMON_ATTR_MCAST_GROUP, &v4.octets()),
        std::net::IpAddr::V6(v6) => out.bytes(IPVS_DAEMON_ATTR_MCAST_GROUP6, &v6.octets()),
    }
}

fn put_port_and_ttl<S: Sink>(out: &mut Writer<'_, S>, daemon: &SyncDaemon) {
    if let Some(port) = daemon.port {
        // In native byte order, unlike every other port of the family.
        out.words([ShortAttribute::u16(IPVS_DAEMON_ATTR_MCAST_PORT, port.get())]);
    }
    if let Some(ttl) = daemon.ttl {
        out.words([ShortAttribute::u8(IPVS_DAEMON_ATTR_MCAST_TTL, ttl.get())]);
    }
}

const fn state(role: SyncRole) -> u32 {
    match role {
        SyncRole::Master => IP_VS_STATE_MASTER,
        SyncRole::Backup => IP_VS_STATE_BACKUP,
    }
}

pub(super) fn decode_role(attrs: Attrs<'_>) -> Result<SyncRole, DecodeError> {
    let offset = attrs.offset();
    Fields::read(attrs)?.role.ok_or_else(|| DecodeError::missing("IPVS_DAEMON_ATTR_STATE", offset))
}

pub(super) fn decode(attrs: Attrs<'_>) -> Result<SyncDaemon, DecodeError> {
    let offset = attrs.offset();
    let fields = Fields::read(attrs)?;
    let missing = |name| DecodeError::missing(name, offset);
    let role = fields.role.ok_or_else(|| missing("IPVS_DAEMON_ATTR_STATE"))?;
    let interface = fields.interface.ok_or_else(|| missing("IPVS_DAEMON_ATTR_MCAST_IFN"))?;
    let mut daemon = SyncDaemon::new(role, interface);
    daemon.sync_id = fields.sync_id.ok_or_else(|| missing("IPVS_DAEMON_ATTR_SYNC_ID"))?;
    daemon.max_len = fields.max_len;
    // The kernel prefers the IPv4 group where both are given.
    daemon.group = fields.group.or(fields.group6);
    daemon.port = fields.port;
    daemon.ttl = fields.ttl;
    Ok(daemon)
}

#[derive(Debug, Default)]
struct Fields {
    role: Option<SyncRole>,
    interface: Option<InterfaceName>,
    sync_id: Option<u32>,
    max_len: Option<NonZeroU16>,
    group: Option<MulticastGroup>,
    group6: Option<MulticastGroup>,
    port: Option<NonZeroU16>,
    ttl: Option<NonZeroU8>,
}

impl Fields {
    fn read(mut attrs: Attrs<'_>) -> Result<Self, DecodeError> {
        let mut fields = Self::default();
        while let Some(attr) = attrs.next()? {
            match attr.kind {
                IPVS_DAEMON_ATTR_STATE => {
                    fields.role = match attr.u32("IPVS_DAEMON_ATTR_STATE")? {
                        IP_VS_STATE_MASTER => Some(SyncRole::Master),
                        IP_VS_STATE_BACKUP => Some(SyncRole::Backup),
                        other => return Err(attr.out_of_range("IPVS_DAEMON_ATTR_STATE", other)),
                    };
                }
                IPVS_DAEMON_ATTR_MCAST_IFN => {
                    let name = attr.name("IPVS_DAEMON_ATTR_MCAST_IFN")?;
                    let interface = InterfaceName::from_kernel(name).filter(|_| !name.is_empty());
                    fields.interface = Some(interface.ok_or_else(|| attr.bad_name("IPVS_DAEMON_ATTR_MCAST_IFN"))?);
                }
                IPVS_DAEMON_ATTR_SYNC_ID => fields.sync_id = Some(attr.u32("IPVS_DAEMON_ATTR_SYNC_ID")?),
                IPVS_DAEMON_ATTR_SYNC_MAXLEN => {
                    fields.max_len = NonZeroU16::new(attr.u16("IPVS_DAEMON_ATTR_SYNC_MAXLEN")?);
                }
                IPVS_DAEMON_ATTR_MCAST_GROUP => {
                    fields.group = Some(group(attr, "IPVS_DAEMON_ATTR_MCAST_GROUP", AddressFamily::Ipv4)?);
                }
                IPVS_DAEMON_ATTR_MCAST_GROUP6 => {
                    fields.group6 = Some(group(attr, "IPVS_DAEMON_ATTR_MCAST_GROUP6", AddressFamily::Ipv6)?);
                }
                IPVS_DAEMON_ATTR_MCAST_PORT => {
                    fields.port = NonZeroU16::new(attr.u16("IPVS_DAEMON_ATTR_MCAST_PORT")?);
                }
                IPVS_DAEMON_ATTR_MCAST_TTL => fields.ttl = NonZeroU8::new(attr.u8("IPVS_DAEMON_ATTR_MCAST_TTL")?),
                _ => {}
            }
        }
        Ok(fields)
    }
}

fn group(attr: Attr<'_>, name: &'static str, family: AddressFamily) -> Result<MulticastGroup, DecodeError> {
    let address = attr.address(name, family)?;
    let first = attr.value.first().copied().unwrap_or_default();
    MulticastGroup::new(address).or(Err(attr.out_of_range(name, first)))
}
