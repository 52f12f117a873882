use std::net::{Ipv4Addr, Ipv6Addr};

use super::attr::{Attr, Attrs, PresentAttributes, ShortAttribute, Sink, Writer, fixed};
use super::consts::{
    AF_INET, AF_INET6, IPVS_CMD_ATTR_DEST, IPVS_DEST_ATTR_ACTIVE_CONNS, IPVS_DEST_ATTR_ADDR,
    IPVS_DEST_ATTR_ADDR_FAMILY, IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_INACT_CONNS, IPVS_DEST_ATTR_L_THRESH,
    IPVS_DEST_ATTR_PERSIST_CONNS, IPVS_DEST_ATTR_PORT, IPVS_DEST_ATTR_STATS, IPVS_DEST_ATTR_STATS64,
    IPVS_DEST_ATTR_TUN_FLAGS, IPVS_DEST_ATTR_TUN_PORT, IPVS_DEST_ATTR_TUN_TYPE, IPVS_DEST_ATTR_U_THRESH,
    IPVS_DEST_ATTR_WEIGHT,
};
use super::error::DecodeError;
use super::stats::{self, StatsBlocks};
use crate::model::{
    AddressFamily, Destination, DestinationEntry, DestinationId, ForwardMethod, Thresholds, Tunnel, Weight,
};

/// Writes the identity of a destination. The family is always included: without it the kernel would take an IPv6
/// address for the IPv4 address made of its first four bytes.
pub(super) fn encode_id<S: Sink>(out: &mut Writer<'_, S>, id: &DestinationId) {
    out.nest(IPVS_CMD_ATTR_DEST, |out| {
        out.address(IPVS_DEST_ATTR_ADDR, id.address());
        out.words([
            ShortAttribute::port(IPVS_DEST_ATTR_PORT, id.port()),
            ShortAttribute::family(IPVS_DEST_ATTR_ADDR_FAMILY, id.family()),
        ]);
    });
}

/// Writes a whole destination, as in `NEW_DEST` and `SET_DEST`.
pub(super) fn encode<S: Sink>(out: &mut Writer<'_, S>, destination: &Destination) {
    out.nest(IPVS_CMD_ATTR_DEST, |out| {
        let tunnel = destination.stored_tunnel();
        put_way(out, destination);
        out.words(thresholds(destination.thresholds));
        // The kernel sets absent attributes to zero, and plain IPIP is all zeros; a kernel before 5.2 does not know
        // these attributes at all.
        if tunnel != Tunnel::ipip() || matches!(destination.forward, ForwardMethod::Tunnel(_)) {
            out.words(tunnel_words(tunnel));
        }
        out.words([ShortAttribute::family(IPVS_DEST_ATTR_ADDR_FAMILY, destination.id.family())]);
    });
}

/// Writes an observed destination, as the kernel sends it.
pub(super) fn encode_entry<S: Sink>(out: &mut Writer<'_, S>, entry: &DestinationEntry) {
    let destination = &entry.destination;
    out.plain_nest(IPVS_CMD_ATTR_DEST, |out| {
        put_way(out, destination);
        out.words(tunnel_words(destination.stored_tunnel()));
        out.words(thresholds(destination.thresholds));
        out.words([
            ShortAttribute::u32(IPVS_DEST_ATTR_ACTIVE_CONNS, entry.active_connections),
            ShortAttribute::u32(IPVS_DEST_ATTR_INACT_CONNS, entry.inactive_connections),
            ShortAttribute::u32(IPVS_DEST_ATTR_PERSIST_CONNS, entry.persistent_connections),
            ShortAttribute::family(IPVS_DEST_ATTR_ADDR_FAMILY, destination.id.family()),
        ]);
        stats::encode(out, IPVS_DEST_ATTR_STATS, IPVS_DEST_ATTR_STATS64, &entry.stats);
    });
}

/// Writes the address, port, forwarding method and weight.
fn put_way<S: Sink>(out: &mut Writer<'_, S>, destination: &Destination) {
    out.address(IPVS_DEST_ATTR_ADDR, destination.id.address());
    out.words([
        ShortAttribute::port(IPVS_DEST_ATTR_PORT, destination.id.port()),
        ShortAttribute::u32(IPVS_DEST_ATTR_FWD_METHOD, destination.forward.number()),
        ShortAttribute::u32(IPVS_DEST_ATTR_WEIGHT, destination.weight.get()),
    ]);
}

fn thresholds(thresholds: Thresholds) -> [ShortAttribute; 2] {
    [
        ShortAttribute::u32(IPVS_DEST_ATTR_U_THRESH, thresholds.upper().map_or(0, Into::into)),
        ShortAttribute::u32(IPVS_DEST_ATTR_L_THRESH, thresholds.lower().map_or(0, Into::into)),
    ]
}

fn tunnel_words(tunnel: Tunnel) -> [ShortAttribute; 3] {
    [
        ShortAttribute::u8(IPVS_DEST_ATTR_TUN_TYPE, tunnel.kind().number()),
        ShortAttribute::port(IPVS_DEST_ATTR_TUN_PORT, tunnel.port().map_or(0, Into::into)),
        ShortAttribute::u16(IPVS_DEST_ATTR_TUN_FLAGS, tunnel.tunnel_flags().bits()),
    ]
}

/// Reads the identity of a destination of a service of this family.
pub(super) fn decode_id(attrs: Attrs<'_>, service: AddressFamily) -> Result<DestinationId, DecodeError> {
    Fields::read(attrs)?.id(service)
}

/// Reads the settings of a destination, as a request carries them.
pub(super) fn decode_settings(attrs: Attrs<'_>, service: AddressFamily) -> Result<Destination, DecodeError> {
    Fields::read(attrs)?.settings(service)
}

/// Reads an observed destination. A kernel before 3.18 does not report its family, which there can only be that of the
/// service.
pub(super) fn decode(attrs: Attrs<'_>, service: AddressFamily) -> Result<DestinationEntry, DecodeError> {
    let fields = Fields::read(attrs)?;
    let destination = fields.settings(service)?;
    fields.present.require(&GAUGES, fields.offset)?;
    Ok(DestinationEntry {
        destination,
        stats: fields.stats.decode()?,
        active_connections: fields.active,
        inactive_connections: fields.inactive,
        persistent_connections: fields.persistent,
    })
}

/// Reads the attributes of a row in the layout of every kernel since 5.2: these attributes in this order and nothing
/// else. With fixed positions no attribute has to be searched for. `None` for any other layout, and for values that
/// are not valid.
pub(super) fn decode_in_order(attributes: &[u8], service: AddressFamily) -> Option<DestinationEntry> {
    let row: &[u8; 336] = attributes.try_into().ok()?;
    let mut row = row.as_slice();
    let mut rest = fixed::<IPVS_CMD_ATTR_DEST, 332>(&mut row)?.as_slice();
    let rest = &mut rest;
    let address = fixed::<IPVS_DEST_ATTR_ADDR, 16>(rest)?;
    let port = fixed::<IPVS_DEST_ATTR_PORT, 2>(rest)?;
    let method = fixed::<IPVS_DEST_ATTR_FWD_METHOD, 4>(rest)?;
    let weight = fixed::<IPVS_DEST_ATTR_WEIGHT, 4>(rest)?;
    let [tunnel_kind] = fixed::<IPVS_DEST_ATTR_TUN_TYPE, 1>(rest)?;
    let tunnel_port = fixed::<IPVS_DEST_ATTR_TUN_PORT, 2>(rest)?;
    let tunnel_flags = fixed::<IPVS_DEST_ATTR_TUN_FLAGS, 2>(rest)?;
    let upper = fixed::<IPVS_DEST_ATTR_U_THRESH, 4>(rest)?;
    let lower = fixed::<IPVS_DEST_ATTR_L_THRESH, 4>(rest)?;
    let active = fixed::<IPVS_DEST_ATTR_ACTIVE_CONNS, 4>(rest)?;
    let inactive = fixed::<IPVS_DEST_ATTR_INACT_CONNS, 4>(rest)?;
    let persistent = fixed::<IPVS_DEST_ATTR_PERSIST_CONNS, 4>(rest)?;
    let family = fixed::<IPVS_DEST_ATTR_ADDR_FAMILY, 2>(rest)?;
    let _narrow = fixed::<IPVS_DEST_ATTR_STATS, 88>(rest)?;
    let stats = fixed::<IPVS_DEST_ATTR_STATS64, 120>(rest)?;

    let family = match u16::from_ne_bytes(*family) {
        0 => service,
        AF_INET => AddressFamily::Ipv4,
        AF_INET6 => AddressFamily::Ipv6,
        _ => return None,
    };
    let [first, second, third, fourth, ..] = *address;
    let address = match family {
        AddressFamily::Ipv4 => Ipv4Addr::new(first, second, third, fourth).into(),
        AddressFamily::Ipv6 => Ipv6Addr::from(*address).into(),
    };
    let tunnel = Tunnel::from_kernel(*tunnel_kind, u16::from_be_bytes(*tunnel_port), u16::from_ne_bytes(*tunnel_flags));
    let id = DestinationId::verbatim(address, u16::from_be_bytes(*port));
    let thresholds = Thresholds::verbatim(u32::from_ne_bytes(*upper), u32::from_ne_bytes(*lower));
    Some(DestinationEntry {
        destination: settings(id, u32::from_ne_bytes(*method), tunnel, u32::from_ne_bytes(*weight), thresholds)?,
        stats: stats::decode_in_order(stats)?,
        active_connections: u32::from_ne_bytes(*active),
        inactive_connections: u32::from_ne_bytes(*inactive),
        persistent_connections: u32::from_ne_bytes(*persistent),
    })
}

/// `None` for a weight out of range.
fn settings(
    id: DestinationId,
    method: u32,
    tunnel: Tunnel,
    weight: u32,
    thresholds: Thresholds,
) -> Option<Destination> {
    let forward = ForwardMethod::from_kernel(method, tunnel);
    let mut destination = Destination::new(id, forward);
    destination.weight = Weight::new(weight).ok()?;
    destination.thresholds = thresholds;
    if !matches!(forward, ForwardMethod::Tunnel(_)) {
        destination.dormant_tunnel = tunnel;
    }
    Some(destination)
}

const IDENTITY: [(u16, &str); 2] =
    [(IPVS_DEST_ATTR_ADDR, "IPVS_DEST_ATTR_ADDR"), (IPVS_DEST_ATTR_PORT, "IPVS_DEST_ATTR_PORT")];

const SETTINGS: [(u16, &str); 4] = [
    (IPVS_DEST_ATTR_FWD_METHOD, "IPVS_DEST_ATTR_FWD_METHOD"),
    (IPVS_DEST_ATTR_WEIGHT, "IPVS_DEST_ATTR_WEIGHT"),
    (IPVS_DEST_ATTR_U_THRESH, "IPVS_DEST_ATTR_U_THRESH"),
    (IPVS_DEST_ATTR_L_THRESH, "IPVS_DEST_ATTR_L_THRESH"),
];

const GAUGES: [(u16, &str); 3] = [
    (IPVS_DEST_ATTR_ACTIVE_CONNS, "IPVS_DEST_ATTR_ACTIVE_CONNS"),
    (IPVS_DEST_ATTR_INACT_CONNS, "IPVS_DEST_ATTR_INACT_CONNS"),
    (IPVS_DEST_ATTR_PERSIST_CONNS, "IPVS_DEST_ATTR_PERSIST_CONNS"),
];

/// The attributes of a destination nest; of repeated ones, the last. Absent ones are zero.
#[derive(Debug, Default)]
struct Fields<'a> {
    offset: usize,
    present: PresentAttributes,
    address: Attr<'a>,
    port: u16,
    family: Option<AddressFamily>,
    method: u32,
    weight: Attr<'a>,
    upper: u32,
    lower: u32,
    active: u32,
    inactive: u32,
    persistent: u32,
    tunnel_kind: u8,
    tunnel_port: u16,
    tunnel_flags: u16,
    stats: StatsBlocks<'a>,
}

#[allow(clippy::inline_always, reason = "rows are decoded in one piece")]
impl<'a> Fields<'a> {
    #[inline(always)]
    fn read(mut attrs: Attrs<'a>) -> Result<Self, DecodeError> {
        let mut fields = Self { offset: attrs.offset(), ..Self::default() };
        while let Some(attr) = attrs.next()? {
            fields.take(attr)?;
        }
        Ok(fields)
    }

    #[inline(always)]
    fn take(&mut self, attr: Attr<'a>) -> Result<(), DecodeError> {
        match attr.kind {
            IPVS_DEST_ATTR_ADDR => self.address = attr,
            IPVS_DEST_ATTR_PORT => self.port = attr.port("IPVS_DEST_ATTR_PORT")?,
            IPVS_DEST_ATTR_FWD_METHOD => self.method = attr.u32("IPVS_DEST_ATTR_FWD_METHOD")?,
            IPVS_DEST_ATTR_WEIGHT => self.weight = attr,
            IPVS_DEST_ATTR_U_THRESH => self.upper = attr.u32("IPVS_DEST_ATTR_U_THRESH")?,
            IPVS_DEST_ATTR_L_THRESH => self.lower = attr.u32("IPVS_DEST_ATTR_L_THRESH")?,
            IPVS_DEST_ATTR_ACTIVE_CONNS => self.active = attr.u32("IPVS_DEST_ATTR_ACTIVE_CONNS")?,
            IPVS_DEST_ATTR_INACT_CONNS => self.inactive = attr.u32("IPVS_DEST_ATTR_INACT_CONNS")?,
            IPVS_DEST_ATTR_PERSIST_CONNS => self.persistent = attr.u32("IPVS_DEST_ATTR_PERSIST_CONNS")?,
            // Zero stands for the family of the service, as in a request.
            IPVS_DEST_ATTR_ADDR_FAMILY => {
                self.family = match attr.u16("IPVS_DEST_ATTR_ADDR_FAMILY")? {
                    0 => None,
                    _ => Some(attr.family("IPVS_DEST_ATTR_ADDR_FAMILY")?),
                };
            }
            IPVS_DEST_ATTR_TUN_TYPE => self.tunnel_kind = attr.u8("IPVS_DEST_ATTR_TUN_TYPE")?,
            IPVS_DEST_ATTR_TUN_PORT => self.tunnel_port = attr.port("IPVS_DEST_ATTR_TUN_PORT")?,
            IPVS_DEST_ATTR_TUN_FLAGS => self.tunnel_flags = attr.u16("IPVS_DEST_ATTR_TUN_FLAGS")?,
            IPVS_DEST_ATTR_STATS => self.stats.narrow = Some(attr),
            IPVS_DEST_ATTR_STATS64 => self.stats.wide = Some(attr),
            _ => return Ok(()),
        }
        self.present.insert(attr.kind);
        Ok(())
    }

    fn id(&self, service: AddressFamily) -> Result<DestinationId, DecodeError> {
        self.present.require(&IDENTITY, self.offset)?;
        let address = self.address.address("IPVS_DEST_ATTR_ADDR", self.family.unwrap_or(service))?;
        Ok(DestinationId::verbatim(address, self.port))
    }

    #[inline(always)]
    fn settings(&self, service: AddressFamily) -> Result<Destination, DecodeError> {
        self.present.require(&SETTINGS, self.offset)?;
        let number = self.weight.u32("IPVS_DEST_ATTR_WEIGHT")?;
        let tunnel = Tunnel::from_kernel(self.tunnel_kind, self.tunnel_port, self.tunnel_flags);
        let thresholds = Thresholds::verbatim(self.upper, self.lower);
        settings(self.id(service)?, self.method, tunnel, number, thresholds)
            .ok_or_else(|| self.weight.out_of_range("IPVS_DEST_ATTR_WEIGHT", number))
    }
}
