use std::net::Ipv4Addr;
use std::num::NonZeroU32;

use super::attr::{Attr, Attrs, Sink, Word, Writer};
use super::consts::{
    IPVS_CMD_ATTR_SERVICE, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FLAGS, IPVS_SVC_ATTR_FWMARK,
    IPVS_SVC_ATTR_NETMASK, IPVS_SVC_ATTR_PE_NAME, IPVS_SVC_ATTR_PORT, IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_SCHED_NAME,
    IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64, IPVS_SVC_ATTR_TIMEOUT,
};
use super::error::DecodeError;
use super::stats::{self, StatsBlocks};
use crate::model::{
    AddressFamily, Granularity, Persistence, PersistenceEngine, Prefix, Protocol, Scheduler, Service, ServiceEntry,
    ServiceFlags, ServiceId, ServiceKind,
};

/// Writes what names a service, as every command but the two below has it.
pub(super) fn encode_id<S: Sink>(out: &mut Writer<'_, S>, id: &ServiceId) {
    out.nest(IPVS_CMD_ATTR_SERVICE, |out| put_id(out, id));
}

/// Writes a whole service, as `NEW_SERVICE` and `SET_SERVICE` have it.
pub(super) fn encode<S: Sink>(out: &mut Writer<'_, S>, service: &Service) {
    out.nest(IPVS_CMD_ATTR_SERVICE, |out| put_settings(out, service, service.flags()));
}

/// Writes an observed service, as the kernel sends it.
pub(super) fn encode_entry<S: Sink>(out: &mut Writer<'_, S>, entry: &ServiceEntry) {
    out.plain_nest(IPVS_CMD_ATTR_SERVICE, |out| {
        put_settings(out, &entry.service, entry.flags);
        stats::encode(out, IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64, &entry.stats);
    });
}

fn put_id<S: Sink>(out: &mut Writer<'_, S>, id: &ServiceId) {
    let family = Word::family(IPVS_SVC_ATTR_AF, id.family());
    match id.kind() {
        ServiceKind::Address { protocol, address, port } => {
            out.words([family, Word::u16(IPVS_SVC_ATTR_PROTOCOL, protocol.number())]);
            out.address(IPVS_SVC_ATTR_ADDR, address);
            out.words([Word::port(IPVS_SVC_ATTR_PORT, port)]);
        }
        ServiceKind::Mark { mark, .. } => out.words([family, Word::u32(IPVS_SVC_ATTR_FWMARK, mark.get())]),
    }
}

fn put_settings<S: Sink>(out: &mut Writer<'_, S>, service: &Service, flags: ServiceFlags) {
    let family = service.id.family();
    let persistence = service.stored_persistence();
    put_id(out, &service.id);
    out.name(IPVS_SVC_ATTR_SCHED_NAME, service.scheduler.as_bytes());
    if let Some(engine) = persistence.and_then(|persistence| persistence.engine) {
        out.name(IPVS_SVC_ATTR_PE_NAME, engine.as_bytes());
    }
    let [a, b, c, d] = flags.bits().to_ne_bytes();
    // The mask says which of the stored flags to replace: all of them.
    out.bytes(IPVS_SVC_ATTR_FLAGS, &[a, b, c, d, 0xff, 0xff, 0xff, 0xff]);
    let timeout = Word::u32(IPVS_SVC_ATTR_TIMEOUT, persistence.map_or(0, Persistence::timeout_secs));
    let netmask = match (persistence.map_or(Granularity::Client, |persistence| persistence.granularity), family) {
        (Granularity::Mask(mask), _) => u32::from_ne_bytes(mask.octets()),
        (Granularity::Prefix(prefix), _) => prefix.bits().into(),
        (Granularity::Client, AddressFamily::Ipv4) => u32::MAX,
        (Granularity::Client, AddressFamily::Ipv6) => Prefix::FULL.bits().into(),
    };
    out.words([timeout, Word::u32(IPVS_SVC_ATTR_NETMASK, netmask)]);
}

/// Reads what names a service.
pub(super) fn decode_id(attrs: Attrs<'_>) -> Result<ServiceId, DecodeError> {
    Fields::read(attrs)?.id()
}

/// Reads a service with everything about it.
pub(super) fn decode(attrs: Attrs<'_>) -> Result<ServiceEntry, DecodeError> {
    let fields = Fields::read(attrs)?;
    let id = fields.id()?;
    let scheduler = fields.require(fields.scheduler, "IPVS_SVC_ATTR_SCHED_NAME")?;
    let flags = fields.require(fields.flags, "IPVS_SVC_ATTR_FLAGS")?;
    let timeout = fields.require(fields.timeout, "IPVS_SVC_ATTR_TIMEOUT")?;
    let netmask = fields.require(fields.netmask, "IPVS_SVC_ATTR_NETMASK")?;
    let bits = netmask.u32("IPVS_SVC_ATTR_NETMASK")?;
    let granularity = match id.family() {
        AddressFamily::Ipv4 => Granularity::Mask(Ipv4Addr::from(bits.to_ne_bytes())),
        AddressFamily::Ipv6 => {
            let prefix = u8::try_from(bits).ok().and_then(|bits| Prefix::new(bits).ok());
            Granularity::Prefix(prefix.ok_or_else(|| netmask.out_of_range("IPVS_SVC_ATTR_NETMASK", bits))?)
        }
    };
    let stored = Persistence::from_kernel(timeout, granularity.normalized(), fields.engine);

    let mut service = Service::new(id, scheduler)
        .scheduler_flags(flags.scheduler_flags())
        .one_packet(flags.contains(ServiceFlags::ONE_PACKET));
    service.unnamed_flags = flags.difference(ServiceFlags::NAMED).bits();
    let service = if flags.contains(ServiceFlags::PERSISTENT) {
        service.persistence(stored)
    } else {
        service.dormant_persistence(stored)
    };
    Ok(ServiceEntry { service, stats: fields.stats.decode()?, flags })
}

/// The attributes of a service nest; of those that stand there twice, the last.
#[derive(Debug)]
struct Fields<'a> {
    offset: usize,
    family: Option<AddressFamily>,
    protocol: Option<u16>,
    address: Option<Attr<'a>>,
    port: Option<u16>,
    mark: Option<u32>,
    scheduler: Option<Scheduler>,
    flags: Option<ServiceFlags>,
    timeout: Option<u32>,
    netmask: Option<Attr<'a>>,
    engine: Option<PersistenceEngine>,
    stats: StatsBlocks<'a>,
}

impl<'a> Fields<'a> {
    #[inline(never)]
    fn read(mut attrs: Attrs<'a>) -> Result<Self, DecodeError> {
        let mut fields = Self {
            offset: attrs.offset(),
            family: None,
            protocol: None,
            address: None,
            port: None,
            mark: None,
            scheduler: None,
            flags: None,
            timeout: None,
            netmask: None,
            engine: None,
            stats: StatsBlocks::default(),
        };
        while let Some(attr) = attrs.next()? {
            match attr.kind {
                IPVS_SVC_ATTR_AF => fields.family = Some(attr.family("IPVS_SVC_ATTR_AF")?),
                IPVS_SVC_ATTR_PROTOCOL => fields.protocol = Some(attr.u16("IPVS_SVC_ATTR_PROTOCOL")?),
                IPVS_SVC_ATTR_ADDR => fields.address = Some(attr),
                IPVS_SVC_ATTR_PORT => fields.port = Some(attr.port("IPVS_SVC_ATTR_PORT")?),
                IPVS_SVC_ATTR_FWMARK => fields.mark = Some(attr.u32("IPVS_SVC_ATTR_FWMARK")?),
                IPVS_SVC_ATTR_SCHED_NAME => {
                    let name = attr.name("IPVS_SVC_ATTR_SCHED_NAME")?;
                    let scheduler = Scheduler::from_kernel(name).filter(|_| !name.is_empty());
                    fields.scheduler = Some(scheduler.ok_or_else(|| attr.bad_name("IPVS_SVC_ATTR_SCHED_NAME"))?);
                }
                IPVS_SVC_ATTR_PE_NAME => {
                    // An empty name stands for no engine.
                    let name = attr.name("IPVS_SVC_ATTR_PE_NAME")?;
                    let engine = PersistenceEngine::from_kernel(name);
                    fields.engine = match engine {
                        _ if name.is_empty() => None,
                        Some(engine) => Some(engine),
                        None => return Err(attr.bad_name("IPVS_SVC_ATTR_PE_NAME")),
                    };
                }
                IPVS_SVC_ATTR_FLAGS => {
                    fields.flags = Some(ServiceFlags::from_bits_retain(attr.u32("IPVS_SVC_ATTR_FLAGS")?));
                }
                IPVS_SVC_ATTR_TIMEOUT => fields.timeout = Some(attr.u32("IPVS_SVC_ATTR_TIMEOUT")?),
                IPVS_SVC_ATTR_NETMASK => fields.netmask = Some(attr),
                IPVS_SVC_ATTR_STATS => fields.stats.narrow = Some(attr),
                IPVS_SVC_ATTR_STATS64 => fields.stats.wide = Some(attr),
                _ => {}
            }
        }
        Ok(fields)
    }

    fn id(&self) -> Result<ServiceId, DecodeError> {
        let family = self.require(self.family, "IPVS_SVC_ATTR_AF")?;
        if let Some(mark) = self.mark.and_then(NonZeroU32::new) {
            return Ok(ServiceId::from(ServiceKind::Mark { mark, family }));
        }
        let protocol = self.require(self.protocol, "IPVS_SVC_ATTR_PROTOCOL")?;
        let address = self.require(self.address, "IPVS_SVC_ATTR_ADDR")?;
        let port = self.require(self.port, "IPVS_SVC_ATTR_PORT")?;
        let address = address.address("IPVS_SVC_ATTR_ADDR", family)?;
        Ok(ServiceId::verbatim(Protocol::from_number(protocol), address, port))
    }

    fn require<T>(&self, field: Option<T>, name: &'static str) -> Result<T, DecodeError> {
        field.ok_or_else(|| DecodeError::missing(name, self.offset))
    }
}
