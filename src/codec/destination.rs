use super::attr::{Attr, Attrs, Seen, Sink, Writer};
use super::consts::{
    IPVS_CMD_ATTR_DEST, IPVS_DEST_ATTR_ACTIVE_CONNS, IPVS_DEST_ATTR_ADDR, IPVS_DEST_ATTR_ADDR_FAMILY,
    IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_INACT_CONNS, IPVS_DEST_ATTR_L_THRESH, IPVS_DEST_ATTR_PERSIST_CONNS,
    IPVS_DEST_ATTR_PORT, IPVS_DEST_ATTR_STATS, IPVS_DEST_ATTR_STATS64, IPVS_DEST_ATTR_TUN_FLAGS,
    IPVS_DEST_ATTR_TUN_PORT, IPVS_DEST_ATTR_TUN_TYPE, IPVS_DEST_ATTR_U_THRESH, IPVS_DEST_ATTR_WEIGHT,
};
use super::error::DecodeError;
use super::stats::{self, StatsBlocks};
use crate::model::{
    AddressFamily, Destination, DestinationEntry, DestinationId, ForwardMethod, Thresholds, Tunnel, Weight,
};

/// Writes what names a destination. The family always goes along: without it the kernel would take an IPv6 address
/// for the IPv4 one made of its first four bytes.
pub(super) fn encode_id<S: Sink>(out: &mut Writer<'_, S>, id: &DestinationId) {
    out.nest(IPVS_CMD_ATTR_DEST, |out| {
        out.address(IPVS_DEST_ATTR_ADDR, id.address());
        out.port(IPVS_DEST_ATTR_PORT, id.port());
        out.family(IPVS_DEST_ATTR_ADDR_FAMILY, id.family());
    });
}

/// Writes a whole destination, as `NEW_DEST` and `SET_DEST` have it.
pub(super) fn encode<S: Sink>(out: &mut Writer<'_, S>, destination: &Destination) {
    out.nest(IPVS_CMD_ATTR_DEST, |out| {
        let tunnel = destination.stored_tunnel();
        out.address(IPVS_DEST_ATTR_ADDR, destination.id.address());
        out.port(IPVS_DEST_ATTR_PORT, destination.id.port());
        out.u32(IPVS_DEST_ATTR_FWD_METHOD, destination.forward.number());
        out.u32(IPVS_DEST_ATTR_WEIGHT, destination.weight.get());
        put_thresholds(out, destination.thresholds);
        // What is absent the kernel sets to zero, which is what plain IPIP consists of; a kernel before 5.2 does not
        // know these attributes at all.
        if tunnel != Tunnel::ipip() || matches!(destination.forward, ForwardMethod::Tunnel(_)) {
            put_tunnel(out, tunnel);
        }
        out.family(IPVS_DEST_ATTR_ADDR_FAMILY, destination.id.family());
    });
}

/// Writes an observed destination, as the kernel sends it.
pub(super) fn encode_entry<S: Sink>(out: &mut Writer<'_, S>, entry: &DestinationEntry) {
    let destination = &entry.destination;
    out.plain_nest(IPVS_CMD_ATTR_DEST, |out| {
        out.address(IPVS_DEST_ATTR_ADDR, destination.id.address());
        out.port(IPVS_DEST_ATTR_PORT, destination.id.port());
        out.u32(IPVS_DEST_ATTR_FWD_METHOD, destination.forward.number());
        out.u32(IPVS_DEST_ATTR_WEIGHT, destination.weight.get());
        put_tunnel(out, destination.stored_tunnel());
        put_thresholds(out, destination.thresholds);
        out.u32(IPVS_DEST_ATTR_ACTIVE_CONNS, entry.active_connections);
        out.u32(IPVS_DEST_ATTR_INACT_CONNS, entry.inactive_connections);
        out.u32(IPVS_DEST_ATTR_PERSIST_CONNS, entry.persistent_connections);
        out.family(IPVS_DEST_ATTR_ADDR_FAMILY, destination.id.family());
        stats::encode(out, IPVS_DEST_ATTR_STATS, IPVS_DEST_ATTR_STATS64, &entry.stats);
    });
}

fn put_thresholds<S: Sink>(out: &mut Writer<'_, S>, thresholds: Thresholds) {
    out.u32(IPVS_DEST_ATTR_U_THRESH, thresholds.upper().map_or(0, Into::into));
    out.u32(IPVS_DEST_ATTR_L_THRESH, thresholds.lower().map_or(0, Into::into));
}

fn put_tunnel<S: Sink>(out: &mut Writer<'_, S>, tunnel: Tunnel) {
    out.u8(IPVS_DEST_ATTR_TUN_TYPE, tunnel.kind().number());
    out.port(IPVS_DEST_ATTR_TUN_PORT, tunnel.port().map_or(0, Into::into));
    out.u16(IPVS_DEST_ATTR_TUN_FLAGS, tunnel.tunnel_flags().bits());
}

/// Reads what names a destination of a service of this family.
pub(super) fn decode_id(attrs: Attrs<'_>, service: AddressFamily) -> Result<DestinationId, DecodeError> {
    Fields::read(attrs)?.id(service)
}

/// Reads the settings of a destination, as a request carries them.
pub(super) fn decode_settings(attrs: Attrs<'_>, service: AddressFamily) -> Result<Destination, DecodeError> {
    Fields::read(attrs)?.settings(service)
}

/// Reads a destination with everything about it. A kernel before 3.18 does not tell its family, which there can only
/// be the service's.
pub(super) fn decode(attrs: Attrs<'_>, service: AddressFamily) -> Result<DestinationEntry, DecodeError> {
    let fields = Fields::read(attrs)?;
    let destination = fields.settings(service)?;
    fields.seen.require(&GAUGES, fields.offset)?;
    Ok(DestinationEntry {
        destination,
        stats: fields.stats.decode()?,
        active_connections: fields.active,
        inactive_connections: fields.inactive,
        persistent_connections: fields.persistent,
    })
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

/// The attributes of a destination nest; of those that stand there twice, the last. What was not there is zero.
#[derive(Debug, Default)]
struct Fields<'a> {
    offset: usize,
    seen: Seen,
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

#[allow(
    clippy::inline_always,
    reason = "rows are decoded in one piece, and of a match on a known type nothing is left"
)]
impl<'a> Fields<'a> {
    #[inline(always)]
    fn read(mut attrs: Attrs<'a>) -> Result<Self, DecodeError> {
        let mut fields = Self { offset: attrs.offset(), ..Self::default() };
        fields.expect::<IPVS_DEST_ATTR_ADDR, 16>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_PORT, 2>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_FWD_METHOD, 4>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_WEIGHT, 4>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_TUN_TYPE, 1>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_TUN_PORT, 2>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_TUN_FLAGS, 2>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_U_THRESH, 4>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_L_THRESH, 4>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_ACTIVE_CONNS, 4>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_INACT_CONNS, 4>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_PERSIST_CONNS, 4>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_ADDR_FAMILY, 2>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_STATS, 88>(&mut attrs)?;
        fields.expect::<IPVS_DEST_ATTR_STATS64, 120>(&mut attrs)?;
        while let Some(attr) = attrs.next()? {
            fields.take(attr)?;
        }
        Ok(fields)
    }

    #[inline]
    fn expect<const KIND: u16, const LEN: usize>(&mut self, attrs: &mut Attrs<'a>) -> Result<(), DecodeError> {
        match attrs.next_if::<KIND, LEN>() {
            Some(attr) => self.take(attr),
            None => Ok(()),
        }
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
        self.seen.insert(attr.kind);
        Ok(())
    }

    #[inline(always)]
    fn id(&self, service: AddressFamily) -> Result<DestinationId, DecodeError> {
        self.seen.require(&IDENTITY, self.offset)?;
        let address = self.address.address("IPVS_DEST_ATTR_ADDR", self.family.unwrap_or(service))?;
        Ok(DestinationId::verbatim(address, self.port))
    }

    #[inline(always)]
    fn settings(&self, service: AddressFamily) -> Result<Destination, DecodeError> {
        self.seen.require(&SETTINGS, self.offset)?;
        let number = self.weight.u32("IPVS_DEST_ATTR_WEIGHT")?;
        let tunnel = Tunnel::from_kernel(self.tunnel_kind, self.tunnel_port, self.tunnel_flags);
        let forward = ForwardMethod::from_kernel(self.method, tunnel);
        let mut destination = Destination::new(self.id(service)?, forward);
        destination.weight = Weight::new(number).or(Err(self.weight.out_of_range("IPVS_DEST_ATTR_WEIGHT", number)))?;
        destination.thresholds = Thresholds::verbatim(self.upper, self.lower);
        if !matches!(forward, ForwardMethod::Tunnel(_)) {
            destination.dormant_tunnel = tunnel;
        }
        Ok(destination)
    }
}
