use super::attr::{Attr, Attrs, Seen, Sink, Word, Writer};
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
        out.words([Word::port(IPVS_DEST_ATTR_PORT, id.port()), Word::family(IPVS_DEST_ATTR_ADDR_FAMILY, id.family())]);
    });
}

/// Writes a whole destination, as `NEW_DEST` and `SET_DEST` have it.
pub(super) fn encode<S: Sink>(out: &mut Writer<'_, S>, destination: &Destination) {
    out.nest(IPVS_CMD_ATTR_DEST, |out| {
        let tunnel = destination.stored_tunnel();
        put_way(out, destination);
        out.words(thresholds(destination.thresholds));
        // What is absent the kernel sets to zero, which is what plain IPIP consists of; a kernel before 5.2 does not
        // know these attributes at all.
        if tunnel != Tunnel::ipip() || matches!(destination.forward, ForwardMethod::Tunnel(_)) {
            out.words(tunnel_words(tunnel));
        }
        out.words([Word::family(IPVS_DEST_ATTR_ADDR_FAMILY, destination.id.family())]);
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
            Word::u32(IPVS_DEST_ATTR_ACTIVE_CONNS, entry.active_connections),
            Word::u32(IPVS_DEST_ATTR_INACT_CONNS, entry.inactive_connections),
            Word::u32(IPVS_DEST_ATTR_PERSIST_CONNS, entry.persistent_connections),
            Word::family(IPVS_DEST_ATTR_ADDR_FAMILY, destination.id.family()),
        ]);
        stats::encode(out, IPVS_DEST_ATTR_STATS, IPVS_DEST_ATTR_STATS64, &entry.stats);
    });
}

/// Where it is, how packets get there, and how many.
fn put_way<S: Sink>(out: &mut Writer<'_, S>, destination: &Destination) {
    out.address(IPVS_DEST_ATTR_ADDR, destination.id.address());
    out.words([
        Word::port(IPVS_DEST_ATTR_PORT, destination.id.port()),
        Word::u32(IPVS_DEST_ATTR_FWD_METHOD, destination.forward.number()),
        Word::u32(IPVS_DEST_ATTR_WEIGHT, destination.weight.get()),
    ]);
}

fn thresholds(thresholds: Thresholds) -> [Word; 2] {
    [
        Word::u32(IPVS_DEST_ATTR_U_THRESH, thresholds.upper().map_or(0, Into::into)),
        Word::u32(IPVS_DEST_ATTR_L_THRESH, thresholds.lower().map_or(0, Into::into)),
    ]
}

fn tunnel_words(tunnel: Tunnel) -> [Word; 3] {
    [
        Word::u8(IPVS_DEST_ATTR_TUN_TYPE, tunnel.kind().number()),
        Word::port(IPVS_DEST_ATTR_TUN_PORT, tunnel.port().map_or(0, Into::into)),
        Word::u16(IPVS_DEST_ATTR_TUN_FLAGS, tunnel.tunnel_flags().bits()),
    ]
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

impl<'a> Fields<'a> {
    #[inline]
    fn read(mut attrs: Attrs<'a>) -> Result<Self, DecodeError> {
        let mut fields = Self { offset: attrs.offset(), ..Self::default() };
        while let Some(attr) = attrs.next()? {
            match attr.kind {
                IPVS_DEST_ATTR_ADDR => fields.address = attr,
                IPVS_DEST_ATTR_PORT => fields.port = attr.port("IPVS_DEST_ATTR_PORT")?,
                IPVS_DEST_ATTR_FWD_METHOD => fields.method = attr.u32("IPVS_DEST_ATTR_FWD_METHOD")?,
                IPVS_DEST_ATTR_WEIGHT => fields.weight = attr,
                IPVS_DEST_ATTR_U_THRESH => fields.upper = attr.u32("IPVS_DEST_ATTR_U_THRESH")?,
                IPVS_DEST_ATTR_L_THRESH => fields.lower = attr.u32("IPVS_DEST_ATTR_L_THRESH")?,
                IPVS_DEST_ATTR_ACTIVE_CONNS => fields.active = attr.u32("IPVS_DEST_ATTR_ACTIVE_CONNS")?,
                IPVS_DEST_ATTR_INACT_CONNS => fields.inactive = attr.u32("IPVS_DEST_ATTR_INACT_CONNS")?,
                IPVS_DEST_ATTR_PERSIST_CONNS => fields.persistent = attr.u32("IPVS_DEST_ATTR_PERSIST_CONNS")?,
                // Zero stands for the family of the service, as in a request.
                IPVS_DEST_ATTR_ADDR_FAMILY => {
                    fields.family = match attr.u16("IPVS_DEST_ATTR_ADDR_FAMILY")? {
                        0 => None,
                        _ => Some(attr.family("IPVS_DEST_ATTR_ADDR_FAMILY")?),
                    };
                }
                IPVS_DEST_ATTR_TUN_TYPE => fields.tunnel_kind = attr.u8("IPVS_DEST_ATTR_TUN_TYPE")?,
                IPVS_DEST_ATTR_TUN_PORT => fields.tunnel_port = attr.port("IPVS_DEST_ATTR_TUN_PORT")?,
                IPVS_DEST_ATTR_TUN_FLAGS => fields.tunnel_flags = attr.u16("IPVS_DEST_ATTR_TUN_FLAGS")?,
                IPVS_DEST_ATTR_STATS => fields.stats.narrow = Some(attr),
                IPVS_DEST_ATTR_STATS64 => fields.stats.wide = Some(attr),
                _ => continue,
            }
            fields.seen.insert(attr.kind);
        }
        Ok(fields)
    }

    fn id(&self, service: AddressFamily) -> Result<DestinationId, DecodeError> {
        self.seen.require(&IDENTITY, self.offset)?;
        let address = self.address.address("IPVS_DEST_ATTR_ADDR", self.family.unwrap_or(service))?;
        Ok(DestinationId::verbatim(address, self.port))
    }

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
