use netlink_packet_core::NLA_HEADER_SIZE;

use super::attr::{self, Attr, Attrs, ShortAttribute, Sink, Writer};
use super::consts::{
    IPVS_STATS_ATTR_CONNS, IPVS_STATS_ATTR_CPS, IPVS_STATS_ATTR_INBPS, IPVS_STATS_ATTR_INBYTES, IPVS_STATS_ATTR_INPKTS,
    IPVS_STATS_ATTR_INPPS, IPVS_STATS_ATTR_OUTBPS, IPVS_STATS_ATTR_OUTBYTES, IPVS_STATS_ATTR_OUTPKTS,
    IPVS_STATS_ATTR_OUTPPS,
};
use super::error::DecodeError;
use crate::model::Stats;

/// The width of the numbers of a block other than the byte totals.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width {
    /// `STATS`: 32 bits; byte totals have 64.
    Narrow,
    /// `STATS64`: all 64 bits.
    Wide,
}

/// The two blocks of a service or destination. The wide one has the full values; the narrow one wraps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StatsBlocks<'a> {
    pub(super) narrow: Option<Attr<'a>>,
    pub(super) wide: Option<Attr<'a>>,
}

#[allow(clippy::inline_always, reason = "rows are decoded in one piece")]
impl StatsBlocks<'_> {
    /// A block that is absent, as from a kernel before 4.1, and a field that is absent count as zero.
    #[inline(always)]
    pub(super) fn decode(self) -> Result<Stats, DecodeError> {
        match (self.wide, self.narrow) {
            (Some(block), _) => match decode_in_order(block.value) {
                Some(stats) => Ok(stats),
                None => decode(block.nest("STATS64"), Width::Wide),
            },
            (None, Some(block)) => decode(block.nest("STATS"), Width::Narrow),
            (None, None) => Ok(Stats::default()),
        }
    }
}

/// Reads a wide block in the layout of every kernel so far: these ten numbers in this order and nothing else. Most of
/// the bytes of a row are here.
#[inline]
pub(super) fn decode_in_order(block: &[u8]) -> Option<Stats> {
    let (attrs, []) = block.as_chunks() else { return None };
    let [connections, packets_in, packets_out, bytes_in, bytes_out, cps, pps_in, pps_out, bps_in, bps_out] = attrs
    else {
        return None;
    };
    Some(Stats {
        connections: wide(connections, IPVS_STATS_ATTR_CONNS)?,
        packets_in: wide(packets_in, IPVS_STATS_ATTR_INPKTS)?,
        packets_out: wide(packets_out, IPVS_STATS_ATTR_OUTPKTS)?,
        bytes_in: wide(bytes_in, IPVS_STATS_ATTR_INBYTES)?,
        bytes_out: wide(bytes_out, IPVS_STATS_ATTR_OUTBYTES)?,
        connections_per_sec: wide(cps, IPVS_STATS_ATTR_CPS)?,
        packets_per_sec_in: wide(pps_in, IPVS_STATS_ATTR_INPPS)?,
        packets_per_sec_out: wide(pps_out, IPVS_STATS_ATTR_OUTPPS)?,
        bytes_per_sec_in: wide(bps_in, IPVS_STATS_ATTR_INBPS)?,
        bytes_per_sec_out: wide(bps_out, IPVS_STATS_ATTR_OUTBPS)?,
    })
}

/// The number of a whole attribute, header included, if it has this type.
#[inline]
fn wide(attr: &[u8; NLA_HEADER_SIZE + 8], kind: u16) -> Option<u64> {
    let [header @ .., _, _, _, _, _, _, _, _] = attr;
    let [_, _, _, _, number @ ..] = attr;
    (*header == attr::header(kind, 8)).then(|| u64::from_ne_bytes(*number))
}

fn decode(mut attrs: Attrs<'_>, width: Width) -> Result<Stats, DecodeError> {
    let mut stats = Stats::default();
    while let Some(attr) = attrs.next()? {
        let (field, name) = match attr.kind {
            IPVS_STATS_ATTR_CONNS => (&mut stats.connections, "IPVS_STATS_ATTR_CONNS"),
            IPVS_STATS_ATTR_INPKTS => (&mut stats.packets_in, "IPVS_STATS_ATTR_INPKTS"),
            IPVS_STATS_ATTR_OUTPKTS => (&mut stats.packets_out, "IPVS_STATS_ATTR_OUTPKTS"),
            IPVS_STATS_ATTR_INBYTES => {
                stats.bytes_in = attr.u64("IPVS_STATS_ATTR_INBYTES")?;
                continue;
            }
            IPVS_STATS_ATTR_OUTBYTES => {
                stats.bytes_out = attr.u64("IPVS_STATS_ATTR_OUTBYTES")?;
                continue;
            }
            IPVS_STATS_ATTR_CPS => (&mut stats.connections_per_sec, "IPVS_STATS_ATTR_CPS"),
            IPVS_STATS_ATTR_INPPS => (&mut stats.packets_per_sec_in, "IPVS_STATS_ATTR_INPPS"),
            IPVS_STATS_ATTR_OUTPPS => (&mut stats.packets_per_sec_out, "IPVS_STATS_ATTR_OUTPPS"),
            IPVS_STATS_ATTR_INBPS => (&mut stats.bytes_per_sec_in, "IPVS_STATS_ATTR_INBPS"),
            IPVS_STATS_ATTR_OUTBPS => (&mut stats.bytes_per_sec_out, "IPVS_STATS_ATTR_OUTBPS"),
            _ => continue,
        };
        *field = match width {
            Width::Narrow => attr.u32(name)?.into(),
            Width::Wide => attr.u64(name)?,
        };
    }
    Ok(stats)
}

/// Writes both blocks as the kernel does: the narrow numbers are the low halves of the wide ones.
pub(super) fn encode<S: Sink>(out: &mut Writer<'_, S>, narrow: u16, wide: u16, stats: &Stats) {
    out.plain_nest(narrow, |out| encode_block(out, stats, Width::Narrow));
    out.plain_nest(wide, |out| encode_block(out, stats, Width::Wide));
}

fn encode_block<S: Sink>(out: &mut Writer<'_, S>, stats: &Stats, width: Width) {
    let mut number = |kind: u16, value: u64, width: Width| match width {
        Width::Narrow => {
            out.words([ShortAttribute::u32(kind, u32::try_from(value & u64::from(u32::MAX)).unwrap_or(u32::MAX))]);
        }
        Width::Wide => out.u64(kind, value),
    };
    number(IPVS_STATS_ATTR_CONNS, stats.connections, width);
    number(IPVS_STATS_ATTR_INPKTS, stats.packets_in, width);
    number(IPVS_STATS_ATTR_OUTPKTS, stats.packets_out, width);
    number(IPVS_STATS_ATTR_INBYTES, stats.bytes_in, Width::Wide);
    number(IPVS_STATS_ATTR_OUTBYTES, stats.bytes_out, Width::Wide);
    number(IPVS_STATS_ATTR_CPS, stats.connections_per_sec, width);
    number(IPVS_STATS_ATTR_INPPS, stats.packets_per_sec_in, width);
    number(IPVS_STATS_ATTR_OUTPPS, stats.packets_per_sec_out, width);
    number(IPVS_STATS_ATTR_INBPS, stats.bytes_per_sec_in, width);
    number(IPVS_STATS_ATTR_OUTBPS, stats.bytes_per_sec_out, width);
}
